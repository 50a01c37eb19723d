/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * image.h: what PNG and JPEG share: limits on sizes, and the tensor that pixels go into.
 */
#ifndef IO_IMAGE_H
#define IO_IMAGE_H

#include "io/formats.h"

typedef struct io_image {
    uint64_t width, height;
    int32_t channels; /* 1 gray, 2 gray and alpha, 3 RGB, 4 RGB and alpha */
} io_image;

/* Refuses sizes above the limits, and images of more pixels than `most`, which is all that the
 * compressed bytes can become. */
fal_status io_image_check(const io_image *image, uint64_t most, const io_limits *limits,
                          const io_place *place, fal_error *error);
/* A float32 tensor (1,C,H,W) or (1,H,W,C). Call io_image_check first. */
fal_status io_image_allocate(const io_image *image, fal_layout layout, const io_place *place, io_array *out,
                             fal_error *error);
/* Shape and type of what reading would give. */
fal_status io_image_list(const io_image *image, fal_layout layout, const char *stored,
                         const io_source *source, io_listing *out, fal_error *error);

/* Where the samples of pixel number p = y*width + x go: data[p*pixel + c*channel]. */
typedef struct io_image_steps {
    size_t pixel, channel;
} io_image_steps;
io_image_steps io_image_step(const io_image *image, fal_layout layout);

#endif
