/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * index_map.c: which input cells and weight taps meet in which output cell, and back.
 *
 * Everything faltung explains, prints as a matrix or draws is this relation. On one axis, with walk
 * tap t = 0..k-1 and the weight's own tap k-1-t instead of t under flip_kernel:
 *
 *     convolution   position = o*s + t*d - begin      every t; the border mode names the cell there
 *     transposed    o + begin = position*s + t*d      only t that give a whole position in 0..i-1
 *
 * fal__tap_at is that relation; the rest lists it by output, by input, or over all axes. A list may
 * be NULL to learn its length first.
 */
#include "base/checked.h"
#include "base/error.h"
#include "geometry/geometry.h"

bool fal__tap_at(const fal_axis *axis, bool transposed, fal_padding_mode mode, bool flip, int64_t o,
                 int64_t walk, fal_tap *tap)
{
    int64_t position, index;
    if (transposed) {
        int64_t rest = o + axis->begin - walk * axis->dilation;
        if (rest < 0 || rest % axis->stride != 0 || rest / axis->stride >= axis->input) return false;
        position = index = rest / axis->stride;
    } else {
        position = o * axis->stride + walk * axis->dilation - axis->begin;
        index = fal_border_index(mode, position, axis->input);
    }
    *tap = (fal_tap){.tap = flip ? axis->kernel - 1 - walk : walk, .position = position, .index = index};
    return true;
}

/* Resolves the output of a copy, so that fal__tap_at cannot overflow, and checks the other arguments. */
static fal_status resolved(const fal_axis *axis, bool transposed, fal_padding_mode mode, const int64_t *count,
                           fal_axis *out, fal_error *error)
{
    if (axis == NULL) return fal__fail(error, FAL_E_NULL, "axis", "axis is NULL");
    if (count == NULL) return fal__fail(error, FAL_E_NULL, "count", "count is NULL");
    if ((int)mode < 0 || (int)mode > FAL_PAD_CONSTANT || (transposed && mode != FAL_PAD_ZEROS)) {
        fal__fail(error, FAL_E_PADDING, "mode", "padding mode is %d", (int)mode);
        return fal__allowed(error, FAL_E_PADDING,
                            transposed ? "must be zeros when transposed" : "must be one of fal_padding_mode");
    }
    *out = *axis;
    return transposed ? fal_conv_transpose_size(out, error) : fal_conv_size(out, error);
}

static fal_status check_index(int64_t index, int64_t size, const char *name, fal_error *error)
{
    if (index >= 0 && index < size) return FAL_OK;
    fal__fail(error, FAL_E_VALUE, name, "%s is %" PRId64, name, index);
    return fal__allowed(error, FAL_E_VALUE, "must be 0..%" PRId64, size - 1);
}

static fal_status check_capacity(int64_t needed, int64_t capacity, const char *name, fal_error *error)
{
    if (needed <= capacity) return FAL_OK;
    return fal__fail(error, FAL_E_BUFSIZE, name, "%s holds %" PRId64 " entries, %" PRId64 " are needed", name,
                     capacity, needed);
}

fal_status fal_axis_taps(const fal_axis *axis, bool transposed, fal_padding_mode mode, bool flip, int64_t o,
                         fal_tap *taps, int64_t capacity, int64_t *count, fal_error *error)
{
    fal_axis a;
    FAL__TRY(resolved(axis, transposed, mode, count, &a, error));
    FAL__TRY(check_index(o, a.output, "o", error));
    /* The first pass counts, so that a list that is too short stays untouched. */
    fal_tap tap;
    int64_t needed = 0, written = 0;
    for (int64_t t = 0; t < a.kernel; t++) needed += fal__tap_at(&a, transposed, mode, flip, o, t, &tap);
    if (taps != NULL) FAL__TRY(check_capacity(needed, capacity, "taps", error));
    for (int64_t t = 0; taps != NULL && t < a.kernel; t++)
        if (fal__tap_at(&a, transposed, mode, flip, o, t, &tap)) taps[written++] = tap;
    *count = needed;
    return FAL_OK;
}

/* The outputs that can read input cell i: those whose window reaches it, or all when the border repeats
 * cells, because a copy may stand anywhere outside. */
static void reading_outputs(const fal_axis *a, bool transposed, fal_padding_mode mode, int64_t i,
                            int64_t *first, int64_t *last)
{
    int64_t span = a->dilation * (a->kernel - 1);
    *first = 0;
    *last = a->output - 1;
    if (transposed) {
        *first = fal__max(i * a->stride - a->begin, 0);
        *last = fal__min(i * a->stride - a->begin + span, *last);
    } else if (mode == FAL_PAD_ZEROS || mode == FAL_PAD_CONSTANT) {
        *first = fal__max(fal__ceil_div(i + a->begin - span, a->stride), 0);
        *last = fal__min(fal__floor_div(i + a->begin, a->stride), *last);
    }
}

fal_status fal_axis_readers(const fal_axis *axis, bool transposed, fal_padding_mode mode, bool flip,
                            int64_t i, int64_t *outputs, fal_tap *taps, int64_t capacity, int64_t *count,
                            fal_error *error)
{
    fal_axis a;
    FAL__TRY(resolved(axis, transposed, mode, count, &a, error));
    FAL__TRY(check_index(i, a.input, "i", error));
    int64_t first, last, found = 0;
    reading_outputs(&a, transposed, mode, i, &first, &last);
    bool list = outputs != NULL && taps != NULL;
    for (int pass = 0; pass < (list ? 2 : 1); pass++) {
        found = 0;
        for (int64_t o = first; o <= last; o++)
            for (int64_t t = 0; t < a.kernel; t++) {
                fal_tap tap;
                if (!fal__tap_at(&a, transposed, mode, flip, o, t, &tap) || tap.index != i) continue;
                if (pass == 1) {
                    outputs[found] = o;
                    taps[found] = tap;
                }
                found++;
            }
        if (list) FAL__TRY(check_capacity(found, capacity, "taps", error));
    }
    *count = found;
    return FAL_OK;
}

static bool term_at(const fal_conv_geometry *g, const int64_t *o, int64_t ic, const int64_t *walk,
                    fal_term *term)
{
    *term = (fal_term){.ic = ic, .inside = true};
    for (int32_t a = 0; a < g->spatial; a++) {
        fal_tap tap;
        if (!fal__tap_at(&g->axis[a], g->transposed, g->padding_mode, g->flip_kernel, o[a], walk[a], &tap))
            return false;
        term->input[a] = tap.index;
        term->position[a] = tap.position;
        term->tap[a] = tap.tap;
        term->inside = term->inside && tap.index >= 0;
    }
    return true;
}

/* The next tap of the walk, last axis fastest; false after the last one. */
static bool next_walk(const fal_conv_geometry *g, int64_t *walk)
{
    for (int32_t a = g->spatial - 1; a >= 0; a--) {
        if (++walk[a] < g->axis[a].kernel) return true;
        walk[a] = 0;
    }
    return false;
}

/* Writes the terms of one input channel and returns their number. terms NULL only counts. */
static int64_t channel_terms(const fal_conv_geometry *g, const int64_t *o, int64_t ic, fal_term *terms)
{
    int64_t found = 0, walk[FAL_MAX_SPATIAL] = {0};
    do {
        fal_term term;
        if (!term_at(g, o, ic, walk, &term)) continue;
        if (terms != NULL) terms[found] = term;
        found++;
    } while (next_walk(g, walk));
    return found;
}

fal_status fal_conv_terms(const fal_conv_geometry *geometry, int64_t oc, const int64_t *o, fal_term *terms,
                          int64_t capacity, int64_t *count, fal_error *error)
{
    FAL__TRY(fal__geometry_check(geometry, error));
    if (o == NULL) return fal__fail(error, FAL_E_NULL, "o", "o is NULL");
    if (count == NULL) return fal__fail(error, FAL_E_NULL, "count", "count is NULL");
    FAL__TRY(check_index(oc, geometry->out_channels, "oc", error));
    for (int32_t a = 0; a < geometry->spatial; a++) {
        fal_status status = check_index(o[a], geometry->axis[a].output, "o", error);
        if (status != FAL_OK) return fal__name_axis(error, status, a);
    }
    int64_t group_ic = geometry->in_channels / geometry->groups;
    int64_t first = oc / (geometry->out_channels / geometry->groups) * group_ic;
    int64_t each = group_ic == 0 ? 0 : channel_terms(geometry, o, first, NULL), needed = each * group_ic;
    if (terms != NULL) FAL__TRY(check_capacity(needed, capacity, "terms", error));
    for (int64_t c = 0; c < group_ic && terms != NULL; c++)
        (void)channel_terms(geometry, o, first + c, terms + c * each);
    *count = needed;
    return FAL_OK;
}
