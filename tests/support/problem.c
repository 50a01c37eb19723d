/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * problem.c: random valid problems.
 *
 * Valid by construction where that is easy (output padding, crops), else drawn again until the
 * kernel fits and the work is small. Sizes are counted window by window, so that they check the
 * library's formulas instead of repeating them.
 */
#include "support.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int64_t effective(const test_problem *p, int32_t a)
{
    return (p->k[a] - 1) * p->params.dilation[a] + 1;
}

/* The pads of axis `a` that the rule of the parameters stands for. */
static void resolve_pads(const test_problem *p, int32_t a, int64_t *begin, int64_t *end)
{
    int64_t K = effective(p, a), s = p->params.stride[a], total = 0;
    *begin = p->params.padding_begin[a];
    *end = p->params.padding_end[a];
    switch (p->params.padding) {
    case FAL_PADDING_EXPLICIT: return;
    case FAL_PADDING_VALID: *begin = *end = 0; return;
    case FAL_PADDING_FULL: *begin = *end = K - 1; return;
    case FAL_PADDING_CAUSAL: *begin = K - 1, *end = 0; return;
    case FAL_PADDING_SAME:
    case FAL_PADDING_SAME_LOWER: break;
    }
    total = ((p->in[a] + s - 1) / s - 1) * s + K - p->in[a];
    if (total < 0) total = 0;
    *begin = (total + (p->params.padding == FAL_PADDING_SAME_LOWER)) / 2;
    *end = total - *begin;
}

void test_problem_sizes(test_problem *p)
{
    bool same = p->params.padding == FAL_PADDING_SAME || p->params.padding == FAL_PADDING_SAME_LOWER;
    for (int32_t a = 0; a < p->spatial; a++) {
        int64_t begin, end, K = effective(p, a), s = p->params.stride[a];
        resolve_pads(p, a, &begin, &end);
        if (p->transposed) {
            p->out[a] = (p->in[a] - 1) * s + K - begin - end + p->params.output_padding[a];
            if (same) p->out[a] = p->in[a] * s;
            if (p->params.output_size[a] != 0) p->out[a] = p->params.output_size[a];
        } else {
            p->out[a] = 0;
            for (int64_t at = -begin; at + K <= p->in[a] + end; at += s) p->out[a]++;
        }
    }
}

static int64_t products(const test_problem *p)
{
    int64_t count = p->n * p->params.groups * p->ic * p->oc;
    for (int32_t a = 0; a < p->spatial; a++) count *= p->k[a] * (p->transposed ? p->in[a] : p->out[a]);
    return count;
}

static bool acceptable(const test_problem *p)
{
    for (int32_t a = 0; a < p->spatial; a++)
        if (p->out[a] < 1 || p->out[a] > 200) return false;
    return products(p) <= TEST_MAX_PRODUCTS;
}

static void draw_channels(test_problem *p, test_stream *r)
{
    static const int64_t channels[] = {1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 33};
    p->n = test_chance(r, 4) ? test_draw(r, 2, 4) : 1;
    p->params.groups = test_chance(r, 2) ? test_draw(r, 2, 4) : 1;
    p->ic = test_pick(r, channels, 13);
    p->oc = test_pick(r, channels, 13);
    if (test_chance(r, 4)) { /* depthwise, with a multiplier */
        static const int64_t groups[] = {1, 3, 8, 17, 33};
        p->params.groups = test_pick(r, groups, 5);
        p->ic = 1;
        p->oc = test_chance(r, 2) ? 1 : test_draw(r, 2, 3);
    }
}

static void draw_pads(test_problem *p, test_stream *r, int32_t a)
{
    int64_t K = effective(p, a), i = p->in[a], *begin = &p->params.padding_begin[a],
            *end = &p->params.padding_end[a];
    bool border = p->params.padding_mode != FAL_PAD_ZEROS;
    switch (test_draw(r, 0, 5)) {
    case 0: *begin = *end = 0; break;
    case 1: *begin = *end = K / 2; break;
    case 2: *begin = *end = K - 1; break;
    case 3: *begin = test_draw(r, 0, K + 1), *end = test_draw(r, 0, K + 1); break;
    case 4: /* as far as several repeats of the input */
        *begin = test_draw(r, 0, border ? 3 * i + 2 : K + 3);
        *end = test_draw(r, 0, border ? 3 * i + 2 : K + 3);
        break;
    default: /* crops */
        *begin = test_draw(r, -2, K);
        *end = test_draw(r, -2, K);
        if (i + *begin < 1 || i + *end < 1 || i + *begin + *end < 1) *begin = *end = 0;
    }
}

static void draw_axis(test_problem *p, test_stream *r, int32_t a)
{
    static const int64_t longest[] = {70, 24, 9}, kernels[] = {9, 5, 3};
    fal_conv_params *q = &p->params;
    p->in[a] = test_draw(r, 1, test_chance(r, 3) ? 4 : longest[p->spatial - 1]);
    p->k[a] = test_draw(r, 1, kernels[p->spatial - 1]);
    q->stride[a] = test_chance(r, 2) ? 1 : test_draw(r, 2, 4);
    q->dilation[a] = test_chance(r, 2) ? 1 : test_draw(r, 2, 4);
    if (q->padding == FAL_PADDING_EXPLICIT) draw_pads(p, r, a);
    if (!p->transposed || q->padding != FAL_PADDING_EXPLICIT) return;
    int64_t most = q->stride[a] > q->dilation[a] ? q->stride[a] : q->dilation[a];
    q->output_padding[a] = test_chance(r, 2) ? 0 : test_draw(r, 0, most - 1);
}

static test_problem draw(uint64_t seed, test_stream *r)
{
    test_problem p = {.seed = seed, .dtype = FAL_F32};
    fal_conv_params *q = &p.params;
    p.transposed = test_chance(r, 3);
    p.spatial = (int32_t)test_pick(r, (const int64_t[]){1, 2, 2, 3}, 4);
    p.batched = !test_chance(r, 5);
    p.has_bias = test_chance(r, 2);
    q->layout = test_chance(r, 2) ? FAL_NCHW : FAL_NHWC;
    q->flip_kernel = test_chance(r, 4);
    /* Tests compare random problems exactly or bit for bit: with direct sums. What else default accuracy
     * allows is forced by name in tests of its own. The number is drawn to keep the others. */
    (void)test_chance(r, 2);
    q->accuracy = FAL_ACCURACY_STRICT;
    q->beta = test_chance(r, 3) ? (double)test_pick(r, (const int64_t[]){1, -1, 2}, 3) : 0;
    if (!p.transposed && test_chance(r, 2)) q->padding_mode = (fal_padding_mode)test_draw(r, 1, 5);
    if (q->padding_mode == FAL_PAD_CONSTANT) q->padding_value = (double)test_draw(r, 1, 3);
    if (test_chance(r, 4)) q->padding = (fal_padding)test_draw(r, 1, 5);
    draw_channels(&p, r);
    if (!p.batched) p.n = 1;
    for (int32_t a = 0; a < p.spatial; a++) draw_axis(&p, r, a);
    test_problem_sizes(&p);
    if (p.transposed && q->padding == FAL_PADDING_EXPLICIT && test_chance(r, 3))
        for (int32_t a = 0; a < p.spatial; a++) { /* say the size instead */
            q->output_size[a] = p.out[a];
            q->output_padding[a] = 0;
        }
    return p;
}

test_problem test_problem_random(uint64_t seed)
{
    test_stream stream = {seed, 0};
    for (;;) {
        test_problem p = draw(seed, &stream);
        if (acceptable(&p)) return p;
    }
}

static void put(char text[TEST_TEXT], const char *format, ...)
{
    size_t length = strlen(text);
    va_list values;
    va_start(values, format);
    vsnprintf(text + length, TEST_TEXT - length, format, values);
    va_end(values);
}

static void put_sizes(char text[TEST_TEXT], const char *name, const int64_t *sizes, int32_t count)
{
    put(text, " %s", name);
    for (int32_t a = 0; a < count; a++) put(text, "%s%" PRId64, a ? "x" : "", sizes[a]);
}

const char *test_problem_text(const test_problem *p, char text[TEST_TEXT])
{
    static const char *const modes[] = {"zeros", "reflect", "symmetric", "replicate", "circular", "constant"};
    static const char *const rules[] = {"explicit", "valid", "same", "same-lower", "full", "causal"};
    const fal_conv_params *q = &p->params;
    text[0] = 0;
    put(text, "seed %" PRIu64 ": %s %s %s n%" PRId64 " g%" PRId64 " ic%" PRId64 " oc%" PRId64, p->seed,
        p->transposed ? "conv-transpose" : "conv", fal_dtype_name(p->dtype),
        q->layout == FAL_NHWC ? "nhwc" : "nchw", p->n, q->groups, p->ic, p->oc);
    put_sizes(text, "i", p->in, p->spatial);
    put_sizes(text, "k", p->k, p->spatial);
    put_sizes(text, "o", p->out, p->spatial);
    put_sizes(text, "s", q->stride, p->spatial);
    put_sizes(text, "d", q->dilation, p->spatial);
    if (q->padding == FAL_PADDING_EXPLICIT) {
        put_sizes(text, "begin", q->padding_begin, p->spatial);
        put_sizes(text, "end", q->padding_end, p->spatial);
    } else {
        put(text, " %s", rules[q->padding]);
    }
    if (p->transposed) put_sizes(text, "op", q->output_padding, p->spatial);
    put(text, " %s", modes[q->padding_mode]);
    if (q->padding_mode == FAL_PAD_CONSTANT) put(text, " value %g", q->padding_value);
    put(text, "%s%s%s%s", p->has_bias ? " bias" : "", p->batched ? "" : " unbatched",
        q->flip_kernel ? " flip" : "", q->accuracy == FAL_ACCURACY_STRICT ? " strict" : "");
    if (q->beta != 0) put(text, " beta %g", q->beta);
    return text;
}

/* (n, c, space...) or (n, space..., c), without n when unbatched. */
static fal_tensor image(const test_problem *p, int64_t channels, const int64_t *space)
{
    int64_t shape[FAL_MAX_RANK];
    int32_t rank = 0;
    if (p->batched) shape[rank++] = p->n;
    if (p->params.layout == FAL_NCHW) shape[rank++] = channels;
    for (int32_t a = 0; a < p->spatial; a++) shape[rank++] = space[a];
    if (p->params.layout == FAL_NHWC) shape[rank++] = channels;
    return fal_tensor_of(NULL, p->dtype, rank, shape);
}

static fal_tensor weight(const test_problem *p)
{
    int64_t shape[FAL_MAX_RANK], g = p->params.groups;
    int64_t outer = p->transposed ? g * p->ic : g * p->oc, inner = p->transposed ? p->oc : p->ic;
    int32_t rank = 0;
    if (p->params.layout == FAL_NCHW) shape[rank++] = outer, shape[rank++] = inner;
    for (int32_t a = 0; a < p->spatial; a++) shape[rank++] = p->k[a];
    if (p->params.layout == FAL_NHWC) shape[rank++] = inner, shape[rank++] = outer;
    return fal_tensor_of(NULL, p->dtype, rank, shape);
}

fal_operands test_problem_shapes(const test_problem *p)
{
    int64_t channels = p->params.groups * p->oc;
    fal_operands shapes = {
        .x = image(p, p->params.groups * p->ic, p->in), .w = weight(p), .y = image(p, channels, p->out)};
    if (p->has_bias) shapes.bias = fal_tensor_of(NULL, p->dtype, 1, &channels);
    return shapes;
}

static fal_tensor permuted(const fal_tensor *t, const int32_t *axes)
{
    fal_tensor out;
    if (fal_tensor_permute(t, axes, &out, NULL) != FAL_OK) abort();
    return out;
}

fal_operands test_channels_last(const test_problem *p, const fal_operands *first)
{
    fal_operands last = *first;
    int32_t image[FAL_MAX_RANK], weight_axes[FAL_MAX_RANK], r = 0, channels = p->batched ? 1 : 0;
    if (p->batched) image[r++] = 0;
    for (int32_t a = 0; a < p->spatial; a++) image[r++] = channels + 1 + a;
    image[r] = channels;
    for (int32_t a = 0; a < p->spatial; a++) weight_axes[a] = 2 + a;
    weight_axes[p->spatial] = 1;
    weight_axes[p->spatial + 1] = 0;
    last.x = permuted(&first->x, image);
    last.w = permuted(&first->w, weight_axes);
    last.y = permuted(&first->y, image);
    return last;
}
