/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * dialect.h: how the files of the dialects share their work.
 *
 *     dialects.c            what each framework has: its names, words, defaults
 *     dialect.c             fal_dialect_resolve: checks what was said, asks one of the three below
 *     dialect_window.c      convolution and pooling
 *     dialect_transposed.c  transposed convolution
 *     dialect_note.c        what a porter should know
 *     dialect_weight.c      the order of a weight's axes
 *
 * A saying is a request whose word has become a rule and whose defaults are filled in. The operator files
 * turn its axis into this library's, in place.
 */
#ifndef FAL_GEOMETRY_DIALECT_H
#define FAL_GEOMETRY_DIALECT_H

#include "faltung.h"

/* What a framework has. A list of words is "VALID, SAME"; NULL where it has no such operator, "" where it
 * takes numbers only. */
typedef struct fal__dialect_facts {
    const char *name;      /* "tf" */
    const char *title;     /* "TensorFlow" */
    const char *spellings; /* other names: "tensorflow, keras" */
    const char *words, *transposed_words, *pooling_words;
    fal_padding unsaid; /* the rule when nothing is said; EXPLICIT: it takes numbers */
    fal_padding_mode border;
    bool flips;          /* a true convolution */
    bool strides;        /* has strides and dilations; else both are 1 */
    bool symmetric;      /* one number pads both ends */
    bool crops;          /* negative numbers are allowed */
    bool pool_by_kernel; /* pooling's default stride is the kernel, else 1 */
} fal__dialect_facts;

/* NULL for a number that is no dialect. */
const fal__dialect_facts *fal__dialect_facts_of(fal_dialect dialect);
/* Refuses a number that is no dialect. */
fal_status fal__dialect_check(fal_dialect dialect, fal_error *error);
/* Is `word` in the list, whatever its case? */
bool fal__has_word(const char *list, const char *word);

typedef struct fal__saying {
    fal_dialect dialect;
    const fal__dialect_facts *facts;
    int32_t version; /* ONNX: the opset, the newest when none was said */
    bool transposed, pooling, ceil_mode;
    bool stride_said;
    fal_padding rule;
    fal_axis axis;  /* begin and end 0 unless the rule is EXPLICIT; output 0 */
    int64_t wanted; /* the output that was asked for, or 0 */
} fal__saying;

/* Each fills axis.begin, end, output_padding and output, and may change ceil_mode. */
fal_status fal__dialect_conv(fal__saying *said, fal_error *error);
fal_status fal__dialect_pool(fal__saying *said, fal_error *error);
fal_status fal__dialect_transposed(fal__saying *said, fal_error *error);

/* Refuses a stride or dilation other than 1: "MATLAB's conv2 has no stride, here 2; must be 1". */
fal_status fal__dialect_need_one(const fal__saying *said, int64_t value, fal_status status, const char *field,
                                 fal_error *error);

/* `said` as it was before the operator resolved it, `axis` as it is now. Empty when there is nothing to say.
 */
void fal__dialect_note(const fal__saying *said, const fal_axis *axis, char *note, size_t capacity);

/* The size that ONNX's shape inference gives to auto_pad SAME_*, which is not always the i*s of its text. */
int64_t fal__onnx_inferred_size(const fal_axis *axis);

#endif
