/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * bench_means.c: times as ratios, and geometric means of them.
 *
 * Ratios of times multiply, so their mean is the geometric one; it does not depend on which of two
 * contenders is the one that others are compared with.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "cli/bench.h"

double cli_bench_ratio(const bench_report *report, int contender)
{
    const bench_time *time = &report->outcomes[contender].time;
    if (time->samples == 0) return 0;
    return time->median / report->outcomes[CLI_BENCH_PREPACKED].time.median;
}

double cli_bench_best_ratio(const cli_bench *bench, const bench_report *report)
{
    double best = 0;
    for (int i = CLI_BENCH_OTHERS; i < bench->race.count; i++) {
        if (bench->race.peers[i]->yardstick) continue;
        const double ratio = cli_bench_ratio(report, i);
        if (ratio > 0 && (best <= 0 || ratio < best)) best = ratio;
    }
    return best;
}

double cli_bench_part_of_peak(const bench_report *report, int contender)
{
    const bench_time *time = &report->outcomes[contender].time;
    return time->samples == 0 ? 0 : report->flops / time->median / report->peak_flops;
}

double cli_bench_bytes(const bench_report *report, int contender)
{
    const bench_time *time = &report->outcomes[contender].time;
    return time->samples == 0 ? 0 : report->bytes / time->median;
}

double cli_bench_predicted_ratio(const bench_report *report)
{
    const bench_outcome *outcome = &report->outcomes[CLI_BENCH_PREPACKED];
    return outcome->time.samples == 0 ? 0 : outcome->predicted / outcome->time.median;
}

double cli_bench_spread(const bench_time *time)
{
    return time->samples == 0 ? 0 : (time->high - time->low) / time->median;
}

/* Adds one factor of a geometric mean. */
static void include(double *sum, int *count, double factor)
{
    if (factor <= 0) return;
    *sum += log(factor);
    ++*count;
}

bool cli_bench_means_of(const cli_bench *bench, const char *set, fal_layout layout, cli_bench_means *means)
{
    const int contenders = bench->race.count;
    int products = 0, moved = 0;
    *means = (cli_bench_means){.set = set, .layout = layout};
    for (int r = 0; r < bench->count; r++) {
        const cli_bench_run *run = &bench->runs[r];
        if (run->layout != layout || strcmp(run->layer->set, set) != 0) continue;
        means->layers++;
        include(&means->part_of_peak, &products, cli_bench_part_of_peak(&run->report, CLI_BENCH_PREPACKED));
        include(&means->bytes, &moved, cli_bench_bytes(&run->report, CLI_BENCH_PREPACKED));
        const double predicted = cli_bench_predicted_ratio(&run->report);
        means->foretold += predicted > 1 / 1.5 && predicted < 1.5;
        for (int i = 0; i < contenders; i++)
            include(&means->ratio[i], &means->ran[i], cli_bench_ratio(&run->report, i));
        include(&means->ratio[contenders], &means->ran[contenders],
                cli_bench_best_ratio(bench, &run->report));
    }
    if (means->layers == 0) return false;
    means->part_of_peak = products > 0 ? exp(means->part_of_peak / products) : 0;
    means->bytes = exp(means->bytes / moved);
    for (int i = 0; i <= contenders; i++)
        means->ratio[i] = means->ran[i] > 0 ? exp(means->ratio[i] / means->ran[i]) : 0;
    return true;
}

static int by_peak(const void *a, const void *b)
{
    const double x = ((const cli_bench_run *)a)->report.peak_flops,
                 y = ((const cli_bench_run *)b)->report.peak_flops;
    return (x > y) - (x < y);
}

double cli_bench_peak(const cli_bench *bench)
{
    cli_bench_run *sorted = malloc((size_t)bench->count * sizeof *sorted + 1);
    if (sorted == NULL || bench->count == 0) {
        free(sorted);
        return 0;
    }
    memcpy(sorted, bench->runs, (size_t)bench->count * sizeof *sorted);
    qsort(sorted, (size_t)bench->count, sizeof *sorted, by_peak);
    const double median = sorted[bench->count / 2].report.peak_flops;
    free(sorted);
    return median;
}
