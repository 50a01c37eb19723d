/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * dialect_weight.c: a weight of one framework as another stores it.
 *
 * Both weights are seen in this library's order, which fal_dialect_weight knows for each framework, and
 * one view is copied into the other:
 *
 *     tf (k..., ic, oc)  --seen as-->  (oc, ic, k...)  <--seen as--  jax, torch, ...
 */
#include "cli/dialect_weight.h"

#include <inttypes.h>
#include <string.h>

#include "cli/dialect.h"
#include "cli/params.h"
#include "cli/tensors.h"

typedef struct {
    cli_dialect from, to;
    bool transposed, depthwise;
} conversion;

static fal_status read_conversion(cli_command *command, conversion *c)
{
    const char *text = cli_text(command, CLI_WEIGHTS, ""), *colon = strchr(text, ':');
    c->transposed = cli_given(command, CLI_TRANSPOSED) > 0;
    c->depthwise = cli_given(command, CLI_DEPTHWISE) > 0;
    if (colon == NULL) {
        cli_fail(command, FAL_E_USAGE, "--weights", "'%s' does not name two frameworks", text);
        return cli_allow(command, FAL_E_USAGE, "must be FROM:TO, as in tf:torch");
    }
    CLI_TRY(cli_dialect_read(command, "--weights", text, (size_t)(colon - text), &c->from));
    return cli_dialect_read(command, "--weights", colon + 1, strlen(colon + 1), &c->to);
}

static bool flips(fal_dialect dialect, bool transposed)
{
    fal_dialect_request request = {
        .dialect = dialect, .transposed = transposed, .axis = {.input = 1, .kernel = 1}};
    fal_dialect_answer answer = {.flip_kernel = false};
    return fal_dialect_resolve(&request, &answer, NULL) == FAL_OK && answer.flip_kernel;
}

/* (c*multiplier, 1, k...) as (c, multiplier, 1, k...), with c from --groups. */
static fal_status split_groups(cli_command *command, fal_tensor *seen)
{
    int64_t groups = cli_int(command, CLI_GROUPS, 0), shape[FAL_MAX_RANK];
    if (groups == 0) {
        cli_fail(command, FAL_E_USAGE, "--groups", "the channels of the depthwise convolution are not given");
        return cli_allow(command, FAL_E_USAGE, "give --groups C, the number of input channels");
    }
    if (seen->shape[1] != 1 || seen->shape[0] % groups != 0) {
        cli_fail(command, FAL_E_GROUPS, "--groups",
                 "the weight has %" PRId64 " output channels of %" PRId64 " inputs each, groups are %" PRId64,
                 seen->shape[0], seen->shape[1], groups);
        return cli_allow(command, FAL_E_GROUPS, "a depthwise weight is (groups*multiplier, 1, k...)");
    }
    shape[0] = groups;
    shape[1] = seen->shape[0] / groups;
    for (int32_t a = 1; a < seen->rank; a++) shape[a + 1] = seen->shape[a];
    return fal_tensor_reshape(seen, seen->rank + 1, shape, seen, &command->error);
}

/* The weight in this library's order, taps as the other framework wants them. */
static fal_status see(cli_command *command, const conversion *c, const fal_tensor *source, fal_tensor *seen)
{
    CLI_TRY(fal_dialect_weight(c->from.dialect, c->transposed, c->depthwise, source, seen, &command->error));
    bool split = c->depthwise && c->from.dialect == FAL_DIALECT_TENSORFLOW;
    if (flips(c->from.dialect, c->transposed) != flips(c->to.dialect, c->transposed)) {
        for (int32_t a = split ? 3 : 2; a < seen->rank; a++)
            CLI_TRY(fal_tensor_flip(seen, a, seen, &command->error));
        cli_note(command, false, "the taps are reversed: one of the two flips its kernel");
    }
    return c->depthwise && !split && c->to.dialect == FAL_DIALECT_TENSORFLOW ? split_groups(command, seen)
                                                                             : FAL_OK;
}

/* The shape that the other framework stores, and its view in this library's order. Which stored axis is
 * which is asked of the library with a weight whose sizes are all different. */
static fal_status store(cli_command *command, const conversion *c, const fal_tensor *seen, fal_tensor *result,
                        fal_tensor *view)
{
    bool single = c->to.dialect >= FAL_DIALECT_SCIPY_CONVOLVE;
    bool split = c->depthwise && c->to.dialect == FAL_DIALECT_TENSORFLOW;
    int64_t sizes[FAL_MAX_RANK];
    int32_t rank = seen->rank - (single ? 2 : split ? 1 : 0);
    for (int32_t a = 0; a < rank; a++) sizes[a] = a + 2;
    fal_tensor probe = fal_tensor_of(NULL, seen->dtype, rank, sizes), shown;
    CLI_TRY(fal_dialect_weight(c->to.dialect, c->transposed, c->depthwise, &probe, &shown, &command->error));
    *result = probe;
    for (int32_t a = 0; a < shown.rank; a++) {
        if (shown.shape[a] > 1) {
            result->shape[shown.shape[a] - 2] = seen->shape[a];
        } else if (seen->shape[a] != 1) {
            cli_fail(command, FAL_E_SHAPE, "--weights",
                     "the weight has %" PRId64 " times %" PRId64 " channels", seen->shape[0], seen->shape[1]);
            return cli_allow(command, FAL_E_SHAPE, "%s has a single kernel", c->to.name);
        }
    }
    result->dtype = cli_dtype(command) ? cli_dtype(command) : seen->dtype;
    CLI_TRY(cli_tensor_alloc(command, result));
    return fal_dialect_weight(c->to.dialect, c->transposed, c->depthwise, result, view, &command->error);
}

/* (c, multiplier, 1, k...) -> (c*multiplier, 1, k...); the data are compact. */
static fal_status merge_groups(cli_command *command, fal_tensor *split)
{
    int64_t shape[FAL_MAX_RANK] = {split->shape[0] * split->shape[1]};
    for (int32_t a = 2; a < split->rank; a++) shape[a - 1] = split->shape[a];
    return fal_tensor_reshape(split, split->rank - 1, shape, split, &command->error);
}

fal_status cli_convert_weight(cli_command *command, const fal_tensor *source, fal_tensor *result)
{
    conversion c;
    fal_tensor seen, view;
    CLI_TRY(read_conversion(command, &c));
    CLI_TRY(see(command, &c, source, &seen));
    if (c.depthwise && c.from.dialect == FAL_DIALECT_TENSORFLOW && c.to.dialect != FAL_DIALECT_TENSORFLOW) {
        fal_tensor compact = seen;
        CLI_TRY(cli_tensor_alloc(command, &compact));
        CLI_TRY(fal_tensor_copy(&seen, &compact, &command->error));
        CLI_TRY(merge_groups(command, &compact));
        seen = compact;
    }
    CLI_TRY(store(command, &c, &seen, result, &view));
    return fal_tensor_copy(&seen, &view, &command->error);
}
