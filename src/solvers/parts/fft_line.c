/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * fft_line.c: how a transform of n points is factored, and its twiddles.
 *
 * Every way to write n as a product of the kernel's radices is a way to do it; the cheapest by the kernel's
 * own figures is taken, large radices first. A line that does not fit L1 with its two buffers pays for each
 * pass.
 */
#include <math.h>
#include <string.h>

#include "solvers/parts/fft.h"

/* Points whose buffers fit the first and second level cache. */
enum { L1_POINTS = 160, L2_POINTS = 2560 };

/* What it adds to a pass, for each point, that they do not. */
static double far(int64_t n)
{
    return n <= L1_POINTS ? 0 : n <= L2_POINTS ? 5 : 14;
}

/* A radix as a pass of n points. */
static double pass_cycles(const fal__fft *kernels, int which, int64_t n)
{
    const double butterflies = (double)n / kernels->radices[which].radix;
    return butterflies * (double)kernels->radices[which].cycles + far(n) * (double)n;
}

/* `rest` by radices up to number `last`; walks without recursion, as an odometer of radices. */
double fal__fft_factor(const fal__fft *kernels, int64_t n, fal__fft_line *line)
{
    int choice[FAL__FFT_PASSES];
    int64_t rest[FAL__FFT_PASSES + 1];
    double cycles[FAL__FFT_PASSES + 1], best = -1;
    int radices = 0, depth = 0;
    while (radices < FAL__FFT_RADICES && kernels->radices[radices].radix != 0) radices++;
    rest[0] = n;
    cycles[0] = 0;
    choice[0] = radices - 1;
    while (depth >= 0) {
        const int c = choice[depth];
        if (c < 0) {
            if (--depth >= 0) choice[depth]--;
            continue;
        }
        const int64_t radix = kernels->radices[c].radix;
        const double so_far = cycles[depth] + pass_cycles(kernels, c, n);
        const bool fits = rest[depth] % radix == 0 && (best < 0 || so_far < best);
        if (fits && rest[depth] == radix) {
            best = so_far;
            *line = (fal__fft_line){.n = (int32_t)n, .passes = depth + 1};
            for (int i = 0; i <= depth; i++) line->radix[i] = kernels->radices[choice[i]].radix;
        } else if (fits && depth + 1 < FAL__FFT_PASSES) {
            rest[depth + 1] = rest[depth] / radix;
            cycles[depth + 1] = so_far;
            choice[depth + 1] = c;
            depth++;
            continue;
        }
        choice[depth]--;
    }
    return best;
}

int64_t fal__fft_twiddle_count(const fal__fft_line *line)
{
    int64_t count = 0, m = line->n;
    for (int32_t i = 0; i < line->passes; i++) {
        m /= line->radix[i];
        count += 2 * (m - 1) * (line->radix[i] - 1);
    }
    return count;
}

void fal__fft_twiddles(const fal__fft_line *line, size_t element, void *twiddles)
{
    const double turn = 6.28318530717958647692;
    int64_t at = 0, m = line->n;
    for (int32_t i = 0; i < line->passes; i++) {
        const int64_t length = m, radix = line->radix[i];
        m /= radix;
        for (int64_t p = 1; p < m; p++)
            for (int64_t j = 1; j < radix; j++, at += 2) {
                const double angle = turn * (double)(p * j) / (double)length;
                const double pair[2] = {cos(angle), sin(angle)};
                const float narrow[2] = {(float)pair[0], (float)pair[1]};
                const void *from = element == sizeof(float) ? (const void *)narrow : (const void *)pair;
                memcpy((char *)twiddles + (size_t)at * element, from, 2 * element);
            }
    }
}
