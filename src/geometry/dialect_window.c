/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * dialect_window.c: convolution and pooling as other frameworks size and pad them.
 *
 * Most share one formula and differ by the rule alone. `same` of one array and one kernel keeps the size
 * of the array, so total = K - 1 and only an even kernel can disagree. Which of its two middle taps
 * stands on output o, for k = 4 (a kernel a b c d over the input . . . .):
 *
 *     begin (k-1)/2 = 1      . a b c d        PyTorch, TensorFlow, JAX (correlating), scipy.correlate2d,
 *                              ^ o            ndimage.convolve, MATLAB conv2
 *     begin k/2 = 2        a b c d .          scipy.signal.convolve, .correlate and .convolve2d,
 *                              ^ o            ndimage.correlate, OpenCV filter2D
 *
 * Sources: the documentation of each; for the even kernels also their output on an impulse.
 */
#include "base/checked.h"
#include "base/error.h"
#include "geometry/dialect.h"
#include "geometry/geometry.h"

/* Is the larger half of an odd total at the beginning? */
static bool leans_left(fal_dialect dialect)
{
    switch (dialect) {
    case FAL_DIALECT_SCIPY_CONVOLVE:
    case FAL_DIALECT_SCIPY_CORRELATE:
    case FAL_DIALECT_SCIPY_CONVOLVE2D:
    case FAL_DIALECT_NDIMAGE_CORRELATE:
    case FAL_DIALECT_OPENCV: return true;
    default: return false;
    }
}

/* Where the kernel does not fit, some do not refuse but mean something else. */
static const char *too_large_hint(fal_dialect dialect)
{
    if (dialect == FAL_DIALECT_JAX) return "JAX gives an empty output here";
    if (dialect == FAL_DIALECT_MATLAB) return "MATLAB gives an empty output here";
    if (dialect >= FAL_DIALECT_SCIPY_CONVOLVE && dialect <= FAL_DIALECT_SCIPY_CORRELATE2D)
        return "SciPy exchanges the operands here: give the longer one as the input";
    return NULL;
}

fal_status fal__dialect_conv(fal__saying *said, fal_error *error)
{
    bool same = said->rule == FAL_PADDING_SAME;
    fal_padding rule = same && leans_left(said->dialect) ? FAL_PADDING_SAME_LOWER : said->rule;
    if (same && said->dialect == FAL_DIALECT_TORCH && said->axis.stride > 1) {
        fal__fail(error, FAL_E_STRIDE, "stride", "padding 'same' with stride %" PRId64, said->axis.stride);
        fal__allowed(error, FAL_E_STRIDE, "PyTorch has 'same' for stride 1 only");
        return fal__hint(error, FAL_E_STRIDE, "give the padding in numbers");
    }
    FAL__TRY(fal_padding_resolve(&said->axis, rule, false, error));
    fal_status status = fal_conv_size(&said->axis, error);
    const char *hint = status == FAL_E_KERNEL ? too_large_hint(said->dialect) : NULL;
    return hint != NULL ? fal__hint(error, status, "%s", hint) : status;
}

/* ---- Pooling ---- */

/* Caffe rounds up and drops a last window that would start in the end padding, but looks only when there
 * is padding. A window left beyond the input becomes end padding, so that the size is the plain one. */
static fal_status caffe_pool(fal__saying *said, fal_error *error)
{
    fal_axis *axis = &said->axis;
    if (axis->begin >= axis->kernel) {
        fal__fail(error, FAL_E_PADDING, "padding", "padding is %" PRId64 ", kernel is %" PRId64, axis->begin,
                  axis->kernel);
        return fal__allowed(error, FAL_E_PADDING, "Caffe's pooling pads less than the kernel");
    }
    FAL__TRY(fal__dialect_need_one(said, axis->dilation, FAL_E_DILATION, "dilation", error));
    FAL__TRY(fal_conv_size(axis, error)); /* refuses a kernel that does not fit */
    int64_t room = axis->input - axis->kernel, rest = room % axis->stride, last;
    said->ceil_mode = true;
    if (axis->begin != 0 || rest == 0) return fal_pool_size(axis, true, error);
    if (!fal__add(room - rest, axis->stride, &last))
        return fal__fail(error, FAL_E_OVERFLOW, "stride", "the last window overflows 64 bits");
    if (last < axis->input) return fal_pool_size(axis, true, error);
    said->ceil_mode = false;
    axis->end = last - room;
    return fal_conv_size(axis, error);
}

static fal_status torch_pool_check(const fal_axis *axis, fal_error *error)
{
    int64_t effective;
    FAL__TRY(fal_effective_kernel(axis->kernel, axis->dilation, &effective, error));
    if (axis->begin <= effective / 2) return FAL_OK;
    fal__fail(error, FAL_E_PADDING, "padding", "padding is %" PRId64 ", the effective kernel %" PRId64,
              axis->begin, effective);
    return fal__allowed(error, FAL_E_PADDING, "PyTorch's pooling pads at most half of the effective kernel");
}

/* Opset 10 brought both to pooling. */
static fal_status onnx_pool_check(const fal__saying *said, fal_error *error)
{
    const char *missing = said->ceil_mode ? "ceil_mode" : said->axis.dilation > 1 ? "dilations" : NULL;
    if (missing == NULL || said->version >= 10) return FAL_OK;
    fal__fail(error, FAL_E_VALUE, "version", "opset %" PRId32 " has no %s for pooling", said->version,
              missing);
    return fal__allowed(error, FAL_E_VALUE, "must be at least 10");
}

fal_status fal__dialect_pool(fal__saying *said, fal_error *error)
{
    if (said->dialect == FAL_DIALECT_CAFFE) return caffe_pool(said, error);
    if (said->dialect == FAL_DIALECT_TORCH) FAL__TRY(torch_pool_check(&said->axis, error));
    if (said->dialect == FAL_DIALECT_ONNX) FAL__TRY(onnx_pool_check(said, error));
    FAL__TRY(fal_padding_resolve(&said->axis, said->rule, false, error));
    return fal_pool_size(&said->axis, said->ceil_mode, error);
}
