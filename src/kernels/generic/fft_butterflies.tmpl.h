/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * fft_butterflies.tmpl.h: transforms of 2 to 16 complex numbers in registers.
 *
 * 2, 3, 4 and 5 are written out; the others are made of two of these. With r = r1*r2, the place of a number
 * being r2*i + j,
 *
 *     transform along i (r1 points) for each j;  multiply by a twiddle;  transform along j (r2 points)
 *
 * Numbers come to their places and leave them by these maps, which are constants after inlining:
 *
 *     any r1, r2 (Cooley and Tukey 1965)     n = r2*i + j           k = i + r1*j     twiddle
 * exp(-2*pi*i*ij/r) coprime    (Good 1958, Thomas 1963)    n = r2*i + r1*j mod r  k = i mod r1, j mod r2 no
 * twiddles
 */
typedef struct fft_number {
    lanes_vector re, im;
} fft_number;

enum { FFT_RADIX_MAX = 16 };

/* cos and sin of a turn's e/r; only the fractions that occur. */
static FAL__ALWAYS_INLINE double fft_cos(int r, int e)
{
    const double eighth[] = {1, 0.70710678118654752440, 0, -0.70710678118654752440};
    const double ninth[] = {1, 0.76604444311897803520, 0.17364817766693034885, -0.5, -0.93969262078590838405};
    const double sixteenth[] = {1,  0.92387953251128675613,  0.70710678118654752440,  0.38268343236508977173,
                                0,  -0.38268343236508977173, -0.70710678118654752440, -0.92387953251128675613,
                                -1, -0.92387953251128675613};
    return r == 8 ? eighth[e] : r == 9 ? ninth[e] : sixteenth[e];
}

static FAL__ALWAYS_INLINE double fft_sin(int r, int e)
{
    const double eighth[] = {0, 0.70710678118654752440, 1, 0.70710678118654752440};
    const double ninth[] = {0, 0.64278760968653932632, 0.98480775301220805937, 0.86602540378443864676,
                            0.34202014332566873304};
    const double sixteenth[] = {0, 0.38268343236508977173, 0.70710678118654752440, 0.92387953251128675613,
                                1, 0.92387953251128675613, 0.70710678118654752440, 0.38268343236508977173,
                                0, -0.38268343236508977173};
    return r == 8 ? eighth[e] : r == 9 ? ninth[e] : sixteenth[e];
}

static FAL__ALWAYS_INLINE fft_number fft_add(fft_number a, fft_number b)
{
    return (fft_number){a.re + b.re, a.im + b.im};
}

static FAL__ALWAYS_INLINE fft_number fft_subtract(fft_number a, fft_number b)
{
    return (fft_number){a.re - b.re, a.im - b.im};
}

/* a * (c - is) */
static FAL__ALWAYS_INLINE fft_number fft_turn(fft_number a, LANES_TYPE c, LANES_TYPE s)
{
    return (fft_number){a.re * c + a.im * s, a.im * c - a.re * s};
}

/* The places of z are `step` apart. */
static FAL__ALWAYS_INLINE void fft_2(fft_number *z, int step)
{
    const fft_number a = z[0], b = z[step];
    z[0] = fft_add(a, b);
    z[step] = fft_subtract(a, b);
}

static FAL__ALWAYS_INLINE void fft_3(fft_number *z, int step)
{
    const LANES_TYPE h = (LANES_TYPE)0.86602540378443864676;
    const fft_number t = fft_add(z[step], z[2 * step]), d = fft_subtract(z[step], z[2 * step]);
    const fft_number m = {z[0].re - (LANES_TYPE)0.5 * t.re, z[0].im - (LANES_TYPE)0.5 * t.im};
    z[0] = fft_add(z[0], t);
    z[step] = (fft_number){m.re + h * d.im, m.im - h * d.re};
    z[2 * step] = (fft_number){m.re - h * d.im, m.im + h * d.re};
}

static FAL__ALWAYS_INLINE void fft_4(fft_number *z, int step)
{
    const fft_number a = fft_add(z[0], z[2 * step]), b = fft_subtract(z[0], z[2 * step]);
    const fft_number c = fft_add(z[step], z[3 * step]), d = fft_subtract(z[step], z[3 * step]);
    z[0] = fft_add(a, c);
    z[step] = (fft_number){b.re + d.im, b.im - d.re};
    z[2 * step] = fft_subtract(a, c);
    z[3 * step] = (fft_number){b.re - d.im, b.im + d.re};
}

static FAL__ALWAYS_INLINE void fft_5(fft_number *z, int step)
{
    const LANES_TYPE c1 = (LANES_TYPE)0.30901699437494742410, c2 = (LANES_TYPE)-0.80901699437494742410;
    const LANES_TYPE s1 = (LANES_TYPE)0.95105651629515357212, s2 = (LANES_TYPE)0.58778525229247312917;
    const fft_number t1 = fft_add(z[step], z[4 * step]), t3 = fft_subtract(z[step], z[4 * step]);
    const fft_number t2 = fft_add(z[2 * step], z[3 * step]), t4 = fft_subtract(z[2 * step], z[3 * step]);
    const fft_number m1 = {z[0].re + c1 * t1.re + c2 * t2.re, z[0].im + c1 * t1.im + c2 * t2.im};
    const fft_number m2 = {z[0].re + c2 * t1.re + c1 * t2.re, z[0].im + c2 * t1.im + c1 * t2.im};
    const fft_number n1 = {s1 * t3.re + s2 * t4.re, s1 * t3.im + s2 * t4.im};
    const fft_number n2 = {s2 * t3.re - s1 * t4.re, s2 * t3.im - s1 * t4.im};
    z[0] = fft_add(z[0], fft_add(t1, t2));
    z[step] = (fft_number){m1.re + n1.im, m1.im - n1.re};
    z[4 * step] = (fft_number){m1.re - n1.im, m1.im + n1.re};
    z[2 * step] = (fft_number){m2.re + n2.im, m2.im - n2.re};
    z[3 * step] = (fft_number){m2.re - n2.im, m2.im + n2.re};
}

static FAL__ALWAYS_INLINE void fft_small(int r, fft_number *z, int step)
{
    if (r == 2) fft_2(z, step);
    if (r == 3) fft_3(z, step);
    if (r == 4) fft_4(z, step);
    if (r == 5) fft_5(z, step);
}

static FAL__ALWAYS_INLINE bool fft_coprime(int r1, int r2)
{
    return r1 == 2 ? r2 % 2 != 0 : r1 == 3 ? r2 % 3 != 0 : r1 == 4 ? r2 % 2 != 0 : r2 % r1 != 0;
}

/* Which number is read to a place, and which entry of the transform stands there in the end. */
static FAL__ALWAYS_INLINE int fft_input(int r1, int r2, int place)
{
    const int i = place / r2, j = place % r2;
    return fft_coprime(r1, r2) ? (r2 * i + r1 * j) % (r1 * r2) : place;
}

static FAL__ALWAYS_INLINE int fft_place(int r1, int r2, int entry)
{
    return fft_coprime(r1, r2) ? r2 * (entry % r1) + entry % r2 : r2 * (entry % r1) + entry / r1;
}

/* r1*r2 numbers in place; r1 is 1 where r2 is written out. */
static FAL__ALWAYS_INLINE void fft_butterfly(int r1, int r2, fft_number *z)
{
    if (r1 > 1) {
        FAL__UNROLL(5)
        for (int j = 0; j < r2; j++) fft_small(r1, z + j, r2);
        if (!fft_coprime(r1, r2)) {
            FAL__UNROLL(4)
            for (int i = 1; i < r1; i++) FAL__UNROLL(4)
            for (int j = 1; j < r2; j++)
                z[r2 * i + j] = fft_turn(z[r2 * i + j], (LANES_TYPE)fft_cos(r1 * r2, i * j),
                                         (LANES_TYPE)fft_sin(r1 * r2, i * j));
        }
    }
    FAL__UNROLL(4)
    for (int i = 0; i < r1; i++) fft_small(r2, z + r2 * i, 1);
}
