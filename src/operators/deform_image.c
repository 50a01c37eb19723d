/* SPDX-License-Identifier: BSD-3-Clause */
/* deform_image.c: images with their channels side by side; see deform.h. */
#include "base/checked.h"
#include "operators/deform.h"
#include "tensor/tensor.h"

/* Rows begin..end-1 of image n as a (rows, width, channels) view. */
static fal_tensor rows_of(const fal__deform *d, const fal_tensor *x, int64_t n, int64_t begin, int64_t end)
{
    const fal__data_strides xs = fal__data_strides_of(&d->g, x);
    return (fal_tensor){.data = fal__tensor_offset(x, n * xs.n + begin * xs.space[0]),
                        .dtype = x->dtype,
                        .rank = 3,
                        .shape = {end - begin, d->g.axis[1].input, d->g.in_channels},
                        .strides = {xs.space[0], xs.space[1], xs.c}};
}

bool fal__deform_image_apart(const fal__deform *d, const fal_tensor *x)
{
    return d->g.in_channels > 1 && fal__data_strides_of(&d->g, x).c != 1;
}

static fal_tensor compact_rows(const fal__deform *d, void *copy, int64_t begin, int64_t end)
{
    const int64_t width = d->g.axis[1].input, c = d->g.in_channels;
    return (fal_tensor){.data = (char *)copy + (size_t)(begin * width * c) * fal_dtype_bytes(d->dtype),
                        .dtype = d->dtype,
                        .rank = 3,
                        .shape = {end - begin, width, c},
                        .strides = {width * c, c, 1}};
}

void fal__deform_image_copy(const fal__deform *d, const fal_tensor *x, int64_t n, int64_t begin, int64_t end,
                            void *copy)
{
    const fal_tensor from = rows_of(d, x, n, begin, end), to = compact_rows(d, copy, begin, end);
    fal_tensor_copy(&from, &to, NULL);
}

void fal__deform_image_add(const fal__deform *d, void *copy, int64_t begin, int64_t end, const fal_tensor *x,
                           int64_t n)
{
    const fal_tensor from = compact_rows(d, copy, begin, end), to = rows_of(d, x, n, begin, end);
    if (d->beta == 0) {
        fal_tensor_copy(&from, &to, NULL);
        return;
    }
    int64_t i[3];
    for (i[0] = 0; i[0] < to.shape[0]; i[0]++)
        for (i[1] = 0; i[1] < to.shape[1]; i[1]++)
            for (i[2] = 0; i[2] < to.shape[2]; i[2]++) {
                const double sum = fal_tensor_get(&from, i);
                fal_tensor_set(&to, i, d->beta * fal_tensor_get(&to, i) + sum);
            }
}

fal__deform_image fal__deform_image_of(const fal__deform *d, const fal_tensor *x, int64_t n, void *copy)
{
    const fal_tensor rows =
        copy != NULL ? compact_rows(d, copy, 0, d->g.axis[0].input) : rows_of(d, x, n, 0, d->g.axis[0].input);
    return (fal__deform_image){rows.data, rows.strides[0], rows.strides[1]};
}
