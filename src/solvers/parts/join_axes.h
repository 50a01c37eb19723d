/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * join_axes.h: the same problem with longer rows.
 *
 * A kernel of one tap walks two axes as one where their elements follow each other, and the batch is an
 * axis like these: a 1x1 convolution of channels-last images is one row of pixels. Axes without extent
 * move to the front, so that the rows are along the last. Order of taps and channels stays. User:
 * direct_channels.
 */
#ifndef FAL_SOLVERS_PARTS_JOIN_AXES_H
#define FAL_SOLVERS_PARTS_JOIN_AXES_H

#include "solvers/problem.h"

void fal__join_axes(fal__problem *problem);

#endif
