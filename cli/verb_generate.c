/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * verb_generate.c: faltung generate random|ramp|impulse|constant --shape SHAPE
 *
 * Every element is a function of its place and the seed alone (counter.h).
 */
#include <inttypes.h>
#include <math.h>

#include "cli/counter.h"
#include "cli/params.h"
#include "cli/tensors.h"

enum { RANDOM, RAMP, IMPULSE, CONSTANT };

/* Progress, now and then. */
static void tell(int64_t i, const fal_tensor *flat)
{
    if (i % (1 << 20) == 0) cli_progress(i, flat->shape[0]);
}

/* Would a whole number survive in this type? Floats round, integers must not saturate. */
static fal_status check_fits(cli_command *command, fal_dtype dtype, const char *where, double value)
{
    int64_t element = 0;
    const int64_t none = 0;
    fal_tensor scalar = fal_tensor_of(&element, dtype, 0, &none);
    fal_tensor_set(&scalar, &none, value);
    if (!fal_dtype_is_integer(dtype) || fal_tensor_get(&scalar, &none) == value) return FAL_OK;
    char text[40];
    cli_format_number(text, sizeof text, FAL_F64, value);
    return cli_fail(command, FAL_E_OVERFLOW, where, "%s is not a number of type %s", text,
                    fal_dtype_name(dtype));
}

static fal_status fill_whole(cli_command *command, const fal_tensor *flat, uint64_t seed)
{
    bool unsigned_type = flat->dtype == FAL_U8;
    double low = cli_number(command, CLI_LOW, unsigned_type ? 0 : -4);
    double high = cli_number(command, CLI_HIGH, unsigned_type ? 8 : 4);
    const double limit = 4294967295.0; /* 2^32 - 1 */
    if (low != floor(low) || high != floor(high) || !(fabs(low) <= limit && fabs(high) <= limit))
        return cli_fail(command, FAL_E_VALUE, NULL, "--low and --high must be whole numbers below 2^32");
    if (high < low || high - low >= limit)
        return cli_fail(command, FAL_E_VALUE, NULL, "--low must not exceed --high, nor their distance 2^32");
    CLI_TRY(check_fits(command, flat->dtype, "--low", low));
    CLI_TRY(check_fits(command, flat->dtype, "--high", high));
    for (int64_t i = 0; i < flat->shape[0]; i++) {
        tell(i, flat);
        fal_tensor_set_int(flat, &i, cli_random_int(seed, (uint64_t)i, (int64_t)low, (int64_t)high));
    }
    return FAL_OK;
}

static fal_status fill_random(cli_command *command, const fal_tensor *flat)
{
    uint64_t seed = (uint64_t)cli_int(command, CLI_SEED, 1);
    if (cli_given(command, CLI_INTEGERS) || fal_dtype_is_integer(flat->dtype))
        return fill_whole(command, flat, seed);
    double low = cli_number(command, CLI_LOW, -1), high = cli_number(command, CLI_HIGH, 1),
           width = high - low;
    if (!isfinite(width) || width < 0)
        return cli_fail(command, FAL_E_VALUE, NULL,
                        "--low and --high must be finite, and --low not above --high");
    for (int64_t i = 0; i < flat->shape[0]; i++) {
        tell(i, flat);
        /* Two statements, so that no compiler may fuse them and round differently. */
        double offset = width * cli_random_unit(seed, (uint64_t)i);
        fal_tensor_set(flat, &i, low + offset);
    }
    return FAL_OK;
}

static fal_status fill_ramp(cli_command *command, const fal_tensor *flat)
{
    if (flat->shape[0] > 0)
        CLI_TRY(check_fits(command, flat->dtype, "--shape", (double)(flat->shape[0] - 1)));
    for (int64_t i = 0; i < flat->shape[0]; i++) fal_tensor_set_int(flat, &i, i);
    return FAL_OK;
}

static fal_status fill_value(cli_command *command, const fal_tensor *tensor, const fal_tensor *flat, int kind)
{
    double value = cli_number(command, CLI_VALUE, 1);
    int64_t centre[FAL_MAX_RANK];
    CLI_TRY(check_fits(command, tensor->dtype, "--value", value));
    if (kind == CONSTANT) return fal_tensor_fill(tensor, value, &command->error);
    for (int32_t a = 0; a < tensor->rank; a++) centre[a] = tensor->shape[a] / 2;
    if (flat->shape[0] > 0) fal_tensor_set(tensor, centre, value);
    return FAL_OK;
}

fal_status cli_run_generate(cli_command *command)
{
    const int64_t *shape;
    int kind;
    CLI_TRY(cli_operand_word(command, 0, "kind of tensor", command->verb->words, &kind));
    int32_t rank = cli_ints(command, CLI_SHAPE, &shape);
    if (rank == 0) {
        cli_fail(command, FAL_E_USAGE, NULL, "the shape is missing");
        return cli_hint(command, FAL_E_USAGE, "for example --shape 16,3,3,3");
    }
    fal_dtype dtype = cli_given(command, CLI_DTYPE) ? cli_dtype(command) : FAL_F32;
    fal_tensor tensor = {.dtype = dtype, .rank = rank}, flat;
    for (int32_t a = 0; a < rank; a++) tensor.shape[a] = shape[a];
    CLI_TRY(cli_tensor_alloc(command, &tensor));
    int64_t count = fal_tensor_count(&tensor);
    flat = fal_tensor_of(tensor.data, dtype, 1, &count);
    if (kind == RANDOM) CLI_TRY(fill_random(command, &flat));
    if (kind == RAMP) CLI_TRY(fill_ramp(command, &flat));
    if (kind == IMPULSE || kind == CONSTANT) CLI_TRY(fill_value(command, &tensor, &flat, kind));
    return cli_emit(command, &tensor);
}
