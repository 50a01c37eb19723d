/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * layer.h: one layer of a layer set, as a line of text.
 *
 *     conv n1 ic64 oc128 in56x56 k3x3 s2 p1  # conv3_1
 *
 * The first word is the operator: conv, conv-transpose, grad-input or grad-weight (the gradients of
 * conv). Then, in any order, words that are a key and its value:
 *
 *     n    batch [1]                       k   kernel, required
 *     ic   input channels, required        s   stride [1]
 *     oc   output channels, required       d   dilation [1]
 *     g    groups [1]                      p   padding [0]: 1, 0:1 (begin:end) or a rule: same, causal, ...
 *     in   input size, required            op  output padding of conv-transpose [0]
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

typedef struct bench_layer {
    fal_operator op;
    int32_t spatial;
    int64_t n, in_channels, out_channels;
    int64_t input[FAL_MAX_SPATIAL], kernel[FAL_MAX_SPATIAL];
    fal_conv_params params;     /* its layout is set by bench_layer_operands */
    char text[BENCH_LINE_TEXT]; /* the line without its name */
    char name[BENCH_LINE_TEXT]; /* what stands behind #; may be empty */
} bench_layer;

/* bench_layer_parse reads one line. *found tells whether it holds a layer. Only the words are checked
 * here; what the numbers may be is the library's business. */
fal_status bench_layer_parse(const char *line, bench_layer *layer, bool *found, fal_error *error);

/* bench_layer_operands gives the shapes of x, w and y in a layout, without data, and the parameters. */
fal_status bench_layer_operands(const bench_layer *layer, fal_layout layout, fal_operands *operands,
                                fal_conv_params *params, fal_error *error);

/* "conv", "conv-transpose", "grad-input", "grad-weight" */
const char *bench_operator_name(fal_operator op);

#endif
