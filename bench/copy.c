/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * copy.c: a plain copy as the yardstick of operators that only move or compare numbers.
 *
 * Half of the operator's bytes are read and half are written, in memory of its own of that size, so
 * that caches hold as much of it as they hold of the operator's tensors.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/peer.h"

typedef struct copy {
    char *from, *to;
    size_t bytes;
} copy;

static void release(void *state)
{
    copy *c = state;
    free(c->from);
    free(c->to);
    free(c);
}

static void *prepare(const bench_problem *problem)
{
    if (problem->flops > 0) return NULL;
    copy *c = calloc(1, sizeof *c);
    if (c == NULL) return NULL;
    c->bytes = (size_t)(problem->bytes / 2);
    c->from = bench_block(c->bytes);
    c->to = bench_block(c->bytes);
    if (c->from != NULL && c->to != NULL) {
        memset(c->from, 1, c->bytes);
        return c;
    }
    release(c);
    return NULL;
}

static void place(void *state, const fal_operands *operands)
{
    (void)state;
    (void)operands;
}

static bool run(void *state)
{
    const copy *c = state;
    memcpy(c->to, c->from, c->bytes);
    return true;
}

static void version(char *text, size_t capacity)
{
    snprintf(text, capacity, "of as many bytes");
}

const bench_peer bench_copy = {.name = "copy",
                               .yardstick = true,
                               .version = version,
                               .prepare = prepare,
                               .place = place,
                               .run = run,
                               .release = release};
