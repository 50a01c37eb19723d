/* SPDX-License-Identifier: BSD-3-Clause */
/* nest.c: how a finished sum reaches memory, and what is said when it does not fit. */
#include "reference/nest.h"

#include "base/error.h"
#include "geometry/operands.h"

fal__sum fal__sum_begin(const fal__nest *nest)
{
    return (fal__sum){.integer = fal_dtype_is_integer(nest->operands.y.dtype), .gauge = nest->gauge};
}

static fal_status refuse_overflow(const fal__nest *nest, const fal_tensor *t, const char *name,
                                  const fal__sum *sum)
{
    bool fits = !sum->lost && sum->whole >= INT64_MIN && sum->whole <= INT64_MAX;
    if (!fits) return fal__fail(nest->error, FAL_E_OVERFLOW, name, "a result needs more than 64 bits");
    fal__fail(nest->error, FAL_E_OVERFLOW, name, "a result is %" PRId64 "; %s is %s", (int64_t)sum->whole,
              name, fal_dtype_name(t->dtype));
    return fal__allowed(nest->error, FAL_E_OVERFLOW, "an integer result must fit its type");
}

/* A gauge bounds the error of the sum; the activation makes it larger by its slope at most. */
static void activate(const fal__nest *nest, fal__sum *sum)
{
    const fal__activation *f = &nest->activation;
    if (nest->gauge)
        sum->real *= fal__activation_steepest(f);
    else if (sum->integer)
        sum->whole = fal__activate_i128(sum->whole, f);
    else
        sum->real = fal__activate_f64(sum->real, f);
}

static fal_status write(const fal__nest *nest, const fal_tensor *t, const char *name, int64_t offset,
                        fal__sum *sum)
{
    void *element = fal__tensor_offset(t, offset);
    if (nest->beta != 0) fal__sum_scaled(sum, nest->beta, fal__number_at(t, offset));
    activate(nest, sum);
    if (!sum->integer) {
        fal__store_f64(element, t->dtype, sum->real);
        return FAL_OK;
    }
    bool fits = !sum->lost && sum->whole >= INT64_MIN && sum->whole <= INT64_MAX &&
                fal__store_i64(element, t->dtype, (int64_t)sum->whole);
    return fits ? FAL_OK : refuse_overflow(nest, t, name, sum);
}

static void write_terms(const fal__nest *nest, int64_t offset, const fal__sum *sum)
{
    fal__store_i64(fal__tensor_offset(nest->terms, offset), FAL_I64, sum->products);
}

fal_status fal__write_x(const fal__nest *nest, int64_t n, int64_t ic, fal__cell i, fal__sum sum)
{
    if (nest->terms) {
        fal__data_strides strides = fal__data_strides_of(&nest->g, nest->terms);
        write_terms(nest, fal__data_offset(&strides, n, ic, i), &sum);
    }
    return write(nest, &nest->operands.x, "gx", fal__data_offset(&nest->xs, n, ic, i), &sum);
}

fal_status fal__write_y(const fal__nest *nest, int64_t n, int64_t oc, fal__cell o, fal__sum sum)
{
    const fal_tensor *bias = &nest->operands.bias;
    if (!fal__operand_missing(bias)) fal__sum_term(&sum, fal__number_at(bias, oc * bias->strides[0]));
    if (nest->terms) {
        fal__data_strides strides = fal__data_strides_of(&nest->g, nest->terms);
        write_terms(nest, fal__data_offset(&strides, n, oc, o), &sum);
    }
    return write(nest, &nest->operands.y, "y", fal__data_offset(&nest->ys, n, oc, o), &sum);
}

fal_status fal__write_w(const fal__nest *nest, int64_t oc, int64_t ic, fal__cell t, fal__sum sum)
{
    if (nest->terms) {
        fal__nest counted = *nest;
        counted.ws = fal__weight_strides_of(&nest->g, nest->terms);
        write_terms(nest, fal__weight_offset(&counted, oc, ic, t), &sum);
    }
    return write(nest, &nest->operands.w, "gw", fal__weight_offset(nest, oc, ic, t), &sum);
}

fal_status fal__write_bias(const fal__nest *nest, int64_t oc, fal__sum sum)
{
    const fal_tensor *gb = &nest->operands.bias;
    return write(nest, gb, "gb", oc * gb->strides[0], &sum);
}
