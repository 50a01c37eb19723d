/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * layer.h: one layer of a layer set, as a line of text.
 *
 *     conv n1 ic64 oc128 in56x56 k3x3 s2 p1  # conv3_1
 *     max-pool ic64 in112x112 k3x3 s2 p1
 *
 * The first word is the operator, see bench_operator. Then, in any order, words that are a key and its
 * value; which of them an operator needs and takes is a row of a table in layer.c:
 *
 *     n    batch [1]                       k   kernel
 *     ic   input channels                  s   stride [1; pools: the kernel]; of upsample the factor
 *     oc   output channels                 d   dilation [1]
 *     g    groups [1]                      p   padding [0]: 1, 0:1 (begin:end) or a rule: same, causal, ...
 *     in   input size                      op  output padding of conv-transpose [0]
 *
 * `in` has one number for each spatial axis, with x between them: 16000, 56x56, 16x56x56. The others
 * have as many, or one for all axes. Behind # stands the layer's name. A line without words is skipped.
 *
 * The sets in bench/sets and the files of `faltung bench --layers` are made of such lines.
 */
#ifndef FALTUNG_BENCH_LAYER_H
#define FALTUNG_BENCH_LAYER_H

#include <faltung.h>

enum { BENCH_LINE_TEXT = 160 }; /* of a line and its final 0 */

/* The operators of a line. The first four are fal_operator's. */
typedef enum bench_operator {
    BENCH_CONV = FAL_OP_CONV,
    BENCH_CONV_TRANSPOSE = FAL_OP_CONV_TRANSPOSE,
    BENCH_GRAD_INPUT = FAL_OP_CONV_GRAD_INPUT, /* of conv */
    BENCH_GRAD_WEIGHT = FAL_OP_CONV_GRAD_WEIGHT,
    BENCH_MAX_POOL,
    BENCH_AVERAGE_POOL,
    BENCH_GLOBAL_POOL, /* the average of every channel */
    BENCH_UNFOLD,
    BENCH_FOLD, /* of the columns that unfold makes of `in` */
    BENCH_PAD,
    BENCH_UPSAMPLE, /* linear */
    BENCH_UPSAMPLE_NEAREST,
    BENCH_DEFORM_CONV,
    BENCH_DEFORM_CONV_V2, /* with a mask */
    BENCH_DEFORM_GRAD,    /* of the version with a mask: all gradients at once */
    BENCH_OPERATORS
} bench_operator;

typedef struct bench_layer {
    bench_operator op;
    int32_t spatial;
    int64_t n, in_channels, out_channels;
    int64_t input[FAL_MAX_SPATIAL], kernel[FAL_MAX_SPATIAL];
    fal_conv_params params;     /* its layout is set by bench_describe */
    char text[BENCH_LINE_TEXT]; /* the line without its name */
    char name[BENCH_LINE_TEXT]; /* what stands behind #; may be empty */
} bench_layer;

/* bench_layer_parse reads one line. *found tells whether it holds a layer. Only the words are checked
 * here; what the numbers may be is the library's business. */
fal_status bench_layer_parse(const char *line, bench_layer *layer, bool *found, fal_error *error);

#endif
