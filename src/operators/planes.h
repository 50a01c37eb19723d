/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * planes.h: tensors as images, channels and rows, and the loop over their rows.
 *
 * Pooling, unpooling and up-sampling treat every channel by itself and have no weights. They describe
 * their tensors by a fal_conv_geometry of one group, of which only batched, spatial, layout, n, the
 * channels and the sizes axis[].input and axis[].output count, so that the shape functions of
 * geometry.h serve them. For their loops space has always three axes; those that a problem lacks come
 * first, with one cell and stride 0, so that axis 2 is the row:
 *
 *     spatial 3   d h w        spatial 2   1 h w        spatial 1   1 1 w
 */
#ifndef FAL_OPERATORS_PLANES_H
#define FAL_OPERATORS_PLANES_H

#include "geometry/geometry.h"
#include "planner/context.h"

/* Sizes, strides or positions by meaning. */
typedef struct fal__steps {
    int64_t n, c, space[FAL_MAX_SPATIAL];
} fal__steps;

/* Checks t (fal_tensor_check), spatial (0: the rank of t less 2) and the layout, and fills g with the
 * sizes of t as inputs; the outputs are left 0. */
fal_status fal__planes_describe(const fal_tensor *t, const char *name, int32_t spatial, fal_layout layout,
                                fal_conv_geometry *g, fal_error *error);
/* Takes the sizes of y as outputs; refuses another rank, batch or number of channels than x has. */
fal_status fal__planes_output(fal_conv_geometry *g, const fal_tensor *y, const char *name, const char *x_name,
                              fal_error *error);
fal__steps fal__planes_sizes(const fal_conv_geometry *g, bool output);
fal__steps fal__planes_strides(const fal_conv_geometry *g, const fal_tensor *t);
/* Are the channels of a tensor closer together in memory than the cells of its rows? */
bool fal__planes_along_channels(const fal__steps *strides);

/* Refuses tensors that differ in their element type. */
fal_status fal__planes_same_type(const fal_tensor *a, const char *a_name, const fal_tensor *b,
                                 const char *b_name, fal_error *error);

/* ---- The loop ---- */

/* Channels c..c+channels-1 of image n, space at[0], at[1]; with `together` the rows at[1]..at[1]+rows-1.
 * `task` numbers the thread's share. */
typedef struct fal__plane_row {
    int64_t n, c, at[FAL_MAX_SPATIAL - 1], rows;
    int32_t channels, task;
} fal__plane_row;

typedef struct fal__plane_rows {
    int64_t n, c, rows[FAL_MAX_SPATIAL - 1];
    int32_t block; /* channels of one row */
    int64_t work;  /* elements touched by one row, roughly */
    bool together; /* run() takes neighbouring rows of a plane at once */
    /* Returns false when an integer result did not fit. */
    bool (*run)(const void *argument, const fal__plane_row *row);
} fal__plane_rows;

/* How many tasks fal__planes_run will use: at most the context's threads, and no thread for little work. */
int32_t fal__planes_tasks(const fal__setting *setting, const fal__plane_rows *rows);
/* Runs every row once, in parallel; which rows come together may depend on the number of threads. Returns
 * whether all results fitted. */
bool fal__planes_run(const fal__setting *setting, const fal__plane_rows *rows, const void *argument);
/* The refusal that follows when they did not. */
fal_status fal__planes_overflow(fal_error *error, const char *name, const fal_tensor *t);

#endif
