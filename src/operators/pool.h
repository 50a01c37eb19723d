/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * pool.h: a pooling problem with every number resolved, and its windows.
 *
 * Whatever the extent, the window of output o on one axis is a run of cells that exist, so that
 * everything behind this header knows one kind of window only:
 *
 *     taps     o*s - begin + t*d for 0 <= t < k          adaptive: floor(o*i/O) .. ceil((o+1)*i/O) - 1
 *     first, step, count    the taps inside 0..i-1       global: adaptive with O = 1
 *     clipped               the taps inside -begin..i+end-1, the divisor of a plain average
 */
#ifndef FAL_OPERATORS_POOL_H
#define FAL_OPERATORS_POOL_H

#include "operators/planes.h"

typedef struct fal__pool {
    fal_conv_geometry g;            /* shapes of x and y */
    fal_axis axis[FAL_MAX_SPATIAL]; /* as in planes.h: missing axes first */
    bool adaptive;                  /* of an axis only input and output count */
    fal_pool_kind kind;
    bool exclude_padding;
    int64_t divisor; /* 0: by the window */
    double norm;
    fal_index_mode index_mode;
    bool column_major;
} fal__pool;

/* Checks x (called `name` in messages) and params (NULL: none given) and resolves them. */
fal_status fal__pool_describe(const fal_tensor *x, const char *name, const fal_pool_params *params,
                              fal__pool *pool, fal_error *error);

typedef struct fal__window {
    int64_t first, step, count, clipped;
} fal__window;
fal__window fal__pool_window(const fal_axis *axis, bool adaptive, int64_t o);

/* What an index grows by per image, channel and cell, counted in a tensor of these sizes. */
fal__steps fal__index_steps(const fal_conv_geometry *g, const fal__steps *sizes, fal_index_mode mode,
                            bool column_major);
/* Refuses an index mode that does not exist. */
fal_status fal__index_mode_check(const fal_pool_params *params, fal_error *error);

#endif
