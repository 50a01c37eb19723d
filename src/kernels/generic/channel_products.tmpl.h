/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * channel_products.tmpl.h: see kernels/channel_products.h.
 *
 * Parameter: PRODUCTS_TYPE (float or double). Gives channel_products().
 */
enum { PRODUCTS_LANES = FAL__VECTOR_BYTES / sizeof(PRODUCTS_TYPE) };
typedef FAL__VECTOR(PRODUCTS_TYPE, FAL__VECTOR_BYTES) products_vector;

/* Vectors first .. first+vectors-1. */
static FAL__ALWAYS_INLINE void products_vectors(const fal__channel_sums *f, int64_t first, int vectors)
{
    const int64_t x_vector = f->x_vector, w_vector = f->w_vector;
    const PRODUCTS_TYPE *x = (const PRODUCTS_TYPE *)f->x + first * x_vector;
    const PRODUCTS_TYPE *w = (const PRODUCTS_TYPE *)f->w + first * w_vector;
    PRODUCTS_TYPE *sums = (PRODUCTS_TYPE *)f->sums + first * PRODUCTS_LANES;
    products_vector sum[4];
    FAL__UNROLL(4)
    for (int v = 0; v < vectors; v++) sum[v] = *(const products_vector *)(sums + v * PRODUCTS_LANES);
    for (int64_t k = 0; k < f->steps; k++, x += f->x_step, w += f->w_step) {
        FAL__UNROLL(4)
        for (int v = 0; v < vectors; v++)
            sum[v] +=
                *(const products_vector *)(w + v * w_vector) * *(const products_vector *)(x + v * x_vector);
    }
    FAL__UNROLL(4)
    for (int v = 0; v < vectors; v++) *(products_vector *)(sums + v * PRODUCTS_LANES) = sum[v];
}

static void channel_products(const fal__channel_sums *f)
{
    int64_t v = 0;
    for (; v + 4 <= f->vectors; v += 4) products_vectors(f, v, 4);
    for (; v + 2 <= f->vectors; v += 2) products_vectors(f, v, 2);
    for (; v < f->vectors; v++) products_vectors(f, v, 1);
}
