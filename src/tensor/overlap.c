/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * overlap.c: do two tensors share memory, do two indices of one tensor meet?
 *
 * Both questions ask for whole numbers c[k] in given ranges with
 *
 *     low <= c[0]*step[0] + c[1]*step[1] + ... <= high,       step[k] > 0
 *
 * Two tensors share a byte when the distance of an element of a to one of b is within an element:
 * one term for every axis of either. Two indices of one tensor meet when their difference, not all
 * 0, adds up to offset 0. Comparing spans alone would refuse what people do: writing one half of
 * the channels of a buffer while reading the other half.
 *
 * In general this is the subset-sum problem, but strides are nested: sorted from large to small, the
 * terms that follow reach less than a step or two, so that few c[k] remain to be tried. The search
 * walks them depth first with two prunings (what the rest can reach; the rest is a multiple of its
 * greatest common divisor) and gives up after a fixed number of tries with the safe answer "yes".
 */
#include "base/checked.h"
#include "base/compiler.h"
#include "tensor/tensor.h"

enum { MAX_TERMS = 2 * FAL_MAX_RANK, MAX_TRIES = 20000 };

/* c*step with c in first..last; `below` and `above` are the least and greatest sum of this term and
 * all that follow, `divisor` their greatest common divisor. */
typedef struct term {
    int64_t step, divisor;
    fal__int128 first, last, below, above;
} term;

typedef struct search {
    term terms[MAX_TERMS];
    int32_t count;
    int32_t tries;     /* left */
    bool other_than_0; /* the solution with every c = 0 does not count */
} search;

/* Adds step*c with c in first..last; step may be negative. Keeps large steps first. Terms of one step
 * are one term, unless it matters which c is 0. */
static void add_term(search *s, int64_t step, int64_t first, int64_t last)
{
    if (step < 0) {
        int64_t swap = -first;
        first = -last;
        last = swap;
        step = -step;
    }
    int32_t at = s->count;
    while (at > 0 && s->terms[at - 1].step < step) at--;
    if (at > 0 && s->terms[at - 1].step == step && !s->other_than_0) {
        s->terms[at - 1].first += first;
        s->terms[at - 1].last += last;
        return;
    }
    for (int32_t k = s->count++; k > at; k--) s->terms[k] = s->terms[k - 1];
    s->terms[at] = (term){.step = step, .first = first, .last = last};
}

/* Fills what the terms from each on can reach. */
static void sum_up(search *s)
{
    fal__int128 below = 0, above = 0;
    int64_t divisor = 0;
    for (int32_t k = s->count - 1; k >= 0; k--) {
        term *t = &s->terms[k];
        t->below = below += t->first * t->step;
        t->above = above += t->last * t->step;
        t->divisor = divisor = fal__gcd(t->step, divisor);
    }
}

static fal__int128 floor_div(fal__int128 a, int64_t b)
{
    return a / b - (a % b < 0);
}

/* Is there a solution with the terms from k on? `moved`: an earlier c was not 0. */
static bool solve(search *s, int32_t k, fal__int128 low, fal__int128 high, bool moved)
{
    if (k == s->count) return low <= 0 && high >= 0 && (moved || !s->other_than_0);
    const term *t = &s->terms[k];
    if (t->below > high || t->above < low) return false;
    if (floor_div(high, t->divisor) * t->divisor < low) return false; /* no multiple lies between */
    bool last = k + 1 == s->count;
    fal__int128 rest_below = last ? 0 : t[1].below, rest_above = last ? 0 : t[1].above;
    fal__int128 from = -floor_div(rest_above - low, t->step), to = floor_div(high - rest_below, t->step);
    if (from < t->first) from = t->first;
    if (to > t->last) to = t->last;
    for (fal__int128 c = from; c <= to; c++) {
        if (s->tries-- <= 0) return true;
        if (solve(s, k + 1, low - c * t->step, high - c * t->step, moved || c != 0)) return true;
    }
    return false;
}

/* The first byte of a view, and the one past its last. */
static void span_of(const fal_tensor *t, fal__int128 *first, fal__int128 *end)
{
    const fal__int128 bytes = (fal__int128)fal_dtype_bytes(t->dtype), base = (fal__int128)(uintptr_t)t->data;
    fal__int128 low = 0, high = 0;
    for (int32_t k = 0; k < t->rank; k++) {
        if (t->shape[k] <= 1) continue;
        const fal__int128 reach = (fal__int128)(t->shape[k] - 1) * t->strides[k];
        *(reach < 0 ? &low : &high) += reach;
    }
    *first = base + low * bytes;
    *end = base + (high + 1) * bytes;
}

/* Most tensors are: this is what a plan pays on every call. */
static bool spans_apart(const fal_tensor *a, const fal_tensor *b)
{
    fal__int128 a_first, a_end, b_first, b_end;
    span_of(a, &a_first, &a_end);
    span_of(b, &b_first, &b_end);
    return a_end <= b_first || b_end <= a_first;
}

bool fal__tensor_overlap(const fal_tensor *a, const fal_tensor *b)
{
    if (a->data == NULL || b->data == NULL || spans_apart(a, b)) return false;
    if (fal_tensor_count(a) <= 0 || fal_tensor_count(b) <= 0) return false;
    int64_t a_bytes = (int64_t)fal_dtype_bytes(a->dtype), b_bytes = (int64_t)fal_dtype_bytes(b->dtype);
    search s = {.count = 0, .tries = MAX_TRIES, .other_than_0 = false};
    for (int32_t k = 0; k < a->rank; k++)
        if (a->shape[k] > 1 && a->strides[k] != 0) add_term(&s, a->strides[k] * a_bytes, 0, a->shape[k] - 1);
    for (int32_t k = 0; k < b->rank; k++)
        if (b->shape[k] > 1 && b->strides[k] != 0)
            add_term(&s, b->strides[k] * b_bytes, -(b->shape[k] - 1), 0);
    sum_up(&s);
    /* a + sum - b in -(a_bytes-1) .. b_bytes-1 */
    fal__int128 apart = (fal__int128)(uintptr_t)b->data - (fal__int128)(uintptr_t)a->data;
    return solve(&s, 0, apart - (a_bytes - 1), apart + (b_bytes - 1), true);
}

bool fal__tensor_self_overlaps(const fal_tensor *t)
{
    if (fal_tensor_count(t) <= 1) return false;
    search s = {.count = 0, .tries = MAX_TRIES, .other_than_0 = true};
    for (int32_t k = 0; k < t->rank; k++) {
        if (t->shape[k] <= 1) continue;
        if (t->strides[k] == 0) return true;
        add_term(&s, t->strides[k], -(t->shape[k] - 1), t->shape[k] - 1);
    }
    sum_up(&s);
    return solve(&s, 0, 0, 0, false);
}
