/* SPDX-License-Identifier: BSD-3-Clause */
/* upsample_axis.c: see upsample.h. */
#include "base/alloc.h"
#include "base/checked.h"
#include "base/compiler.h"
#include "base/error.h"
#include "operators/upsample.h"
#include "tensor/tensor.h"

/* ---- samples ------------------------------------------------------------------------------------- */

/* The mixture at position number/divisor of an axis of `inputs`. 128 bits: number is about 2*i*o. */
static fal__sample mixture(fal__int128 number, fal__int128 divisor, int64_t inputs)
{
    const int64_t from = (int64_t)(number / divisor);
    const fal__int128 rest = number % divisor;
    if (rest == 0 || from >= inputs - 1) return (fal__sample){from, from, 1, 0};
    return (fal__sample){from, from + 1, (double)(divisor - rest) / (double)divisor,
                         (double)rest / (double)divisor};
}

static fal__sample linear(fal_coordinates coordinates, int64_t inputs, int64_t outputs, int64_t x)
{
    const fal__int128 i = inputs, o = outputs;
    /* A single output has x = 0 and stands on input 0. */
    if (coordinates == FAL_ALIGN_CORNERS) return mixture(x * (i - 1), fal__max(outputs - 1, 1), inputs);
    if (coordinates == FAL_HALF_PIXEL) {
        const fal__int128 number = (2 * (fal__int128)x + 1) * i - o;
        return mixture(number < 0 ? 0 : number, 2 * o, inputs);
    }
    const int64_t s = fal__ceil_div(outputs, inputs);
    fal__sample sample = mixture(x, s, inputs);
    if (sample.from == sample.to) sample.w_from = (double)(s - x % s) / (double)s;
    return sample;
}

static fal__sample nearest(fal_coordinates coordinates, int64_t inputs, int64_t outputs, int64_t x)
{
    fal__int128 input = (fal__int128)x * inputs / outputs;
    if (coordinates == FAL_ALIGN_CORNERS) {
        const fal__int128 divisor = fal__max(outputs - 1, 1), number = (fal__int128)x * (inputs - 1);
        input = (2 * number + divisor - 1) / (2 * divisor);
    }
    return (fal__sample){(int64_t)input, (int64_t)input, 1, 0};
}

static void fill_samples(fal__upsample *u)
{
    const fal__steps *in = &u->x_sizes, *out = &u->y_sizes;
    for (int a = 0; a < FAL_MAX_SPATIAL; a++) {
        if (a > 0) u->samples[a] = u->samples[a - 1] + out->space[a - 1];
        for (int64_t x = 0; x < out->space[a]; x++)
            u->samples[a][x] = (u->params.mode == FAL_UPSAMPLE_NEAREST ? nearest : linear)(
                u->params.coordinates, in->space[a], out->space[a], x);
    }
}

/* ---- checks -------------------------------------------------------------------------------------- */

static fal_status check_params(const fal_upsample_params *p, const fal_tensor *x, const char *x_name,
                               fal_error *error)
{
    if ((int)p->mode < 0 || (int)p->mode > FAL_UPSAMPLE_NEAREST) {
        fal__fail(error, FAL_E_VALUE, "mode", "mode is %d", (int)p->mode);
        return fal__allowed(error, FAL_E_VALUE, "must be one of fal_upsample_mode, 0..1");
    }
    if ((int)p->coordinates < 0 || (int)p->coordinates > FAL_TRANSPOSED_CONV) {
        fal__fail(error, FAL_E_VALUE, "coordinates", "coordinates is %d", (int)p->coordinates);
        return fal__allowed(error, FAL_E_VALUE, "must be one of fal_coordinates, 0..2");
    }
    if (p->mode == FAL_UPSAMPLE_NEAREST && p->coordinates == FAL_TRANSPOSED_CONV) {
        fal__fail(error, FAL_E_VALUE, "coordinates", "coordinates is transposed-conv in mode nearest");
        return fal__allowed(error, FAL_E_VALUE, "must be half-pixel or align-corners");
    }
    if (p->mode == FAL_UPSAMPLE_NEAREST || !fal_dtype_is_integer(x->dtype)) return FAL_OK;
    fal__fail(error, FAL_E_DTYPE, x_name, "%s is %s in linear up-sampling", x_name, fal_dtype_name(x->dtype));
    return fal__allowed(error, FAL_E_DTYPE, "must be a floating type; mode nearest takes integers");
}

static fal_status check_sizes(const fal__upsample *u, const fal__upsample_operands *o, int32_t a,
                              fal_error *error)
{
    const int64_t i = u->g.axis[a].input, outputs = u->g.axis[a].output;
    if (i == 0 && outputs > 0) {
        fal__fail(error, FAL_E_SHAPE, o->y_name, "axis %" PRId32 " of space: %s has size 0, %s %" PRId64, a,
                  o->x_name, o->y_name, outputs);
        return fal__allowed(error, FAL_E_SHAPE, "an empty axis can only stay empty");
    }
    if (u->params.coordinates != FAL_TRANSPOSED_CONV || i == 0) return FAL_OK;
    const int64_t s = fal__ceil_div(outputs, i);
    int64_t last;
    if (outputs > 0 && (outputs % i == 0 || (fal__mul(i - 1, s, &last) && outputs - 1 == last)))
        return FAL_OK;
    fal__fail(error, FAL_E_SHAPE, o->y_name,
              "axis %" PRId32 " of space: %s has size %" PRId64 ", %s %" PRId64, a, o->x_name, i, o->y_name,
              outputs);
    if (outputs == 0) return fal__allowed(error, FAL_E_SHAPE, "must be at least 1");
    return fal__allowed(error, FAL_E_SHAPE, "with stride %" PRId64 " it must be s*(i-1)+1 or s*i", s);
}

static fal_status check(const fal__upsample_operands *o, fal__upsample *u, fal_error *error)
{
    const fal_tensor *x = o->x, *y = o->y;
    FAL__TRY(o->x_written ? fal__tensor_check_output(x, o->x_name, error)
                          : fal_tensor_check(x, o->x_name, error));
    FAL__TRY(o->x_written ? fal_tensor_check(y, o->y_name, error)
                          : fal__tensor_check_output(y, o->y_name, error));
    FAL__TRY(fal__planes_same_type(x, o->x_name, y, o->y_name, error));
    FAL__TRY(check_params(&u->params, x, o->x_name, error));
    FAL__TRY(fal__planes_describe(x, o->x_name, u->params.spatial, u->params.layout, &u->g, error));
    FAL__TRY(fal__planes_output(&u->g, y, o->y_name, o->x_name, error));
    for (int32_t a = 0; a < u->g.spatial; a++) FAL__TRY(check_sizes(u, o, a, error));
    FAL__TRY(fal__tensor_check_align(x, o->x_name, error));
    FAL__TRY(fal__tensor_check_align(y, o->y_name, error));
    return o->x_written ? fal__tensor_check_alias(x, o->x_name, y, o->y_name, error)
                        : fal__tensor_check_alias(y, o->y_name, x, o->x_name, error);
}

fal_status fal__upsample_create(const fal__setting *setting, const fal__upsample_operands *o,
                                fal__upsample *out)
{
    static const fal_upsample_params none = {0};
    const fal_tensor *x = o->x, *y = o->y;
    fal__upsample u = {.params = o->params != NULL ? *o->params : none};
    FAL__TRY(check(o, &u, setting->error));
    u.x_sizes = fal__planes_sizes(&u.g, false);
    u.y_sizes = fal__planes_sizes(&u.g, true);
    u.x_strides = fal__planes_strides(&u.g, x);
    u.y_strides = fal__planes_strides(&u.g, y);
    u.along_channels = fal__planes_along_channels(&u.y_strides);
    u.bytes = (int64_t)fal_dtype_bytes(x->dtype);
    u.x = x->data;
    u.y = y->data;
    u.kernels = fal__upsample_kernels_for(x->dtype);
    u.arithmetic = fal__row_sums_for(x->dtype);
    *out = u;
    if (fal_tensor_count(o->x_written ? x : y) == 0) return FAL_OK;
    int64_t bytes = 0;
    for (int a = 0; a < FAL_MAX_SPATIAL; a++)
        if (!fal__mul_add(u.y_sizes.space[a], sizeof(fal__sample), bytes, &bytes))
            return fal__fail(setting->error, FAL_E_OVERFLOW, o->y_name,
                             "the positions of %s overflow 64 bits", o->y_name);
    void *memory;
    u.memory_bytes = (size_t)bytes;
    FAL__TRY(fal__allocate(&setting->allocator, u.memory_bytes, "positions", &memory, setting->error));
    u.samples[0] = memory;
    fill_samples(&u);
    *out = u;
    return FAL_OK;
}

void fal__upsample_release(const fal__setting *setting, fal__upsample *u)
{
    fal__release(&setting->allocator, u->samples[0], u->memory_bytes);
}
