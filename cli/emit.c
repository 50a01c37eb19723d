/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * emit.c: a verb's result to where it was asked for.
 */
#define _POSIX_C_SOURCE 200809L

#include <inttypes.h>
#include <math.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/json_out.h"
#include "cli/layer.h"
#include "cli/params.h"
#include "cli/tensors.h"
#include "io/io.h"

/* "-o" is how people know it. */
static void spelled(cli_option_id id, char *text, size_t capacity)
{
    const cli_option *option = &cli_options[id];
    if (option->letter)
        snprintf(text, capacity, "-%c", option->letter);
    else
        snprintf(text, capacity, "--%s", option->name);
}

/* "weights.npz:conv1" is a file and the name of its tensor, where the kind of file has names. */
static fal_status split_member(cli_command *command, const char *path, const char **file, const char **member)
{
    const char *colon = strrchr(path, ':');
    char *copy;
    *file = path;
    *member = NULL;
    if (colon == NULL || colon[1] == '\0') return FAL_OK;
    CLI_TRY(cli_alloc(command, colon - path + 1, 1, (void **)&copy));
    memcpy(copy, path, (size_t)(colon - path));
    io_kind kind = io_kind_of_name(copy);
    if (kind != IO_NPZ && kind != IO_SAFETENSORS) return FAL_OK;
    *file = copy;
    *member = colon + 1;
    return FAL_OK;
}

static bool is_own_ending(const cli_verb *verb, const char *path)
{
    const char *dot = strrchr(path, '.');
    return verb->endings != NULL && dot != NULL && cli_word_index(verb->endings, dot + 1) >= 0;
}

/* Does a SPEC, whose member follows a colon, lie in this file? */
static bool lies_in(const char *spec, const struct stat *file)
{
    char path[4096];
    struct stat found;
    size_t length = strlen(spec);
    if (length >= sizeof path) return false;
    memcpy(path, spec, length + 1);
    while (stat(path, &found) != 0) {
        char *colon = strrchr(path, ':');
        if (colon == NULL) return false;
        *colon = '\0';
    }
    return found.st_dev == file->st_dev && found.st_ino == file->st_ino;
}

/* The result of a failing command would be the loss of its input. */
static fal_status keep_inputs(cli_command *command, const char *path, const char *where)
{
    struct stat output;
    const char *input = NULL;
    if (stat(path, &output) != 0 || !S_ISREG(output.st_mode)) return FAL_OK;
    for (int i = 0; i < command->operand_count; i++)
        if (lies_in(command->operands[i], &output)) input = command->operands[i];
    for (int id = 0; id < CLI_OPTION_COUNT; id++) {
        bool names = cli_options[id].kind == CLI_KIND_FILE || cli_options[id].kind == CLI_KIND_TEXT;
        if (names && cli_given(command, (cli_option_id)id) && lies_in(command->values[id].text, &output))
            input = command->values[id].text;
    }
    if (input == NULL) return FAL_OK;
    return cli_fail(command, FAL_E_USAGE, where, "output %.80s and input %.80s are the same file", path,
                    input);
}

/* Figures have other types than tensors. */
static fal_status check_figure(cli_command *command, const char *path, const char *where)
{
    char list[96] = "", word[16];
    size_t used = 0;
    if (strcmp(path, "-") == 0 || is_own_ending(command->verb, path)) return FAL_OK;
    for (int i = 0; used < sizeof list && cli_word_at(command->verb->endings, i, word, sizeof word); i++)
        used += (size_t)snprintf(list + used, sizeof list - used, "%s.%s", i ? ", " : "", word);
    cli_fail(command, FAL_E_USAGE, where, "no type of picture ends like '%.80s'", path);
    return cli_allow(command, FAL_E_USAGE, "must end in one of %s", list);
}

static fal_status check_output(cli_command *command, cli_option_id id)
{
    char where[48];
    const char *path, *member;
    CLI_TRY(split_member(command, command->values[id].text, &path, &member));
    spelled(id, where, sizeof where);
    const bool figure = command->verb->figures;
    if (figure) CLI_TRY(check_figure(command, path, where));
    if (figure && strcmp(path, "-") == 0) return FAL_OK;
    if (strcmp(path, "-") == 0) {
        if (!isatty(STDOUT_FILENO)) return FAL_OK;
        cli_fail(command, FAL_E_USAGE, where, "refusing to write a .npy to the terminal");
        return cli_hint(command, FAL_E_USAGE, "use -o FILE or a pipe; without -o the numbers are printed");
    }
    io_kind kind = io_kind_of_name(path);
    if (!figure && (kind == IO_UNKNOWN || kind == IO_JPEG) && !is_own_ending(command->verb, path)) {
        cli_fail(command, FAL_E_USAGE, where, "no type of file that can be written ends like '%.80s'", path);
        return cli_allow(command, FAL_E_USAGE, "must end in .npy, .npz, .safetensors, .png or .wav%s%s",
                         command->verb->endings ? ", or ." : "",
                         command->verb->endings ? command->verb->endings : "");
    }
    CLI_TRY(keep_inputs(command, path, where));
    if (!cli_given(command, CLI_FORCE) && access(path, F_OK) == 0) {
        cli_fail(command, FAL_E_EXISTS, where, "%s exists", path);
        return cli_hint(command, FAL_E_EXISTS, "-f overwrites it");
    }
    return FAL_OK;
}

/* An option about a kind of file of which none is written is a mistake. */
static fal_status check_sample_options(cli_command *command)
{
    bool wav = false, png = false;
    for (int id = 0; id < CLI_OPTION_COUNT; id++) {
        if (cli_options[id].kind != CLI_KIND_OUTPUT || !cli_given(command, (cli_option_id)id)) continue;
        io_kind kind = io_kind_of_name(command->values[id].text);
        wav = wav || kind == IO_WAV;
        png = png || kind == IO_PNG;
    }
    if (cli_given(command, CLI_RATE) && !wav)
        return cli_fail(command, FAL_E_USAGE, NULL, "--rate has no effect: no .wav is written");
    if (cli_given(command, CLI_BITS) && !wav && !png)
        return cli_fail(command, FAL_E_USAGE, NULL, "--bits has no effect: no .wav or .png is written");
    return FAL_OK;
}

fal_status cli_check_outputs(cli_command *command)
{
    CLI_TRY(check_sample_options(command));
    for (int id = 0; id < CLI_OPTION_COUNT; id++) {
        if (cli_options[id].kind != CLI_KIND_OUTPUT || !cli_given(command, (cli_option_id)id)) continue;
        CLI_TRY(check_output(command, (cli_option_id)id));
        for (int other = 0; other < id; other++)
            if (cli_options[other].kind == CLI_KIND_OUTPUT && cli_given(command, (cli_option_id)other) &&
                strcmp(command->values[other].text, command->values[id].text) == 0)
                return cli_fail(command, FAL_E_USAGE, NULL, "--%s and --%s name the same file %s",
                                cli_options[other].name, cli_options[id].name, command->values[id].text);
    }
    return FAL_OK;
}

/* How the numbers of a tensor lie to least..1, which is all that a PNG or WAV can hold. */
typedef struct number_range {
    int64_t count, odd, outside; /* odd: NaN or infinite */
    double low, high;
} number_range;

static number_range measure(const fal_tensor *t, double least)
{
    number_range r = {.count = fal_tensor_count(t), .low = INFINITY, .high = -INFINITY};
    int64_t index[FAL_MAX_RANK] = {0};
    if (r.count <= 0 || fal_dtype_is_integer(t->dtype)) return r;
    do {
        double value = fal_tensor_get(t, index);
        r.odd += !isfinite(value);
        r.outside += value < least || value > 1;
        r.low = fmin(r.low, value);
        r.high = fmax(r.high, value);
    } while (cli_next_index(t, index));
    return r;
}

fal_status cli_write(cli_command *command, const fal_tensor *tensor, const char *path)
{
    io_write_options options = {.overwrite = cli_given(command, CLI_FORCE) > 0,
                                .layout = cli_layout(command),
                                .bits = (int32_t)cli_int(command, CLI_BITS, 0),
                                .rate = cli_int(command, CLI_RATE, command->rate),
                                .sealed = cli_next_output(command)};
    const char *file;
    CLI_TRY(split_member(command, path, &file, &options.name));
    number_range r = {0};
    io_kind kind = io_kind_of_name(file);
    bool sound = kind == IO_WAV && options.bits != 32; /* which are floats */
    if (kind == IO_PNG || sound) r = measure(tensor, sound ? -1 : 0);
    if (r.odd > 0) {
        command->in_file = true;
        cli_fail(command, FAL_E_VALUE, path, "%" PRId64 " of %" PRId64 " numbers are NaN or infinite", r.odd,
                 r.count);
        return cli_hint(command, FAL_E_VALUE, "write .npy, which holds every number");
    }
    fal_status status = io_write(file, NULL, tensor, &options, &command->error);
    if (status == FAL_OK && r.outside > 0)
        cli_note(command, true,
                 "%s: %" PRId64 " of %" PRId64 " numbers lie outside %s..1 (from %g to %g) and were clipped",
                 path, r.outside, r.count, sound ? "-1" : "0", r.low, r.high);
    if (status == FAL_OK) {
        char shape[320];
        cli_format_shape(shape, sizeof shape, tensor);
        cli_note(command, false, "%s: %s %s", path, fal_dtype_name(tensor->dtype), shape);
    }
    return status;
}

static void print_json(cli_command *command, const fal_tensor *tensor)
{
    FILE *out = cli_out(command);
    fprintf(out, "{\"schema\":1,\"dtype\":\"%s\",\"shape\":[", fal_dtype_name(tensor->dtype));
    for (int32_t a = 0; a < tensor->rank; a++)
        fprintf(out, "%s%lld", a ? "," : "", (long long)tensor->shape[a]);
    fputs("],\"values\":", out);
    cli_print_json_values(out, tensor);
    fputs("}\n", out);
}

fal_status cli_emit(cli_command *command, const fal_tensor *tensor)
{
    const char *path = cli_text(command, CLI_OUTPUT, NULL);
    if (path == NULL) {
        if (command->json)
            print_json(command, tensor);
        else
            cli_print_tensor(cli_out(command), tensor);
        return FAL_OK;
    }
    CLI_TRY(cli_write(command, tensor, path));
    if (!command->json || strcmp(path, "-") == 0) return FAL_OK;
    json_t *facts = cli_json_tensor(tensor);
    if (facts != NULL) json_object_set_new(facts, "file", json_string(path));
    return cli_json_print(command, json_pack("{s:o}", "output", facts));
}
