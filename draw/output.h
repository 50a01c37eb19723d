/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * output.h: from a figure or an animation to the bytes of a file.
 *
 *     draw_bytes bytes = {0};
 *     fal_status status = draw_still(figure, DRAW_PNG, &(draw_output){.scale = 2}, &bytes, error);
 *     ... bytes.data, bytes.count ...
 *     draw_bytes_free(&bytes);
 *
 * The bytes depend on the figure and the options alone: there is no date, no name of a machine and no font
 * of the system in them. A figure that failed while it was built is refused with its status.
 */
#ifndef DRAW_OUTPUT_H
#define DRAW_OUTPUT_H

#include "draw/figure.h"

typedef enum draw_format {
    DRAW_FORMAT_NONE = 0,
    DRAW_SVG = 1, /* a still, or an animation that can be paused */
    DRAW_PNG = 2, /* a still */
    DRAW_PDF = 3, /* a still, or an animation with a frame on each page */
    DRAW_GIF = 4  /* an animation, or a still */
} draw_format;

/* The format that a file's name ends in, letters of either case. */
draw_format draw_format_of_name(const char *name);

typedef struct draw_output {
    double scale;       /* pixels of PNG and GIF, or points of SVG and PDF, to the figure's unit; 0: 1 */
    bool transparent;   /* leave the paper out */
    const char *prefix; /* of every id in an SVG, for several in one page; NULL: none */
} draw_output;

/* The most that a picture may have, all frames of a GIF taken one by one. */
#define DRAW_MOST_PIXELS 100000000.0

/* Memory that grows. Zero it, free it. Once there was too little it stays as it is. */
typedef struct draw_bytes {
    unsigned char *data;
    size_t count, capacity;
    bool failed;
} draw_bytes;

void draw_bytes_free(draw_bytes *bytes);

/* A figure. `options` and `error` may be NULL. What was in `bytes` stays in front of what is added. */
fal_status draw_still(const draw_figure *figure, draw_format format, const draw_output *options,
                      draw_bytes *bytes, fal_error *error);
/* One frame of an animation over its background, all of the animation's size. With DRAW_STILL_FRAME the one
 * that draw_animation_still() chose. */
#define DRAW_STILL_FRAME SIZE_MAX
fal_status draw_frame_still(const draw_animation *animation, size_t frame, draw_format format,
                            const draw_output *options, draw_bytes *bytes, fal_error *error);
/* The animation: SVG, GIF, PDF. FAL_E_UNSUPPORTED for PNG, which holds no more than one frame. */
fal_status draw_moving(const draw_animation *animation, draw_format format, const draw_output *options,
                       draw_bytes *bytes, fal_error *error);

#endif
