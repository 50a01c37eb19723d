/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * solve.c: which parameters turn this input size into that output size?
 *
 * Used by the command's `solve`. Kernel, stride and dilation are tried one by one; for each of them the
 * padding follows in closed form, with K = d*(k-1)+1 and total = begin + end:
 *
 *     convolution   total in low .. low + s-1,   low = (o-1)*s + K - i     (the tail that is not read)
 *     transposed    total = (i-1)*s + K - o + output_padding, output_padding in 0..max(s,d)-1
 *
 * Free padding is 0..K-1 on each side: beyond that a window would lie in the padding alone. A kernel of
 * one tap has no dilation to choose. Each candidate is put through the forward formula before it is
 * listed.
 *
 * The caller's array is all the memory there is, so it holds a heap whose root is the least simple
 * solution kept; a simpler one replaces it, and sorting the heap at the end gives the list.
 */
#include "base/checked.h"
#include "base/error.h"
#include "geometry/geometry.h"

enum {
    DEFAULT_KERNEL = 11,
    DEFAULT_STRIDE = 8,
    DEFAULT_DILATION = 1,
    /* Candidates beyond this would keep a terminal waiting; about a second. */
    MOST_CANDIDATES = 1 << 26
};

/* ---- Order: simplest first ---- */

static int compare_numbers(int64_t a, int64_t b)
{
    return (a > b) - (a < b);
}

static int64_t asymmetry(const fal_axis *a)
{
    return a->begin > a->end ? a->begin - a->end : a->end - a->begin;
}

/* Below 0 when a is simpler than b. The last two keys only make the order total. */
static int compare(const fal_axis *a, const fal_axis *b)
{
    const int64_t keys[][2] = {{a->output_padding, b->output_padding},
                               {asymmetry(a), asymmetry(b)},
                               {a->begin + a->end, b->begin + b->end},
                               {a->dilation, b->dilation},
                               {a->stride, b->stride},
                               {a->kernel % 2 == 0, b->kernel % 2 == 0},
                               {a->kernel, b->kernel},
                               {a->begin, b->begin}};
    int order = 0;
    for (size_t key = 0; order == 0 && key < sizeof keys / sizeof *keys; key++)
        order = compare_numbers(keys[key][0], keys[key][1]);
    return order;
}

/* ---- The list ---- */

typedef struct {
    fal_axis *solutions;
    int64_t capacity, kept, found;
} list;

static void swap(fal_axis *a, fal_axis *b)
{
    fal_axis keep = *a;
    *a = *b;
    *b = keep;
}

/* Restores the heap below `parent`: no child is less simple than its parent. */
static void sift_down(fal_axis *heap, int64_t count, int64_t parent)
{
    for (;;) {
        int64_t child = 2 * parent + 1;
        if (child >= count) return;
        if (child + 1 < count && compare(&heap[child + 1], &heap[child]) > 0) child++;
        if (compare(&heap[child], &heap[parent]) <= 0) return;
        swap(&heap[child], &heap[parent]);
        parent = child;
    }
}

static void list_add(list *l, const fal_axis *solution)
{
    l->found++;
    if (l->kept < l->capacity) {
        int64_t at = l->kept++;
        l->solutions[at] = *solution;
        for (int64_t parent; at > 0; at = parent) {
            parent = (at - 1) / 2;
            if (compare(&l->solutions[at], &l->solutions[parent]) <= 0) return;
            swap(&l->solutions[at], &l->solutions[parent]);
        }
    } else if (l->kept > 0 && compare(solution, &l->solutions[0]) < 0) {
        l->solutions[0] = *solution;
        sift_down(l->solutions, l->kept, 0);
    }
}

static void list_sort(list *l)
{
    for (int64_t count = l->kept - 1; count > 0; count--) {
        swap(&l->solutions[0], &l->solutions[count]);
        sift_down(l->solutions, count, 0);
    }
}

/* ---- The search ---- */

typedef struct {
    int64_t low, high;
} range;

static range overlap(range a, range b)
{
    return (range){fal__max(a.low, b.low), fal__min(a.high, b.high)};
}

/* A fixed value is a range of one. */
static range choices(int64_t value, int64_t free, int64_t low, int64_t high)
{
    return value == free ? (range){low, high} : (range){value, value};
}

/* Lists every padding of this kernel, stride, dilation and output padding whose total lies in `total`. */
static void list_paddings(const fal_solve_query *q, const fal_axis *candidate, int64_t effective, range total,
                          list *l)
{
    range begins = choices(q->axis.begin, -1, 0, effective - 1);
    range ends = choices(q->axis.end, -1, 0, effective - 1);
    begins = overlap(begins, (range){total.low - ends.high, total.high - ends.low});
    for (int64_t begin = begins.low; begin <= begins.high; begin++) {
        range fitting = overlap(ends, (range){total.low - begin, total.high - begin});
        for (int64_t end = fitting.low; end <= fitting.high; end++) {
            fal_axis solution = *candidate;
            solution.begin = begin;
            solution.end = end;
            fal_status status =
                q->transposed ? fal_conv_transpose_size(&solution, NULL) : fal_conv_size(&solution, NULL);
            if (status == FAL_OK && solution.output == q->axis.output) list_add(l, &solution);
        }
    }
}

/* Candidate sizes are bounded by check_query, so that nothing here overflows. */
static void list_candidate(const fal_solve_query *q, fal_axis candidate, list *l)
{
    int64_t effective = candidate.dilation * (candidate.kernel - 1) + 1, s = candidate.stride;
    if (!q->transposed) {
        int64_t low = (q->axis.output - 1) * s + effective - q->axis.input;
        list_paddings(q, &candidate, effective, (range){low, low + s - 1}, l);
        return;
    }
    range extras = choices(q->axis.output_padding, -1, 0, fal__max(s, candidate.dilation) - 1);
    for (int64_t extra = extras.low; extra <= extras.high; extra++) {
        int64_t total = (q->axis.input - 1) * s + effective - q->axis.output + extra;
        candidate.output_padding = extra;
        list_paddings(q, &candidate, effective, (range){total, total}, l);
    }
}

/* The free numbers of a query as ranges. */
typedef struct {
    range kernel, stride, dilation;
} search;

static fal_status check_query(const fal_solve_query *q, fal_error *error)
{
    FAL__TRY(fal__at_least(q->axis.input, 1, FAL_E_DIM, "input", error));
    FAL__TRY(fal__at_least(q->axis.output, 1, FAL_E_DIM, "output", error));
    FAL__TRY(fal__at_least(q->axis.kernel, 0, FAL_E_KERNEL, "kernel", error));
    FAL__TRY(fal__at_least(q->axis.stride, 0, FAL_E_STRIDE, "stride", error));
    FAL__TRY(fal__at_least(q->axis.dilation, 0, FAL_E_DILATION, "dilation", error));
    FAL__TRY(fal__at_least(q->axis.output_padding, -1, FAL_E_PADDING, "output_padding", error));
    FAL__TRY(fal__at_least(q->max_kernel, 0, FAL_E_VALUE, "max_kernel", error));
    FAL__TRY(fal__at_least(q->max_stride, 0, FAL_E_VALUE, "max_stride", error));
    FAL__TRY(fal__at_least(q->max_dilation, 0, FAL_E_VALUE, "max_dilation", error));
    if (q->transposed || q->axis.output_padding <= 0) return FAL_OK;
    fal__fail(error, FAL_E_PADDING, "output_padding", "output_padding is %" PRId64 " in a convolution",
              q->axis.output_padding);
    return fal__allowed(error, FAL_E_PADDING, "only a transposed convolution has one");
}

/* Every sum of the search has a few terms, each at most this. */
static const int64_t largest_term = INT64_C(1) << 59;

static bool terms_fit(const fal_solve_query *q, const search *ranges, int64_t effective)
{
    const int64_t terms[] = {q->axis.input,       q->axis.output,        q->axis.output_padding, effective,
                             ranges->stride.high, ranges->dilation.high, q->axis.begin,          q->axis.end};
    int64_t reach;
    if (!fal__mul((q->transposed ? q->axis.input : q->axis.output) - 1, ranges->stride.high, &reach))
        return false;
    bool fit = reach <= largest_term;
    for (size_t t = 0; t < sizeof terms / sizeof *terms; t++)
        fit = fit && terms[t] <= largest_term && terms[t] >= -largest_term;
    return fit;
}

/* Refuses numbers whose sums could overflow, and a search that would take too long. */
static fal_status check_search(const fal_solve_query *q, const search *ranges, fal_error *error)
{
    int64_t effective;
    FAL__TRY(fal_effective_kernel(ranges->kernel.high, ranges->dilation.high, &effective, error));
    if (!terms_fit(q, ranges, effective))
        return fal__fail(error, FAL_E_OVERFLOW, "query", "the sizes of the search overflow 64 bits");
    int64_t extras = fal__max(ranges->stride.high, ranges->dilation.high);
    const int64_t factors[] = {ranges->kernel.high - ranges->kernel.low + 1,
                               ranges->stride.high - ranges->stride.low + 1,
                               ranges->dilation.high - ranges->dilation.low + 1,
                               q->axis.begin == -1 ? effective : 1,
                               !q->transposed && q->axis.end == -1 ? fal__min(ranges->stride.high, effective)
                                                                   : 1,
                               q->transposed && q->axis.output_padding == -1 ? extras : 1};
    int64_t candidates = 1;
    for (size_t f = 0; f < sizeof factors / sizeof *factors; f++)
        if (!fal__mul(candidates, factors[f], &candidates) || candidates > MOST_CANDIDATES) {
            fal__fail(error, FAL_E_LIMIT, "query", "the search has more than %d candidates", MOST_CANDIDATES);
            return fal__allowed(error, FAL_E_LIMIT,
                                "fix a parameter or lower the largest kernel, stride or dilation");
        }
    return FAL_OK;
}

fal_status fal_solve(const fal_solve_query *query, fal_axis *solutions, int64_t capacity, int64_t *count,
                     fal_error *error)
{
    if (query == NULL) return fal__fail(error, FAL_E_NULL, "query", "query is NULL");
    if (count == NULL) return fal__fail(error, FAL_E_NULL, "count", "count is NULL");
    if (solutions == NULL && capacity > 0)
        return fal__fail(error, FAL_E_NULL, "solutions", "solutions is NULL");
    FAL__TRY(check_query(query, error));
    const fal_axis *fixed = &query->axis;
    search ranges = {
        .kernel = choices(fixed->kernel, 0, 1, query->max_kernel ? query->max_kernel : DEFAULT_KERNEL),
        .stride = choices(fixed->stride, 0, 1, query->max_stride ? query->max_stride : DEFAULT_STRIDE),
        .dilation =
            choices(fixed->dilation, 0, 1, query->max_dilation ? query->max_dilation : DEFAULT_DILATION)};
    FAL__TRY(check_search(query, &ranges, error));

    list l = {.solutions = solutions, .capacity = capacity};
    fal_axis a = {.input = fixed->input};
    for (a.kernel = ranges.kernel.low; a.kernel <= ranges.kernel.high; a.kernel++) {
        /* All dilations of a single tap are the same kernel: list the first. */
        int64_t last_dilation = a.kernel == 1 ? ranges.dilation.low : ranges.dilation.high;
        for (a.stride = ranges.stride.low; a.stride <= ranges.stride.high; a.stride++)
            for (a.dilation = ranges.dilation.low; a.dilation <= last_dilation; a.dilation++)
                list_candidate(query, a, &l);
    }
    list_sort(&l);
    *count = l.found;
    return FAL_OK;
}
