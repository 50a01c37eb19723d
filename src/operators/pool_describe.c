/* SPDX-License-Identifier: BSD-3-Clause */
/* pool_describe.c: from fal_pool_params to a fal__pool; the check that forward and gradient share. */
#include <math.h>

#include "base/checked.h"
#include "base/error.h"
#include "operators/pool.h"
#include "tensor/tensor.h"

/* ---- windows ----------------------------------------------------------------------------------- */

/* ceil(distance/step); a division is what a window costs most, and step is mostly 1. */
static int64_t taps_in(int64_t distance, int64_t step)
{
    return step == 1 ? distance : fal__ceil_div(distance, step);
}

fal__window fal__pool_window(const fal_axis *axis, bool adaptive, int64_t o)
{
    if (adaptive) {
        /* o*i may leave 64 bits; the quotients are at most i. */
        const fal__int128 i = axis->input, outputs = axis->output;
        const int64_t start = (int64_t)(o * i / outputs);
        const int64_t count = (int64_t)(((o + 1) * i + outputs - 1) / outputs) - start;
        return (fal__window){start, 1, count, count};
    }
    const int64_t start = o * axis->stride - axis->begin, d = axis->dilation;
    const int64_t before = start < 0 ? taps_in(-start, d) : 0;
    const int64_t inside = start < axis->input ? taps_in(axis->input - start, d) : 0;
    /* ceil mode lets no window start behind the input, so some tap always counts. */
    const int64_t clipped = taps_in(axis->input + axis->end - start, d);
    return (fal__window){.first = start + fal__min(before, axis->kernel - 1) * d,
                         .step = d,
                         .count = fal__max(fal__min(inside, axis->kernel) - before, 0),
                         .clipped = fal__min(clipped, axis->kernel)};
}

fal__steps fal__index_steps(const fal_conv_geometry *g, const fal__steps *sizes, fal_index_mode mode,
                            bool column_major)
{
    fal__steps steps = {0};
    int64_t plane = 1;
    for (int i = 0; i < FAL_MAX_SPATIAL; i++) {
        const int a = column_major ? i : FAL_MAX_SPATIAL - 1 - i;
        steps.space[a] = plane;
        plane *= sizes->space[a];
    }
    if (mode == FAL_INDEX_PLANE) return steps;
    steps.n = plane * sizes->c;
    steps.c = g->layout == FAL_NHWC ? 1 : plane;
    for (int a = 0; a < FAL_MAX_SPATIAL && g->layout == FAL_NHWC; a++) steps.space[a] *= sizes->c;
    return steps;
}

/* ---- checks ------------------------------------------------------------------------------------ */

static fal_status check_enum(int value, int last, const char *field, const char *type, fal_error *error)
{
    if (value >= 0 && value <= last) return FAL_OK;
    fal__fail(error, FAL_E_VALUE, field, "%s is %d", field, value);
    return fal__allowed(error, FAL_E_VALUE, "must be one of %s, 0..%d", type, last);
}

fal_status fal__index_mode_check(const fal_pool_params *p, fal_error *error)
{
    return check_enum((int)p->index_mode, FAL_INDEX_TENSOR, "index_mode", "fal_index_mode", error);
}

/* What one kind of pooling has and the others have not. */
static fal_status check_kind(const fal_tensor *x, const char *name, const fal_pool_params *p,
                             fal_error *error)
{
    if (p->divisor != 0 && p->kind != FAL_POOL_AVERAGE) {
        fal__fail(error, FAL_E_VALUE, "divisor", "divisor is %" PRId64 ", but this is no average",
                  p->divisor);
        return fal__allowed(error, FAL_E_VALUE, "only FAL_POOL_AVERAGE has one");
    }
    if (p->kind != FAL_POOL_LP && p->norm != 0) {
        fal__fail(error, FAL_E_VALUE, "norm", "norm is %g, but this is no Lp pooling", p->norm);
        return fal__allowed(error, FAL_E_VALUE, "only FAL_POOL_LP has one");
    }
    if (!(p->norm >= 0)) {
        fal__fail(error, FAL_E_VALUE, "norm", "norm is %g", p->norm);
        return fal__allowed(error, FAL_E_VALUE, "must be above 0, or 0 for 2");
    }
    if (p->kind != FAL_POOL_LP || !fal_dtype_is_integer(x->dtype)) return FAL_OK;
    fal__fail(error, FAL_E_DTYPE, name, "%s is %s in Lp pooling", name, fal_dtype_name(x->dtype));
    return fal__allowed(error, FAL_E_DTYPE, "must be a floating type");
}

/* A number that the chosen extent does not have would be ignored silently. */
static fal_status check_unused(const fal_pool_params *p, int32_t a, fal_error *error)
{
    const struct {
        const char *field;
        int64_t value;
    } numbers[] = {{"kernel", p->kernel[a]},           {"stride", p->stride[a]},
                   {"dilation", p->dilation[a]},       {"padding_begin", p->padding_begin[a]},
                   {"padding_end", p->padding_end[a]}, {"output_size", p->output_size[a]}};
    enum { OUTPUT_SIZE = 5 };
    static const char *const extents[] = {"given windows", "adaptive windows", "global windows"};
    for (int i = 0; i <= OUTPUT_SIZE; i++) {
        const bool used = i == OUTPUT_SIZE ? p->extent == FAL_POOL_ADAPTIVE : p->extent == FAL_POOL_WINDOW;
        if (used || numbers[i].value == 0) continue;
        fal__fail(error, FAL_E_VALUE, numbers[i].field, "%s is %" PRId64, numbers[i].field, numbers[i].value);
        fal__allowed(error, FAL_E_VALUE, "must be 0: %s do not have one", extents[p->extent]);
        return fal__name_axis(error, FAL_E_VALUE, a);
    }
    return FAL_OK;
}

static fal_status check_rule(const fal_pool_params *p, int32_t a, fal_error *error)
{
    if (p->padding == FAL_PADDING_EXPLICIT || (p->padding_begin[a] == 0 && p->padding_end[a] == 0))
        return FAL_OK;
    fal__fail(error, FAL_E_PADDING, "padding", "axis %" PRId32 ": padding is given as a rule and as numbers",
              a);
    return fal__allowed(error, FAL_E_PADDING, "give one of them");
}

static fal_status resolve_window(fal_axis *axis, const fal_pool_params *p, int32_t a, fal_error *error)
{
    axis->kernel = p->kernel[a];
    axis->stride = p->stride[a];
    axis->dilation = p->dilation[a];
    axis->begin = p->padding_begin[a];
    axis->end = p->padding_end[a];
    FAL__TRY(fal__at_least(axis->begin, 0, FAL_E_PADDING, "padding_begin", error));
    FAL__TRY(fal__at_least(axis->end, 0, FAL_E_PADDING, "padding_end", error));
    if (axis->stride == 0 && axis->kernel > 0) axis->stride = axis->kernel;
    FAL__TRY(fal_padding_resolve(axis, p->padding, false, error));
    return fal_pool_size(axis, p->ceil_mode, error);
}

static fal_status resolve_axis(fal_axis *axis, const fal_pool_params *p, int32_t a, fal_error *error)
{
    if (p->extent == FAL_POOL_WINDOW) return resolve_window(axis, p, a, error);
    FAL__TRY(fal__at_least(p->output_size[a], 0, FAL_E_DIM, "output_size", error));
    axis->output = p->extent == FAL_POOL_GLOBAL ? 1
                   : p->output_size[a] == 0     ? axis->input
                                                : p->output_size[a];
    return FAL_OK;
}

/* The largest divisor of an average must be a number. */
static fal_status check_divisor(const fal__pool *pool, fal_error *error)
{
    int64_t taps = 1;
    for (int a = 0; a < FAL_MAX_SPATIAL && !pool->adaptive; a++)
        if (!fal__mul(taps, pool->axis[a].kernel, &taps))
            return fal__fail(error, FAL_E_OVERFLOW, "kernel", "the number of taps overflows 64 bits");
    return FAL_OK;
}

fal_status fal__pool_describe(const fal_tensor *x, const char *name, const fal_pool_params *params,
                              fal__pool *pool, fal_error *error)
{
    static const fal_pool_params none = {0};
    const fal_pool_params *p = params != NULL ? params : &none;
    fal__pool r = {.adaptive = p->extent != FAL_POOL_WINDOW,
                   .kind = p->kind,
                   .exclude_padding = p->exclude_padding,
                   .divisor = p->divisor,
                   .norm = p->norm == 0 ? 2 : p->norm,
                   .index_mode = p->index_mode,
                   .column_major = p->column_major};
    FAL__TRY(fal__planes_describe(x, name, p->spatial, p->layout, &r.g, error));
    FAL__TRY(check_enum((int)p->kind, FAL_POOL_LP, "kind", "fal_pool_kind", error));
    FAL__TRY(check_enum((int)p->extent, FAL_POOL_GLOBAL, "extent", "fal_pool_extent", error));
    FAL__TRY(check_enum((int)p->padding, FAL_PADDING_CAUSAL, "padding", "fal_padding", error));
    FAL__TRY(fal__index_mode_check(p, error));
    FAL__TRY(check_kind(x, name, p, error));
    for (int a = 0; a < FAL_MAX_SPATIAL; a++)
        r.axis[a] = (fal_axis){.input = 1, .kernel = 1, .stride = 1, .dilation = 1, .output = 1};
    for (int32_t a = 0; a < r.g.spatial; a++) {
        FAL__TRY(check_unused(p, a, error));
        FAL__TRY(check_rule(p, a, error));
        const fal_status status = resolve_axis(&r.g.axis[a], p, a, error);
        if (status != FAL_OK) return fal__name_axis(error, status, a);
        r.axis[FAL_MAX_SPATIAL - r.g.spatial + a] = r.g.axis[a];
    }
    FAL__TRY(check_divisor(&r, error));
    *pool = r;
    return FAL_OK;
}

fal_status fal_pool_output_shape(const fal_tensor *x, const fal_pool_params *params, fal_tensor *y,
                                 fal_error *error)
{
    if (y == NULL) return fal__fail(error, FAL_E_NULL, "y", "y is NULL");
    fal__pool pool;
    FAL__TRY(fal__pool_describe(x, "x", params, &pool, error));
    int64_t shape[FAL_MAX_RANK];
    const int32_t rank = fal__output_shape(&pool.g, shape);
    const fal_tensor result = fal_tensor_of(NULL, x->dtype, rank, shape);
    if (result.dtype != x->dtype) {
        char text[FAL__LIST_TEXT];
        fal__list_text(shape, rank, text, sizeof text);
        return fal__fail(error, FAL_E_OVERFLOW, "y", "the size of y %s overflows 64 bits", text);
    }
    *y = result;
    return FAL_OK;
}
