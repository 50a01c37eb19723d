/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * expect.c: does a caller's tensor have the shape that a geometry asks for?
 *
 * Operators, reference and lowerings check outputs, gradients and biases with these, so that the same
 * mistake reads the same everywhere: "y is (1,64,55,55); must be (1,64,54,54)".
 */
#include "base/error.h"
#include "geometry/geometry.h"
#include "tensor/tensor.h"

static fal_status expect_shape(const fal_tensor *t, const char *name, int32_t rank, const int64_t *shape,
                               fal_error *error)
{
    if (t == NULL) return fal__fail(error, FAL_E_NULL, name, "%s is NULL", name);
    if (t->rank < 0 || t->rank > FAL_MAX_RANK) {
        fal__fail(error, FAL_E_RANK, name, "%s has rank %" PRId32, name, t->rank);
        return fal__allowed(error, FAL_E_RANK, "must be %" PRId32, rank);
    }
    bool equal = t->rank == rank;
    for (int32_t a = 0; equal && a < rank; a++) equal = t->shape[a] == shape[a];
    if (equal) return FAL_OK;
    char found[FAL__LIST_TEXT], wanted[FAL__LIST_TEXT];
    fal__shape_text(t, found, sizeof found);
    fal__list_text(shape, rank, wanted, sizeof wanted);
    fal_status status = t->rank == rank ? FAL_E_SHAPE : FAL_E_RANK;
    fal__fail(error, status, name, "%s is %s", name, found);
    return fal__allowed(error, status, "must be %s", wanted);
}

fal_status fal__expect_output(const fal_conv_geometry *g, const fal_tensor *y, const char *name,
                              fal_error *error)
{
    int64_t shape[FAL_MAX_RANK];
    return expect_shape(y, name, fal__output_shape(g, shape), shape, error);
}

fal_status fal__expect_weight(const fal_conv_geometry *g, const fal_tensor *w, const char *name,
                              fal_error *error)
{
    int64_t shape[FAL_MAX_RANK];
    return expect_shape(w, name, fal__weight_shape(g, shape), shape, error);
}

fal_status fal__expect_bias(const fal_conv_geometry *g, const fal_tensor *bias, const char *name,
                            fal_error *error)
{
    return expect_shape(bias, name, 1, &g->out_channels, error);
}
