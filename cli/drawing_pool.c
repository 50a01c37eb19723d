/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * drawing_pool.c: operands and options of pools and of max-unpooling into problems that can be drawn.
 */
#include <inttypes.h>
#include <string.h>

#include "cli/drawing.h"
#include "cli/params.h"
#include "cli/planes.h"
#include "cli/tensors.h"
#include "cli/unpool.h"

static fal_status need_kernel(cli_command *command, const char *what)
{
    if (cli_given(command, CLI_KERNEL)) return FAL_OK;
    cli_fail(command, FAL_E_USAGE, "--kernel", "no window is given");
    return cli_allow(command, FAL_E_USAGE, "%s", what);
}

static fal_status read_window(cli_command *command, cli_drawing *d)
{
    draw_problem *p = &d->problem;
    fal_pool_params *q = &p->pool;
    CLI_TRY(need_kernel(command, "give --kernel K"));
    CLI_TRY(cli_axis_ints(command, CLI_KERNEL, q->spatial, q->kernel));
    CLI_TRY(cli_axis_ints(command, CLI_STRIDE, q->spatial, q->stride));
    CLI_TRY(cli_axis_ints(command, CLI_DILATION, q->spatial, q->dilation));
    CLI_TRY(cli_axis_padding(command, q->spatial, q->padding_begin, q->padding_end));
    q->padding = cli_padding(command);
    q->ceil_mode = cli_given(command, CLI_CEIL_MODE) > 0;
    const int32_t first = cli_planes_first(command, &p->x, q->spatial);
    for (int32_t a = 0; a < q->spatial; a++) {
        fal_axis axis = {.input = p->x.shape[first + a],
                         .kernel = q->kernel[a],
                         .stride = q->stride[a] ? q->stride[a] : q->kernel[a],
                         .dilation = q->dilation[a],
                         .begin = q->padding_begin[a],
                         .end = q->padding_end[a]};
        CLI_TRY(fal_padding_resolve(&axis, q->padding, false, &command->error));
        CLI_TRY(fal_pool_size(&axis, q->ceil_mode, &command->error));
        cli_formula(d->formula[a], &axis, q->ceil_mode ? CLI_FORMULA_POOL_CEIL : CLI_FORMULA_POOL);
        p->formula[a] = d->formula[a];
    }
    return FAL_OK;
}

fal_status cli_drawing_pool(cli_command *command, cli_drawing *d)
{
    draw_problem *p = &d->problem;
    fal_pool_params *q = &p->pool;
    const bool most =
        d->what == CLI_DRAW_MAX_POOL || d->what == CLI_DRAW_ADAPTIVE_MAX || d->what == CLI_DRAW_GLOBAL_MAX;
    q->kind = most ? FAL_POOL_MAX : d->what == CLI_DRAW_LP_POOL ? FAL_POOL_LP : FAL_POOL_AVERAGE;
    q->layout = cli_layout(command);
    q->exclude_padding = cli_choice(command, CLI_COUNT_INCLUDE_PAD, 0) == 1;
    q->divisor = cli_int(command, CLI_DIVISOR, 0);
    q->norm = cli_number(command, CLI_NORM, 0);
    CLI_TRY(cli_drawing_plane(command, &p->x, &q->spatial));
    if (d->what == CLI_DRAW_ADAPTIVE_AVG || d->what == CLI_DRAW_ADAPTIVE_MAX) {
        q->extent = FAL_POOL_ADAPTIVE;
        return cli_planes_output_size(command, "the result", q->spatial, q->output_size);
    }
    if (d->what == CLI_DRAW_GLOBAL_AVG || d->what == CLI_DRAW_GLOBAL_MAX) {
        q->extent = FAL_POOL_GLOBAL;
        return FAL_OK;
    }
    return read_window(command, d);
}

/* Maxima to put back, of an image that has exactly these windows. */
static fal_status make_maxima(cli_command *command, cli_drawing *d)
{
    draw_problem *p = &d->problem;
    fal_pool_params *q = &p->pool;
    fal_tensor image, y;
    const fal_context context = {.threads = 1, .error = &command->error};
    int64_t size[FAL_MAX_SPATIAL];
    CLI_TRY(cli_drawing_plane(command, &image, &q->spatial));
    CLI_TRY(need_kernel(command, "give X and INDICES, or --kernel K"));
    CLI_TRY(cli_axis_ints(command, CLI_KERNEL, q->spatial, q->kernel));
    CLI_TRY(cli_axis_ints(command, CLI_STRIDE, q->spatial, q->stride));
    const int32_t first = cli_planes_first(command, &image, q->spatial);
    for (int32_t a = 0; a < q->spatial; a++)
        size[a] = (image.shape[first + a] - 1) * (q->stride[a] ? q->stride[a] : q->kernel[a]) + q->kernel[a];
    y = image;
    CLI_TRY(cli_planes_resize(command, &y, q->spatial, "--input-size", size, &image));
    image.data = NULL;
    CLI_TRY(cli_drawing_fill(command, CLI_PART_X, &image));
    CLI_TRY(fal_pool_output_shape(&image, q, &p->x, &command->error));
    p->indices = fal_tensor_of(NULL, FAL_I64, p->x.rank, p->x.shape);
    CLI_TRY(cli_tensor_alloc(command, &p->x));
    CLI_TRY(cli_tensor_alloc(command, &p->indices));
    CLI_TRY(fal_pool(&context, &image, q, &p->x, &p->indices));
    p->image = image;
    return FAL_OK;
}

fal_status cli_drawing_unpool(cli_command *command, cli_drawing *d)
{
    draw_problem *p = &d->problem;
    cli_unpool u;
    p->pool.kind = FAL_POOL_MAX;
    p->pool.layout = cli_layout(command);
    if (cli_operand(command, 1) == NULL) return make_maxima(command, d);
    if (cli_operand(command, 2) == NULL) {
        cli_fail(command, FAL_E_USAGE, NULL, "the indices are not given");
        return cli_allow(command, FAL_E_USAGE, "give X and INDICES, or --input-size N and --kernel K");
    }
    CLI_TRY(cli_unpool_read(command, 1, &u));
    p->x = u.x;
    p->indices = u.indices;
    p->image = u.y;
    p->pool = u.params;
    p->pool.kind = FAL_POOL_MAX;
    return FAL_OK;
}
