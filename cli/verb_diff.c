/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * verb_diff.c: faltung diff A B [--rtol V] [--atol V]
 *
 * Elements are equal when |a - b| <= atol + rtol*|b|; equal infinities and two NaN are equal too. The
 * answer "no" is exit code 1, also for different shapes.
 */
#include <inttypes.h>
#include <math.h>

#include "cli/json_out.h"
#include "cli/tensors.h"

typedef struct comparison {
    int64_t count, different;
    double largest;              /* difference; infinite when it cannot be formed */
    int64_t where[FAL_MAX_RANK]; /* of the largest */
} comparison;

/* |a - b| of one element; 0 for what counts as equal without any tolerance. */
static double distance(const fal_tensor *a, const fal_tensor *b, const int64_t *index)
{
    if (fal_dtype_is_integer(a->dtype)) {
        int64_t x = fal_tensor_get_int(a, index), y = fal_tensor_get_int(b, index);
        return (double)(x > y ? (uint64_t)x - (uint64_t)y : (uint64_t)y - (uint64_t)x);
    }
    double x = fal_tensor_get(a, index), y = fal_tensor_get(b, index);
    if (x == y || (isnan(x) && isnan(y))) return 0;
    double far = fabs(x - y);
    return isnan(far) ? INFINITY : far;
}

/* Steps to the next index in row-major order; false after the last. */
static bool advance(const fal_tensor *t, int64_t *index)
{
    for (int32_t a = t->rank - 1; a >= 0; a--) {
        if (++index[a] < t->shape[a]) return true;
        index[a] = 0;
    }
    return false;
}

static void compare(cli_command *command, const fal_tensor *a, const fal_tensor *b, comparison *result)
{
    double rtol = cli_number(command, CLI_RTOL, 0), atol = cli_number(command, CLI_ATOL, 0);
    int64_t index[FAL_MAX_RANK] = {0};
    *result = (comparison){.count = fal_tensor_count(a)};
    if (result->count == 0) return;
    do {
        double far = distance(a, b, index);
        double allowed = rtol > 0 ? atol + rtol * fabs(fal_tensor_get(b, index)) : atol;
        /* An infinite distance is never allowed: inf against 1, NaN against a number. */
        if (far > 0 && !(far <= allowed && isfinite(far))) result->different++;
        if (far > result->largest) {
            result->largest = far;
            for (int32_t i = 0; i < a->rank; i++) result->where[i] = index[i];
        }
    } while (advance(a, index));
}

static fal_status report_json(cli_command *command, const fal_tensor *a, const fal_tensor *b,
                              const comparison *result)
{
    bool found = result->largest > 0;
    json_t *facts = json_pack("{s:b, s:I, s:I}", "equal", result->different == 0, "count",
                              (json_int_t)result->count, "different", (json_int_t)result->different);
    if (facts == NULL) return cli_fail(command, FAL_E_NOMEM, NULL, "out of memory");
    json_object_set_new(facts, "largest",
                        isfinite(result->largest) ? json_real(result->largest) : json_string("inf"));
    if (found) {
        char left[40], right[40];
        cli_format_element(left, sizeof left, a, result->where);
        cli_format_element(right, sizeof right, b, result->where);
        json_object_set_new(facts, "at", cli_json_ints(result->where, a->rank));
        json_object_set_new(facts, "a", json_string(left));
        json_object_set_new(facts, "b", json_string(right));
    }
    return cli_json_print(command, facts);
}

static void report_text(cli_command *command, const fal_tensor *a, const fal_tensor *b,
                        const comparison *result)
{
    char largest[40], left[40], right[40];
    FILE *out = cli_out(command);
    cli_format_number(largest, sizeof largest, a->dtype == FAL_F64 ? FAL_F64 : FAL_F32, result->largest);
    fprintf(out, "%" PRId64 " of %" PRId64 " numbers differ; largest difference %s", result->different,
            result->count, largest);
    if (result->largest > 0) {
        cli_format_element(left, sizeof left, a, result->where);
        cli_format_element(right, sizeof right, b, result->where);
        fputs(" at [", out);
        for (int32_t i = 0; i < a->rank; i++) fprintf(out, "%s%" PRId64, i ? "," : "", result->where[i]);
        fprintf(out, "]: %s and %s", left, right);
    }
    fputc('\n', out);
}

static bool same_shape(const fal_tensor *a, const fal_tensor *b)
{
    if (a->rank != b->rank) return false;
    for (int32_t i = 0; i < a->rank; i++)
        if (a->shape[i] != b->shape[i]) return false;
    return true;
}

static fal_status report_shapes(cli_command *command, const fal_tensor *a, const fal_tensor *b)
{
    char left[320], right[320];
    command->answer_is_no = true;
    if (command->json)
        return cli_json_print(command, json_pack("{s:b, s:o, s:o}", "equal", 0, "shape_a",
                                                 cli_json_ints(a->shape, a->rank), "shape_b",
                                                 cli_json_ints(b->shape, b->rank)));
    cli_format_shape(left, sizeof left, a);
    cli_format_shape(right, sizeof right, b);
    if (!cli_given(command, CLI_QUIET)) fprintf(cli_out(command), "shapes differ: %s and %s\n", left, right);
    return FAL_OK;
}

fal_status cli_run_diff(cli_command *command)
{
    fal_tensor a, b;
    comparison result;
    if (!(cli_number(command, CLI_RTOL, 0) >= 0) || !(cli_number(command, CLI_ATOL, 0) >= 0))
        return cli_fail(command, FAL_E_VALUE, NULL, "--rtol and --atol must not be negative");
    CLI_TRY(cli_load(command, cli_operand(command, 0), "a", &a));
    CLI_TRY(cli_load(command, cli_operand(command, 1), "b", &b));
    if (a.dtype != b.dtype) {
        cli_fail(command, FAL_E_DTYPE, NULL, "a is %s, b is %s", fal_dtype_name(a.dtype),
                 fal_dtype_name(b.dtype));
        return cli_hint(command, FAL_E_DTYPE, "faltung convert A -o B --dtype %s", fal_dtype_name(b.dtype));
    }
    if (!same_shape(&a, &b)) return report_shapes(command, &a, &b);
    compare(command, &a, &b, &result);
    command->answer_is_no = result.different > 0;
    if (command->json) return report_json(command, &a, &b, &result);
    if (!cli_given(command, CLI_QUIET)) report_text(command, &a, &b, &result);
    return FAL_OK;
}
