/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * padding.c: named padding rules become numbers.
 *
 * Users: describe.c, and importers of ONNX models. K = d*(k-1)+1; `total` = begin + end.
 *
 *     valid              0, 0                 every window inside
 *     full               K-1, K-1             every window that touches the input
 *     causal             K-1, 0               output o sees nothing after input o*s
 *     same               o = ceil(i/s)        total = max(0, (o-1)*s + K - i)
 *     same, transposed   o = i*s              total = K - s; where that is negative the blocks leave
 *                                             gaps and output_padding s - K fills the last one
 *
 * `same` halves the total. An odd element goes to the end (same) or to the beginning (same-lower).
 */
#include <string.h>

#include "base/checked.h"
#include "base/error.h"
#include "geometry/geometry.h"

/* total >= 0 or, from ONNX, of any sign. */
static void split(fal_axis *axis, int64_t total, bool odd_at_end)
{
    int64_t less = fal__floor_div(total, 2);
    axis->begin = odd_at_end ? less : total - less;
    axis->end = total - axis->begin;
}

static void resolve_same(fal_axis *axis, int64_t effective, bool odd_at_end, bool transposed)
{
    if (transposed) {
        int64_t total = effective - axis->stride;
        axis->output_padding = fal__max(-total, 0);
        split(axis, fal__max(total, 0), odd_at_end);
        return;
    }
    /* (o-1)*s is the largest multiple of s below i (-s for an empty input), so no step overflows. */
    int64_t last_start = axis->input == 0 ? -axis->stride : (axis->input - 1) / axis->stride * axis->stride;
    split(axis, fal__max(last_start - axis->input + effective, 0), odd_at_end);
}

fal_status fal_padding_resolve(fal_axis *axis, fal_padding rule, bool transposed, fal_error *error)
{
    FAL__TRY(fal__axis_check(axis, error));
    int64_t effective;
    FAL__TRY(fal_effective_kernel(axis->kernel, axis->dilation, &effective, error));
    switch (rule) {
    case FAL_PADDING_EXPLICIT: return FAL_OK;
    case FAL_PADDING_VALID: axis->begin = axis->end = 0; return FAL_OK;
    case FAL_PADDING_SAME: resolve_same(axis, effective, true, transposed); return FAL_OK;
    case FAL_PADDING_SAME_LOWER: resolve_same(axis, effective, false, transposed); return FAL_OK;
    case FAL_PADDING_FULL: axis->begin = axis->end = effective - 1; return FAL_OK;
    case FAL_PADDING_CAUSAL:
        axis->begin = effective - 1;
        axis->end = 0;
        return FAL_OK;
    }
    fal__fail(error, FAL_E_VALUE, "padding", "padding is %d", (int)rule);
    return fal__allowed(error, FAL_E_VALUE, "must be one of fal_padding, 0..%d", (int)FAL_PADDING_CAUSAL);
}

fal_status fal_onnx_output_shape(fal_axis *axis, int64_t wanted, bool upper, fal_error *error)
{
    FAL__TRY(fal__axis_check(axis, error));
    if (wanted < 1 || axis->input < 1) {
        bool input = axis->input < 1;
        fal__fail(error, FAL_E_SHAPE, input ? "input" : "output_shape", "%s is %" PRId64,
                  input ? "input" : "output_shape", input ? axis->input : wanted);
        return fal__allowed(error, FAL_E_SHAPE, "must be at least 1");
    }
    fal_axis result = *axis;
    result.begin = result.end = 0;
    FAL__TRY(fal_conv_transpose_size(&result, error));
    split(&result, result.output - wanted, upper);
    FAL__TRY(fal_conv_transpose_size(&result, error));
    *axis = result;
    return FAL_OK;
}

fal_status fal_onnx_auto_pad(const char *word, fal_padding *rule, fal_error *error)
{
    static const struct {
        const char *word;
        fal_padding rule;
    } words[] = {{"NOTSET", FAL_PADDING_EXPLICIT},
                 {"VALID", FAL_PADDING_VALID},
                 {"SAME_UPPER", FAL_PADDING_SAME},
                 {"SAME_LOWER", FAL_PADDING_SAME_LOWER}};
    if (word == NULL) return fal__fail(error, FAL_E_NULL, "auto_pad", "auto_pad is NULL");
    if (rule == NULL) return fal__fail(error, FAL_E_NULL, "rule", "rule is NULL");
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strcmp(word, words[i].word) == 0) {
            *rule = words[i].rule;
            return FAL_OK;
        }
    fal__fail(error, FAL_E_VALUE, "auto_pad", "auto_pad is not a word of ONNX");
    return fal__allowed(error, FAL_E_VALUE, "must be NOTSET, VALID, SAME_UPPER or SAME_LOWER");
}
