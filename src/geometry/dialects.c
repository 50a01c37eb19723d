/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * dialects.c: what each framework has, one row each.
 *
 * Everything in which frameworks differ by a plain fact stands here; where they differ by a formula, see
 * dialect_window.c and dialect_transposed.c. Sources are the frameworks' own documentation.
 */
#include "geometry/dialect.h"

#include <string.h>

#include "base/error.h"

/* The functions of one array and one kernel differ only in name, words, border and flip. */
#define SIGNAL_WORDS .words = "full, same, valid", .unsaid = FAL_PADDING_FULL
#define FILTER_WORDS .words = "same", .unsaid = FAL_PADDING_SAME

static const fal__dialect_facts all[FAL_DIALECTS] = {
    [FAL_DIALECT_TORCH] = {.name = "torch",
                           .title = "PyTorch",
                           .spellings = "pytorch",
                           .words = "valid, same",
                           .transposed_words = "",
                           .pooling_words = "",
                           .strides = true,
                           .symmetric = true,
                           .pool_by_kernel = true},
    [FAL_DIALECT_TENSORFLOW] = {.name = "tf",
                                .title = "TensorFlow",
                                .spellings = "tensorflow, keras",
                                .words = "VALID, SAME, CAUSAL",
                                .transposed_words = "VALID, SAME",
                                .pooling_words = "VALID, SAME",
                                .strides = true,
                                .pool_by_kernel = true},
    [FAL_DIALECT_ONNX] = {.name = "onnx",
                          .title = "ONNX",
                          .spellings = "",
                          .words = "NOTSET, VALID, SAME_UPPER, SAME_LOWER",
                          .transposed_words = "NOTSET, VALID, SAME_UPPER, SAME_LOWER",
                          .pooling_words = "NOTSET, VALID, SAME_UPPER, SAME_LOWER",
                          .strides = true},
    [FAL_DIALECT_JAX] = {.name = "jax",
                         .title = "JAX",
                         .spellings = "flax, lax",
                         .words = "VALID, SAME, SAME_LOWER",
                         .transposed_words = "VALID, SAME",
                         .pooling_words = "VALID, SAME, SAME_LOWER",
                         .strides = true,
                         .crops = true},
    [FAL_DIALECT_CAFFE] = {.name = "caffe",
                           .title = "Caffe",
                           .spellings = "",
                           .words = "",
                           .transposed_words = "",
                           .pooling_words = "",
                           .strides = true,
                           .symmetric = true},
    [FAL_DIALECT_SCIPY_CONVOLVE] = {.name = "scipy.convolve",
                                    .title = "scipy.signal.convolve",
                                    .spellings = "scipy, scipy.signal.convolve, scipy.fftconvolve",
                                    SIGNAL_WORDS,
                                    .flips = true},
    [FAL_DIALECT_SCIPY_CORRELATE] = {.name = "scipy.correlate",
                                     .title = "scipy.signal.correlate",
                                     .spellings = "scipy.signal.correlate",
                                     SIGNAL_WORDS},
    [FAL_DIALECT_SCIPY_CONVOLVE2D] = {.name = "scipy.convolve2d",
                                      .title = "scipy.signal.convolve2d",
                                      .spellings = "scipy.signal.convolve2d",
                                      SIGNAL_WORDS,
                                      .flips = true},
    [FAL_DIALECT_SCIPY_CORRELATE2D] = {.name = "scipy.correlate2d",
                                       .title = "scipy.signal.correlate2d",
                                       .spellings = "scipy.signal.correlate2d",
                                       SIGNAL_WORDS},
    [FAL_DIALECT_NDIMAGE_CONVOLVE] = {.name = "ndimage.convolve",
                                      .title = "scipy.ndimage.convolve",
                                      .spellings = "scipy.ndimage.convolve",
                                      FILTER_WORDS,
                                      .border = FAL_PAD_SYMMETRIC,
                                      .flips = true},
    [FAL_DIALECT_NDIMAGE_CORRELATE] = {.name = "ndimage.correlate",
                                       .title = "scipy.ndimage.correlate",
                                       .spellings = "scipy.ndimage.correlate",
                                       FILTER_WORDS,
                                       .border = FAL_PAD_SYMMETRIC},
    [FAL_DIALECT_MATLAB] = {.name = "matlab",
                            .title = "MATLAB's conv2",
                            .spellings = "conv2, matlab.conv2",
                            SIGNAL_WORDS,
                            .flips = true},
    [FAL_DIALECT_OPENCV] = {.name = "opencv",
                            .title = "OpenCV's filter2D",
                            .spellings = "cv2, filter2d, opencv.filter2d",
                            FILTER_WORDS,
                            .border = FAL_PAD_REFLECT},
};

const fal__dialect_facts *fal__dialect_facts_of(fal_dialect dialect)
{
    return (int)dialect >= 0 && dialect < FAL_DIALECTS ? &all[dialect] : NULL;
}

fal_status fal__dialect_check(fal_dialect dialect, fal_error *error)
{
    if (fal__dialect_facts_of(dialect) != NULL) return FAL_OK;
    fal__fail(error, FAL_E_VALUE, "dialect", "dialect is %d", (int)dialect);
    return fal__allowed(error, FAL_E_VALUE, "must be one of fal_dialect, 0..%d", FAL_DIALECTS - 1);
}

const char *fal_dialect_name(fal_dialect dialect)
{
    const fal__dialect_facts *facts = fal__dialect_facts_of(dialect);
    return facts != NULL ? facts->name : "unknown";
}

/* ASCII only, so that no locale matters. */
static char lower(char letter)
{
    return letter >= 'A' && letter <= 'Z' ? (char)(letter - 'A' + 'a') : letter;
}

static bool equal(const char *a, size_t length, const char *b)
{
    for (size_t i = 0; i < length; i++)
        if (lower(a[i]) != lower(b[i])) return false; /* the final 0 of b differs from every letter */
    return b[length] == '\0';
}

bool fal__has_word(const char *list, const char *word)
{
    while (*list != '\0') {
        size_t length = strcspn(list, ",");
        if (equal(list, length, word)) return true;
        list += length;
        list += strspn(list, ", ");
    }
    return false;
}

fal_status fal_dialect_parse(const char *name, fal_dialect *out, fal_error *error)
{
    if (name == NULL) return fal__fail(error, FAL_E_NULL, "name", "name is NULL");
    if (out == NULL) return fal__fail(error, FAL_E_NULL, "out", "out is NULL");
    for (int d = 0; d < FAL_DIALECTS; d++)
        if (fal__has_word(all[d].name, name) || fal__has_word(all[d].spellings, name)) {
            *out = (fal_dialect)d;
            return FAL_OK;
        }
    fal__fail(error, FAL_E_VALUE, "dialect", "'%.40s' is not a known dialect", name);
    return fal__allowed(error, FAL_E_VALUE,
                        "must be torch, tf, onnx, jax, caffe, scipy.convolve, .correlate, .convolve2d or "
                        ".correlate2d, ndimage.convolve or .correlate, matlab or opencv");
}
