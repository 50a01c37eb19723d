/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * race.h: one layer in one layout, timed by all contenders in turns.
 *
 * A race has rounds. In a round every contender runs once, and a loop of bare multiply-adds beside them:
 * a clock that drifts, or a neighbour that takes the processor for a while, hurts all of them alike. The
 * order is turned around from round to round. Between the parts of a race all operands move to other
 * addresses: a time that rests on how x and y lie to each other in a page is then one of several.
 *
 * Before that, each contender's result is compared with this library's; one that differs is not timed.
 */
#ifndef FALTUNG_BENCH_RACE_H
#define FALTUNG_BENCH_RACE_H

#include "bench/peer.h"

enum { BENCH_MAX_PEERS = 12 };

/* Seconds of one call: the median and the tenth and ninetieth of a hundred. */
typedef struct bench_time {
    double median, low, high;
    int samples; /* 0: nothing was timed */
} bench_time;

typedef struct bench_outcome {
    bench_time time;
    bool differs; /* its result is another, or it failed */
    char detail[BENCH_DETAIL_TEXT];
    double predicted; /* seconds that were expected; 0: nothing was */
} bench_outcome;

typedef struct bench_race {
    const bench_layer *layer;
    fal_layout layout;
    fal_context context; /* threads: at least 1; cpu: the level in use; error: for failures;
                            cycles_per_second is measured by each race */
    double seconds;      /* how long to race; every contender runs a few times at least */
    int count;
    const bench_peer *peers[BENCH_MAX_PEERS]; /* the first is this library's and must run */
} bench_race;

typedef struct bench_report {
    double flops;      /* 2 * multiply-adds, padding counted; 0: the operator has no products */
    double bytes;      /* x, w, y and all other tensors, each once */
    double peak_flops; /* a second, measured in the same rounds */
    bench_outcome outcomes[BENCH_MAX_PEERS];
} bench_report;

fal_status bench_run(const bench_race *race, bench_report *report);

#endif
