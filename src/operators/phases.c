/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * phases.c: a transposed walk as stride-1 problems, without a zero multiplied.
 *
 * Input i and tap t meet in output o = i*s + t*d - begin. Outputs with the same phase
 * phi = (o + begin) mod s are reached by the same taps, those with t*d = phi (mod s): with
 * g = gcd(s, d) every (s/g)-th tap from some t0 < s/g on, and phases that g does not divide by none.
 *
 *     s = 2, k = 3, d = 1      phase 0: taps 0, 2      phase 1: tap 1
 *     output (begin 0)         0 1 0 1 0 1 ...
 *
 * Within a phase let o = first + s*m and t = t0 + (s/g)*j. Then
 *
 *     i = (o + begin - t*d)/s = m - (d/g)*j - c,    c = (t0*d - first - begin)/s   (exact)
 *
 * a correlation over j with stride 1, dilation -d/g and begin c, writing every s-th output.
 *
 * Outputs of phases without taps hold f(beta*y + bias) alone. No output may be rounded or activated twice:
 * either the phases overwrite what one problem without products wrote everywhere, or every class of outputs
 * has a problem of its own.
 */
#include "base/checked.h"
#include "operators/rewrite.h"

/* Outputs of the phase that tap t0 belongs to: from `first` on, every s-th. */
static int64_t phase_outputs(const fal__transposed_axis *axis, int64_t t0, int64_t *first)
{
    *first = fal__floor_mod(t0 * axis->d % axis->s - axis->begin, axis->s);
    return *first < axis->out ? fal__ceil_div(axis->out - *first, axis->s) : 0;
}

/* The phases of an axis are numbered by their first tap, 0 .. phase_count-1. */
static int64_t phase_count(const fal__transposed_axis *axis)
{
    return fal__min(axis->k, axis->s / fal__gcd(axis->s, axis->d));
}

static bool covers(const fal__transposed_axis *axis)
{
    int64_t covered = 0, first;
    for (int64_t t0 = 0; t0 < phase_count(axis); t0++) covered += phase_outputs(axis, t0, &first);
    return covered == axis->out;
}

/* Fills one axis of a phase's problem; false when no output belongs to it. */
static bool phase_axis(const fal__transposed_axis *axis, int64_t t0, fal__problem *p, int a)
{
    const int64_t g = fal__gcd(axis->s, axis->d), step = axis->s / g;
    int64_t first;
    const int64_t outputs = phase_outputs(axis, t0, &first);
    if (outputs == 0) return false;
    const int64_t weight_step = axis->flip ? -axis->ws : axis->ws;
    p->axis[a] = (fal__problem_axis){.in = axis->in,
                                     .out = outputs,
                                     .k = fal__ceil_div(axis->k - t0, step),
                                     .s = 1,
                                     .d = -(axis->d / g),
                                     .begin = (t0 * axis->d - first - axis->begin) / axis->s,
                                     .xs = axis->xs,
                                     .ws = weight_step * step,
                                     .ys = axis->ys * axis->s};
    p->w_base += axis->flip ? (axis->k - 1 - t0) * axis->ws : t0 * axis->ws;
    p->y_base += first * axis->ys;
    return true;
}

/* No products: the outputs of axes a.. hold beta*y + bias. Groups that follow each other are as well one. */
static void without_products(const fal__transposed_axis *axes, int first, fal__problem *p)
{
    p->ic = 0;
    if (p->y_g == p->oc * p->y_oc && (!p->has_bias || p->b_g == p->oc * p->b_oc)) {
        p->oc *= p->groups; /* channels of a tensor: the product is an int64 */
        p->groups = 1;
    }
    for (int a = first; a < FAL_MAX_SPATIAL; a++)
        p->axis[a] = (fal__problem_axis){
            .in = axes[a].in, .out = axes[a].out, .k = 1, .s = 1, .d = 1, .ys = axes[a].ys};
}

/* The problems found so far. */
typedef struct list {
    fal__problem *problems; /* NULL: only counted */
    int64_t count;
} list;

static void append(list *l, const fal__problem *p)
{
    if (l->problems != NULL) l->problems[l->count] = *p;
    l->count++;
}

/* The phases that have taps. */
static void append_phases(const fal__problem *base, const fal__transposed_axis *axes, list *l)
{
    int64_t t[FAL_MAX_SPATIAL];
    for (t[0] = 0; t[0] < phase_count(&axes[0]); t[0]++)
        for (t[1] = 0; t[1] < phase_count(&axes[1]); t[1]++)
            for (t[2] = 0; t[2] < phase_count(&axes[2]); t[2]++) {
                fal__problem phase = *base;
                bool any = true;
                for (int a = 0; a < FAL_MAX_SPATIAL; a++) any = any && phase_axis(&axes[a], t[a], &phase, a);
                if (any) append(l, &phase);
            }
}

/* The phase that output `first` < s belongs to, by its first tap; -1 when no tap reaches it. */
static int64_t phase_of(const fal__transposed_axis *axis, int64_t first)
{
    int64_t found;
    for (int64_t t0 = 0; t0 < phase_count(axis); t0++)
        if (phase_outputs(axis, t0, &found) > 0 && found == first) return t0;
    return -1;
}

/* Every output once: `p` holds the axes before `a`, each on one class of every s-th output. A class
 * without taps on one axis has none with any class of the axes after it. */
static void append_classes(const fal__problem *p, const fal__transposed_axis *axes, int a, list *l)
{
    if (a == FAL_MAX_SPATIAL) {
        append(l, p);
        return;
    }
    const fal__transposed_axis *axis = &axes[a];
    for (int64_t first = 0; first < fal__min(axis->s, axis->out); first++) {
        fal__problem class = *p;
        const int64_t t0 = phase_of(axis, first);
        if (t0 >= 0) {
            phase_axis(axis, t0, &class, a);
            append_classes(&class, axes, a + 1, l);
            continue;
        }
        without_products(axes, a, &class);
        class.axis[a].out = class.axis[a].in = fal__ceil_div(axis->out - first, axis->s);
        class.axis[a].ys = axis->ys * axis->s;
        class.y_base += first * axis->ys;
        append(l, &class);
    }
}

int64_t fal__rewrite_phases(const fal__problem *base, const fal__transposed_axis *axes,
                            fal__problem *problems)
{
    list l = {.problems = problems};
    const bool covered = covers(&axes[0]) && covers(&axes[1]) && covers(&axes[2]);
    /* What is overwritten may be anything that can be computed: an integer bias need not fit y. */
    const bool overwrite = base->beta == 0 && !(fal_dtype_is_integer(base->y_dtype) && base->has_bias);
    if (!covered && !overwrite) {
        append_classes(base, axes, 0, &l);
        return l.count;
    }
    if (!covered) {
        fal__problem rest = *base;
        without_products(axes, 0, &rest);
        append(&l, &rest);
    }
    append_phases(base, axes, &l);
    return l.count;
}
