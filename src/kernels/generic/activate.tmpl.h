/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * activate.tmpl.h: an activation on a row of finished sums of one floating type.
 *
 * Parameter: ACTIVATE_TYPE. Gives activate(v, count, f): v[i] = f(v[i]), with the comparisons of
 * fal__activate_f64 and of lanes_activate, so that all stores of a level give the same bits.
 */
static FAL__ALWAYS_INLINE ACTIVATE_TYPE activate_clamp(ACTIVATE_TYPE v, ACTIVATE_TYPE low, ACTIVATE_TYPE high)
{
    const ACTIVATE_TYPE raised = v < low ? low : v;
    return high < raised ? high : raised;
}

static void activate(ACTIVATE_TYPE *v, int64_t count, const fal__activation *f)
{
    const ACTIVATE_TYPE low = (ACTIVATE_TYPE)f->low, high = (ACTIVATE_TYPE)f->high,
                        slope = (ACTIVATE_TYPE)f->slope;
    switch (f->kind) {
    case FAL_ACTIVATION_RELU:
        for (int64_t i = 0; i < count; i++) v[i] = v[i] < 0 ? 0 : v[i];
        break;
    case FAL_ACTIVATION_CLAMP:
        for (int64_t i = 0; i < count; i++) v[i] = activate_clamp(v[i], low, high);
        break;
    case FAL_ACTIVATION_LEAKY_RELU:
        for (int64_t i = 0; i < count; i++) v[i] = v[i] < 0 ? slope * v[i] : v[i];
        break;
    case FAL_ACTIVATION_HARD_SWISH:
        for (int64_t i = 0; i < count; i++) v[i] = v[i] * (activate_clamp(v[i] + 3, 0, 6) / 6);
        break;
    case FAL_ACTIVATION_NONE: break;
    }
}
