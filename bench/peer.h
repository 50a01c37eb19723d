/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * peer.h: what can convolve a layer in a race: this library, called in two ways, and others.
 *
 * A peer is one file with one bench_peer object and one row in peers.inc. Its life in a race, of which
 * only run() is timed:
 *
 *     state = prepare(problem)            weights packed, primitives made; NULL: does not run this layer
 *     place(state, operands)              the same tensors at other addresses; several times
 *     run(state), run(state), ...         writes the operator's result
 *     result(state)                       brings the result to its operand; NULL where run() already did
 *     release(state)
 *
 * prepare() may touch the data: all operands stand in the problem. Weights keep their values in a race,
 * so whatever was made of them in prepare() stays right.
 */
#ifndef FALTUNG_BENCH_PEER_H
#define FALTUNG_BENCH_PEER_H

#include "bench/problem.h"

enum { BENCH_DETAIL_TEXT = 64 };

typedef struct bench_peer {
    const char *name;                                         /* "openblas" */
    bool yardstick;                                           /* no library; writes nothing to compare */
    void (*version)(char *text, size_t capacity);             /* "0.3.21 SkylakeX"; NULL for this library */
    void *(*prepare)(const bench_problem *problem);           /* */
    void (*place)(void *state, const fal_operands *o);        /* */
    bool (*run)(void *state);                                 /* false: it failed */
    bool (*result)(void *state);                              /* may be NULL */
    void (*detail)(void *state, char *text, size_t capacity); /* which algorithm; may be NULL */
    double (*predicted)(void *state);                         /* seconds of run(); may be NULL */
    void (*release)(void *state);                             /* */
} bench_peer;

/* This library with weights packed beforehand, and by one call that does everything (operators without
 * plans run by one call in the first and not in the second). Where prepare() of the first gives NULL, the
 * context's error tells why. */
extern const bench_peer bench_prepacked, bench_one_call;

/* Not libraries: unfold by rows of memcpy, and for operators that only move or compare numbers a plain copy
 * that reads and writes as many bytes. */
extern const bench_peer bench_rows, bench_copy;

/* The others that this build has; the list ends with NULL. */
extern const bench_peer *const bench_peers[];

/* Memory on a cache line, or NULL; free() releases it. */
void *bench_block(size_t bytes);

#endif
