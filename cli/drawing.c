/* SPDX-License-Identifier: BSD-3-Clause */
/* drawing.c: the choice of a view, and pictures into files. See drawing.h. */
#include "cli/drawing.h"

#include <inttypes.h>
#include <string.h>

#include "cli/params.h"
#include "cli/planes.h"
#include "cli/tensors.h"
#include "io/io.h"

enum { VIEW_SLIDE, VIEW_SCATTER, VIEW_MATRIX, VIEW_IM2COL, VIEW_COVERAGE };

_Static_assert(DRAW_LIGHT == 0 && DRAW_DARK == 1 && DRAW_PRINT == 2,
               "--theme lists the themes in this order");

static void close_view(void *view)
{
    draw_view_close(view);
}

static fal_status impossible(cli_command *command, const char *word, const char *allowed)
{
    cli_fail(command, FAL_E_USAGE, "--view", "there is no such view of %s", word);
    return cli_allow(command, FAL_E_USAGE, "must be one of %s", allowed);
}

/* Which view, when none or any was asked for. */
static fal_status choose(cli_command *command, cli_drawn what, int *chosen)
{
    const char *word = cli_operand(command, 0);
    *chosen = cli_choice(command, CLI_VIEW, what == CLI_DRAW_UNFOLD ? VIEW_IM2COL : VIEW_SLIDE);
    if (what == CLI_DRAW_CONV && *chosen == VIEW_SCATTER)
        return impossible(command, word, "slide, matrix, im2col, coverage");
    bool transposed = what == CLI_DRAW_CONV_TRANSPOSE || what == CLI_DRAW_UPSAMPLE;
    if (transposed && *chosen == VIEW_IM2COL)
        return impossible(command, word, "slide, scatter, matrix, coverage");
    if (what == CLI_DRAW_UNFOLD && *chosen != VIEW_IM2COL) return impossible(command, word, "im2col");
    if (what != CLI_DRAW_CONV && what != CLI_DRAW_UNFOLD && !transposed && *chosen != VIEW_SLIDE)
        return impossible(command, word, "slide");
    return FAL_OK;
}

static fal_status open_operator(cli_command *command, cli_drawn what, const draw_look *look, draw_view **view)
{
    cli_drawing *d;
    int chosen;
    CLI_TRY(choose(command, what, &chosen));
    CLI_TRY(cli_alloc(command, 1, sizeof *d, (void **)&d));
    CLI_TRY(cli_drawing_read(command, what, d));
    if (chosen == VIEW_SCATTER) d->problem.op = DRAW_OP_SCATTER;
    fal_error *error = &command->error;
    switch (chosen) {
    case VIEW_MATRIX: return draw_view_matrix(&d->problem, look, view, error);
    case VIEW_IM2COL: return draw_view_im2col(&d->problem, look, view, error);
    case VIEW_COVERAGE: return draw_view_coverage(&d->problem, look, view, error);
    default: return draw_view_slide(&d->problem, look, view, error);
    }
}

static fal_status open_stack(cli_command *command, const draw_look *look, draw_view **view)
{
    fal_layer *layers;
    int32_t count;
    int64_t size = 16;
    CLI_TRY(cli_layers_read(command, cli_operand(command, 1), &layers, &count));
    CLI_TRY(cli_axis_ints(command, CLI_INPUT_SIZE, 1, &size));
    return draw_view_stack(layers, count, size, look, view, &command->error);
}

static fal_status open_tile(cli_command *command, const draw_look *look, draw_view **view)
{
    const int64_t *given;
    int64_t size[2] = {6, 6}, tile[2] = {2, 2};
    const char *text = cli_operand(command, 1);
    const int32_t rank = cli_ints(command, CLI_INPUT, &given);
    fal_tensor x = {0};
    if (text != NULL) {
        CLI_TRY(cli_load(command, text, "x", &x));
    } else {
        CLI_TRY(cli_axis_ints(command, CLI_INPUT_SIZE, 2, size));
        CLI_TRY(rank > 0 ? cli_shape_only(command, "--input", rank, given, &x)
                         : cli_shape_only(command, "--input-size", 2, size, &x));
        if (!cli_given(command, CLI_DATA)) command->values[CLI_DATA] = (cli_value){.given = 1, .choice = 1};
        CLI_TRY(cli_drawing_fill(command, CLI_PART_X, &x));
    }
    if (x.rank != 2) {
        cli_fail(command, FAL_E_RANK, "x", "the tensor has rank %" PRId32, x.rank);
        return cli_allow(command, FAL_E_RANK, "must be 2: a matrix");
    }
    if (cli_ints(command, CLI_TILE, &given) == 0) {
        cli_fail(command, FAL_E_USAGE, NULL, "the tile is not given");
        return cli_allow(command, FAL_E_USAGE, "give --tile T");
    }
    CLI_TRY(cli_axis_ints(command, CLI_TILE, 2, tile));
    return draw_view_tile(&x, tile, look, view, &command->error);
}

fal_status cli_drawing_view(cli_command *command, draw_view **view)
{
    int what;
    const draw_look look = {.theme = (draw_theme)cli_choice(command, CLI_THEME, DRAW_LIGHT),
                            .bare = cli_choice(command, CLI_VALUES, 0) == 1,
                            .heatmap = cli_given(command, CLI_HEATMAP) > 0};
    CLI_TRY(cli_operand_word(command, 0, "operator", command->verb->words, &what));
    CLI_TRY(what == CLI_DRAW_STACK  ? open_stack(command, &look, view)
            : what == CLI_DRAW_TILE ? open_tile(command, &look, view)
                                    : open_operator(command, (cli_drawn)what, &look, view));
    return cli_adopt(command, *view, close_view);
}

/* ---- Files ---- */

draw_format cli_drawing_format(const char *path)
{
    return strcmp(path, "-") == 0 ? DRAW_SVG : draw_format_of_name(path);
}

fal_status cli_drawing_output(cli_command *command, draw_format format, draw_output *options)
{
    const bool pixels = format == DRAW_PNG || format == DRAW_GIF;
    const double scale = cli_number(command, CLI_ZOOM, pixels ? 2 : 1);
    *options = (draw_output){.scale = scale, .transparent = cli_given(command, CLI_TRANSPARENT) > 0};
    if (scale > 0 && scale <= 100) return FAL_OK;
    cli_fail(command, FAL_E_VALUE, "--scale", "scale is %g", scale);
    return cli_allow(command, FAL_E_VALUE, "must be above 0 and at most 100");
}

fal_status cli_drawing_write(cli_command *command, const char *path, draw_bytes *bytes)
{
    io_file *file = cli_next_output(command);
    fal_error *error = &command->error;
    fal_status status = io_file_begin(file, path, cli_given(command, CLI_FORCE) > 0, error);
    if (status == FAL_OK) status = io_file_write(file, bytes->data, bytes->count, error);
    if (status == FAL_OK) status = io_file_seal(file, error);
    command->in_file = status != FAL_OK;
    if (status == FAL_OK) cli_note(command, false, "%s: %zu bytes", path, bytes->count);
    return status;
}
