/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * verb_max_unpool.c: max-unpool and its gradient.
 *
 * The result's size is --output-size, or the size that max-pool with these windows came from when they
 * covered it exactly: (i-1)*s + k - pads, which is a transposed convolution's.
 */
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "cli/grad.h"
#include "cli/params.h"
#include "cli/planes.h"
#include "cli/tensors.h"
#include "cli/unpool.h"

/* Literals are float32 and other programs store 32 bits: whole numbers become i64 exactly. */
static fal_status widen(cli_command *command, const char *text, fal_tensor *indices)
{
    int64_t index[FAL_MAX_RANK] = {0};
    if (indices->dtype == FAL_I64) return FAL_OK;
    if (!fal_dtype_is_integer(indices->dtype) && !cli_is_literal(text)) {
        cli_fail(command, FAL_E_DTYPE, "indices", "indices is %s", fal_dtype_name(indices->dtype));
        return cli_allow(command, FAL_E_DTYPE, "must be an integer type");
    }
    bool more = cli_is_literal(text) && fal_tensor_count(indices) > 0;
    for (; more; more = cli_next_index(indices, index)) {
        double value = fal_tensor_get(indices, index);
        if (value == floor(value) && fabs(value) <= 16777216) continue; /* 2^24: float32 counts so far */
        return cli_fail(command, FAL_E_VALUE, "indices", "an index of the literal is %g", value);
    }
    fal_tensor whole = *indices;
    whole.dtype = FAL_I64;
    CLI_TRY(cli_tensor_alloc(command, &whole));
    CLI_TRY(fal_tensor_copy(indices, &whole, &command->error));
    *indices = whole;
    return FAL_OK;
}

static fal_status read_indices(cli_command *command, const char *text, cli_unpool *u)
{
    CLI_TRY(cli_load(command, text, "indices", &u->indices));
    CLI_TRY(widen(command, text, &u->indices));
    cli_lead_axes(text, u->params.layout, u->x.rank, &u->indices);
    return FAL_OK;
}

/* The size from the windows. */
static fal_status size_by_formula(cli_command *command, cli_unpool *u, int64_t *sizes)
{
    int32_t spatial = u->params.spatial, first = cli_planes_first(command, &u->x, spatial);
    int64_t kernel[FAL_MAX_SPATIAL], stride[FAL_MAX_SPATIAL];
    int64_t begin[FAL_MAX_SPATIAL] = {0}, end[FAL_MAX_SPATIAL] = {0};
    if (!cli_given(command, CLI_KERNEL)) {
        cli_fail(command, FAL_E_USAGE, NULL, "neither the windows nor the size of the result are given");
        return cli_allow(command, FAL_E_USAGE, "give --kernel K or --output-size N,N");
    }
    if (cli_padding(command) != FAL_PADDING_EXPLICIT) {
        cli_fail(command, FAL_E_PADDING, "--padding", "a rule does not say what was pooled");
        return cli_allow(command, FAL_E_PADDING, "give the numbers, or --output-size");
    }
    CLI_TRY(cli_axis_ints(command, CLI_KERNEL, spatial, kernel));
    memcpy(stride, kernel, sizeof stride);
    CLI_TRY(cli_axis_ints(command, CLI_STRIDE, spatial, stride));
    CLI_TRY(cli_axis_padding(command, spatial, begin, end));
    for (int32_t a = 0; a < spatial; a++) {
        u->axis[a] = (fal_axis){.input = u->x.shape[first + a],
                                .kernel = kernel[a],
                                .stride = stride[a],
                                .dilation = 1,
                                .begin = begin[a],
                                .end = end[a]};
        CLI_TRY(fal_conv_transpose_size(&u->axis[a], &command->error));
        sizes[a] = u->axis[a].output;
    }
    u->sized = true;
    return FAL_OK;
}

static fal_status read_sizes(cli_command *command, cli_unpool *u)
{
    int32_t spatial = u->params.spatial;
    int64_t sizes[FAL_MAX_SPATIAL];
    if (cli_given(command, CLI_OUTPUT_SIZE))
        CLI_TRY(cli_axis_ints(command, CLI_OUTPUT_SIZE, spatial, sizes));
    else
        CLI_TRY(size_by_formula(command, u, sizes));
    CLI_TRY(cli_planes_resize(command, &u->x, spatial, "--output-size", sizes, &u->y));
    if (!cli_given(command, CLI_INDEX_SIZE)) return FAL_OK;
    CLI_TRY(cli_axis_ints(command, CLI_INDEX_SIZE, spatial, sizes));
    CLI_TRY(cli_planes_resize(command, &u->x, spatial, "--index-size", sizes, &u->counted));
    u->index_shape = u->counted.shape;
    return FAL_OK;
}

fal_status cli_unpool_read(cli_command *command, int operand, cli_unpool *u)
{
    *u = (cli_unpool){
        .params = {.layout = cli_layout(command),
                   .index_mode = (fal_index_mode)cli_choice(command, CLI_INDEX_MODE, FAL_INDEX_PLANE),
                   .column_major = cli_int(command, CLI_STORAGE_ORDER, 0) == 1}};
    CLI_TRY(cli_planes_read(command, cli_operand(command, operand), &u->x, &u->params.spatial));
    CLI_TRY(read_indices(command, cli_operand(command, operand + 1), u));
    return read_sizes(command, u);
}

fal_status cli_run_max_unpool(cli_command *command)
{
    cli_unpool u;
    CLI_TRY(cli_unpool_read(command, 0, &u));
    CLI_TRY(cli_tensor_alloc(command, &u.y));
    CLI_TRY(fal_max_unpool(&command->context, &u.x, &u.indices, &u.params, u.index_shape, &u.y));
    const cli_outcome outcome = {.x = &u.x,
                                 .y = &u.y,
                                 .spatial = u.params.spatial,
                                 .axis = u.sized ? u.axis : NULL,
                                 .formula = CLI_FORMULA_TRANSPOSE};
    return cli_planes_emit(command, &outcome);
}

fal_status cli_grad_max_unpool(cli_command *command, cli_gradients *gradients)
{
    cli_unpool u;
    fal_tensor gy;
    cli_gradient *gx = &gradients->entry[0];
    CLI_TRY(cli_unpool_read(command, 1, &u));
    CLI_TRY(cli_arriving(command, 3, &u.x, &u.y, &gy));
    CLI_TRY(cli_arriving_shape(command, &u.y, &gy));
    CLI_TRY(cli_gradient_alloc(command, gx, &u.x));
    return fal_max_unpool_grad(&command->context, &u.indices, &gy, &u.params, u.index_shape, &gx->tensor);
}
