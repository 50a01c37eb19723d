/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * dialect_note.c: the one thing a porter should know about what was said.
 *
 * One note a saying, the most surprising that applies: first what changes numbers silently, then what the
 * framework's other functions do. Texts have no final full stop and are cut at the caller's capacity.
 */
#include <inttypes.h>
#include <stdio.h>

#include "geometry/dialect.h"

static bool is_same(const fal__saying *said)
{
    return said->rule == FAL_PADDING_SAME || said->rule == FAL_PADDING_SAME_LOWER;
}

static const char *conv_note(const fal__saying *said)
{
    const fal_axis *axis = &said->axis;
    bool odd_total = axis->dilation % 2 == 1 && axis->kernel % 2 == 0;
    if (said->dialect == FAL_DIALECT_TORCH && is_same(said) && odd_total)
        return "the odd element of 'same' is at the end; PyTorch copies the input for it";
    if (said->rule == FAL_PADDING_CAUSAL) return "Keras has causal padding in 1-D only";
    if (said->dialect == FAL_DIALECT_TENSORFLOW && axis->stride > 1 && axis->dilation > 1)
        return "Keras refuses a stride and a dilation above 1 together; tf.nn takes both";
    if (is_same(said) && axis->stride > 1)
        return "this padding follows the input's size; another size can move the kernel by a pixel";
    return "";
}

/* `same` of an even kernel, where the functions of this family part. */
static const char *even_kernel_note(fal_dialect dialect)
{
    switch (dialect) {
    case FAL_DIALECT_SCIPY_CONVOLVE:
    case FAL_DIALECT_SCIPY_CORRELATE:
        return "even kernel: 'same' stands one to the left of scipy.signal.correlate2d's and of PyTorch's";
    case FAL_DIALECT_SCIPY_CONVOLVE2D:
        return "even kernel: 'same' stands one to the left of MATLAB's conv2 and of scipy.signal.correlate2d";
    case FAL_DIALECT_SCIPY_CORRELATE2D:
        return "even kernel: 'same' stands one to the right of scipy.signal.correlate's";
    case FAL_DIALECT_NDIMAGE_CONVOLVE:
        return "even kernel: stands one to the right of scipy.ndimage.correlate's and scipy.signal's";
    case FAL_DIALECT_NDIMAGE_CORRELATE:
        return "even kernel: stands one to the left of scipy.ndimage.convolve's and of PyTorch's";
    case FAL_DIALECT_MATLAB:
        return "even kernel: 'same' stands one to the right of scipy.signal.convolve2d's";
    case FAL_DIALECT_OPENCV:
        return "even kernel: the anchor k/2 stands one to the left of PyTorch's; the filter is not flipped";
    default: return "";
    }
}

static const char *signal_note(const fal__saying *said)
{
    if (said->rule == FAL_PADDING_SAME && said->axis.kernel % 2 == 0) return even_kernel_note(said->dialect);
    if (said->dialect == FAL_DIALECT_OPENCV)
        return "the filter is not flipped; its border REFLECT_101 does not repeat the edge";
    if (said->facts->border == FAL_PAD_SYMMETRIC)
        return "SciPy calls this border 'reflect': it repeats the edge, as PyTorch's 'reflect' does not";
    return "";
}

static const char *pool_note(const fal__saying *said, const fal_axis *axis)
{
    const fal_axis *a = &said->axis;
    int64_t reach = a->input + axis->begin + axis->end - a->dilation * (a->kernel - 1) - 1;
    bool up = reach % a->stride != 0, dropped = up && axis->output == reach / a->stride + 1;
    bool beyond =
        said->dialect == FAL_DIALECT_CAFFE && (axis->output - 1) * a->stride >= a->input + axis->begin;
    if (beyond) return "the last window lies outside the input: Caffe's maximum of it is -FLT_MAX";
    if (said->dialect == FAL_DIALECT_ONNX && !said->stride_said)
        return "strides default to 1, not to the kernel; averages leave the padding out";
    if (said->dialect == FAL_DIALECT_ONNX && said->ceil_mode && dropped)
        return "a window that would start in the end padding is dropped; old runtimes kept it";
    switch (said->dialect) {
    case FAL_DIALECT_TORCH: return "averages count the padding unless count_include_pad is false";
    case FAL_DIALECT_TENSORFLOW: return "averages leave the padding out of their divisor";
    case FAL_DIALECT_ONNX: return "averages leave the padding out unless count_include_pad is 1";
    case FAL_DIALECT_JAX: return "Flax divides averages by the whole window, padding included";
    case FAL_DIALECT_CAFFE:
        return "sizes are rounded up unless round_mode is FLOOR; averages count the padding";
    default: return "";
    }
}

static const char *transposed_note(const fal__saying *said, const fal_axis *axis)
{
    if (said->dialect == FAL_DIALECT_JAX)
        return said->rule == FAL_PADDING_EXPLICIT ? "numbers pad the dilated input: ours is K-1 less them; "
                                                    "the kernel is not mirrored unless "
                                                    "transpose_kernel is set"
                                                  : "the kernel is not mirrored unless transpose_kernel is "
                                                    "set, which swaps its channels, too";
    if (said->dialect == FAL_DIALECT_ONNX && said->wanted != 0 && (axis->end - axis->begin) % 2 != 0)
        return said->version < 11
                   ? "before opset 11 SAME_UPPER put the odd element at the beginning, all else "
                     "at the end"
                   : "the odd element is at the end with SAME_UPPER only; NOTSET splits as "
                     "SAME_LOWER does";
    if (said->dialect == FAL_DIALECT_ONNX && is_same(said) && said->version < 11)
        return "before opset 11 the two SAME words were exchanged, and runtimes disagreed for longer";
    if (said->dialect == FAL_DIALECT_TENSORFLOW && said->wanted == 0 && said->axis.output_padding == 0 &&
        said->rule != FAL_PADDING_EXPLICIT && said->axis.stride > 1)
        return "Keras's size without output_padding; other sizes belong to the same convolution, see "
               "output_shape";
    if (axis->output_padding > 0)
        return "output_padding reveals outputs that taps may reach; it appends no zeros";
    return "";
}

void fal__dialect_note(const fal__saying *said, const fal_axis *axis, char *note, size_t capacity)
{
    bool contradiction = said->dialect == FAL_DIALECT_ONNX && said->transposed && said->wanted == 0 &&
                         is_same(said) && fal__onnx_inferred_size(&said->axis) != axis->output;
    if (contradiction) {
        snprintf(note, capacity,
                 "ONNX contradicts itself: its text gives size %" PRId64 ", its shape inference %" PRId64,
                 axis->output, fal__onnx_inferred_size(&said->axis));
        return;
    }
    const char *text = said->transposed        ? transposed_note(said, axis)
                       : said->pooling         ? pool_note(said, axis)
                       : !said->facts->strides ? signal_note(said)
                                               : conv_note(said);
    snprintf(note, capacity, "%s", text);
}
