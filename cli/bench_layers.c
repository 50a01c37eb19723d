/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * bench_layers.c: the layers of --set and --layers.
 *
 * Both are lines of text; the sets' lines are part of the program.
 */
#include <stdlib.h>
#include <string.h>

#include "bench/sets.h"
#include "cli/bench.h"
#include "cli/limits.h"
#include "cli/text_file.h"

enum { MOST_BYTES = 1 << 20, FIRST_CAPACITY = 64 };

/* Where a line stands. */
typedef struct place {
    const char *set, *file;
    int line;
} place;

/* Says where, and takes back what the library would advise about options. */
static fal_status at_line(cli_command *command, const place *at, fal_status status)
{
    fal_error *error = &command->error;
    snprintf(error->field, sizeof error->field, "%.50s:%d", at->file, at->line);
    error->hint[0] = error->fix_field[0] = '\0';
    return status;
}

static fal_status add(cli_command *command, cli_bench_layers *layers, const cli_bench_layer *layer)
{
    if (layers->count == layers->capacity) {
        const int capacity = layers->capacity > 0 ? 2 * layers->capacity : FIRST_CAPACITY;
        void *items; /* the old ones stay until the command ends: they are small and few */
        CLI_TRY(cli_alloc(command, capacity, sizeof *layers->items, &items));
        if (layers->count > 0) memcpy(items, layers->items, (size_t)layers->count * sizeof *layers->items);
        layers->items = items;
        layers->capacity = capacity;
    }
    layers->items[layers->count++] = *layer;
    return FAL_OK;
}

static fal_status read_line(cli_command *command, const place *at, const char *line, cli_bench_layers *layers)
{
    cli_bench_layer layer = {.set = at->set};
    bench_problem problem;
    bool found;
    fal_status status = bench_layer_parse(line, &layer.layer, &found, &command->error);
    if (status != FAL_OK) return at_line(command, at, status);
    if (!found) return FAL_OK;
    for (int layout = FAL_NCHW; layout <= FAL_NHWC && status == FAL_OK; layout++)
        status = bench_describe(&layer.layer, (fal_layout)layout, &problem, &command->error);
    if (status == FAL_OK) status = cli_check_work(command, problem.work);
    return status == FAL_OK ? add(command, layers, &layer) : at_line(command, at, status);
}

static fal_status read_file(cli_command *command, const char *path, cli_bench_layers *layers)
{
    place at = {.set = path, .file = path};
    char *line;
    CLI_TRY(cli_read_text(command, path, MOST_BYTES, "list of layers", &line));
    while (line != NULL) {
        char *end = strchr(line, '\n');
        if (end != NULL) *end = '\0';
        at.line++;
        CLI_TRY(read_line(command, &at, line, layers));
        line = end != NULL ? end + 1 : NULL;
    }
    if (layers->count == 0) return cli_fail(command, FAL_E_HEADER, path, "no layer is in %.120s", path);
    command->in_file = false;
    return FAL_OK;
}

static fal_status read_set(cli_command *command, const bench_set *set, cli_bench_layers *layers)
{
    char file[64];
    place at = {.set = set->name, .file = file};
    snprintf(file, sizeof file, "%s.txt", set->name);
    for (; set->lines[at.line] != NULL;) {
        const char *line = set->lines[at.line++];
        CLI_TRY(read_line(command, &at, line, layers));
    }
    return FAL_OK;
}

fal_status cli_bench_layers_read(cli_command *command, cli_bench_layers *layers)
{
    char name[32] = "resnet50";
    const char *path = cli_text(command, CLI_BENCH_LAYERS, NULL);
    *layers = (cli_bench_layers){0};
    if (path != NULL && cli_given(command, CLI_SET))
        return cli_fail(command, FAL_E_USAGE, NULL, "--set and --layers exclude each other");
    if (path != NULL) return read_file(command, path, layers);
    if (cli_given(command, CLI_SET))
        cli_word_at(cli_options[CLI_SET].choices, cli_choice(command, CLI_SET, 0), name, sizeof name);
    for (const bench_set *set = bench_sets; set->name != NULL; set++)
        if (strcmp(name, "all") == 0 || strcmp(name, set->name) == 0) CLI_TRY(read_set(command, set, layers));
    return FAL_OK;
}
