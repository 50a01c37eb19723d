/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * counter.h: random numbers that are the same on every machine.
 *
 * Number i of seed s is mix(s + GAMMA*(i+1)): SplitMix64 (Steele, Lea, Flood 2014), whose state is a
 * counter, so any element can be made without the ones before it. Used by generate and selftest.
 */
#ifndef FALTUNG_CLI_COUNTER_H
#define FALTUNG_CLI_COUNTER_H

#include <stdint.h>

/* 64 random bits. */
static inline uint64_t cli_random_bits(uint64_t seed, uint64_t i)
{
    uint64_t z = seed + UINT64_C(0x9e3779b97f4a7c15) * (i + 1);
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

/* A double in [0, 1) with 53 random bits. */
static inline double cli_random_unit(uint64_t seed, uint64_t i)
{
    return (double)(cli_random_bits(seed, i) >> 11) * 0x1p-53;
}

/* A whole number in low..high; high - low must be below 2^32 - 1. */
static inline int64_t cli_random_int(uint64_t seed, uint64_t i, int64_t low, int64_t high)
{
    uint64_t span = (uint64_t)(high - low) + 1;
    return low + (int64_t)((cli_random_bits(seed, i) >> 32) * span >> 32);
}

#endif
