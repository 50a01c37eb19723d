/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * tensor.h: what other rooms need of a tensor beyond the public functions.
 *
 * The checks every operator makes on its operands, the overlap tests behind FAL_E_ALIAS, single
 * elements of any type, and texts for messages. Users: geometry, reference, lowering, solvers,
 * operators. No function here allocates or keeps state.
 */
#ifndef FAL_TENSOR_TENSOR_H
#define FAL_TENSOR_TENSOR_H

#include "faltung.h"

/* ---- checks ---------------------------------------------------------------------------------- */

/* fal_tensor_check, and refuses a tensor that cannot be written: read only, or with two indices that
 * reach one element (FAL_E_LAYOUT). data may be NULL. */
fal_status fal__tensor_check_output(const fal_tensor *t, const char *name, fal_error *error);

/* Refuses data that is NULL although there are elements (FAL_E_NULL), or that is not aligned to its
 * element type (FAL_E_ALIGN). For a tensor that passed fal_tensor_check. */
fal_status fal__tensor_check_align(const fal_tensor *t, const char *name, fal_error *error);

/* Refuses tensors of different rank (FAL_E_RANK) or sizes (FAL_E_SHAPE). */
fal_status fal__tensor_check_same_shape(const fal_tensor *a, const char *a_name, const fal_tensor *b,
                                        const char *b_name, fal_error *error);

/* FAL_E_ALIAS when two checked tensors share memory. */
fal_status fal__tensor_check_alias(const fal_tensor *output, const char *output_name, const fal_tensor *other,
                                   const char *other_name, fal_error *error);

/* Do two checked tensors share a byte? Exact for every layout that occurs (interleaved views and
 * neighbouring columns of one buffer are told apart); true when it cannot be decided quickly. */
bool fal__tensor_overlap(const fal_tensor *a, const fal_tensor *b);

/* Do two indices of a checked tensor reach the same element? Exact as above, else true. */
bool fal__tensor_self_overlaps(const fal_tensor *t);

/* ---- elements -------------------------------------------------------------------------------- */

/* Address of the element at `index` (rank entries). */
void *fal__tensor_at(const fal_tensor *t, const int64_t *index);
/* Address of the element `offset` elements away from t->data. */
void *fal__tensor_offset(const fal_tensor *t, int64_t offset);

/* One element at an aligned address, converted as fal_tensor_copy converts. */
double fal__load_f64(const void *p, fal_dtype dtype);
int64_t fal__load_i64(const void *p, fal_dtype dtype);
void fal__store_f64(void *p, fal_dtype dtype, double value);
/* Returns whether an integer type could hold the value; the nearest one it can is stored anyway.
 * Floating types round and always return true. */
bool fal__store_i64(void *p, fal_dtype dtype, int64_t value);

/* ---- texts ----------------------------------------------------------------------------------- */

enum { FAL__LIST_TEXT = 256 }; /* holds any shape or stride list */

/* "(1,3,224,224)", "()" for rank 0; cut when it does not fit, always terminated. */
void fal__list_text(const int64_t *values, int32_t count, char *text, size_t capacity);
void fal__shape_text(const fal_tensor *t, char *text, size_t capacity);

#endif
