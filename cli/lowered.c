/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * lowered.c: a layer as matrix products, the two ways of the textbooks.
 *
 *     unfold   conv: W (oc, ic*K) times the windows as columns (ic*K, P); the bias is one more weight
 *              whose input is always 1. transposed: the columns W^T x, folded back with sums
 *     matrix   F (outputs, inputs) times vec(x); what zeros give (bias, constant border) is one more column
 *
 * Both run in a wider type where there is one (integers in i64, halves in f32) and narrow the result
 * once, so that intermediate sums cannot overflow where the result fits. Meant to be read and compared,
 * not to be fast; memory for one image at a time.
 */
#include <inttypes.h>
#include <string.h>

#include "cli/layer.h"
#include "cli/tensors.h"

enum { MATRIX_MOST = 1 << 27 }; /* elements of a dense kernel matrix: 512 MiB of f32 */

static fal_dtype working_type(fal_dtype dtype)
{
    if (fal_dtype_is_integer(dtype)) return FAL_I64;
    return dtype == FAL_F64 ? FAL_F64 : FAL_F32;
}

/* A compact copy in the working type. */
static fal_status widen(cli_command *command, const fal_tensor *t, fal_tensor *wide)
{
    *wide = *t;
    wide->dtype = working_type(t->dtype);
    wide->flags = 0;
    CLI_TRY(cli_tensor_alloc(command, wide));
    return fal_tensor_copy(t, wide, &command->error);
}

/* Activates the finished sums and copies them into y's own type; refuses an integer that does not fit. */
static fal_status narrow(cli_command *command, const fal_conv_params *params, const fal_tensor *wide,
                         const fal_tensor *y)
{
    int64_t index[FAL_MAX_RANK] = {0};
    cli_activate(params, wide);
    CLI_TRY(fal_tensor_copy(wide, y, &command->error));
    if (!fal_dtype_is_integer(y->dtype) || fal_tensor_count(y) <= 0) return FAL_OK;
    do {
        int64_t value = fal_tensor_get_int(wide, index);
        if (value != fal_tensor_get_int(y, index))
            return cli_fail(command, FAL_E_OVERFLOW, "y", "a result is %" PRId64 ", which %s does not hold",
                            value, fal_dtype_name(y->dtype));
    } while (cli_next_index(wide, index));
    return FAL_OK;
}

/* Moves one axis to another place; the rest keep their order. */
static fal_status axis_to(cli_command *command, fal_tensor *t, int32_t from, int32_t to)
{
    int32_t axes[FAL_MAX_RANK];
    for (int32_t a = 0, next = 0; a < t->rank; a++) {
        if (next == from) next++;
        axes[a] = a == to ? from : next++;
    }
    return fal_tensor_permute(t, axes, t, &command->error);
}

/* x or y as (n, c, space...), whatever the layout and batching. */
static fal_status channels_first(cli_command *command, const cli_layer *layer, const fal_tensor *t,
                                 fal_tensor *out)
{
    *out = *t;
    if (layer->geometry.layout == FAL_NHWC)
        CLI_TRY(axis_to(command, out, t->rank - 1, layer->geometry.batched ? 1 : 0));
    if (layer->geometry.batched) return FAL_OK;
    memmove(&out->shape[1], &out->shape[0], (size_t)out->rank * sizeof out->shape[0]);
    memmove(&out->strides[1], &out->strides[0], (size_t)out->rank * sizeof out->strides[0]);
    out->shape[0] = 1;
    out->strides[0] = 0;
    out->rank++;
    return FAL_OK;
}

/* The weight as (first, second, k...), its taps in the order of the walk. */
static fal_status weight_first(cli_command *command, const cli_layer *layer, fal_tensor *out)
{
    *out = layer->w;
    if (layer->geometry.layout == FAL_NHWC) {
        /* conv (k..., ic, oc), transposed (k..., oc, ic): last, last but one, taps. */
        CLI_TRY(axis_to(command, out, out->rank - 1, 0));
        CLI_TRY(axis_to(command, out, out->rank - 1, 1));
    }
    for (int32_t a = 2; layer->geometry.flip_kernel && a < out->rank; a++)
        CLI_TRY(fal_tensor_flip(out, a, out, &command->error));
    return FAL_OK;
}

static fal_status cut(cli_command *command, const fal_tensor *t, int32_t axis, int64_t start, int64_t count,
                      fal_tensor *out)
{
    return fal_tensor_slice(t, axis, start, start + count, 1, out, &command->error);
}

static fal_status as_matrix(cli_command *command, const fal_tensor *t, int64_t rows, int64_t columns,
                            fal_tensor *out)
{
    return fal_tensor_reshape(t, 2, (const int64_t[]){rows, columns}, out, &command->error);
}

static fal_status turn(cli_command *command, const fal_tensor *t, fal_tensor *out)
{
    return fal_tensor_permute(t, (const int32_t[]){1, 0}, out, &command->error);
}

/* A zeroed tensor of the working type. */
static fal_status make(cli_command *command, fal_dtype dtype, int32_t rank, const int64_t *shape,
                       fal_tensor *out)
{
    *out = fal_tensor_of(NULL, dtype, rank, shape);
    if (out->dtype == FAL_DTYPE_NONE)
        return cli_fail(command, FAL_E_OVERFLOW, NULL, "the matrices of this layer are too large");
    return cli_tensor_alloc(command, out);
}

/* The parameters of the windows: the geometry's own numbers in channels-first order. */
static fal_conv_params window_params(const cli_layer *layer)
{
    const fal_conv_geometry *g = &layer->geometry;
    fal_conv_params params = {
        .padding_mode = g->padding_mode, .padding_value = layer->params.padding_value, .spatial = g->spatial};
    for (int32_t a = 0; a < g->spatial; a++) {
        const fal_axis *axis = &g->axis[a];
        params.kernel[a] = axis->kernel;
        params.stride[a] = axis->stride;
        params.dilation[a] = axis->dilation;
        params.padding_begin[a] = axis->begin;
        /* Output padding only says how far the result reaches: no window begins there. */
        params.padding_end[a] = axis->end - axis->output_padding;
    }
    return params;
}

typedef struct unfolding {
    fal_tensor x, w, bias, y; /* channels first, working type; bias without data when there is none */
    fal_conv_params params;
    int64_t groups, in, out, taps, windows; /* channels of one group; P */
} unfolding;

static fal_status prepare(cli_command *command, const cli_layer *layer, unfolding *u)
{
    const fal_conv_geometry *g = &layer->geometry;
    fal_tensor view;
    *u = (unfolding){.params = window_params(layer), .groups = g->groups, .taps = 1, .windows = 1};
    u->in = g->in_channels / g->groups;
    u->out = g->out_channels / g->groups;
    for (int32_t a = 0; a < g->spatial; a++) {
        u->taps *= g->axis[a].kernel; /* within the weight's size */
        u->windows *= g->transposed ? g->axis[a].input : g->axis[a].output;
    }
    CLI_TRY(channels_first(command, layer, &layer->x, &view));
    CLI_TRY(widen(command, &view, &u->x));
    CLI_TRY(weight_first(command, layer, &view));
    CLI_TRY(widen(command, &view, &u->w));
    CLI_TRY(channels_first(command, layer, &layer->y, &view));
    CLI_TRY(make(command, u->x.dtype, view.rank, view.shape, &u->y));
    if (layer->bias.rank > 0) CLI_TRY(widen(command, &layer->bias, &u->bias));
    return FAL_OK;
}

/* y[n, group] (out, P) = [W | bias] (out, in*K + 1) times [windows ; ones] (in*K + 1, P) */
static fal_status unfold_group(cli_command *command, const unfolding *u, const fal_tensor *weights, int64_t n,
                               int64_t group, const fal_tensor *columns)
{
    fal_tensor x, y, rows, w, matrix;
    int64_t inner = u->in * u->taps;
    CLI_TRY(cut(command, &u->x, 0, n, 1, &x));
    CLI_TRY(cut(command, &x, 1, group * u->in, u->in, &x));
    CLI_TRY(cut(command, columns, 1, 0, inner, &rows));
    CLI_TRY(fal_unfold(&x, &u->params, &rows, &command->error));
    CLI_TRY(cut(command, &u->y, 0, n, 1, &y));
    CLI_TRY(cut(command, &y, 1, group * u->out, u->out, &y));
    CLI_TRY(as_matrix(command, &y, u->out, u->windows, &y));
    CLI_TRY(cut(command, weights, 0, group * u->out, u->out, &w));
    CLI_TRY(as_matrix(command, columns, inner + 1, u->windows, &matrix));
    return fal_matmul(&w, &matrix, &y, &command->error);
}

static fal_status unfold_input(cli_command *command, const unfolding *u)
{
    fal_tensor weights, columns, part, flat;
    int64_t inner = u->in * u->taps, all_out = u->groups * u->out;
    CLI_TRY(make(command, u->x.dtype, 2, (const int64_t[]){all_out, inner + 1}, &weights));
    CLI_TRY(cut(command, &weights, 1, 0, inner, &part));
    CLI_TRY(as_matrix(command, &u->w, all_out, inner, &flat));
    CLI_TRY(fal_tensor_copy(&flat, &part, &command->error));
    if (u->bias.rank > 0) {
        CLI_TRY(cut(command, &weights, 1, inner, 1, &part));
        CLI_TRY(as_matrix(command, &u->bias, all_out, 1, &flat));
        CLI_TRY(fal_tensor_copy(&flat, &part, &command->error));
    }
    CLI_TRY(make(command, u->x.dtype, 3, (const int64_t[]){1, inner + 1, u->windows}, &columns));
    CLI_TRY(cut(command, &columns, 1, inner, 1, &part));
    CLI_TRY(fal_tensor_fill(&part, 1, &command->error));
    for (int64_t n = 0; n < u->x.shape[0]; n++)
        for (int64_t group = 0; group < u->groups; group++)
            CLI_TRY(unfold_group(command, u, &weights, n, group, &columns));
    return FAL_OK;
}

/* y[n, group] = fold of W^T (out*K, in) times x[n, group] (in, P) */
static fal_status fold_group(cli_command *command, const unfolding *u, int64_t n, int64_t group,
                             const fal_tensor *columns)
{
    fal_tensor x, y, w, matrix;
    CLI_TRY(cut(command, &u->x, 0, n, 1, &x));
    CLI_TRY(cut(command, &x, 1, group * u->in, u->in, &x));
    CLI_TRY(as_matrix(command, &x, u->in, u->windows, &x));
    CLI_TRY(cut(command, &u->w, 0, group * u->in, u->in, &w));
    CLI_TRY(as_matrix(command, &w, u->in, u->out * u->taps, &w));
    CLI_TRY(turn(command, &w, &w));
    CLI_TRY(as_matrix(command, columns, u->out * u->taps, u->windows, &matrix));
    CLI_TRY(fal_matmul(&w, &x, &matrix, &command->error));
    CLI_TRY(cut(command, &u->y, 0, n, 1, &y));
    CLI_TRY(cut(command, &y, 1, group * u->out, u->out, &y));
    return fal_fold(columns, &u->params, &y, &command->error);
}

/* The scatter writes sums only; the bias comes afterwards, everywhere. */
static fal_status add_bias(cli_command *command, const unfolding *u)
{
    int64_t index[FAL_MAX_RANK] = {0};
    if (u->bias.rank == 0 || fal_tensor_count(&u->y) <= 0) return FAL_OK;
    do {
        if (u->y.dtype != FAL_I64) {
            fal_tensor_set(&u->y, index, fal_tensor_get(&u->y, index) + fal_tensor_get(&u->bias, &index[1]));
            continue;
        }
        int64_t sum = fal_tensor_get_int(&u->y, index), b = fal_tensor_get_int(&u->bias, &index[1]);
        if (b > 0 ? sum > INT64_MAX - b : sum < INT64_MIN - b)
            return cli_fail(command, FAL_E_OVERFLOW, "y", "a result does not fit 64 bits");
        fal_tensor_set_int(&u->y, index, sum + b);
    } while (cli_next_index(&u->y, index));
    return FAL_OK;
}

static fal_status fold_output(cli_command *command, const unfolding *u)
{
    fal_tensor columns;
    CLI_TRY(make(command, u->x.dtype, 3, (const int64_t[]){1, u->out * u->taps, u->windows}, &columns));
    for (int64_t n = 0; n < u->x.shape[0]; n++)
        for (int64_t group = 0; group < u->groups; group++)
            CLI_TRY(fold_group(command, u, n, group, &columns));
    return add_bias(command, u);
}

fal_status cli_layer_unfold(cli_command *command, const cli_layer *layer, const fal_tensor *y)
{
    unfolding u;
    fal_tensor target;
    CLI_TRY(prepare(command, layer, &u));
    if (fal_tensor_count(y) == 0) return FAL_OK;
    CLI_TRY(layer->transposed ? fold_output(command, &u) : unfold_input(command, &u));
    CLI_TRY(channels_first(command, layer, y, &target));
    return narrow(command, &layer->params, &u.y, &target);
}

/* What an image of zeros gives: the part of an affine map that is not its matrix. Written into `column`
 * (rows, 1). */
static fal_status constant_part(cli_command *command, const cli_layer *layer, const fal_tensor *column)
{
    fal_tensor zeros = layer->x, result = layer->y, bias = layer->bias, w;
    fal_dtype dtype = column->dtype;
    if (layer->geometry.batched) zeros.shape[0] = result.shape[0] = 1;
    CLI_TRY(make(command, dtype, zeros.rank, zeros.shape, &zeros));
    CLI_TRY(make(command, dtype, result.rank, result.shape, &result));
    CLI_TRY(widen(command, &layer->w, &w));
    if (bias.rank > 0) CLI_TRY(widen(command, &layer->bias, &bias));
    fal_operands operands = {.x = zeros, .w = w, .bias = bias, .y = result};
    fal_conv_params params = layer->params;
    params.activation = FAL_ACTIVATION_NONE;
    CLI_TRY(fal_reference(layer->transposed ? FAL_OP_CONV_TRANSPOSE : FAL_OP_CONV, &operands, &params,
                          &command->error));
    CLI_TRY(as_matrix(command, &result, column->shape[0], 1, &result));
    return fal_tensor_copy(&result, column, &command->error);
}

fal_status cli_layer_matrix(cli_command *command, const cli_layer *layer, const fal_tensor *y)
{
    const fal_conv_geometry *g = &layer->geometry;
    fal_tensor x, w, wide, matrix, inputs, part, images;
    int64_t rows, columns, entries;
    if (fal_tensor_count(y) == 0) return FAL_OK;
    CLI_TRY(fal_matrix_shape(g, &rows, &columns, &entries, &command->error));
    if (rows > MATRIX_MOST / (columns + 1)) {
        cli_fail(command, FAL_E_LIMIT, "--algorithm", "the kernel matrix is %" PRId64 " x %" PRId64, rows,
                 columns);
        cli_allow(command, FAL_E_LIMIT, "must have at most %d elements", MATRIX_MOST);
        return cli_hint(command, FAL_E_LIMIT, "--algorithm unfold needs less memory");
    }
    CLI_TRY(widen(command, &layer->x, &x));
    CLI_TRY(widen(command, &layer->w, &w));
    CLI_TRY(make(command, x.dtype, y->rank, y->shape, &wide));
    CLI_TRY(make(command, x.dtype, 2, (const int64_t[]){rows, columns + 1}, &matrix));
    CLI_TRY(cut(command, &matrix, 1, 0, columns, &part));
    CLI_TRY(fal_matrix_dense(g, &w, &part, &command->error));
    CLI_TRY(cut(command, &matrix, 1, columns, 1, &part));
    CLI_TRY(constant_part(command, layer, &part));
    /* [vec(x) ; 1], one image a column */
    CLI_TRY(make(command, x.dtype, 2, (const int64_t[]){columns + 1, g->n}, &inputs));
    CLI_TRY(cut(command, &inputs, 0, columns, 1, &part));
    CLI_TRY(fal_tensor_fill(&part, 1, &command->error));
    CLI_TRY(cut(command, &inputs, 0, 0, columns, &part));
    CLI_TRY(as_matrix(command, &x, g->n, columns, &images));
    CLI_TRY(turn(command, &images, &images));
    CLI_TRY(fal_tensor_copy(&images, &part, &command->error));
    CLI_TRY(as_matrix(command, &wide, g->n, rows, &images));
    CLI_TRY(turn(command, &images, &images));
    CLI_TRY(fal_matmul(&matrix, &inputs, &images, &command->error));
    return narrow(command, &layer->params, &wide, y);
}
