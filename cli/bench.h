/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * bench.h: the parts of `faltung bench`: which layers, the races, and what is said about them.
 *
 * A run is a list of races, one for each layer and layout. verb_bench.c makes it from the options and
 * runs it; bench_layers.c finds the layers; bench_means.c, bench_print.c and bench_json.c tell the outcome.
 */
#ifndef FALTUNG_CLI_BENCH_H
#define FALTUNG_CLI_BENCH_H

#include "bench/race.h"
#include "cli/cli.h"

typedef struct cli_bench_layer {
    const char *set; /* "resnet50", or the file's name */
    bench_layer layer;
} cli_bench_layer;

typedef struct cli_bench_layers {
    cli_bench_layer *items;
    int count, capacity;
} cli_bench_layers;

/* cli_bench_layers_read gives the layers of --set or --layers, each checked in every layout. A line that
 * cannot be read, or a layer that cannot be, is refused with its file and line. */
fal_status cli_bench_layers_read(cli_command *command, cli_bench_layers *layers);

/* The two contenders that every run has, in bench_race.peers. */
enum { CLI_BENCH_PREPACKED, CLI_BENCH_ONE_CALL, CLI_BENCH_OTHERS };

typedef struct cli_bench_run {
    const cli_bench_layer *layer;
    fal_layout layout;
    bench_report report;
} cli_bench_run;

typedef struct cli_bench {
    bench_race race;     /* layer and layout change from run to run */
    double copy_bytes;   /* a second, of one thread */
    size_t copy_size;    /* bytes of each array */
    cli_bench_run *runs; /* all with their layer and layout, the first `count` with their outcome */
    int total, count;
} cli_bench;

/* How long a contender takes, as a multiple of the prepacked call; 0 when it did not run. */
double cli_bench_ratio(const bench_report *report, int contender);
/* The same of the fastest other library; 0 when none ran. */
double cli_bench_best_ratio(const cli_bench *bench, const bench_report *report);
/* Of a time: what part of the measured peak the arithmetic reached. */
double cli_bench_part_of_peak(const bench_report *report, int contender);
/* Of a time: bytes a second, every tensor read or written once. */
double cli_bench_bytes(const bench_report *report, int contender);
/* What the library predicted, as a multiple of the time that it took; 0 when it did not. */
double cli_bench_predicted_ratio(const bench_report *report);
/* The width between the slow and the fast tenth, over the median. */
double cli_bench_spread(const bench_time *time);

/* Geometric means over the runs of one set in one layout. */
typedef struct cli_bench_means {
    const char *set;
    fal_layout layout;
    int layers;
    double part_of_peak;               /* of the layers that have products; 0: none has */
    double bytes;                      /* a second */
    int foretold;                      /* layers whose predicted time is within 1.5 times the measured one */
    double ratio[BENCH_MAX_PEERS + 1]; /* of each contender, then of the best other library; 0: of none */
    int ran[BENCH_MAX_PEERS + 1];      /* over how many layers */
} cli_bench_means;

/* False when there is no such run. */
bool cli_bench_means_of(const cli_bench *bench, const char *set, fal_layout layout, cli_bench_means *means);
/* The median of the peaks measured in all runs, in operations a second. */
double cli_bench_peak(const cli_bench *bench);

/* bench_print.c: a table, row by row as it comes about. */
void cli_bench_print_head(cli_command *command, const cli_bench *bench);
void cli_bench_print_run(cli_command *command, const cli_bench *bench, const cli_bench_run *run);
void cli_bench_print_means(cli_command *command, const cli_bench *bench);
/* bench_json.c */
fal_status cli_bench_print_json(cli_command *command, const cli_bench *bench);

#endif
