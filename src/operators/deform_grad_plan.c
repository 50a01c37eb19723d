/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * deform_grad_plan.c: plans, memory and products of the gradient; see deform_grad.h.
 *
 * The weight's gradient is that of the block's convolution (fal__deform_product). The gradient of the
 * columns is one pointwise convolution per tap: one plan with the strides of a single tap serves them
 * all, each with its own packed weights.
 */
#include "base/alloc.h"
#include "base/checked.h"
#include "base/error.h"
#include "geometry/operands.h"
#include "operators/deform_grad.h"
#include "tensor/tensor.h"
#include "threads/parallel.h"

enum {
    COLUMN_BYTES = 2 * 1024 * 1024, /* columns of a block: enough that its products are worth many threads */
    TASK_ELEMENTS = 8192            /* of columns; a task with less costs more to start than to run */
};

/* Which of the two plans serves the block? */
static int plan_of(const fal__deform_grad *b, const fal__deform_block *block)
{
    return block->rows == b->blocks.rows && block->columns == b->blocks.columns ? 0 : 1;
}

/* The operands of one tap: columns (rows, channels, columns), w (oc, ic/g, 1), y (rows, oc, columns). */
static fal_operands tap_product(const fal__deform_grad *b, const fal__deform_block *block, int64_t tap)
{
    const fal_conv_geometry *g = &b->d.g;
    const int64_t a = tap / g->axis[1].kernel, c = tap % g->axis[1].kernel;
    const fal_operands p = fal__deform_product(&b->d, b->o, block, NULL);
    const fal__weight_strides ws = fal__weight_strides_of(g, &b->o->w);
    void *columns = NULL;
    if (b->memory != NULL)
        columns = b->memory + b->columns_at + (size_t)(tap * g->in_channels) * b->rows.bytes;
    return (fal_operands){.x = {.data = columns,
                                .dtype = b->d.dtype,
                                .rank = 3,
                                .shape = {p.x.shape[0], p.x.shape[1], p.x.shape[2]},
                                .strides = {p.x.strides[0], p.x.strides[1], p.x.strides[2]}},
                          .w = {.data = fal__tensor_offset(&b->o->w, a * ws.space[0] + c * ws.space[1]),
                                .dtype = b->d.dtype,
                                .rank = 3,
                                .shape = {p.w.shape[0], p.w.shape[1], 1},
                                .strides = {p.w.strides[0], p.w.strides[1], 0}},
                          .y = {.data = p.y.data,
                                .dtype = b->d.dtype,
                                .rank = 3,
                                .shape = {p.y.shape[0], p.y.shape[1], p.y.shape[2]},
                                .strides = {p.y.strides[0], p.y.strides[1], p.y.strides[2]}}};
}

/* The block's convolution with gw in the place of the weight. */
static fal_operands weight_product(const fal__deform_grad *b, const fal__deform_block *block)
{
    fal_deform_operands o = *b->o;
    o.w = b->gradients->w;
    o.bias = (fal_tensor){0};
    return fal__deform_product(&b->d, &o, block, b->memory == NULL ? NULL : b->memory + b->columns_at);
}

fal_status fal__deform_grad_weight(const fal__deform_grad *b)
{
    const fal__deform_plan *p = &b->weight[plan_of(b, &b->block)];
    const fal_operands product = weight_product(b, &b->block);
    return fal_plan_execute(p->plan, &product, NULL, b->memory + b->product_at, p->info.workspace_bytes,
                            b->setting.error);
}

fal_status fal__deform_grad_columns(const fal__deform_grad *b)
{
    const fal__deform_plan *p = &b->input[plan_of(b, &b->block)];
    for (int64_t t = 0; t < b->d.taps; t++) {
        const fal_operands product = tap_product(b, &b->block, t);
        const char *packed = b->memory + p->packed_at + (size_t)t * p->packed_step;
        FAL__TRY(fal_plan_execute(p->plan, &product, packed, b->memory + b->product_at,
                                  p->info.workspace_packed_bytes, b->setting.error));
    }
    return FAL_OK;
}

/* ---- Planning ---- */

static fal_status plan_products(fal__deform_grad *b, const fal_context *context,
                                const fal_conv_params *params)
{
    fal_conv_params inner = {.groups = b->d.g.groups,
                             .accuracy = params != NULL ? params->accuracy : FAL_ACCURACY_DEFAULT,
                             .algorithm = params != NULL ? params->algorithm : NULL,
                             .reproducible = params != NULL && params->reproducible};
    const int64_t last = b->blocks.down * b->blocks.across - 1;
    for (int i = 0; i < (b->blocks.rest > 0 ? 2 : 1); i++) {
        const fal__deform_block block = fal__deform_block_at(&b->d, &b->blocks, 0, i == 0 ? 0 : last);
        if (b->wants_w) {
            const fal_operands product = weight_product(b, &block);
            inner.beta = 1;
            FAL__TRY(fal_plan_create(context, FAL_OP_CONV_GRAD_WEIGHT, &product, &inner, &b->weight[i].plan));
            FAL__TRY(fal_plan_describe(b->weight[i].plan, &b->weight[i].info));
        }
        if (b->wants_x || b->wants_slopes) {
            const fal_operands product = tap_product(b, &block, 0);
            inner.beta = 0;
            FAL__TRY(fal_plan_create(context, FAL_OP_CONV_GRAD_INPUT, &product, &inner, &b->input[i].plan));
            FAL__TRY(fal_plan_describe(b->input[i].plan, &b->input[i].info));
        }
    }
    return FAL_OK;
}

static bool book(fal__deform_grad *b)
{
    const fal__deform *d = &b->d;
    int64_t cells, samples, columns;
    size_t product = 0;
    b->bytes = 0;
    if (!fal__mul(d->g.axis[0].input, d->g.axis[1].input, &cells) ||
        !fal__mul(cells, d->g.in_channels, &cells) ||
        !fal__mul(b->blocks.rows * b->blocks.columns, d->taps, &samples) ||
        !fal__mul(samples, d->g.in_channels, &columns) || !fal__mul(samples, d->offset_groups, &samples))
        return false;
    for (int i = 0; i < 2; i++) {
        const size_t weight = b->weight[i].info.workspace_bytes;
        const size_t input = b->input[i].info.workspace_packed_bytes;
        if (weight > product) product = weight;
        if (input > product) product = input;
        b->input[i].packed_step = (b->input[i].info.packed_bytes + 63) / 64 * 64;
        if (!fal__deform_book(&b->bytes, d->taps, b->input[i].packed_step, &b->input[i].packed_at))
            return false;
    }
    return fal__deform_book(&b->bytes, b->copies ? cells : 0, b->rows.bytes, &b->copy_at) &&
           fal__deform_book(&b->bytes, b->wants_x ? cells : 0, b->rows.bytes, &b->gx_at) &&
           fal__deform_book(&b->bytes, columns, b->rows.bytes, &b->columns_at) &&
           fal__deform_book(&b->bytes, samples, sizeof(fal__point), &b->points_at) &&
           fal__deform_book(&b->bytes, (int64_t)product, 1, &b->product_at);
}

static fal_status plan(fal__deform_grad *b, const fal_context *context, const fal_conv_params *params)
{
    b->rows = fal__deform_rows_of(&b->setting, b->d.dtype);
    b->blocks = fal__deform_blocks_of(&b->d, COLUMN_BYTES);
    b->wants_x = !fal__operand_missing(&b->gradients->x);
    b->wants_w = !fal__operand_missing(&b->gradients->w);
    b->wants_slopes =
        !fal__operand_missing(&b->gradients->offset) || !fal__operand_missing(&b->gradients->mask);
    b->copies = (b->wants_w || b->wants_slopes) && fal__deform_image_apart(&b->d, &b->o->x);
    const int64_t pixels = b->blocks.rows * b->blocks.columns;
    const int64_t tasks =
        pixels * fal__max(1, b->d.g.in_channels) / fal__max(1, TASK_ELEMENTS / b->d.taps) + 1;
    b->tasks = (int32_t)fal__min(b->setting.machine.threads, tasks);
    FAL__TRY(plan_products(b, context, params));
    if (!book(b))
        return fal__fail(b->setting.error, FAL_E_OVERFLOW, "workspace", "the workspace overflows 64 bits");
    if (b->bytes <= b->setting.machine.workspace_cap) return FAL_OK;
    fal__fail(b->setting.error, FAL_E_WORKSPACE, "workspace_cap_bytes", "%zu bytes of workspace are needed",
              b->bytes);
    return fal__allowed(b->setting.error, FAL_E_WORKSPACE, "the cap is %" PRIu64,
                        b->setting.machine.workspace_cap);
}

/* ---- Running ---- */

/* t = beta*t */
static void scale(const fal_tensor *t, double beta)
{
    if (beta == 0) fal_tensor_fill(t, 0, NULL);
    if (beta == 0 || beta == 1) return;
    int64_t index[FAL_MAX_RANK];
    const int64_t count = fal_tensor_count(t);
    for (int64_t i = 0; i < count; i++) {
        int64_t rest = i;
        for (int32_t a = t->rank - 1; a >= 0; a--) {
            index[a] = rest % t->shape[a];
            rest /= t->shape[a];
        }
        fal_tensor_set(t, index, beta * fal_tensor_get(t, index));
    }
}

/* gb[oc] = beta*gb[oc] + sum of gy over its channel, in double. */
static void bias_task(void *argument, int32_t index)
{
    const fal__deform_grad *b = argument;
    const fal_tensor *gy = &b->o->y, *gb = &b->gradients->bias;
    const fal_axis *axis = b->d.g.axis;
    const fal__data_strides ys = fal__data_strides_of(&b->d.g, gy);
    int64_t begin, end;
    fal__partition(b->d.g.out_channels, b->tasks, index, &begin, &end);
    for (int64_t oc = begin; oc < end; oc++) {
        double sum = b->d.beta == 0 ? 0 : b->d.beta * fal_tensor_get(gb, &oc);
        for (int64_t n = 0; n < b->d.g.n; n++)
            for (int64_t oy = 0; oy < axis[0].output; oy++)
                for (int64_t ox = 0; ox < axis[1].output; ox++) {
                    const int64_t at = n * ys.n + oc * ys.c + oy * ys.space[0] + ox * ys.space[1];
                    sum += fal__load_f64(fal__tensor_offset(gy, at), gy->dtype);
                }
        fal_tensor_set(gb, &oc, sum);
    }
}

static fal_status pack_taps(const fal__deform_grad *b)
{
    const fal__deform_block any = {.rows = 1, .columns = 1};
    for (int i = 0; i < 2; i++)
        for (int64_t t = 0; b->input[i].plan != NULL && t < b->d.taps; t++) {
            const fal_tensor w = tap_product(b, &any, t).w;
            FAL__TRY(fal_plan_pack_weights(
                b->input[i].plan, &w, b->memory + b->input[i].packed_at + (size_t)t * b->input[i].packed_step,
                b->setting.error));
        }
    return FAL_OK;
}

static fal_status run(fal__deform_grad *b)
{
    if (!fal__operand_missing(&b->gradients->bias))
        fal__parallel(&b->setting.executor, b->tasks, bias_task, b);
    if (b->wants_w) scale(&b->gradients->w, b->d.beta);
    FAL__TRY(pack_taps(b));
    if (!b->wants_w && !b->wants_x && !b->wants_slopes) return FAL_OK;
    for (int64_t n = 0; n < b->d.g.n; n++) FAL__TRY(fal__deform_grad_image(b, n));
    return FAL_OK;
}

fal_status fal_deform_conv_grad(const fal_context *context, const fal_deform_operands *operands,
                                const fal_conv_params *params, int64_t offset_groups,
                                const fal_deform_operands *gradients)
{
    fal__deform_grad b = {.o = operands, .gradients = gradients};
    FAL__TRY(fal__context_resolve(context, &b.setting));
    if (gradients == NULL) return fal__fail(b.setting.error, FAL_E_NULL, "gradients", "gradients is NULL");
    FAL__TRY(fal__deform_check(operands, params, offset_groups, gradients, &b.d, b.setting.error));
    if (b.d.dtype != FAL_F32 && b.d.dtype != FAL_F64)
        return fal__deform_half(context, operands, params, offset_groups, gradients);
    fal_status status = plan(&b, context, params);
    void *memory = NULL;
    if (status == FAL_OK)
        status = fal__allocate(&b.setting.allocator, b.bytes, "workspace", &memory, b.setting.error);
    b.memory = memory;
    if (status == FAL_OK) status = run(&b);
    if (memory != NULL) fal__release(&b.setting.allocator, memory, b.bytes);
    for (int i = 0; i < 2; i++) {
        fal_plan_destroy(b.weight[i].plan);
        fal_plan_destroy(b.input[i].plan);
    }
    return status;
}
