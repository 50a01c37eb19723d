/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * verb_animate.c: all steps of an operator, one after another, and a still beside them.
 *
 *     -o t.gif, t.svg   one file that moves, and t-still.svg
 *     -o t.pdf          a page for each step
 *     -o t.png          a file for each step: t-0.png, t-1.png, ... t-8.png, as many digits as the last needs
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cli/drawing.h"

static void free_animation(void *animation)
{
    draw_animation_free(animation);
}

/* "t.gif" and "-still.svg" into "t-still.svg". */
static fal_status sibling(cli_command *command, const char *path, const char *tail, char **name)
{
    const char *dot = strrchr(path, '.');
    const size_t stem = dot ? (size_t)(dot - path) : strlen(path), length = stem + strlen(tail) + 1;
    CLI_TRY(cli_alloc(command, (int64_t)length, 1, (void **)name));
    snprintf(*name, length, "%.*s%s", (int)stem, path, tail);
    return FAL_OK;
}

static fal_status draw_frame(cli_command *command, const draw_animation *animation, size_t frame,
                             const char *path, draw_bytes *bytes)
{
    draw_output options;
    const draw_format format = cli_drawing_format(path);
    CLI_TRY(cli_drawing_output(command, format, &options));
    return draw_frame_still(animation, frame, format, &options, bytes, &command->error);
}

static fal_status write_frame(cli_command *command, const draw_animation *animation, size_t frame,
                              const char *path)
{
    draw_bytes bytes = {0};
    fal_status status = draw_frame(command, animation, frame, path, &bytes);
    if (status == FAL_OK) status = cli_drawing_write(command, path, &bytes);
    draw_bytes_free(&bytes);
    return status;
}

/* Files appear together, in flocks of as many as can be kept sealed. */
static fal_status write_file(cli_command *command, const char *path, size_t number, size_t count,
                             draw_bytes *bytes)
{
    enum { TOGETHER = 12 };
    char tail[48], *name;
    const int digits = snprintf(NULL, 0, "%zu", count - 1);
    snprintf(tail, sizeof tail, "-%0*zu.png", digits, number);
    CLI_TRY(sibling(command, path, tail, &name));
    CLI_TRY(cli_drawing_write(command, name, bytes));
    if (command->output_count < TOGETHER) return FAL_OK;
    CLI_TRY(cli_commit_outputs(command));
    command->output_count = 0;
    return FAL_OK;
}

/* All pictures are drawn before the first is written. */
static fal_status write_sequence(cli_command *command, const draw_animation *animation, const char *path)
{
    const size_t count = draw_animation_count(animation);
    draw_bytes *bytes;
    fal_status status = cli_alloc(command, (int64_t)count, sizeof *bytes, (void **)&bytes);
    if (status != FAL_OK) return status;
    for (size_t i = 0; status == FAL_OK && i < count; i++)
        status = draw_frame(command, animation, i, path, &bytes[i]);
    for (size_t i = 0; status == FAL_OK && i < count; i++)
        status = write_file(command, path, i, count, &bytes[i]);
    for (size_t i = 0; i < count; i++) draw_bytes_free(&bytes[i]);
    return status;
}

static fal_status write_moving(cli_command *command, const draw_animation *animation, const char *path)
{
    draw_output options;
    draw_bytes bytes = {0};
    const draw_format format = cli_drawing_format(path);
    CLI_TRY(cli_drawing_output(command, format, &options));
    fal_status status = draw_moving(animation, format, &options, &bytes, &command->error);
    if (status == FAL_OK) status = cli_drawing_write(command, path, &bytes);
    draw_bytes_free(&bytes);
    return status;
}

fal_status cli_run_animate(cli_command *command)
{
    draw_view *view;
    draw_animation *animation;
    const char *path = cli_text(command, CLI_FIGURE, NULL), *still = cli_text(command, CLI_STILL, NULL);
    const double seconds = cli_number(command, CLI_DELAY, 1);
    char *beside;
    if (path == NULL) {
        cli_fail(command, FAL_E_USAGE, "-o", "no animation is named");
        return cli_allow(command, FAL_E_USAGE, "give -o NAME.gif, .svg, .pdf or .png, or -o - for SVG");
    }
    if (!(seconds >= 0.02 && seconds <= 60)) {
        cli_fail(command, FAL_E_VALUE, "--seconds", "a step of %g seconds", seconds);
        return cli_allow(command, FAL_E_VALUE, "must be 0.02..60");
    }
    const draw_format format = cli_drawing_format(path);
    const bool moves = (format == DRAW_GIF || format == DRAW_SVG) && strcmp(path, "-") != 0;
    CLI_TRY(cli_drawing_view(command, &view));
    if (draw_view_steps(view) > CLI_MOST_STEPS) {
        cli_fail(command, FAL_E_LIMIT, NULL, "the animation has %" PRId64 " steps", draw_view_steps(view));
        return cli_allow(command, FAL_E_LIMIT, "must have at most %d", CLI_MOST_STEPS);
    }
    CLI_TRY(draw_view_moving(view, seconds, &animation, &command->error));
    CLI_TRY(cli_adopt(command, animation, free_animation));
    if (still == NULL && moves) {
        CLI_TRY(sibling(command, path, "-still.svg", &beside));
        still = beside;
    }
    CLI_TRY(format == DRAW_PNG ? write_sequence(command, animation, path)
                               : write_moving(command, animation, path));
    return still ? write_frame(command, animation, DRAW_STILL_FRAME, still) : FAL_OK;
}
