/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * number.c: numbers and shapes as text.
 *
 * A float is written with the fewest digits that read back as the same value of its type, so the
 * float32 0.1 is "0.1" and nothing is lost by printing. Whether the digits suffice is asked of the
 * library's own conversion, which makes the rule the same for all four float types.
 */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "cli/tensors.h"

/* Whole numbers up to here are written without an exponent. */
static const double plain_limit = 1e15;

/* The value that `text` has as an element of this type. */
static double as_read_back(fal_dtype dtype, const char *text)
{
    uint64_t element = 0;
    const int64_t none = 0;
    fal_tensor scalar = fal_tensor_of(&element, dtype, 0, &none);
    fal_tensor_set(&scalar, &none, strtod(text, NULL));
    return fal_tensor_get(&scalar, &none);
}

void cli_format_number(char *text, size_t capacity, fal_dtype dtype, double value)
{
    if (isnan(value)) {
        snprintf(text, capacity, "nan");
    } else if (isinf(value)) {
        snprintf(text, capacity, value < 0 ? "-inf" : "inf");
    } else if (fabs(value) < plain_limit && value == floor(value)) {
        snprintf(text, capacity, "%.0f", value);
        if (fabs(value) >= 1e7 && dtype != FAL_F64 && !fal_dtype_is_integer(dtype)) {
            /* Beyond 2^24 not every digit of a float32 says something. */
            for (int digits = 1; digits <= 9; digits++) {
                snprintf(text, capacity, "%.*g", digits, value);
                if (as_read_back(dtype, text) == value) return;
            }
        }
    } else {
        for (int digits = 1; digits <= 17; digits++) {
            snprintf(text, capacity, "%.*g", digits, value);
            if (as_read_back(dtype, text) == value) return;
        }
    }
}

void cli_format_element(char *text, size_t capacity, const fal_tensor *tensor, const int64_t *index)
{
    if (fal_dtype_is_integer(tensor->dtype))
        snprintf(text, capacity, "%" PRId64, fal_tensor_get_int(tensor, index));
    else
        cli_format_number(text, capacity, tensor->dtype, fal_tensor_get(tensor, index));
}

void cli_format_shape(char *text, size_t capacity, const fal_tensor *tensor)
{
    size_t used = (size_t)snprintf(text, capacity, "(");
    for (int32_t a = 0; a < tensor->rank && used < capacity; a++)
        used += (size_t)snprintf(text + used, capacity - used, "%s%" PRId64, a ? ", " : "", tensor->shape[a]);
    if (used < capacity) snprintf(text + used, capacity - used, tensor->rank == 1 ? ",)" : ")");
}
