/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * dialect_transposed.c: transposed convolution as other frameworks size and pad it.
 *
 * Padding crops the output: o = (i-1)*s + K - begin - end + output_padding. Where a framework leaves a
 * gap at the end instead (K < s), end becomes 0 and output_padding fills it.
 *
 *     PyTorch      numbers; output_size chooses the output_padding, below the stride only
 *     Caffe        numbers
 *     TensorFlow   the gradient of the convolution that leads from the output's size to the input's
 *     ONNX         numbers, or SAME_*, or output_shape, whose halves changed places in opset 11
 *     JAX          a convolution of the dilated input: its numbers are K-1 less ours
 */
#include "base/checked.h"
#include "base/error.h"
#include "geometry/dialect.h"
#include "geometry/geometry.h"

/* ---- PyTorch ---- */

static fal_status torch(fal__saying *said, fal_error *error)
{
    fal_axis *axis = &said->axis;
    if (said->wanted == 0) return fal_conv_transpose_size(axis, error);
    FAL__TRY(fal_output_padding_for(axis, said->wanted, error));
    if (axis->output_padding < axis->stride) return FAL_OK;
    int64_t least = axis->output - axis->output_padding;
    fal__fail(error, FAL_E_SHAPE, "output", "output_size is %" PRId64, said->wanted);
    return fal__allowed(error, FAL_E_SHAPE, "PyTorch's output_size must be %" PRId64 "..%" PRId64, least,
                        least + axis->stride - 1);
}

/* ---- TensorFlow and Keras ---- */

/* The size that Keras gives its layers. Their output_padding is None unless it is said. */
static fal_status keras_size(const fal__saying *said, int64_t effective, int64_t *size, fal_error *error)
{
    const fal_axis *axis = &said->axis;
    bool same = said->rule == FAL_PADDING_SAME, fits;
    if (axis->output_padding == 0) {
        fits =
            fal__mul_add(axis->input, axis->stride, same ? 0 : fal__max(effective - axis->stride, 0), size);
    } else {
        int64_t block = same ? effective % 2 : effective; /* K - 2*(K/2): half a kernel is cut at both ends */
        fits = fal__mul_add(axis->input - 1, axis->stride, block, size) &&
               fal__add(*size, axis->output_padding, size);
    }
    if (fits) return FAL_OK;
    return fal__fail(error, FAL_E_OVERFLOW, "output", "the transposed output size overflows 64 bits");
}

static fal_status tensorflow(fal__saying *said, int64_t effective, fal_error *error)
{
    fal_axis *axis = &said->axis;
    if (said->rule == FAL_PADDING_EXPLICIT) {
        if (said->wanted == 0) return fal_conv_transpose_size(axis, error);
        return fal_output_padding_for(axis, said->wanted, error);
    }
    fal_axis forward = {.kernel = axis->kernel, .stride = axis->stride, .dilation = axis->dilation};
    forward.input = said->wanted;
    if (said->wanted == 0) FAL__TRY(keras_size(said, effective, &forward.input, error));
    FAL__TRY(fal_padding_resolve(&forward, said->rule, false, error));
    FAL__TRY(fal_conv_size(&forward, error));
    if (forward.output == axis->input) return fal_associated_transpose(&forward, axis, error);
    fal__fail(error, FAL_E_SHAPE, "output", "a convolution of output size %" PRId64 " gives %" PRId64,
              forward.input, forward.output);
    return fal__allowed(error, FAL_E_SHAPE, "TensorFlow's must give back the input's size, %" PRId64,
                        axis->input);
}

/* ---- ONNX ---- */

int64_t fal__onnx_inferred_size(const fal_axis *axis)
{
    int64_t effective = axis->dilation * (axis->kernel - 1) + 1;
    return axis->stride * (axis->input - 1) + axis->output_padding + fal__min(effective, axis->stride);
}

/* SAME_*: o = i*s, as the text of ONNX says; its shape inference says otherwise where the kernel is
 * smaller than the stride or output_padding is given. A total below 0 is a gap at the end. */
static fal_status onnx_same(fal_axis *axis, int64_t effective, bool upper, fal_error *error)
{
    int64_t size, whole;
    if (!fal__mul(axis->input, axis->stride, &size) || !fal__add(effective, axis->output_padding, &whole))
        return fal__fail(error, FAL_E_OVERFLOW, "output", "the transposed output size overflows 64 bits");
    if (whole >= axis->stride) return fal_onnx_output_shape(axis, size, upper, error);
    axis->output_padding = 0;
    return fal_padding_resolve(axis, FAL_PADDING_SAME, true, error);
}

static fal_status onnx(fal__saying *said, int64_t effective, fal_error *error)
{
    fal_axis *axis = &said->axis;
    bool same = said->rule == FAL_PADDING_SAME || said->rule == FAL_PADDING_SAME_LOWER;
    /* Which half of an odd total is the larger one: until opset 10 the text had the two exchanged. */
    bool upper = (said->rule == FAL_PADDING_SAME) == (said->version >= 11);
    if (said->wanted != 0) {
        axis->begin = axis->end = 0; /* its `pads` are ignored */
        return fal_onnx_output_shape(axis, said->wanted, upper, error);
    }
    if (same) FAL__TRY(onnx_same(axis, effective, upper, error));
    return fal_conv_transpose_size(axis, error);
}

/* ---- JAX ---- */

/* lax.conv_transpose pads the input, dilated by the stride, by (lo, hi) and slides the kernel over it:
 * o = (i-1)*s + 1 + lo + hi - K + 1, so begin = K-1-lo and end = K-1-hi. Its words are
 *
 *     SAME    lo + hi = K + s - 2,                lo = K-1 if s > K-1, else the larger half
 *     VALID   lo + hi = K + s - 2 + max(K-s, 0),  lo = K-1
 */
static fal_status jax(fal__saying *said, int64_t effective, fal_error *error)
{
    fal_axis *axis = &said->axis;
    int64_t lo = axis->begin, hi = axis->end, s = axis->stride, reach = effective - 1;
    if (said->rule != FAL_PADDING_EXPLICIT) {
        bool same = said->rule == FAL_PADDING_SAME;
        int64_t total;
        if (!fal__add(reach, s - 1, &total) ||
            !fal__add(total, same ? 0 : fal__max(effective - s, 0), &total))
            return fal__fail(error, FAL_E_OVERFLOW, "padding", "the padding overflows 64 bits");
        lo = !same || s > reach ? reach : total - total / 2;
        hi = total - lo;
    }
    if (!fal__sub(reach, lo, &axis->begin) || !fal__sub(reach, hi, &axis->end))
        return fal__fail(error, FAL_E_OVERFLOW, "padding", "the padding overflows 64 bits");
    if (axis->end < 0 && axis->end > -fal__max(s, axis->dilation)) {
        axis->output_padding = -axis->end;
        axis->end = 0;
    }
    return fal_conv_transpose_size(axis, error);
}

fal_status fal__dialect_transposed(fal__saying *said, fal_error *error)
{
    int64_t effective;
    FAL__TRY(fal_effective_kernel(said->axis.kernel, said->axis.dilation, &effective, error));
    if (said->rule != FAL_PADDING_EXPLICIT || said->wanted != 0)
        FAL__TRY(fal__at_least(said->axis.input, 1, FAL_E_DIM, "input", error));
    if (said->dialect == FAL_DIALECT_TORCH) return torch(said, error);
    if (said->dialect == FAL_DIALECT_TENSORFLOW) return tensorflow(said, effective, error);
    if (said->dialect == FAL_DIALECT_ONNX) return onnx(said, effective, error);
    if (said->wanted != 0) {
        fal__fail(error, FAL_E_SHAPE, "output", "output is %" PRId64, said->wanted);
        return fal__allowed(error, FAL_E_SHAPE, "%s takes no size for it", said->facts->title);
    }
    if (said->dialect == FAL_DIALECT_JAX) return jax(said, effective, error);
    return fal_conv_transpose_size(&said->axis, error);
}
