/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * size.c: how long the output of one axis is.
 *
 * Users: describe.c for every operator, the command's `shape`, and the inverse solver, which verifies
 * each of its answers here. With K = d*(k-1)+1, the length of the dilated kernel:
 *
 *     convolution            windows of K at 0, s, 2s, ... in begin + i + end elements
 *     transposed             i blocks of K placed s apart, cut by begin and end, longer by output_padding
 *     pooling, ceil mode     one more window may hang over the end, but must start before it
 *
 * Beyond the size, the functions refuse numbers whose window positions leave 64 bits. After a size
 * was computed, o*s + t*d - begin, o + begin and i*s + t*d cannot overflow for any o, i, t in range.
 */
#include "base/checked.h"
#include "base/error.h"
#include "geometry/geometry.h"

fal_status fal__axis_check(fal_axis *axis, fal_error *error)
{
    if (axis == NULL) return fal__fail(error, FAL_E_NULL, "axis", "axis is NULL");
    if (axis->stride == 0) axis->stride = 1;
    if (axis->dilation == 0) axis->dilation = 1;
    FAL__TRY(fal__at_least(axis->kernel, 1, FAL_E_KERNEL, "kernel", error));
    FAL__TRY(fal__at_least(axis->stride, 1, FAL_E_STRIDE, "stride", error));
    FAL__TRY(fal__at_least(axis->dilation, 1, FAL_E_DILATION, "dilation", error));
    return fal__at_least(axis->input, 0, FAL_E_DIM, "input", error);
}

fal_status fal_effective_kernel(int64_t kernel, int64_t dilation, int64_t *effective, fal_error *error)
{
    if (effective == NULL) return fal__fail(error, FAL_E_NULL, "effective", "effective is NULL");
    fal_axis axis = {.kernel = kernel, .dilation = dilation};
    FAL__TRY(fal__axis_check(&axis, error));
    int64_t size;
    if (!fal__mul_add(axis.dilation, kernel - 1, 1, &size))
        return fal__fail(error, FAL_E_OVERFLOW, "dilation",
                         "kernel %" PRId64 " with dilation %" PRId64 " overflows 64 bits", kernel,
                         axis.dilation);
    *effective = size;
    return FAL_OK;
}

/* Positions run from -begin to i + end - 1, and begin + i is where the input ends in the padded one;
 * all of them must fit, not only their number. */
static fal_status padded_input(const fal_axis *axis, int64_t *padded, fal_error *error)
{
    int64_t low, high, past;
    if (!fal__sub(0, axis->begin, &low) || !fal__add(axis->input, axis->end, &high) ||
        !fal__add(axis->begin, axis->input, &past) || !fal__add(high, axis->begin, padded))
        return fal__fail(error, FAL_E_OVERFLOW, "padding",
                         "input %" PRId64 " with padding %" PRId64 " and %" PRId64 " overflows 64 bits",
                         axis->input, axis->begin, axis->end);
    return FAL_OK;
}

/* padded - K, the room in which a window can move; refuses a kernel that does not fit. */
static fal_status window_room(fal_axis *axis, int64_t *room, fal_error *error)
{
    FAL__TRY(fal__axis_check(axis, error));
    int64_t effective, padded;
    FAL__TRY(fal_effective_kernel(axis->kernel, axis->dilation, &effective, error));
    FAL__TRY(padded_input(axis, &padded, error));
    if (effective <= padded) {
        *room = padded - effective;
        return FAL_OK;
    }
    if (axis->dilation > 1)
        fal__fail(error, FAL_E_KERNEL, "kernel",
                  "kernel %" PRId64 " with dilation %" PRId64 " spans %" PRId64 ", padded input is %" PRId64,
                  axis->kernel, axis->dilation, effective, padded);
    else
        fal__fail(error, FAL_E_KERNEL, "kernel",
                  "kernel %" PRId64 " is larger than the padded input %" PRId64, axis->kernel, padded);
    return fal__allowed(error, FAL_E_KERNEL, "the kernel must fit into the padded input");
}

fal_status fal_conv_size(fal_axis *axis, fal_error *error)
{
    int64_t room;
    FAL__TRY(window_room(axis, &room, error));
    axis->output = room / axis->stride + 1;
    return FAL_OK;
}

fal_status fal_pool_size(fal_axis *axis, bool ceil_mode, fal_error *error)
{
    int64_t room;
    FAL__TRY(window_room(axis, &room, error));
    int64_t windows = room / axis->stride + 1;
    if (ceil_mode) {
        if (room % axis->stride != 0) windows++;
        /* The last window starts (o-1)*s after the begin padding does; the quotient avoids the product. */
        if (windows - 1 >= fal__ceil_div(axis->input + axis->begin, axis->stride)) windows--;
        if (windows < 1) {
            fal__fail(error, FAL_E_KERNEL, "kernel", "no window starts inside the input of %" PRId64,
                      axis->input);
            return fal__allowed(error, FAL_E_KERNEL,
                                "ceil mode drops a last window that lies in the padding");
        }
    }
    axis->output = windows;
    return FAL_OK;
}

static fal_status check_output_padding(const fal_axis *axis, fal_error *error)
{
    int64_t limit = fal__max(axis->stride, axis->dilation);
    if (axis->output_padding >= 0 && axis->output_padding < limit) return FAL_OK;
    fal__fail(error, FAL_E_PADDING, "output_padding", "output_padding is %" PRId64, axis->output_padding);
    return fal__allowed(error, FAL_E_PADDING,
                        "must be 0..%" PRId64 ", below stride %" PRId64 " or dilation %" PRId64, limit - 1,
                        axis->stride, axis->dilation);
}

fal_status fal_conv_transpose_size(fal_axis *axis, fal_error *error)
{
    FAL__TRY(fal__axis_check(axis, error));
    int64_t effective, full, cut, size;
    FAL__TRY(check_output_padding(axis, error));
    FAL__TRY(fal_effective_kernel(axis->kernel, axis->dilation, &effective, error));
    if (axis->input == 0) {
        axis->output = 0;
        return FAL_OK;
    }
    /* `full` is where the last block ends, plus output_padding. Both cuts must also fit alone, because
     * positions o + begin run up to full - end and outputs i*s + t*d - begin up to full - begin. */
    if (!fal__mul_add(axis->input - 1, axis->stride, effective, &full) ||
        !fal__add(full, axis->output_padding, &full) || !fal__sub(full, axis->begin, &cut) ||
        !fal__sub(full, axis->end, &cut) || !fal__sub(cut, axis->begin, &size))
        return fal__fail(error, FAL_E_OVERFLOW, "output",
                         "input %" PRId64 " with stride %" PRId64 " and kernel %" PRId64
                         " spread over %" PRId64 " overflows 64 bits",
                         axis->input, axis->stride, axis->kernel, effective);
    if (size < 1) {
        fal__fail(error, FAL_E_SHAPE, "output", "transposed output size is %" PRId64, size);
        return fal__allowed(error, FAL_E_SHAPE, "must be at least 1");
    }
    axis->output = size;
    return FAL_OK;
}

fal_status fal_output_padding_for(fal_axis *axis, int64_t wanted, fal_error *error)
{
    FAL__TRY(fal__axis_check(axis, error));
    FAL__TRY(fal__at_least(wanted, 1, FAL_E_SHAPE, "output_size", error));
    int64_t effective, base, missing;
    FAL__TRY(fal_effective_kernel(axis->kernel, axis->dilation, &effective, error));
    if (axis->input == 0)
        return fal__fail(error, FAL_E_SHAPE, "output_size",
                         "output_size is %" PRId64 ", an empty input gives 0", wanted);
    if (!fal__mul_add(axis->input - 1, axis->stride, effective, &base) || !fal__sub(base, axis->end, &base) ||
        !fal__sub(base, axis->begin, &base) || !fal__sub(wanted, base, &missing))
        return fal__fail(error, FAL_E_OVERFLOW, "output_size",
                         "the size for output_size %" PRId64 " overflows 64 bits", wanted);
    int64_t limit = fal__max(axis->stride, axis->dilation), largest;
    if (missing >= 0 && missing < limit) {
        fal_axis result = *axis;
        result.output_padding = missing;
        FAL__TRY(fal_conv_transpose_size(&result, error));
        *axis = result;
        return FAL_OK;
    }
    fal__fail(error, FAL_E_SHAPE, "output_size", "output_size is %" PRId64, wanted);
    if (!fal__add(base, limit - 1, &largest)) largest = INT64_MAX;
    if (largest < 1) return fal__allowed(error, FAL_E_SHAPE, "no output_padding gives a size above 0");
    return fal__allowed(error, FAL_E_SHAPE, "must be %" PRId64 "..%" PRId64, fal__max(base, 1), largest);
}

fal_status fal_associated_transpose(const fal_axis *conv, fal_axis *transposed, fal_error *error)
{
    if (conv == NULL) return fal__fail(error, FAL_E_NULL, "conv", "conv is NULL");
    if (transposed == NULL) return fal__fail(error, FAL_E_NULL, "transposed", "transposed is NULL");
    fal_axis axis = *conv;
    int64_t room;
    FAL__TRY(window_room(&axis, &room, error));
    /* The windows leave room mod s inputs unread at the end; only output_padding can bring them back. */
    *transposed = (fal_axis){.input = room / axis.stride + 1,
                             .kernel = axis.kernel,
                             .stride = axis.stride,
                             .dilation = axis.dilation,
                             .begin = axis.begin,
                             .end = axis.end,
                             .output_padding = room % axis.stride,
                             .output = axis.input};
    return FAL_OK;
}
