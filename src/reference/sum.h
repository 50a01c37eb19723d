/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * sum.h: the arithmetic of the reference.
 *
 * A sum grows product by product: in double for floating types, in 128 bits for integers. The same
 * loop nests also compute the gauge of an error bound, sum |x||w|, and the number of products: a
 * sum that was started as a gauge takes absolute values. Doubles hold every product of two float32
 * exactly, so the reference of float32 is right to about 2^-53 per step.
 */
#ifndef FAL_REFERENCE_SUM_H
#define FAL_REFERENCE_SUM_H

#include <math.h>

#include "base/checked.h"
#include "base/compiler.h"
#include "tensor/tensor.h"

/* One element: `whole` for integer types, `real` for the others. */
typedef struct fal__number {
    double real;
    int64_t whole;
} fal__number;

typedef struct fal__sum {
    bool integer, gauge;
    bool lost; /* an integer sum left 128 bits */
    double real;
    fal__int128 whole;
    int64_t products;
} fal__sum;

static inline fal__number fal__number_at(const fal_tensor *t, int64_t offset)
{
    const void *p = fal__tensor_offset(t, offset);
    if (fal_dtype_is_integer(t->dtype)) return (fal__number){.whole = fal__load_i64(p, t->dtype)};
    return (fal__number){.real = fal__load_f64(p, t->dtype)};
}

static inline void fal__sum_add_whole(fal__sum *sum, fal__int128 term)
{
    if (sum->gauge && term < 0) term = -term;
    if (!fal__add128(sum->whole, term, &sum->whole)) sum->lost = true;
}

static inline void fal__sum_add_real(fal__sum *sum, double term)
{
    sum->real += sum->gauge ? fabs(term) : term;
}

/* One product of an input and a weight. */
static inline void fal__sum_product(fal__sum *sum, fal__number a, fal__number b)
{
    if (sum->integer)
        fal__sum_add_whole(sum, (fal__int128)a.whole * b.whole);
    else
        fal__sum_add_real(sum, a.real * b.real);
    sum->products++;
}

/* A term that is no product: a bias, or an element of a bias gradient. */
static inline void fal__sum_term(fal__sum *sum, fal__number a)
{
    if (sum->integer)
        fal__sum_add_whole(sum, a.whole);
    else
        fal__sum_add_real(sum, a.real);
}

/* beta times what the output held. */
static inline void fal__sum_scaled(fal__sum *sum, double beta, fal__number old)
{
    if (sum->integer)
        fal__sum_add_whole(sum, (fal__int128)(int64_t)beta * old.whole);
    else
        fal__sum_add_real(sum, beta * old.real);
}

#endif
