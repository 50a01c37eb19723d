/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * view.h: the steps every view shares. Used inside tensor/ only.
 *
 * A view is built in a local fal_tensor and handed over at the end, so that `out` may be the input
 * and nothing is written when the view is refused:
 *
 *     fal_tensor view;
 *     FAL__TRY(fal__view_begin(t, out, &view, error));
 *     ... shape, strides, data of view ...
 *     return fal__view_finish(&view, out, error);
 */
#ifndef FAL_TENSOR_VIEW_H
#define FAL_TENSOR_VIEW_H

#include "faltung.h"

/* Fills strides from shape, last axis fastest; empty axes count as 1. False when they overflow. */
bool fal__row_major(fal_tensor *t);

/* Checks t and out, and begins `view` as t's memory and type with rank 0. */
fal_status fal__view_begin(const fal_tensor *t, const fal_tensor *out, fal_tensor *view, fal_error *error);
/* Appends an axis. The caller has checked that the rank suffices. */
void fal__view_add(fal_tensor *view, int64_t size, int64_t stride);
/* Checks the result and writes it. */
fal_status fal__view_finish(const fal_tensor *view, fal_tensor *out, fal_error *error);

/* stride * factor; the stride itself when that does not fit, which only happens on an axis of the
 * view with less than two elements, where strides mean nothing. */
int64_t fal__scaled_stride(int64_t stride, int64_t factor);

/* Refuses an axis that t does not have. */
fal_status fal__check_axis(const fal_tensor *t, int32_t axis, fal_error *error);
/* Refuses a result of more than FAL_MAX_RANK axes. */
fal_status fal__check_view_rank(int64_t rank, fal_error *error);
/* Refuses a NULL array named `name` of `count` entries. */
fal_status fal__check_array(const void *array, int32_t count, const char *name, fal_error *error);
/* fal__fail for entry `i` of an array: field and text name it "axes[2]". */
fal_status fal__fail_entry(fal_error *error, fal_status status, const char *array, int32_t i, int64_t value);

#endif
