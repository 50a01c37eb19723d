/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * run.c: runs a layer by the algorithm that was asked for, and times it.
 *
 * Beside the library's solvers stand three ways that are slow and plain: the reference, the unfolded
 * input times the kernel, and the kernel matrix times the input. That all of them agree is something a
 * reader can try.
 */
#define _POSIX_C_SOURCE 200809L /* clock_gettime */
#include <inttypes.h>
#include <math.h>
#include <string.h>
#include <time.h>

#include "cli/layer.h"
#include "cli/limits.h"
#include "cli/tensors.h"
#include "cli/tuning.h"

static int64_t now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static void destroy_plan(void *plan)
{
    fal_plan_destroy(plan);
}

/* Memory of the command aligned as a plan wants it. */
static fal_status workspace_of(cli_command *command, size_t bytes, void **workspace)
{
    void *memory;
    if (bytes > (size_t)INT64_MAX - FAL_WORKSPACE_ALIGNMENT)
        return cli_fail(command, FAL_E_OVERFLOW, NULL, "a workspace of %zu bytes does not fit memory", bytes);
    CLI_TRY(cli_alloc(command, (int64_t)bytes + FAL_WORKSPACE_ALIGNMENT, 1, &memory));
    uintptr_t address = (uintptr_t)memory;
    *workspace = (char *)memory + (FAL_WORKSPACE_ALIGNMENT - address % FAL_WORKSPACE_ALIGNMENT);
    return FAL_OK;
}

static fal_status run_plan(cli_command *command, const cli_layer *layer, const char *algorithm,
                           const fal_tensor *y, cli_run_facts *facts)
{
    fal_operands operands = {.x = layer->x, .w = layer->w, .bias = layer->bias, .y = *y};
    fal_conv_params params = layer->params;
    fal_plan *plan;
    fal_plan_info info;
    void *workspace = NULL;
    params.algorithm = algorithm;
    CLI_TRY(cli_tuning_begin(command));
    fal_status status =
        fal_plan_create(&command->context, layer->transposed ? FAL_OP_CONV_TRANSPOSE : FAL_OP_CONV, &operands,
                        &params, &plan);
    if (status != FAL_OK && strcmp(command->error.field, "algorithm") == 0)
        cli_hint(command, status, "reference, unfold and matrix are understood too");
    CLI_TRY(status);
    CLI_TRY(cli_adopt(command, plan, destroy_plan)); /* info's texts live as long as the plan */
    CLI_TRY(cli_tuning_end(command));
    CLI_TRY(fal_plan_describe(plan, &info));
    CLI_TRY(workspace_of(command, info.workspace_bytes, &workspace));
    /* Touched before the clock starts: the time shall not be that of new pages. */
    memset(workspace, 0, info.workspace_bytes);
    memset(y->data, 0, (size_t)fal_tensor_count(y) * fal_dtype_bytes(y->dtype));
    int64_t start = now_ns();
    CLI_TRY(fal_plan_execute(plan, &operands, NULL, workspace, info.workspace_bytes, &command->error));
    *facts = (cli_run_facts){
        .solver = info.solver, .kernel = info.kernel, .threads = info.threads, .time_ns = now_ns() - start};
    return FAL_OK;
}

static fal_status run_reference(cli_command *command, const cli_layer *layer, const fal_tensor *y)
{
    fal_operands operands = {.x = layer->x, .w = layer->w, .bias = layer->bias, .y = *y};
    return fal_reference(layer->transposed ? FAL_OP_CONV_TRANSPOSE : FAL_OP_CONV, &operands, &layer->params,
                         &command->error);
}

/* The ways outside the library refuse what it refuses. */
static fal_status check_by_plan(cli_command *command, const cli_layer *layer, const fal_tensor *y)
{
    const fal_operands operands = {.x = layer->x, .w = layer->w, .bias = layer->bias, .y = *y};
    fal_plan *plan;
    CLI_TRY(fal_plan_create(&command->context, layer->transposed ? FAL_OP_CONV_TRANSPOSE : FAL_OP_CONV,
                            &operands, &layer->params, &plan));
    fal_plan_destroy(plan);
    return FAL_OK;
}

static fal_status run_by_name(cli_command *command, const cli_layer *layer, const char *algorithm,
                              const fal_tensor *y, cli_run_facts *facts)
{
    static const struct {
        const char *name;
        fal_status (*run)(cli_command *command, const cli_layer *layer, const fal_tensor *y);
    } plain[] = {{"reference", run_reference}, {"unfold", cli_layer_unfold}, {"matrix", cli_layer_matrix}};
    for (size_t i = 0; i < sizeof plain / sizeof plain[0]; i++) {
        if (algorithm == NULL || strcmp(algorithm, plain[i].name) != 0) continue;
        CLI_TRY(check_by_plan(command, layer, y));
        int64_t start = now_ns();
        CLI_TRY(plain[i].run(command, layer, y));
        *facts = (cli_run_facts){.solver = plain[i].name, .threads = 1, .time_ns = now_ns() - start};
        return FAL_OK;
    }
    return run_plan(command, layer, algorithm, y, facts);
}

fal_status cli_hint_wider(cli_command *command, fal_status status, fal_dtype dtype)
{
    static const char results[] = "y gx gw gb";
    bool narrow = fal_dtype_is_integer(dtype) && dtype != FAL_I64;
    if (status == FAL_E_OVERFLOW && narrow && cli_word_index(results, command->error.field) >= 0)
        cli_hint(command, status, "make the operands wider: faltung convert A -o B.npy --dtype %s",
                 fal_dtype_name(dtype == FAL_I32 ? FAL_I64 : FAL_I32));
    return status;
}

fal_status cli_layer_run(cli_command *command, const cli_layer *layer, const char *algorithm,
                         const fal_tensor *y, cli_run_facts *facts)
{
    fal_counts counts;
    fal_dtype dtype = layer->x.dtype;
    CLI_TRY(fal_conv_counts(&layer->geometry, dtype, layer->bias.rank > 0, &counts, &command->error));
    CLI_TRY(cli_check_work(command, counts.multiply_adds));
    CLI_TRY(cli_hint_wider(command, run_by_name(command, layer, algorithm, y, facts), dtype));
    if (facts->kernel == NULL) facts->kernel = "";
    facts->gflops = facts->time_ns > 0 ? 2.0 * (double)counts.multiply_adds / (double)facts->time_ns : 0.0;
    return FAL_OK;
}

bool cli_next_index(const fal_tensor *t, int64_t *index)
{
    for (int32_t a = t->rank - 1; a >= 0; a--) {
        if (++index[a] < t->shape[a]) return true;
        index[a] = 0;
    }
    return false;
}

static double difference_at(const fal_tensor *a, const fal_tensor *b, const int64_t *index)
{
    if (fal_dtype_is_integer(a->dtype)) { /* two different i64 may be one double */
        int64_t p = fal_tensor_get_int(a, index), q = fal_tensor_get_int(b, index);
        return (double)(p > q ? (uint64_t)p - (uint64_t)q : (uint64_t)q - (uint64_t)p);
    }
    double p = fal_tensor_get(a, index), q = fal_tensor_get(b, index);
    if (p == q || (isnan(p) && isnan(q))) return 0.0;
    return isnan(p) || isnan(q) ? INFINITY : fabs(p - q);
}

double cli_largest_difference(const fal_tensor *a, const fal_tensor *b)
{
    int64_t index[FAL_MAX_RANK] = {0};
    double largest = 0;
    if (fal_tensor_count(a) <= 0) return 0;
    do {
        double difference = difference_at(a, b, index);
        if (difference > largest) largest = difference;
    } while (cli_next_index(a, index));
    return largest;
}

fal_status cli_layer_check(cli_command *command, const cli_layer *layer, const fal_tensor *y,
                           double *difference)
{
    fal_tensor expected = layer->y;
    CLI_TRY(cli_tensor_alloc(command, &expected));
    CLI_TRY(run_reference(command, layer, &expected));
    *difference = cli_largest_difference(y, &expected);
    return FAL_OK;
}
