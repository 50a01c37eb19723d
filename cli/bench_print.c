/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * bench_print.c: the bench as a table.
 *
 *     layer          layout    MFLOP        us   +-   GB/s  GFLOP/s  % peak predict one-call openblas best
 * solver conv2 3x3      nchw      231.2     812.3   1%    2.2    284.6   142.1
 * 0.97     1.02     2.31     2.31 winograd means nchw                              3.1              97.3 9/10
 * 1.10     1.41     1.41
 *
 * The columns up to predict are of the prepacked call (of an operator without plans: of any), those of other
 * contenders say how many times longer they take. `best` is the fastest other library of the row.
 */
#include <string.h>

#include "cli/bench.h"

enum { LEAST_NAME = 24, MOST_NAME = 48, RATIO_WIDTH = 8 };

static const char *name_of(const cli_bench_run *run)
{
    const bench_layer *layer = &run->layer->layer;
    return layer->name[0] != '\0' ? layer->name : layer->text;
}

/* The width of the first column. */
static int name_width(const cli_bench *bench)
{
    size_t width = LEAST_NAME;
    for (int r = 0; r < bench->total; r++) {
        const size_t length = strlen(name_of(&bench->runs[r]));
        if (length > width) width = length;
    }
    return width > MOST_NAME ? MOST_NAME : (int)width;
}

static const char *layout_name(fal_layout layout)
{
    return layout == FAL_NHWC ? "nhwc" : "nchw";
}

static int width_of(const char *name)
{
    const int length = (int)strlen(name);
    return length > RATIO_WIDTH ? length : RATIO_WIDTH;
}

static bool has_others(const cli_bench *bench)
{
    return bench->race.count > CLI_BENCH_OTHERS;
}

void cli_bench_print_head(cli_command *command, const cli_bench *bench)
{
    FILE *out = cli_out(command);
    char version[64];
    fprintf(out, "faltung %s, float32, %s, %d thread%s; copying (2 x %zu MiB, one thread) %.1f GB/s\n",
            fal_version(), fal_cpu_level_name(bench->race.context.cpu), (int)bench->race.context.threads,
            bench->race.context.threads == 1 ? "" : "s", bench->copy_size >> 20, bench->copy_bytes * 1e-9);
    for (int i = CLI_BENCH_OTHERS; i < bench->race.count; i++) {
        bench->race.peers[i]->version(version, sizeof version);
        fprintf(out, "%s %s\n", bench->race.peers[i]->name, version);
    }
    fprintf(out, "%-*s layout %8s %10s %5s %6s %8s %7s %7s", name_width(bench), "layer", "MFLOP", "us", "+-",
            "GB/s", "GFLOP/s", "% peak", "predict");
    for (int i = CLI_BENCH_ONE_CALL; i < bench->race.count; i++)
        fprintf(out, " %*s", width_of(bench->race.peers[i]->name), bench->race.peers[i]->name);
    if (has_others(bench)) fprintf(out, " %*s", RATIO_WIDTH, "best");
    fprintf(out, "  solver\n");
    fflush(out);
}

/* A number, or a dash for 0. */
static void put_number(FILE *out, int width, int digits, double number)
{
    if (number > 0)
        fprintf(out, " %*.*f", width, digits, number);
    else
        fprintf(out, " %*s", width, "-");
}

/* A ratio, or a word where there is none. */
static void put_ratio(FILE *out, int width, double ratio, const char *none)
{
    if (ratio > 0)
        fprintf(out, " %*.2f", width, ratio);
    else
        fprintf(out, " %*s", width, none);
}

void cli_bench_print_run(cli_command *command, const cli_bench *bench, const cli_bench_run *run)
{
    FILE *out = cli_out(command);
    const bench_report *r = &run->report;
    const bench_time *time = &r->outcomes[CLI_BENCH_PREPACKED].time;
    const int width = name_width(bench);
    fprintf(out, "%-*.*s %-6s", width, width, name_of(run), layout_name(run->layout));
    put_number(out, 8, 1, r->flops * 1e-6);
    fprintf(out, " %10.1f %4.0f%% %6.1f", time->median * 1e6, 100 * cli_bench_spread(time),
            cli_bench_bytes(r, CLI_BENCH_PREPACKED) * 1e-9);
    put_number(out, 8, 1, r->flops / time->median * 1e-9);
    put_number(out, 7, 1, 100 * cli_bench_part_of_peak(r, CLI_BENCH_PREPACKED));
    put_number(out, 7, 2, cli_bench_predicted_ratio(r));
    for (int i = CLI_BENCH_ONE_CALL; i < bench->race.count; i++)
        put_ratio(out, width_of(bench->race.peers[i]->name), cli_bench_ratio(r, i),
                  r->outcomes[i].differs ? "differs" : "-");
    if (has_others(bench)) put_ratio(out, RATIO_WIDTH, cli_bench_best_ratio(bench, r), "-");
    fprintf(out, "  %s\n", r->outcomes[CLI_BENCH_PREPACKED].detail);
    fflush(out);
}

/* A mean over fewer layers than ours gets a star. */
static void put_mean(FILE *out, int width, const cli_bench_means *means, int i, bool *starred)
{
    char text[32];
    const bool part = means->ran[i] < means->layers;
    if (means->ran[i] == 0) {
        fprintf(out, " %*s", width, "-");
        return;
    }
    snprintf(text, sizeof text, "%.2f%s", means->ratio[i], part ? "*" : "");
    fprintf(out, " %*s", width, text);
    *starred = *starred || part;
}

static void print_mean(FILE *out, const cli_bench *bench, const cli_bench_means *means, bool *starred)
{
    char name[BENCH_LINE_TEXT], foretold[24];
    const int width = name_width(bench);
    snprintf(name, sizeof name, "%s, %d layers", means->set, means->layers);
    snprintf(foretold, sizeof foretold, "%d/%d", means->foretold, means->layers);
    fprintf(out, "%-*.*s %-6s %8s %10s %5s %6.1f %8s", width, width, name, layout_name(means->layout), "", "",
            "", means->bytes * 1e-9, "");
    put_number(out, 7, 1, 100 * means->part_of_peak);
    fprintf(out, " %7s", means->part_of_peak > 0 ? foretold : "-");
    for (int i = CLI_BENCH_ONE_CALL; i < bench->race.count; i++)
        put_mean(out, width_of(bench->race.peers[i]->name), means, i, starred);
    if (has_others(bench)) put_mean(out, RATIO_WIDTH, means, bench->race.count, starred);
    fprintf(out, "\n");
}

void cli_bench_print_means(cli_command *command, const cli_bench *bench)
{
    FILE *out = cli_out(command);
    const char *set = "";
    cli_bench_means means;
    bool starred = false;
    fprintf(out, "\ngeometric means; the peak of multiply-adds was %.1f GFLOP/s\n",
            cli_bench_peak(bench) * 1e-9);
    for (int r = 0; r < bench->count; r++) {
        if (strcmp(bench->runs[r].layer->set, set) == 0) continue;
        set = bench->runs[r].layer->set;
        for (int layout = FAL_NCHW; layout <= FAL_NHWC; layout++)
            if (cli_bench_means_of(bench, set, (fal_layout)layout, &means))
                print_mean(out, bench, &means, &starred);
    }
    if (starred) fprintf(out, "* over the layers that it ran\n");
    fprintf(
        out,
        "predict: the predicted time over the measured one; in the means, how many are within 1.5 times.\n"
        "Columns behind it: how many times longer than the prepacked call.\n");
}
