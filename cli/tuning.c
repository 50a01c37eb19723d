/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * tuning.c: see tuning.h.
 *
 * The file is read again before it is written: two commands that measure side by side then lose less of
 * each other's work, and never a line that was there before both.
 */
#include "cli/tuning.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_BYTES = 64 << 20, FIRST_BYTES = 1 << 16 };
static const double most_seconds = 3600;

static void destroy(void *wisdom)
{
    fal_wisdom_destroy(wisdom);
}

static fal_status fail_file(cli_command *command, const char *path, fal_status status, const char *verb)
{
    command->in_file = true;
    return cli_fail(command, status, path, "cannot %s %.120s: %s", verb, path, strerror(errno));
}

/* The whole file as text with a final 0, to be freed; NULL and FAL_OK when there is none. */
static fal_status read_text(cli_command *command, const char *path, char **text)
{
    size_t length = 0, capacity = FIRST_BYTES;
    *text = NULL;
    FILE *file = fopen(path, "rb");
    if (file == NULL && errno == ENOENT) return FAL_OK;
    if (file == NULL) return fail_file(command, path, errno == ENOMEM ? FAL_E_NOMEM : FAL_E_IO, "open");
    char *all = malloc(capacity);
    while (all != NULL && !ferror(file) && length < MOST_BYTES) {
        const size_t got = fread(all + length, 1, capacity - 1 - length, file);
        if (got == 0) break;
        length += got;
        if (length + 1 < capacity) continue;
        char *more = realloc(all, capacity *= 2);
        if (more == NULL) free(all);
        all = more;
    }
    const bool failed = ferror(file) != 0;
    fclose(file);
    fal_status status = FAL_OK;
    if (all == NULL)
        status = cli_fail(command, FAL_E_NOMEM, path, "out of memory");
    else if (failed)
        status = fail_file(command, path, FAL_E_IO, "read");
    else if (length >= MOST_BYTES)
        status = cli_fail(command, FAL_E_LIMIT, path, "the file is longer than %d bytes", MOST_BYTES - 1);
    if (status != FAL_OK) {
        free(all);
        return status;
    }
    all[length] = '\0';
    *text = all;
    return FAL_OK;
}

/* Adds the entries of the file; *found tells whether there is one. */
static fal_status import(cli_command *command, const char *path, bool *found, int64_t *ignored)
{
    char *text;
    CLI_TRY(read_text(command, path, &text));
    *found = text != NULL;
    *ignored = 0;
    if (text == NULL) return FAL_OK;
    fal_status status = fal_wisdom_import(command->context.wisdom, text, ignored, &command->error);
    free(text);
    return status;
}

fal_status cli_tuning_begin(cli_command *command)
{
    const char *path = cli_text(command, CLI_WISDOM, NULL);
    const double seconds = cli_number(command, CLI_MEASURE, 0);
    fal_wisdom *wisdom;
    bool found;
    int64_t ignored;
    if (!(seconds >= 0 && seconds <= most_seconds)) {
        cli_fail(command, FAL_E_VALUE, "--measure", "%g seconds to measure", seconds);
        return cli_allow(command, FAL_E_VALUE, "must be 0 to %g", most_seconds);
    }
    if (seconds > 0 && cli_given(command, CLI_REPRODUCIBLE))
        return cli_fail(command, FAL_E_VALUE, "--measure",
                        "--reproducible excludes measuring, which depends on chance");
    command->context.measure_seconds = seconds;
    if (path == NULL) return FAL_OK;
    CLI_TRY(fal_wisdom_create(&command->context, &wisdom));
    CLI_TRY(cli_adopt(command, wisdom, destroy));
    command->context.wisdom = wisdom;
    CLI_TRY(import(command, path, &found, &ignored));
    if (ignored > 0)
        cli_note(command, true, "%s: %" PRId64 " line%s that is no wisdom", path, ignored,
                 ignored == 1 ? "" : "s");
    if (found || seconds > 0) return FAL_OK;
    command->in_file = true;
    cli_fail(command, FAL_E_NOTFOUND, path, "there is no file %.120s", path);
    return cli_hint(command, FAL_E_NOTFOUND, "--measure SECONDS makes one");
}

fal_status cli_tuning_end(cli_command *command)
{
    const char *path = cli_text(command, CLI_WISDOM, NULL);
    fal_wisdom *wisdom = command->context.wisdom;
    bool found;
    int64_t ignored;
    if (path == NULL || command->context.measure_seconds <= 0) return FAL_OK;
    CLI_TRY(import(command, path, &found, &ignored));
    const size_t length = fal_wisdom_export(wisdom, NULL, 0);
    char *text;
    CLI_TRY(cli_alloc(command, (int64_t)length + 1, 1, (void **)&text));
    fal_wisdom_export(wisdom, text, length + 1);
    io_file *file = cli_next_output(command);
    fal_status status = io_file_begin(file, path, true, &command->error);
    if (status == FAL_OK) status = io_file_write(file, text, length, &command->error);
    if (status == FAL_OK) status = io_file_seal(file, &command->error);
    command->in_file = status != FAL_OK;
    return status;
}
