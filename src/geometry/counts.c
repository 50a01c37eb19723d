/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * counts.c: what a convolution costs, in parameters, multiply-adds and bytes.
 *
 * Users: the command's `shape` and `plan`, and benchmarks. A convolution multiplies every tap at every
 * output, its transpose every tap with every input; so does the literature count. Products with a
 * tap on zero padding, or whose output is cut off, are not formed: without them the count is real.
 * On every axis the number of real products is independent of the other axes, so their counts multiply.
 */
#include "base/checked.h"
#include "base/error.h"
#include "geometry/geometry.h"

/* A product of sizes; 0 when one is 0, however large the others. */
static bool product(const int64_t *factors, int32_t count, int64_t *out)
{
    *out = 1;
    for (int32_t f = 0; f < count; f++)
        if (factors[f] == 0) {
            *out = 0;
            return true;
        }
    for (int32_t f = 0; f < count; f++)
        if (!fal__mul(*out, factors[f], out)) return false;
    return true;
}

/* Products that one channel pair of one image forms on an axis. */
static fal_status axis_products(const fal_conv_geometry *g, int32_t a, int64_t *all, int64_t *real,
                                fal_error *error)
{
    const fal_axis *axis = &g->axis[a];
    if (!fal__mul(axis->kernel, g->transposed ? axis->input : axis->output, all))
        return fal__fail(error, FAL_E_OVERFLOW, "geometry", "the number of products overflows 64 bits");
    *real = *all; /* a border that repeats the input has a real input under every tap */
    if (g->padding_mode != FAL_PAD_ZEROS && g->padding_mode != FAL_PAD_CONSTANT) return FAL_OK;
    return fal__axis_products(axis, g->transposed, real, error);
}

fal_status fal_conv_counts(const fal_conv_geometry *geometry, fal_dtype dtype, bool bias, fal_counts *out,
                           fal_error *error)
{
    FAL__TRY(fal__geometry_check(geometry, error));
    if (out == NULL) return fal__fail(error, FAL_E_NULL, "out", "out is NULL");
    int64_t bytes = (int64_t)fal_dtype_bytes(dtype);
    if (bytes == 0) return fal__fail(error, FAL_E_DTYPE, "dtype", "dtype %d is unknown", (int)dtype);

    int64_t shape[FAL_MAX_RANK], weights, inputs, outputs;
    bool fits = product(shape, fal__input_shape(geometry, shape), &inputs) &&
                product(shape, fal__output_shape(geometry, shape), &outputs) &&
                product(shape, fal__weight_shape(geometry, shape), &weights);

    int64_t all[FAL_MAX_SPATIAL + 3] = {geometry->n, geometry->out_channels,
                                        geometry->in_channels / geometry->groups};
    int64_t real[FAL_MAX_SPATIAL + 3] = {all[0], all[1], all[2]};
    for (int32_t a = 0; a < geometry->spatial; a++)
        FAL__TRY(axis_products(geometry, a, &all[3 + a], &real[3 + a], error));

    fal_counts counts;
    fits = fits && product(all, 3 + geometry->spatial, &counts.multiply_adds) &&
           product(real, 3 + geometry->spatial, &counts.real_multiply_adds) &&
           fal__add(weights, bias ? geometry->out_channels : 0, &counts.parameters) &&
           fal__mul(inputs, bytes, &counts.input_bytes) && fal__mul(outputs, bytes, &counts.output_bytes) &&
           fal__mul(counts.parameters, bytes, &counts.weight_bytes);
    if (!fits) return fal__fail(error, FAL_E_OVERFLOW, "geometry", "a count overflows 64 bits");
    *out = counts;
    return FAL_OK;
}
