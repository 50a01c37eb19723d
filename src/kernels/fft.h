/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * fft.h: Fourier transforms of as many signals as a vector has lanes, and products of their spectra.
 *
 * Every lane is a signal of its own (a channel, or a tile), so that a complex number is two vectors, and a
 * butterfly of the transform is plain vector arithmetic: no element ever changes its lane.
 *
 *     spectrum of length n    [k][re, im][lane]
 *
 * Two real signals a, b are one complex signal a + ib; its transform falls apart into the spectra of both,
 * of which the first n/2 + 1 entries say all (the others are their conjugates).
 *
 * Used through fal__compute.fft by solvers/fft.c. All steps count elements.
 */
#ifndef FAL_KERNELS_FFT_H
#define FAL_KERNELS_FFT_H

#include "faltung.h"

enum { FAL__FFT_PASSES = 14, FAL__FFT_RADICES = 10 };

/* How a transform of n is done: one pass over all of it for each factor of n. */
typedef struct fal__fft_line {
    int32_t n, passes;
    int32_t radix[FAL__FFT_PASSES];
} fal__fft_line;

/* Complex numbers 0 .. count-1 of a line, real and imaginary parts anywhere. The others are 0 where a
 * transform reads, and are not written where it writes. */
typedef struct fal__fft_source {
    const void *re, *im;
    int64_t step, count;
} fal__fft_source;

typedef struct fal__fft_target {
    void *re, *im;
    int64_t step, count;
} fal__fft_target;

/* One entry of the spectra of some tiles times the same entry of those of a matrix of kernels:
 * sums[t][j] = sum over c of v[t][c] * u[c][j], complex, c ascending, for the `width` outputs j. */
typedef struct fal__fft_product {
    int64_t channels;   /* c < channels */
    const void *v;      /* of the first tile: [block of channels][tile][re, im][lane] */
    int64_t block_step; /* from one block of channels to the next */
    const void *u;      /* [channel][re, im of every vector of outputs][lane] */
    void *sums;         /* [tile][vector][re, im][lane] */
} fal__fft_product;

typedef struct fal__fft {
    int32_t lanes;
    int32_t tiles_max; /* of one product */
    /* radices, and about how many cycles one butterfly of each costs with its twiddles; ended by 0 */
    struct {
        int32_t radix;
        float cycles;
    } radices[FAL__FFT_RADICES];

    /* to[k] = sum over j of from[j] * exp(-2*pi*i*j*k/n). Exchanging re and im on both sides gives the
     * inverse without its factor 1/n. `twiddles`: for each pass but the last, in which p is 0 alone,
     * exp(-2*pi*i*p*j/(r*m)) for 0 < p < m, 0 < j < r, r being its radix and r*m what the passes before left
     * of n. `scratch`: 4*n + 4 vectors. from and to may be the same memory, and neither may lie in scratch.
     */
    void (*transform)(const fal__fft_line *line, const void *twiddles, const fal__fft_source *from,
                      const fal__fft_target *to, void *scratch);
    /* a, b = twice the spectra of the real and imaginary parts of the signal whose transform is z, entries
     * 0 .. n/2. */
    void (*separate)(int32_t n, const void *z_re, const void *z_im, void *a, void *b, int64_t step);
    /* The way back: z = a + ib, all n entries. */
    void (*combine)(int32_t n, const void *a, const void *b, int64_t step, void *z_re, void *z_im);
    /* z = x * u, `count` complex vectors each; z may be x. */
    void (*multiply)(int64_t count, const void *x, const void *u, void *z);
    /* z = scale times the conjugate of x; entries of z are `step` apart. */
    void (*conjugate)(int64_t count, const void *x, double scale, void *z, int64_t step);
    /* `tiles` up to tiles_max; `vectors` 1 or 2 of outputs. */
    void (*products)(int32_t tiles, int32_t vectors, const fal__fft_product *product);
} fal__fft;

#endif
