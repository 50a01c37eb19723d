/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * bench_json.c: the bench as one JSON object.
 *
 *     {"schema": 1, "version": "0.1.0", "level": "avx512", "threads": 1, "executor": "openmp",
 *      "peak_gflops": 190.1, "copy_gb_per_s": 12.0, "copy_bytes": 67108864,
 *      "peers": [{"name": "openblas", "version": "0.3.21 SkylakeX"}],
 *      "runs": [{"set": "resnet50", "layer": "conv n1 ...", "name": "conv1", "layout": "nchw",
 *                "flops": 236027904, "bytes": 3851776, "peak_gflops": 190.3,
 *                "contenders": [{"name": "prepacked", "time_ns": 1240119.0, "low_ns": ..., "high_ns": ...,
 *                                "samples": 84, "gflops": 190.3, "gb_per_s": 3.1, "part_of_peak": 0.99,
 *                                "detail": "direct, f32 14x32 avx512", "predicted_ns": 1210000.0},
 *                               {"name": "openblas", "differs": true}]}],
 *      "geometric_means": [{"set": "resnet50", "layout": "nchw", "layers": 23, "part_of_peak": 0.98,
 *                           "gb_per_s": 2.9, "foretold": 22, "ratios": [{"name": "one-call", "layers": 23,
 * "ratio": 1.1},
 *                                      {"name": "best", "layers": 23, "ratio": 1.9}]}]}
 *
 * An operator without products has 0 flops, and a set of such a part_of_peak of 0. A contender that does not
 * run a layer is left out of it. low and high are the tenth and ninetieth of a hundred; a ratio is a time
 * over that of the prepacked call. foretold counts the layers whose predicted time is within 1.5 times the
 * measured one.
 */
#include <string.h>

#include "cli/bench.h"
#include "cli/json_out.h"

static json_t *timed(const bench_report *report, int i, const char *name)
{
    const bench_outcome *o = &report->outcomes[i];
    const bench_time *t = &o->time;
    if (t->samples == 0) return json_pack("{s:s, s:b}", "name", name, "differs", 1);
    return json_pack("{s:s, s:f, s:f, s:f, s:i, s:f, s:f, s:f, s:s}", "name", name, "time_ns",
                     t->median * 1e9, "low_ns", t->low * 1e9, "high_ns", t->high * 1e9, "samples", t->samples,
                     "gflops", report->flops / t->median * 1e-9, "gb_per_s", report->bytes / t->median * 1e-9,
                     "part_of_peak", cli_bench_part_of_peak(report, i), "detail", o->detail);
}

static json_t *contender(const bench_report *report, int i, const char *name)
{
    json_t *json = timed(report, i, name);
    if (report->outcomes[i].predicted > 0)
        json_object_set_new(json, "predicted_ns", json_real(report->outcomes[i].predicted * 1e9));
    return json;
}

static json_t *run_of(const cli_bench *bench, const cli_bench_run *run)
{
    const bench_report *r = &run->report;
    const bench_layer *layer = &run->layer->layer;
    json_t *contenders = json_array();
    for (int i = 0; i < bench->race.count; i++)
        if (r->outcomes[i].time.samples > 0 || r->outcomes[i].differs)
            json_array_append_new(contenders, contender(r, i, bench->race.peers[i]->name));
    return json_pack("{s:s, s:s, s:s, s:s, s:I, s:I, s:f, s:o}", "set", run->layer->set, "layer", layer->text,
                     "name", layer->name, "layout", run->layout == FAL_NHWC ? "nhwc" : "nchw", "flops",
                     (json_int_t)r->flops, "bytes", (json_int_t)r->bytes, "peak_gflops", r->peak_flops * 1e-9,
                     "contenders", contenders);
}

static json_t *means_of(const cli_bench *bench, const cli_bench_means *means)
{
    json_t *ratios = json_array();
    for (int i = CLI_BENCH_ONE_CALL; i <= bench->race.count; i++)
        if (means->ran[i] > 0)
            json_array_append_new(ratios,
                                  json_pack("{s:s, s:i, s:f}", "name",
                                            i < bench->race.count ? bench->race.peers[i]->name : "best",
                                            "layers", means->ran[i], "ratio", means->ratio[i]));
    return json_pack("{s:s, s:s, s:i, s:f, s:f, s:i, s:o}", "set", means->set, "layout",
                     means->layout == FAL_NHWC ? "nhwc" : "nchw", "layers", means->layers, "part_of_peak",
                     means->part_of_peak, "gb_per_s", means->bytes * 1e-9, "foretold", means->foretold,
                     "ratios", ratios);
}

static json_t *all_means(const cli_bench *bench)
{
    json_t *list = json_array();
    const char *set = "";
    cli_bench_means means;
    for (int r = 0; r < bench->count; r++) {
        if (strcmp(bench->runs[r].layer->set, set) == 0) continue;
        set = bench->runs[r].layer->set;
        for (int layout = FAL_NCHW; layout <= FAL_NHWC; layout++)
            if (cli_bench_means_of(bench, set, (fal_layout)layout, &means))
                json_array_append_new(list, means_of(bench, &means));
    }
    return list;
}

fal_status cli_bench_print_json(cli_command *command, const cli_bench *bench)
{
    const fal_context *context = &bench->race.context;
    json_t *peers = json_array(), *runs = json_array();
    char version[64];
    for (int i = CLI_BENCH_OTHERS; i < bench->race.count; i++) {
        bench->race.peers[i]->version(version, sizeof version);
        json_array_append_new(
            peers, json_pack("{s:s, s:s}", "name", bench->race.peers[i]->name, "version", version));
    }
    for (int r = 0; r < bench->count; r++) json_array_append_new(runs, run_of(bench, &bench->runs[r]));
    return cli_json_print(command,
                          json_pack("{s:s, s:s, s:i, s:s, s:f, s:f, s:I, s:o, s:o, s:o}", "version",
                                    fal_version(), "level", fal_cpu_level_name(context->cpu), "threads",
                                    (int)context->threads, "executor", fal_executor_name(), "peak_gflops",
                                    cli_bench_peak(bench) * 1e-9, "copy_gb_per_s", bench->copy_bytes * 1e-9,
                                    "copy_bytes", (json_int_t)bench->copy_size, "peers", peers, "runs", runs,
                                    "geometric_means", all_means(bench)));
}
