/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * verb_bench.c: faltung bench
 *
 * Reads which layers to time, races each of them in each layout and tells the outcome: as rows of a table
 * while it runs, or as JSON at the end.
 */
#include <math.h>

#include "bench/peak.h"
#include "cli/bench.h"
#include "cli/level.h"

static const double most_seconds = 3600;
/* Twice this is beyond the caches that one core may hope to have to itself. */
static const size_t copy_size = (size_t)64 << 20;

/* Ours, and with --peers the others of this build. */
static fal_status choose_contenders(cli_command *command, bench_race *race)
{
    race->peers[CLI_BENCH_PREPACKED] = &bench_prepacked;
    race->peers[CLI_BENCH_ONE_CALL] = &bench_one_call;
    race->count = CLI_BENCH_OTHERS;
    if (!cli_given(command, CLI_PEERS)) return FAL_OK;
    for (int i = 0; bench_peers[i] != NULL && race->count < BENCH_MAX_PEERS; i++)
        race->peers[race->count++] = bench_peers[i];
    if (race->count > CLI_BENCH_OTHERS) return FAL_OK;
    cli_fail(command, FAL_E_UNSUPPORTED, "--peers", "this build knows no other library");
    return cli_hint(command, FAL_E_UNSUPPORTED,
                    "install OpenBLAS, oneDNN or XNNPACK and build with -D FALTUNG_PEERS=ON");
}

static fal_status read_seconds(cli_command *command, double *seconds)
{
    *seconds = cli_number(command, CLI_SECONDS, 0.2);
    if (*seconds > 0 && *seconds <= most_seconds) return FAL_OK;
    cli_fail(command, FAL_E_VALUE, "--seconds", "%g seconds for each layer", *seconds);
    return cli_allow(command, FAL_E_VALUE, "must be above 0 and at most %g", most_seconds);
}

static fal_status prepare(cli_command *command, cli_bench *bench)
{
    bench_race *race = &bench->race;
    CLI_TRY(read_seconds(command, &race->seconds));
    CLI_TRY(choose_contenders(command, race));
    race->context = command->context;
    race->context.executor = (fal_executor){0}; /* the library's default */
    race->context.cpu = cli_level_in_use(command);
    if (race->context.threads == 0) race->context.threads = fal_thread_count();
    return FAL_OK;
}

/* --list: the layers as they would be read again. */
static void list(cli_command *command, const cli_bench_layers *layers)
{
    for (int i = 0; i < layers->count; i++) {
        const bench_layer *l = &layers->items[i].layer;
        fprintf(cli_out(command), "%s%s%s\n", l->text, l->name[0] != '\0' ? "  # " : "", l->name);
    }
}

/* Which races there will be: each layer in one layout, or in one after the other. */
static fal_status enter(cli_command *command, cli_bench *bench, cli_bench_layers *layers)
{
    const int only = cli_choice(command, CLI_BENCH_LAYOUT, -1), layouts = only < 0 ? 2 : 1;
    CLI_TRY(cli_alloc(command, layers->count * layouts, sizeof *bench->runs, (void **)&bench->runs));
    bench->total = layers->count * layouts;
    for (int i = 0; i < bench->total; i++) {
        bench->runs[i].layer = &layers->items[i / layouts];
        bench->runs[i].layout = (fal_layout)(only < 0 ? i % 2 : only);
        layers->items[i / layouts].layer.params.algorithm = cli_text(command, CLI_ALGORITHM, NULL);
        layers->items[i / layouts].layer.params.accuracy =
            (fal_accuracy)cli_choice(command, CLI_ACCURACY, FAL_ACCURACY_DEFAULT);
    }
    return FAL_OK;
}

static fal_status run_all(cli_command *command, cli_bench *bench)
{
    bench->copy_bytes = bench_copy_bytes(copy_size);
    bench->copy_size = copy_size;
    if (bench->copy_bytes <= 0) return cli_fail(command, FAL_E_NOMEM, NULL, "out of memory");
    if (!command->json) cli_bench_print_head(command, bench);
    while (bench->count < bench->total) {
        cli_bench_run *run = &bench->runs[bench->count];
        bench->race.layer = &run->layer->layer;
        bench->race.layout = run->layout;
        CLI_TRY(bench_run(&bench->race, &run->report));
        bench->count++;
        if (!command->json) cli_bench_print_run(command, bench, run);
        cli_progress(bench->count, bench->total);
    }
    return FAL_OK;
}

fal_status cli_run_bench(cli_command *command)
{
    cli_bench_layers layers;
    cli_bench bench = {0};
    CLI_TRY(prepare(command, &bench));
    CLI_TRY(cli_bench_layers_read(command, &layers));
    if (cli_given(command, CLI_LIST)) {
        list(command, &layers);
        return FAL_OK;
    }
    CLI_TRY(enter(command, &bench, &layers));
    CLI_TRY(run_all(command, &bench));
    if (command->json) return cli_bench_print_json(command, &bench);
    cli_bench_print_means(command, &bench);
    return FAL_OK;
}
