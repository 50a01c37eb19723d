/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * channels.h: the channel half of fal_conv_describe, for describe.c only.
 */
#ifndef FAL_GEOMETRY_CHANNELS_H
#define FAL_GEOMETRY_CHANNELS_H

#include "faltung.h"

/* Needs the transposed, batched, spatial, groups and layout fields of g; fills n, in_channels and
 * out_channels, or refuses channels that do not fit, with a hint when the other layout would. */
fal_status fal__resolve_channels(fal_conv_geometry *g, const fal_tensor *x, const fal_tensor *w,
                                 fal_error *error);

#endif
