/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * verb_pool.c: the seven pooling verbs and their gradients.
 *
 * They are three kinds (max, average, Lp) times three ways to lay the windows (a kernel, an output size,
 * everything); one path reads, runs and reports them all.
 */
#include <inttypes.h>

#include "cli/grad.h"
#include "cli/params.h"
#include "cli/planes.h"
#include "cli/tensors.h"

typedef struct pool {
    fal_tensor x, y;
    fal_pool_params params;
    fal_axis axis[FAL_MAX_SPATIAL]; /* of windows */
} pool;

_Static_assert(FAL_INDEX_PLANE == 0 && FAL_INDEX_TENSOR == 1, "--index-mode lists the modes in this order");

/* ---- Reading ---- */

/* Global pooling takes every axis after the second, so that no rank is ambiguous. */
static fal_status read_global(cli_command *command, const char *text, pool *p)
{
    CLI_TRY(cli_load(command, text, "x", &p->x));
    bool image = cli_is_literal(text) && p->x.rank >= 1 && p->x.rank <= 2;
    int32_t spatial = (int32_t)cli_int(command, CLI_SPATIAL, image ? p->x.rank : p->x.rank - 2);
    if (spatial < 1 || spatial > FAL_MAX_SPATIAL) {
        cli_fail(command, FAL_E_RANK, "x", "an input of rank %" PRId32 " leaves %" PRId32 " spatial axes",
                 p->x.rank, spatial);
        return cli_allow(command, FAL_E_RANK, "must be 1..%d", FAL_MAX_SPATIAL);
    }
    p->params.spatial = spatial;
    cli_lead_axes(text, p->params.layout, spatial + 2, &p->x);
    return cli_planes_check(command, &p->x, spatial);
}

static fal_status read_window(cli_command *command, const char *text, pool *p)
{
    fal_pool_params *q = &p->params;
    if (!cli_given(command, CLI_KERNEL)) {
        cli_fail(command, FAL_E_USAGE, "--kernel", "no window is given");
        return cli_allow(command, FAL_E_USAGE, "give --kernel K");
    }
    CLI_TRY(cli_planes_read(command, text, &p->x, &q->spatial));
    CLI_TRY(cli_axis_ints(command, CLI_KERNEL, q->spatial, q->kernel));
    CLI_TRY(cli_axis_ints(command, CLI_STRIDE, q->spatial, q->stride));
    CLI_TRY(cli_axis_ints(command, CLI_DILATION, q->spatial, q->dilation));
    q->padding = cli_padding(command);
    CLI_TRY(cli_axis_padding(command, q->spatial, q->padding_begin, q->padding_end));
    q->ceil_mode = cli_given(command, CLI_CEIL_MODE) > 0;
    return FAL_OK;
}

static fal_status read_adaptive(cli_command *command, const char *text, pool *p)
{
    CLI_TRY(cli_planes_read(command, text, &p->x, &p->params.spatial));
    return cli_planes_output_size(command, "the result", p->params.spatial, p->params.output_size);
}

/* What only one kind has. 0 means "not given" to the library, but here it was said. */
static fal_status read_kind(cli_command *command, pool *p)
{
    fal_pool_params *q = &p->params;
    q->exclude_padding = cli_choice(command, CLI_COUNT_INCLUDE_PAD, 0) == 1;
    q->divisor = cli_int(command, CLI_DIVISOR, 0);
    q->norm = cli_number(command, CLI_NORM, 0);
    q->index_mode = (fal_index_mode)cli_choice(command, CLI_INDEX_MODE, FAL_INDEX_PLANE);
    q->column_major = cli_int(command, CLI_STORAGE_ORDER, 0) == 1;
    if (cli_given(command, CLI_DIVISOR) && q->divisor == 0) {
        cli_fail(command, FAL_E_VALUE, "--divisor", "divisor is 0");
        return cli_allow(command, FAL_E_VALUE, "must be another number");
    }
    if (cli_given(command, CLI_NORM) && !(q->norm > 0)) {
        cli_fail(command, FAL_E_VALUE, "--norm", "norm is %g", q->norm);
        return cli_allow(command, FAL_E_VALUE, "must be above 0; inf is the maximum of |x|");
    }
    cli_option_id idle = cli_given(command, CLI_INDEX_MODE) ? CLI_INDEX_MODE : CLI_STORAGE_ORDER;
    if (!cli_given(command, idle) || cli_given(command, CLI_INDICES)) return FAL_OK;
    cli_fail(command, FAL_E_USAGE, NULL, "--%s without --indices has no effect", cli_options[idle].name);
    return cli_hint(command, FAL_E_USAGE, "add --indices FILE");
}

/* The axes once more, for the reader; the library has found them possible. */
static fal_status resolve_axes(cli_command *command, pool *p)
{
    const fal_pool_params *q = &p->params;
    int32_t first = cli_planes_first(command, &p->x, q->spatial);
    for (int32_t a = 0; q->extent == FAL_POOL_WINDOW && a < q->spatial; a++) {
        p->axis[a] = (fal_axis){.input = p->x.shape[first + a],
                                .kernel = q->kernel[a],
                                .stride = q->stride[a] ? q->stride[a] : q->kernel[a],
                                .dilation = q->dilation[a] ? q->dilation[a] : 1,
                                .begin = q->padding_begin[a],
                                .end = q->padding_end[a]};
        CLI_TRY(fal_padding_resolve(&p->axis[a], q->padding, false, &command->error));
        CLI_TRY(fal_pool_size(&p->axis[a], q->ceil_mode, &command->error));
    }
    return FAL_OK;
}

static fal_status read_pool(cli_command *command, fal_pool_kind kind, fal_pool_extent extent, int operand,
                            pool *p)
{
    const char *text = cli_operand(command, operand);
    *p = (pool){.params = {.kind = kind, .extent = extent, .layout = cli_layout(command)}};
    CLI_TRY(read_kind(command, p));
    CLI_TRY((extent == FAL_POOL_GLOBAL     ? read_global
             : extent == FAL_POOL_ADAPTIVE ? read_adaptive
                                           : read_window)(command, text, p));
    CLI_TRY(fal_pool_output_shape(&p->x, &p->params, &p->y, &command->error));
    return resolve_axes(command, p);
}

/* ---- Running ---- */

static fal_status run(cli_command *command, fal_pool_kind kind, fal_pool_extent extent)
{
    pool p;
    CLI_TRY(read_pool(command, kind, extent, 0, &p));
    const bool indexed = cli_given(command, CLI_INDICES) > 0;
    fal_tensor indices = fal_tensor_of(NULL, FAL_I64, p.y.rank, p.y.shape);
    CLI_TRY(cli_tensor_alloc(command, &p.y));
    if (indexed) CLI_TRY(cli_tensor_alloc(command, &indices));
    CLI_TRY(fal_pool(&command->context, &p.x, &p.params, &p.y, indexed ? &indices : NULL));
    const cli_outcome outcome = {.x = &p.x,
                                 .y = &p.y,
                                 .indices = indexed ? &indices : NULL,
                                 .spatial = p.params.spatial,
                                 .axis = extent == FAL_POOL_WINDOW ? p.axis : NULL,
                                 .formula = p.params.ceil_mode ? CLI_FORMULA_POOL_CEIL : CLI_FORMULA_POOL};
    return cli_planes_emit(command, &outcome);
}

static fal_status grad(cli_command *command, fal_pool_kind kind, fal_pool_extent extent, cli_gradients *g)
{
    pool p;
    fal_tensor gy;
    CLI_TRY(read_pool(command, kind, extent, 1, &p));
    CLI_TRY(cli_arriving(command, 2, &p.x, &p.y, &gy));
    CLI_TRY(cli_gradient_alloc(command, &g->entry[0], &p.x));
    return fal_pool_grad(&command->context, &p.x, &gy, &p.params, &g->entry[0].tensor);
}

fal_status cli_run_max_pool(cli_command *command)
{
    return run(command, FAL_POOL_MAX, FAL_POOL_WINDOW);
}

fal_status cli_run_avg_pool(cli_command *command)
{
    return run(command, FAL_POOL_AVERAGE, FAL_POOL_WINDOW);
}

fal_status cli_run_lp_pool(cli_command *command)
{
    return run(command, FAL_POOL_LP, FAL_POOL_WINDOW);
}

fal_status cli_run_adaptive_avg_pool(cli_command *command)
{
    return run(command, FAL_POOL_AVERAGE, FAL_POOL_ADAPTIVE);
}

fal_status cli_run_adaptive_max_pool(cli_command *command)
{
    return run(command, FAL_POOL_MAX, FAL_POOL_ADAPTIVE);
}

fal_status cli_run_global_avg_pool(cli_command *command)
{
    return run(command, FAL_POOL_AVERAGE, FAL_POOL_GLOBAL);
}

fal_status cli_run_global_max_pool(cli_command *command)
{
    return run(command, FAL_POOL_MAX, FAL_POOL_GLOBAL);
}

fal_status cli_grad_max_pool(cli_command *command, cli_gradients *gradients)
{
    return grad(command, FAL_POOL_MAX, FAL_POOL_WINDOW, gradients);
}

fal_status cli_grad_avg_pool(cli_command *command, cli_gradients *gradients)
{
    return grad(command, FAL_POOL_AVERAGE, FAL_POOL_WINDOW, gradients);
}

fal_status cli_grad_lp_pool(cli_command *command, cli_gradients *gradients)
{
    return grad(command, FAL_POOL_LP, FAL_POOL_WINDOW, gradients);
}

fal_status cli_grad_adaptive_avg_pool(cli_command *command, cli_gradients *gradients)
{
    return grad(command, FAL_POOL_AVERAGE, FAL_POOL_ADAPTIVE, gradients);
}

fal_status cli_grad_adaptive_max_pool(cli_command *command, cli_gradients *gradients)
{
    return grad(command, FAL_POOL_MAX, FAL_POOL_ADAPTIVE, gradients);
}

fal_status cli_grad_global_avg_pool(cli_command *command, cli_gradients *gradients)
{
    return grad(command, FAL_POOL_AVERAGE, FAL_POOL_GLOBAL, gradients);
}

fal_status cli_grad_global_max_pool(cli_command *command, cli_gradients *gradients)
{
    return grad(command, FAL_POOL_MAX, FAL_POOL_GLOBAL, gradients);
}
