/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * receptive_field.c: what one output of a stack of layers sees of the stack's input.
 *
 * Used by the command's `receptive-field`. One walk from the input, keeping a line and a length:
 * output o of the layers so far sees whole positions of the interval
 *
 *     [start + o*jump,  start + o*jump + extent]
 *
 * A layer replaces o by the interval of its own inputs. With K = d*(k-1)+1,
 *
 *     convolution   o*s - b ... o*s - b + K-1            jump *= s,  start -= b * old jump
 *     transposed    (o + b - K+1)/s ... (o + b)/s        jump /= s,  start += (b - K+1) * new jump
 *
 * and either way the extent grows by (K-1) times the jump in which the taps step: the old one, or
 * for a transposed layer the new one. Everything is a fraction over one denominator that only a
 * transposed layer can enlarge. An interval of length `extent` holds at most floor(extent)+1 whole
 * positions, beginning at ceil(start + o*jump): that is the size, exact without transposed layers.
 */
#include "base/checked.h"
#include "base/error.h"
#include "geometry/geometry.h"

/* Numerators over `denominator`. */
typedef struct {
    int64_t denominator, jump, start, extent;
} walk;

/* Divides the four numbers by what they share, so that they grow only when they must. */
static void reduce(walk *w)
{
    int64_t shared = fal__gcd(w->denominator, w->jump);
    shared = fal__gcd(shared, w->extent);
    shared = fal__gcd(shared, w->start % shared < 0 ? -(w->start % shared) : w->start % shared);
    w->denominator /= shared;
    w->jump /= shared;
    w->start /= shared;
    w->extent /= shared;
}

static bool step_conv(walk *w, const fal_axis *layer, int64_t span)
{
    int64_t shift;
    return fal__mul(layer->begin, w->jump, &shift) && fal__sub(w->start, shift, &w->start) &&
           fal__mul_add(span, w->jump, w->extent, &w->extent) && fal__mul(w->jump, layer->stride, &w->jump);
}

static bool step_transposed(walk *w, const fal_axis *layer, int64_t span)
{
    /* Dividing the jump by s is multiplying everything else by s, denominator included. */
    int64_t s = layer->stride, shift;
    return fal__mul(w->denominator, s, &w->denominator) && fal__mul(w->start, s, &w->start) &&
           fal__mul(w->extent, s, &w->extent) && fal__sub(layer->begin, span, &shift) &&
           fal__mul_add(shift, w->jump, w->start, &w->start) &&
           fal__mul_add(span, w->jump, w->extent, &w->extent);
}

static fal_status step(walk *w, const fal_layer *layer, fal_error *error)
{
    fal_axis axis = {.kernel = layer->kernel == 0 ? 1 : layer->kernel,
                     .stride = layer->stride,
                     .dilation = layer->dilation,
                     .begin = layer->begin,
                     .end = layer->end};
    FAL__TRY(fal__axis_check(&axis, error));
    int64_t effective;
    FAL__TRY(fal_effective_kernel(axis.kernel, axis.dilation, &effective, error));
    bool fits =
        layer->transposed ? step_transposed(w, &axis, effective - 1) : step_conv(w, &axis, effective - 1);
    if (!fits || w->start == INT64_MIN || w->extent == INT64_MAX)
        return fal__fail(error, FAL_E_OVERFLOW, "layer", "the receptive field overflows 64 bits");
    reduce(w);
    return FAL_OK;
}

/* The report of an axis function, about layer `l`: "layers[3]: stride is -1". */
static fal_status name_layer(fal_error *error, fal_status status, int32_t l)
{
    if (error == NULL) return status;
    fal_error part = *error;
    fal__fail(error, status, "layers", "layers[%" PRId32 "]: %s", l, part.found);
    return part.allowed[0] ? fal__allowed(error, status, "%s", part.allowed) : status;
}

fal_status fal_receptive_field(const fal_layer *layers, int32_t count, fal_field *fields, fal_error *error)
{
    if (count < 0) {
        fal__fail(error, FAL_E_VALUE, "count", "count is %" PRId32, count);
        return fal__allowed(error, FAL_E_VALUE, "must be at least 0");
    }
    if (count > 0 && layers == NULL) return fal__fail(error, FAL_E_NULL, "layers", "layers is NULL");
    if (count > 0 && fields == NULL) return fal__fail(error, FAL_E_NULL, "fields", "fields is NULL");
    /* The first walk only checks, so that a refusal leaves `fields` as it was. */
    for (int pass = 0; pass < 2; pass++) {
        walk w = {.denominator = 1, .jump = 1};
        for (int32_t l = 0; l < count; l++) {
            fal_status status = step(&w, &layers[l], error);
            if (status != FAL_OK) return name_layer(error, status, l);
            fal_field field = {.size = w.extent / w.denominator + 1,
                               .denominator = w.denominator,
                               .jump = w.jump,
                               .start = w.start};
            if (!fal__mul_add(w.start, 2, w.extent, &field.centre_twice)) {
                status = fal__fail(error, FAL_E_OVERFLOW, "layer", "the centre overflows 64 bits");
                return name_layer(error, status, l);
            }
            if (pass == 1) fields[l] = field;
        }
    }
    return FAL_OK;
}
