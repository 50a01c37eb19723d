/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * race.c: rounds, samples, medians.
 */
#include "bench/race.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/operands.h"
#include "bench/peak.h"

/* A sample lasts at least this long, in as many calls as that takes: a hundred thousand times what the
 * clock can tell apart. */
static const double sample_seconds = 2e-4;
/* Calls shorter than this are preceded by one that is not timed, which brings caches and waiting threads
 * back from the contender before; longer ones do not notice. */
static const double short_seconds = 2e-3;
/* How long the clock rate is measured before a race. */
static const double clock_seconds = 1e-3;
/* A call of another library that lasts longer is its only one: what it tells is plain enough. */
static const double long_seconds = 0.25;
enum { MOST_ROUNDS = 400 };

typedef struct contender {
    const bench_peer *peer;
    void *state; /* NULL: does not run */
    int calls;   /* of a sample */
    bool warm;   /* a call before each sample */
    bool done;   /* has run long enough */
    double *samples;
    int count;
} contender;

typedef struct runner {
    const bench_race *race;
    bench_report *report;
    bench_problem problem;
    bench_memory memory;
    contender all[BENCH_MAX_PEERS];
    double *peaks;
    int peak_count;
} runner;

static fal_status fail(fal_error *error, fal_status status, const char *found, const char *word)
{
    *error = (fal_error){.status = status};
    snprintf(error->found, sizeof error->found, found, word);
    return status;
}

static int by_value(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static bench_time summary(double *samples, int count)
{
    if (count == 0) return (bench_time){0};
    qsort(samples, (size_t)count, sizeof *samples, by_value);
    return (bench_time){.median = samples[count / 2],
                        .low = samples[count / 10],
                        .high = samples[count * 9 / 10],
                        .samples = count};
}

static void drop(contender *c)
{
    if (c->state != NULL) c->peer->release(c->state);
    c->state = NULL;
}

/* Runs once, from NaN, so that nothing is right by chance. */
static bool compute(const runner *r, const contender *c)
{
    const fal_tensor *result = bench_result(&r->problem);
    memset(result->data, 0xff, (size_t)fal_tensor_count(result) * sizeof(float));
    return c->peer->run(c->state) && (c->peer->result == NULL || c->peer->result(c->state));
}

/* How many calls make a sample; a long call is one. */
static void size_sample(contender *c)
{
    const double start = bench_now();
    c->peer->run(c->state);
    const double once = bench_now() - start;
    c->calls = once >= sample_seconds ? 1 : (int)ceil(sample_seconds / fmax(once, 1e-7));
    c->warm = once < short_seconds;
    c->done = c->peer->version != NULL && once > long_seconds;
    if (c->done) c->samples[c->count++] = once;
}

/* Makes one contender ready, or drops it. What this library cannot do is an error of the race. */
static fal_status enter(runner *r, int i, float *expected)
{
    contender *c = &r->all[i];
    bench_outcome *outcome = &r->report->outcomes[i];
    const fal_tensor *result = bench_result(&r->problem);
    const bool ours = r->race->peers[i]->version == NULL;
    const bool needed = i == 0 || (ours && bench_has_plan(r->problem.op));
    *r->race->context.error = (fal_error){.status = FAL_E_NOMEM, .found = "out of memory"};
    c->peer = r->race->peers[i];
    c->samples = malloc(MOST_ROUNDS * sizeof *c->samples);
    if (c->samples == NULL) return FAL_E_NOMEM;
    c->state = c->peer->prepare(&r->problem);
    const bool ran = c->state != NULL && compute(r, c);
    if (needed && !ran) return r->race->context.error->status;
    if (c->state == NULL) return FAL_OK;
    if (i == 0) memcpy(expected, result->data, (size_t)fal_tensor_count(result) * sizeof(float));
    outcome->differs =
        !ran || (!c->peer->yardstick && !bench_same(expected, result->data, fal_tensor_count(result)));
    if (outcome->differs && i == 0)
        return fail(r->race->context.error, FAL_E_INTERNAL, "the result of '%.100s' is no number",
                    r->race->layer->text);
    if (outcome->differs) {
        drop(c);
        return FAL_OK;
    }
    if (c->peer->detail != NULL) c->peer->detail(c->state, outcome->detail, BENCH_DETAIL_TEXT);
    if (c->peer->predicted != NULL) outcome->predicted = c->peer->predicted(c->state);
    size_sample(c);
    return FAL_OK;
}

static fal_status prepare(runner *r)
{
    const fal_tensor *result = bench_result(&r->problem);
    float *expected = malloc((size_t)fal_tensor_count(result) * sizeof *expected + 1);
    fal_status status = FAL_OK;
    r->peaks = malloc(MOST_ROUNDS * sizeof *r->peaks);
    if (expected == NULL || r->peaks == NULL)
        status = fail(r->race->context.error, FAL_E_NOMEM, "%s", "out of memory");
    for (int i = 0; i < r->race->count && status == FAL_OK; i++) status = enter(r, i, expected);
    free(expected);
    return status;
}

static void sample(contender *c)
{
    if (c->state == NULL || c->done) return;
    if (c->warm) c->peer->run(c->state);
    const double start = bench_now();
    for (int i = 0; i < c->calls; i++) c->peer->run(c->state);
    c->samples[c->count++] = (bench_now() - start) / c->calls;
}

static void run_round(runner *r, int round)
{
    const int count = r->race->count;
    for (int i = 0; i < count; i++) sample(&r->all[round % 2 == 0 ? i : count - 1 - i]);
    r->peaks[r->peak_count++] =
        bench_peak_flops(r->race->context.cpu, r->race->context.threads, sample_seconds / 2);
}

static void move(runner *r, int place)
{
    bench_memory_move(&r->memory, place, &r->problem);
    for (int i = 0; i < r->race->count; i++)
        if (r->all[i].state != NULL) r->all[i].peer->place(r->all[i].state, &r->problem.operands);
}

/* An equal share of the time, and at least one round, at every place. */
static void run_rounds(runner *r)
{
    const double start = bench_now(), share = r->race->seconds / BENCH_PLACES;
    int round = 0;
    for (int place = 0; place < BENCH_PLACES; place++) {
        move(r, place);
        const int most = MOST_ROUNDS / BENCH_PLACES * (place + 1);
        do run_round(r, round++);
        while (round < most && bench_now() - start < share * (place + 1));
    }
}

fal_status bench_run(const bench_race *race, bench_report *report)
{
    runner r = {.race = race, .report = report};
    *report = (bench_report){0};
    fal_status status = bench_describe(race->layer, race->layout, &r.problem, race->context.error);
    if (status != FAL_OK) return status;
    r.problem.context = race->context;
    r.problem.context.cycles_per_second = bench_cycles_per_second(clock_seconds);
    if (!bench_memory_begin(&r.memory, &r.problem))
        return fail(race->context.error, FAL_E_NOMEM, "there is no memory for the layer '%.100s'",
                    race->layer->text);
    status = prepare(&r);
    if (status == FAL_OK) run_rounds(&r);
    for (int i = 0; i < race->count; i++) {
        report->outcomes[i].time = summary(r.all[i].samples, r.all[i].count);
        drop(&r.all[i]);
        free(r.all[i].samples);
    }
    report->flops = r.problem.flops;
    report->bytes = r.problem.bytes;
    report->peak_flops = summary(r.peaks, r.peak_count).median;
    free(r.peaks);
    bench_memory_end(&r.memory);
    return status;
}
