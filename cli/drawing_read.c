/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * drawing_read.c: operands and options of draw and animate into a problem that can be drawn.
 *
 * Operands come as for the verbs of the same names. What is missing is made: shapes from --input,
 * --weight, --input-size and --kernel, numbers by --data.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cli/counter.h"
#include "cli/drawing.h"
#include "cli/params.h"
#include "cli/planes.h"
#include "cli/tensors.h"

/* ---- Numbers ---- */

enum { INTEGERS, RAMP, IMPULSE, RANDOM };

static double made_number(int kind, uint64_t seed, cli_part part, int64_t i, int64_t count)
{
    static const int64_t low[] = {0, -1, -2, -3}, high[] = {9, 2, 3, 3};
    const uint64_t own = seed + 1000 * (uint64_t)part;
    /* Quarters of a cell, whatever the kind: offsets are places. */
    if (part == CLI_PART_OFFSET) return (double)cli_random_int(own, (uint64_t)i, -3, 3) / 4;
    if (kind == RAMP || (kind == IMPULSE && part != CLI_PART_X)) return (double)(i + 1);
    if (kind == IMPULSE) return i == count / 2;
    if (kind == RANDOM) return (double)cli_random_int(own, (uint64_t)i, -100, 100) / 100;
    return (double)cli_random_int(own, (uint64_t)i, low[part], high[part]);
}

/* Where an impulse stands: the middle of every axis, as `generate impulse` has it. */
static int64_t middle(const fal_tensor *t)
{
    int64_t place = 0;
    for (int32_t a = 0; a < t->rank; a++) place = place * t->shape[a] + t->shape[a] / 2;
    return place;
}

fal_status cli_drawing_fill(cli_command *command, cli_part part, fal_tensor *t)
{
    const int kind = cli_choice(command, CLI_DATA, INTEGERS);
    const uint64_t seed = (uint64_t)cli_int(command, CLI_SEED, 1);
    if (t->data != NULL) return FAL_OK;
    CLI_TRY(draw_small_enough(t, &command->error));
    CLI_TRY(cli_tensor_alloc(command, t));
    const int64_t count = fal_tensor_count(t), place = middle(t);
    const fal_tensor flat = fal_tensor_of(t->data, t->dtype, 1, &count);
    for (int64_t i = 0; i < count; i++) {
        double value = made_number(kind, seed, part, i, count);
        if (kind == IMPULSE && part == CLI_PART_X) value = i == place;
        fal_tensor_set(&flat, &i, value);
    }
    return FAL_OK;
}

/* ---- Convolutions and their gradients ---- */

static void set_formulas(cli_drawing *d, int32_t spatial, const fal_axis *axis, cli_formula_kind kind)
{
    for (int32_t a = 0; a < spatial; a++) {
        cli_formula(d->formula[a], &axis[a], kind);
        d->problem.formula[a] = d->formula[a];
    }
}

/* Operand `number` as the gradient that arrives at y, or numbers of y's shape. */
static fal_status read_arriving(cli_command *command, int number, const cli_layer *layer, fal_tensor *gy)
{
    const cli_operand_name name = {cli_operand(command, number), "gy", "the gradient"};
    *gy = layer->y;
    if (name.text == NULL) return cli_drawing_fill(command, CLI_PART_GY, gy);
    CLI_TRY(cli_load_like(command, &layer->x, &name, gy));
    cli_lead_axes(name.text, layer->params.layout, layer->y.rank, gy);
    return FAL_OK;
}

/* X OFFSET W: offsets from a file, or made. */
static fal_status read_offset(cli_command *command, const cli_layer *layer, cli_drawing *d)
{
    const cli_operand_name offset = {cli_operand(command, 2), "offset", "the offset"};
    const cli_operand_name mask = {cli_text(command, CLI_MASK, NULL), "mask", "the mask"};
    const fal_conv_geometry *g = &layer->geometry;
    draw_problem *p = &d->problem;
    p->offset_groups = cli_int(command, CLI_OFFSET_GROUPS, 1);
    CLI_TRY(cli_load_like(command, &layer->x, &mask, &p->mask));
    if (mask.text != NULL) cli_lead_axes(mask.text, layer->params.layout, layer->x.rank, &p->mask);
    if (offset.text != NULL) {
        CLI_TRY(cli_load_like(command, &layer->x, &offset, &p->offset));
        cli_lead_axes(offset.text, layer->params.layout, layer->x.rank, &p->offset);
        return FAL_OK;
    }
    p->offset = layer->y;
    if (g->spatial != 2 || p->offset_groups > g->in_channels)
        return cli_fail(command, FAL_E_RANK, "w", "a deformable convolution has two spatial axes");
    const int32_t channel = layer->y.rank - (g->layout == FAL_NHWC ? 1 : 3);
    p->offset.shape[channel] = 2 * p->offset_groups * g->axis[0].kernel * g->axis[1].kernel;
    return cli_drawing_fill(command, CLI_PART_OFFSET, &p->offset);
}

static fal_status read_layer(cli_command *command, cli_drawing *d)
{
    const bool gradient = d->what == CLI_DRAW_GRAD_INPUT || d->what == CLI_DRAW_GRAD_WEIGHT;
    const bool gather = gradient && cli_given(command, CLI_TRANSPOSED) > 0;
    const bool transposed = d->what == CLI_DRAW_CONV_TRANSPOSE || gather, deform = d->what == CLI_DRAW_DEFORM;
    cli_layer layer;
    draw_problem *p = &d->problem;
    if (gather) {
        p->op = d->what == CLI_DRAW_GRAD_INPUT ? DRAW_OP_GATHER_INPUT : DRAW_OP_GATHER_WEIGHT;
        p->title = d->what == CLI_DRAW_GRAD_INPUT
                       ? "Gradient of a transposed convolution with respect to its input"
                       : "Gradient of a transposed convolution with respect to its kernel";
    }
    CLI_TRY(cli_layer_read(command, transposed, cli_operand(command, 1), cli_operand(command, deform ? 3 : 2),
                           &layer));
    CLI_TRY(cli_drawing_fill(command, CLI_PART_X, &layer.x));
    CLI_TRY(cli_drawing_fill(command, CLI_PART_W, &layer.w));
    p->x = layer.x;
    p->w = layer.w;
    p->bias = layer.bias;
    p->params = layer.params;
    set_formulas(d, layer.geometry.spatial, layer.geometry.axis,
                 transposed ? CLI_FORMULA_TRANSPOSE : CLI_FORMULA_CONV);
    if (deform) return read_offset(command, &layer, d);
    if (gradient) {
        p->bias = (fal_tensor){0};
        return read_arriving(command, 3, &layer, &p->gy);
    }
    return FAL_OK;
}

/* ---- Operators without a weight ---- */

/* X, or one channel of --input-size, or the shape of --input. */
fal_status cli_drawing_plane(cli_command *command, fal_tensor *x, int32_t *spatial)
{
    const char *text = cli_operand(command, 1);
    const int64_t *given;
    int64_t shape[FAL_MAX_RANK] = {1, 1, 1, 1, 1}, size[FAL_MAX_RANK];
    if (text != NULL) return cli_planes_read(command, text, x, spatial);
    int32_t rank = cli_ints(command, CLI_INPUT, &given);
    if (rank > 0) {
        CLI_TRY(cli_shape_only(command, "--input", rank, given, x));
        CLI_TRY(cli_spatial(command, x, spatial));
        CLI_TRY(cli_planes_check(command, x, *spatial));
        return cli_drawing_fill(command, CLI_PART_X, x);
    }
    int32_t count = cli_ints(command, CLI_INPUT_SIZE, &given);
    if (count == 0) {
        cli_fail(command, FAL_E_USAGE, NULL, "no input is given");
        return cli_allow(command, FAL_E_USAGE, "give X, --input SHAPE or --input-size N");
    }
    CLI_TRY(cli_spatial_said(command, spatial));
    if (*spatial == 0) *spatial = count > 1 ? count : 2;
    if (*spatial > FAL_MAX_SPATIAL) {
        cli_fail(command, FAL_E_RANK, "--input-size", "%" PRId32 " spatial axes", *spatial);
        return cli_allow(command, FAL_E_RANK, "must be 1 to 3");
    }
    CLI_TRY(cli_axis_ints(command, CLI_INPUT_SIZE, *spatial, size));
    memcpy(&shape[cli_layout(command) == FAL_NHWC ? 1 : 2], size, (size_t)*spatial * sizeof size[0]);
    CLI_TRY(cli_shape_only(command, "--input-size", *spatial + 2, shape, x));
    return cli_drawing_fill(command, CLI_PART_X, x);
}

static fal_status read_pad(cli_command *command, cli_drawing *d)
{
    draw_problem *p = &d->problem;
    int32_t spatial;
    CLI_TRY(cli_drawing_plane(command, &p->x, &spatial));
    p->params.spatial = spatial;
    p->params.layout = cli_layout(command);
    CLI_TRY(cli_axis_padding(command, spatial, p->params.padding_begin, p->params.padding_end));
    return cli_border(command, &p->params.padding_mode, &p->params.padding_value);
}

/* Windows without a weight: the parameters of a convolution. */
static fal_status read_unfold(cli_command *command, cli_drawing *d)
{
    draw_problem *p = &d->problem;
    int32_t spatial;
    CLI_TRY(cli_drawing_plane(command, &p->x, &spatial));
    return cli_conv_params(command, spatial, &p->params);
}

/* COLS, or columns as the windows of an image of --output-size have them. */
static fal_status read_fold(cli_command *command, cli_drawing *d)
{
    draw_problem *p = &d->problem;
    const char *text = cli_operand(command, 1);
    int32_t spatial;
    const int64_t *given;
    int64_t shape[FAL_MAX_RANK] = {1, 1, 1, 1, 1}, size[FAL_MAX_SPATIAL], taps = 1;
    CLI_TRY(cli_spatial_said(command, &spatial));
    if (spatial == 0) spatial = cli_ints(command, CLI_OUTPUT_SIZE, &given) > 1 ? 1 : 2;
    CLI_TRY(cli_planes_output_size(command, "the image", spatial, size));
    CLI_TRY(cli_conv_params(command, spatial, &p->params));
    memset(p->params.output_size, 0, sizeof p->params.output_size);
    const bool nhwc = p->params.layout == FAL_NHWC;
    for (int32_t a = 0; a < spatial; a++) taps *= p->params.kernel[a] ? p->params.kernel[a] : 1;
    memcpy(&shape[nhwc ? 1 : 2], size, (size_t)spatial * sizeof size[0]);
    if (text != NULL) {
        CLI_TRY(cli_load(command, text, "cols", &p->x));
        cli_lead_axes(text, FAL_NCHW, 3, &p->x);
        if (p->x.rank != 3) {
            cli_fail(command, FAL_E_RANK, "cols", "the columns have rank %" PRId32, p->x.rank);
            return cli_allow(command, FAL_E_RANK, "must be 3");
        }
        shape[0] = p->x.shape[0];
        shape[nhwc ? spatial + 1 : 1] = p->x.shape[nhwc ? 2 : 1] / taps;
    }
    CLI_TRY(cli_shape_only(command, "--output-size", spatial + 2, shape, &p->image));
    if (text != NULL) return FAL_OK;
    CLI_TRY(fal_unfold_shape(&p->image, &p->params, &p->x, &command->error));
    return cli_drawing_fill(command, CLI_PART_X, &p->x);
}

/* ---- Up-sampling ---- */

/* The triangle 1-|t|/s on every axis, for one channel. */
static void fill_triangle(const fal_tensor *w, int32_t first, int32_t spatial, const int64_t *scale)
{
    int64_t index[FAL_MAX_RANK] = {0};
    do {
        double value = 1;
        for (int32_t a = 0; a < spatial; a++) {
            int64_t t = index[first + a] - (scale[a] - 1);
            value *= 1 - (double)(t < 0 ? -t : t) / (double)scale[a];
        }
        fal_tensor_set(w, index, value);
    } while (cli_next_index(w, index));
}

/* As --coordinates transposed-conv of `upsample` has it: stride s, padding s-1, and output padding s-1
 * unless --output-size is s*(i-1)+1. */
static fal_status read_upsample(cli_command *command, cli_drawing *d)
{
    draw_problem *p = &d->problem;
    fal_conv_params *q = &p->params;
    int32_t spatial;
    int64_t shape[FAL_MAX_RANK];
    CLI_TRY(cli_drawing_plane(command, &p->x, &spatial));
    CLI_TRY(cli_conv_params(command, spatial, q));
    const bool nhwc = q->layout == FAL_NHWC, sized = q->output_size[0] != 0;
    const int32_t first = cli_planes_first(command, &p->x, spatial);
    const int64_t channels = p->x.shape[nhwc ? first + spatial : first - 1];
    if (!cli_given(command, CLI_STRIDE)) {
        cli_fail(command, FAL_E_USAGE, NULL, "the factor is not given");
        return cli_allow(command, FAL_E_USAGE, "give --stride S");
    }
    for (int32_t a = 0; a < spatial; a++) {
        q->padding_begin[a] = q->padding_end[a] = q->stride[a] - 1;
        if (!sized) q->output_padding[a] = q->stride[a] - 1;
        shape[nhwc ? a : 2 + a] = 2 * q->stride[a] - 1;
    }
    shape[nhwc ? spatial : 1] = 1;
    shape[nhwc ? spatial + 1 : 0] = channels;
    q->groups = channels;
    p->w = (fal_tensor){.dtype = p->x.dtype, .rank = spatial + 2};
    memcpy(p->w.shape, shape, sizeof p->w.shape);
    CLI_TRY(cli_tensor_alloc(command, &p->w));
    fill_triangle(&p->w, nhwc ? 0 : 2, spatial, q->stride);
    fal_conv_geometry g;
    CLI_TRY(fal_conv_describe(true, &p->x, &p->w, q, &g, &command->error));
    set_formulas(d, spatial, g.axis, CLI_FORMULA_TRANSPOSE);
    return FAL_OK;
}

/* ---- All of them ---- */

fal_status cli_drawing_read(cli_command *command, cli_drawn what, cli_drawing *drawing)
{
    static const struct {
        draw_operator op;
        const char *title;
        fal_status (*read)(cli_command *command, cli_drawing *drawing);
    } kinds[] = {
        [CLI_DRAW_CONV] = {DRAW_OP_CONV, "Convolution", read_layer},
        [CLI_DRAW_CONV_TRANSPOSE] = {DRAW_OP_CONV_TRANSPOSE, "Transposed convolution", read_layer},
        [CLI_DRAW_MAX_POOL] = {DRAW_OP_POOL, "Max pooling", cli_drawing_pool},
        [CLI_DRAW_AVG_POOL] = {DRAW_OP_POOL, "Average pooling", cli_drawing_pool},
        [CLI_DRAW_LP_POOL] = {DRAW_OP_POOL, "Lp pooling", cli_drawing_pool},
        [CLI_DRAW_GRAD_INPUT] = {DRAW_OP_GRAD_INPUT, "Gradient of a convolution with respect to its input",
                                 read_layer},
        [CLI_DRAW_GRAD_WEIGHT] = {DRAW_OP_GRAD_WEIGHT, "Gradient of a convolution with respect to its kernel",
                                  read_layer},
        [CLI_DRAW_DEFORM] = {DRAW_OP_DEFORM, "Deformable convolution", read_layer},
        [CLI_DRAW_PAD] = {DRAW_OP_PAD, "Padding", read_pad},
        [CLI_DRAW_UPSAMPLE] = {DRAW_OP_CONV_TRANSPOSE, "Linear up-sampling as a transposed convolution",
                               read_upsample},
        [CLI_DRAW_UNFOLD] = {DRAW_OP_CONV, "Unfolding (im2col)", read_unfold},
        [CLI_DRAW_FOLD] = {DRAW_OP_FOLD, "Folding (col2im)", read_fold},
        [CLI_DRAW_ADAPTIVE_AVG] = {DRAW_OP_POOL, "Adaptive average pooling", cli_drawing_pool},
        [CLI_DRAW_ADAPTIVE_MAX] = {DRAW_OP_POOL, "Adaptive max pooling", cli_drawing_pool},
        [CLI_DRAW_GLOBAL_AVG] = {DRAW_OP_POOL, "Global average pooling", cli_drawing_pool},
        [CLI_DRAW_GLOBAL_MAX] = {DRAW_OP_POOL, "Global max pooling", cli_drawing_pool},
        [CLI_DRAW_UNPOOL] = {DRAW_OP_UNPOOL, "Max-unpooling", cli_drawing_unpool},
    };
    const bool gradient = what == CLI_DRAW_GRAD_INPUT || what == CLI_DRAW_GRAD_WEIGHT;
    if (!gradient && cli_given(command, CLI_TRANSPOSED) > 0) {
        cli_fail(command, FAL_E_USAGE, "--transposed", "it says whose gradient is drawn, and %s is none",
                 cli_operand(command, 0));
        return cli_allow(command, FAL_E_USAGE, "must go with grad-input or grad-weight");
    }
    *drawing = (cli_drawing){.what = what};
    drawing->problem.op = kinds[what].op;
    drawing->problem.title = kinds[what].title;
    return kinds[what].read(command, drawing);
}
