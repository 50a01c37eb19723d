/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * copy.h: the steps every function that writes a tensor shares. Used inside tensor/ only.
 */
#ifndef FAL_TENSOR_COPY_H
#define FAL_TENSOR_COPY_H

#include "faltung.h"

/* One element of any type, to be written many times. */
typedef union fal__element {
    double f64;
    float f32;
    uint16_t half;
    int8_t i8;
    uint8_t u8;
    int16_t i16;
    int32_t i32;
    int64_t i64;
} fal__element;

/* The two checks of "src" and "dst": well formed and writable, before the shapes are compared;
 * present, aligned and apart, after it. */
fal_status fal__check_operands(const fal_tensor *src, const fal_tensor *dst, fal_error *error);
fal_status fal__check_memory(const fal_tensor *src, const fal_tensor *dst, fal_error *error);

/* fal_tensor_copy without its checks. */
void fal__copy_elements(const fal_tensor *src, const fal_tensor *dst);
/* Writes one element, which has dst's type, everywhere in dst. */
void fal__fill_elements(const fal__element *element, const fal_tensor *dst);

#endif
