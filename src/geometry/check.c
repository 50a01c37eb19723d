/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * check.c: numbers and geometries that come from outside, and reports that name their axis.
 *
 * fal_conv_describe makes only sound geometries, but the functions that take one (counts, index map,
 * kernel matrix) cannot know who made it. After fal__geometry_check sizes, element counts and index
 * arithmetic fit 64 bits.
 */
#include <stdio.h>
#include <string.h>

#include "base/checked.h"
#include "base/error.h"
#include "geometry/geometry.h"

fal_status fal__at_least(int64_t value, int64_t least, fal_status status, const char *field, fal_error *error)
{
    if (value >= least) return FAL_OK;
    fal__fail(error, status, field, "%s is %" PRId64, field, value);
    return fal__allowed(error, status, "must be at least %" PRId64, least);
}

fal_status fal__name_axis(fal_error *error, fal_status status, int32_t a)
{
    if (error == NULL) return status;
    fal_error part = *error;
    size_t name = strlen(part.field);
    bool about_field =
        strncmp(part.found, part.field, name) == 0 && strncmp(part.found + name, " is ", 4) == 0;
    snprintf(error->field, sizeof error->field, "%.48s[%" PRId32 "]", part.field, a);
    if (about_field)
        snprintf(error->found, sizeof error->found, "%.60s%.120s", error->field, part.found + name);
    else
        snprintf(error->found, sizeof error->found, "axis %" PRId32 ": %.176s", a, part.found);
    return status;
}

static fal_status refuse(fal_error *error, const char *what)
{
    fal__fail(error, FAL_E_VALUE, "geometry", "geometry has impossible %s", what);
    return fal__allowed(error, FAL_E_VALUE, "must be as fal_conv_describe gives it");
}

/* Does the product of the sizes fit, empty axes counted as 1? */
static bool count_fits(int32_t rank, const int64_t *shape)
{
    int64_t count = 1;
    for (int32_t a = 0; a < rank; a++)
        if (!fal__mul(count, fal__max(shape[a], 1), &count)) return false;
    return true;
}

static fal_status check_axis(const fal_conv_geometry *g, int32_t a, fal_error *error)
{
    fal_axis axis = g->axis[a];
    if (axis.stride == 0 || axis.dilation == 0) return refuse(error, "strides or dilations");
    if (!g->transposed && axis.output_padding != 0) return refuse(error, "output padding");
    fal_status status = g->transposed ? fal_conv_transpose_size(&axis, error) : fal_conv_size(&axis, error);
    if (status != FAL_OK) return fal__name_axis(error, status, a);
    return axis.output == g->axis[a].output ? FAL_OK : refuse(error, "output sizes");
}

fal_status fal__geometry_check(const fal_conv_geometry *g, fal_error *error)
{
    if (g == NULL) return fal__fail(error, FAL_E_NULL, "geometry", "geometry is NULL");
    if (g->spatial < 1 || g->spatial > FAL_MAX_SPATIAL) return refuse(error, "number of spatial axes");
    if ((int)g->padding_mode < 0 || (int)g->padding_mode > FAL_PAD_CONSTANT || (int)g->layout < 0 ||
        (int)g->layout > FAL_NHWC || (g->transposed && g->padding_mode != FAL_PAD_ZEROS))
        return refuse(error, "padding mode or layout");
    if (g->n < 0 || (!g->batched && g->n != 1)) return refuse(error, "batch size");
    if (g->groups < 1 || g->in_channels < 0 || g->out_channels < 1 || g->in_channels % g->groups != 0 ||
        g->out_channels % g->groups != 0)
        return refuse(error, "channels");
    for (int32_t a = 0; a < g->spatial; a++) FAL__TRY(check_axis(g, a, error));
    int64_t x[FAL_MAX_RANK], w[FAL_MAX_RANK], y[FAL_MAX_RANK];
    if (!count_fits(fal__input_shape(g, x), x) || !count_fits(fal__weight_shape(g, w), w) ||
        !count_fits(fal__output_shape(g, y), y))
        return fal__fail(error, FAL_E_OVERFLOW, "geometry", "a tensor of the geometry overflows 64 bits");
    return FAL_OK;
}
