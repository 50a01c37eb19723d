/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * compiler.h: the only place that knows the compiler.
 *
 * Everything outside C11 that faltung uses is named here once: overflow builtins, 128-bit integers,
 * vector types. GCC and Clang have all of them; another compiler needs an entry here and nowhere
 * else. Used by every room.
 */
#ifndef FAL_BASE_COMPILER_H
#define FAL_BASE_COMPILER_H

#if !defined(__GNUC__)
#error "faltung needs GCC or Clang (overflow builtins, __int128, vector extensions)"
#endif

/* 128-bit integers: exact sums of products of 64-bit integers. */
__extension__ typedef __int128 fal__int128;

/* The format string is argument `f`, its values begin at argument `a`. */
#define FAL__PRINTF(f, a) __attribute__((format(printf, f, a)))

/* A vector of `bytes` bytes of `type`, with element-wise arithmetic, loadable from any address that
 * is aligned for `type`. */
#define FAL__VECTOR(type, bytes) type __attribute__((vector_size(bytes), aligned(sizeof(type)), may_alias))

/* Element mask[i] of a followed by b. Clang knows only constant masks written out; there the callers
 * gather element by element. */
#if !defined(__clang__)
#define FAL__SHUFFLE(a, b, mask) __builtin_shuffle(a, b, mask)
#endif

/* Elements i, j, k, l of a followed by b, both of four; the places are constants. */
#define FAL__SHUFFLE4(a, b, i, j, k, l) __builtin_shufflevector(a, b, i, j, k, l)

/* Every element of a vector converted to the elements of another type of vector with as many. */
#define FAL__CONVERT(vector, type) __builtin_convertvector(vector, type)

/* In the body of a loop: keeps it scalar. A compiler may otherwise multiply several elements ahead and
 * add them in order, which rounds differently from a fused multiply-add each. */
#define FAL__SCALAR_LOOP __asm__ volatile("")

/* Brings the line at p near (second level cache) for a later read; p may be any address. */
#define FAL__PREFETCH(p) __builtin_prefetch(p, 0, 2)

/* Before a loop of at most n rounds (n a written number) whose bounds are constants once the functions around
 * it are inlined: unrolls it completely, so that an array that only such loops index dissolves into
 * registers. */
#define FAL__PRAGMA(text) _Pragma(#text)
#if defined(__clang__)
#define FAL__UNROLL(n) FAL__PRAGMA(clang loop unroll(full))
#else
#define FAL__UNROLL(n) FAL__PRAGMA(GCC unroll n)
#endif

/* Keeps the vector v in a register from here on: it was loaded once, and several sums wait for it. A compiler
 * may otherwise load it again for each, because a load can be part of a multiply-add. */
#if defined(__AVX512F__)
#define FAL__IN_REGISTER(v) __asm__("" : "+v"(v))
#elif defined(__x86_64__)
#define FAL__IN_REGISTER(v) __asm__("" : "+x"(v))
#elif defined(__aarch64__)
#define FAL__IN_REGISTER(v) __asm__("" : "+w"(v))
#else
#define FAL__IN_REGISTER(v) ((void)0)
#endif

#define FAL__CONCAT2(a, b) a##b
#define FAL__CONCAT(a, b)  FAL__CONCAT2(a, b)

#define FAL__NOINLINE      __attribute__((noinline))
#define FAL__ALWAYS_INLINE inline __attribute__((always_inline))
#define FAL__LIKELY(x)     __builtin_expect(!!(x), 1)
#define FAL__UNLIKELY(x)   __builtin_expect(!!(x), 0)

/* Like FAL__PREFETCH, but to the first level cache; and there to be written. */
#define FAL__PREFETCH_NEAR(p)  __builtin_prefetch(p, 0, 3)
#define FAL__PREFETCH_WRITE(p) __builtin_prefetch(p, 1, 3)

#endif
