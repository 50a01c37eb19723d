/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * grouped_whole.tmpl.h: the products of a tile where every vector of outputs belongs to one group.
 *
 * Parameters: those of lanes.tmpl.h, which is included before, as is grouped_sums.tmpl.h. Used by
 * grouped.tmpl.h.
 *
 * An input channel is broadcast from memory. One load for each multiply-add is what two ports sustain, and
 * weights come on top; so two rows of outputs share what they can. With stride 1 both meet the same row of
 * the input:
 *
 *     sum[0][u] += w[tap j  ][t][i] * x[u + t][i]         7 + 2 loads for 14 multiply-adds
 *     sum[1][u] += w[tap j-1][t][i] * x[u + t][i]
 *
 * and else the same weights: 14 + 1 loads. Columns outside the input are masked, and read from one that
 * exists.
 */
enum { WHOLE = -1, LOCKSTEP = 4 };

/* Where the columns of one tap lie, and which of them exist. */
typedef struct whole_columns {
    int64_t offset[TILE];
    bool there[TILE];
    bool all, none;
} whole_columns;

static FAL__ALWAYS_INLINE whole_columns find_columns(const tile_steps *step, int64_t low, int64_t high)
{
    const int64_t stride = step->f->column.stride;
    whole_columns c = {.all = true, .none = true};
    int64_t known = 0;
    for (int u = TILE - 1; u >= 0; u--)
        if (u * stride >= low && u * stride < high) known = u * step->apart;
#pragma GCC unroll 7
    for (int u = 0; u < TILE; u++) {
        c.there[u] = u * stride >= low && u * stride < high;
        c.offset[u] = c.there[u] ? u * step->apart : known;
        c.all = c.all && c.there[u];
        c.none = c.none && !c.there[u];
    }
    return c;
}

static FAL__ALWAYS_INLINE lanes_vector add_if(bool on, lanes_vector sum, lanes_vector a, lanes_vector b,
                                              const int edge)
{
    if (edge) return add_product_if(on, sum, a, b);
    return sum + a * b;
}

/* All channels of one tap. rows: bit r for row r, both with the same x; LOCKSTEP: both with the same weights.
 */
static FAL__ALWAYS_INLINE void whole_tap(lanes_vector sum[2][TILE], const tile_meeting *at,
                                         const whole_columns *column, int64_t ic, const int rows,
                                         const int edge)
{
    const LANES_TYPE *x = at->x[rows == 2], *second = at->x[1], *w0 = at->w[0], *w1 = at->w[1];
    const whole_columns c = *column;
    for (int64_t i = 0; i < ic; i++, x++, second++, w0 += LANES, w1 += LANES) {
        const lanes_vector a = rows != 2 ? lanes_load(w0) : lanes_set(0), b = rows == LOCKSTEP ? a
                                                                              : rows != 1 ? lanes_load(w1)
                                                                                          : a;
#pragma GCC unroll 7
        for (int u = 0; u < TILE; u++) {
            lanes_vector v = lanes_set(x[c.offset[u]]);
            FAL__IN_REGISTER(v);
            if (rows != 2) sum[0][u] = add_if(c.there[u], sum[0][u], a, v, edge);
            if (rows == LOCKSTEP) {
                v = lanes_set(second[c.offset[u]]);
                FAL__IN_REGISTER(v);
            }
            if (rows != 1) sum[1][u] = add_if(c.there[u], sum[1][u], b, v, edge);
        }
    }
}

/* All taps of a row of the kernel; low..high-1: the columns, counted from the first, that exist. */
static FAL__ALWAYS_INLINE void whole_row(lanes_vector sum[2][TILE], tile_meeting at, const tile_steps *step,
                                         int64_t low, int64_t high, const int rows)
{
    for (int64_t t = 0; t < step->f->column.taps; t++, low--, high--) {
        const whole_columns column = find_columns(step, low, high);
        if (column.all)
            whole_tap(sum, &at, &column, step->ic, rows, 0);
        else if (!column.none)
            whole_tap(sum, &at, &column, step->ic, rows, 1);
        for (int r = 0; r < 2; r++) at.x[r] += step->column, at.w[r] += step->w_tap;
    }
}

static FAL__ALWAYS_INLINE void whole_sums(lanes_vector sum[2][TILE], const tile_place *at,
                                          const tile_steps *step)
{
    const fal__grouped_block *f = step->f;
    for (int64_t d = at->plane_first; d < at->plane_end; d++)
        for (int64_t j = 0; j < f->row.taps + step->lead; j++) {
            bool there[2];
            const tile_meeting meeting = meet(at, step, d, j, there);
            if (there[0] && there[1] && step->lead == 0)
                whole_row(sum, meeting, step, at->low, at->high, LOCKSTEP);
            else if (there[0] && there[1])
                whole_row(sum, meeting, step, at->low, at->high, 3);
            else if (there[0])
                whole_row(sum, meeting, step, at->low, at->high, 1);
            else if (there[1])
                whole_row(sum, meeting, step, at->low, at->high, 2);
        }
}
