/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * layer.h: what a fal_conv_layer holds.
 *
 * One block of memory: the struct, then every parameter's values, then every parameter's gradient. Made by
 * layer_create.c, filled by layer_init.c, run by layer_run.c; all three kinds of layer are one struct, told
 * apart only where they run.
 */
#ifndef FAL_LAYERS_LAYER_H
#define FAL_LAYERS_LAYER_H

#include "faltung.h"

typedef enum fal__layer_kind {
    FAL__LAYER_CONV,
    FAL__LAYER_CONV_TRANSPOSE,
    FAL__LAYER_SEPARABLE
} fal__layer_kind;

enum { FAL__PARAMETERS_MAX = 4, FAL__ALGORITHM_NAME = 256 };

typedef struct fal__parameter {
    const char *name;
    int64_t fan_in; /* inputs that meet in one output: decides the initial range */
    fal_tensor value, gradient;
} fal__parameter;

struct fal_conv_layer {
    fal_allocator allocator;
    size_t bytes;
    fal__layer_kind kind;
    fal_conv_params params;              /* algorithm points at the copy below, or is NULL */
    char algorithm[FAL__ALGORITHM_NAME]; /* because a layer keeps no pointer of its caller */
    bool has_bias;
    int32_t count;
    fal__parameter parameter[FAL__PARAMETERS_MAX]; /* weight, bias; separable: of both halves */
};

/* Fills the values, and the gradients with 0. */
void fal__layer_init(fal_conv_layer *layer, uint64_t seed);

#endif
