/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * dialect.c: what a program of another framework says, in this library's numbers.
 *
 * Users: importers of models, and the command's `shape --dialect` and `--compare`. The steps:
 *
 *     word       a word that this framework has for this operator, or the numbers -> a rule
 *     defaults   a stride or dilation that was not said takes the framework's default
 *     refusals   what the framework itself refuses, so that nothing is resolved that could not run there
 *     sizes      the operator's formula: dialect_window.c, dialect_transposed.c
 *
 * A saying that the framework refuses is refused here with its reason.
 */
#include <stdio.h>
#include <string.h>

#include "base/checked.h"
#include "base/error.h"
#include "geometry/dialect.h"
#include "geometry/geometry.h"

enum { NEWEST_OPSET = INT32_MAX };

static const char *operator_name(const fal__saying *said)
{
    return said->transposed ? "transposed convolution" : said->pooling ? "pooling" : "convolution";
}

static const char *words_of(const fal__saying *said)
{
    if (said->transposed) return said->facts->transposed_words;
    return said->pooling ? said->facts->pooling_words : said->facts->words;
}

/* ---- The word ---- */

static fal_padding rule_of(const char *word)
{
    static const struct {
        const char *words;
        fal_padding rule;
    } rules[] = {{"valid", FAL_PADDING_VALID},           {"same, same_upper", FAL_PADDING_SAME},
                 {"same_lower", FAL_PADDING_SAME_LOWER}, {"full", FAL_PADDING_FULL},
                 {"causal", FAL_PADDING_CAUSAL},         {"notset, explicit", FAL_PADDING_EXPLICIT}};
    size_t i = 0;
    while (!fal__has_word(rules[i].words, word)) i++; /* every word of every list is here */
    return rules[i].rule;
}

static fal_status refuse_word(const fal__saying *said, const char *word, fal_error *error)
{
    const char *words = words_of(said);
    fal__fail(error, FAL_E_PADDING, "padding", "%s has no word '%.40s' for the padding of a %s",
              said->facts->title, word, operator_name(said));
    if (words[0] == '\0') return fal__allowed(error, FAL_E_PADDING, "must be given in numbers");
    return fal__allowed(error, FAL_E_PADDING, "its words are %s%s", words,
                        said->facts->unsaid == FAL_PADDING_EXPLICIT ? ", or numbers" : "");
}

static fal_status read_word(fal__saying *said, const char *word, fal_error *error)
{
    bool numbers = said->axis.begin != 0 || said->axis.end != 0;
    bool takes_numbers = said->facts->unsaid == FAL_PADDING_EXPLICIT;
    said->rule = said->facts->unsaid;
    if (word != NULL && (!takes_numbers || !fal__has_word("explicit", word))) {
        if (!fal__has_word(words_of(said), word)) return refuse_word(said, word, error);
        said->rule = rule_of(word);
    }
    if (!numbers || said->rule == FAL_PADDING_EXPLICIT) return FAL_OK;
    fal__fail(error, FAL_E_PADDING, "padding", "padding is %" PRId64 " and %" PRId64, said->axis.begin,
              said->axis.end);
    if (word != NULL) return fal__allowed(error, FAL_E_PADDING, "the word '%.40s' excludes numbers", word);
    return fal__allowed(error, FAL_E_PADDING, "%s takes no numbers; its words are %s", said->facts->title,
                        words_of(said));
}

/* ---- What the framework refuses ---- */

fal_status fal__dialect_need_one(const fal__saying *said, int64_t value, fal_status status, const char *field,
                                 fal_error *error)
{
    if (value == 1) return FAL_OK;
    fal__fail(error, status, field, "%s has no %s, here %" PRId64, said->facts->title, field, value);
    return fal__allowed(error, status, "must be 1");
}

static fal_status check_operator(const fal__saying *said, fal_error *error)
{
    if (said->transposed && said->pooling)
        return fal__fail(error, FAL_E_VALUE, "pooling", "a request is both transposed and pooling");
    if (words_of(said) == NULL) {
        const char *what = operator_name(said);
        return fal__fail(error, FAL_E_UNSUPPORTED, "dialect", "%s has no %s", said->facts->title, what);
    }
    if (!said->ceil_mode) return FAL_OK;
    bool never = said->dialect == FAL_DIALECT_TENSORFLOW || said->dialect == FAL_DIALECT_JAX;
    if (!said->pooling || never) {
        fal__fail(error, FAL_E_VALUE, "ceil_mode", "%s has no ceil mode for a %s", said->facts->title,
                  operator_name(said));
        return fal__allowed(error, FAL_E_VALUE, "its sizes are rounded down");
    }
    return FAL_OK;
}

static fal_status check_opset(const fal_dialect_request *request, fal_error *error)
{
    if (request->version == 0 || (request->dialect == FAL_DIALECT_ONNX && request->version > 0))
        return FAL_OK;
    fal__fail(error, FAL_E_VALUE, "version", "version is %" PRId32, request->version);
    return fal__allowed(error, FAL_E_VALUE,
                        request->dialect == FAL_DIALECT_ONNX ? "an opset is at least 1"
                                                             : "only ONNX has one");
}

/* Numbers of a convolution that only a transposed one has. */
static fal_status check_transposed_numbers(const fal__saying *said, fal_error *error)
{
    bool extra = said->axis.output_padding != 0;
    if (said->transposed ? !extra || said->dialect <= FAL_DIALECT_ONNX : !extra && said->wanted == 0)
        return FAL_OK;
    const char *field = extra ? "output_padding" : "output";
    fal__fail(error, FAL_E_PADDING, field, "%s is %" PRId64, field,
              extra ? said->axis.output_padding : said->wanted);
    if (!said->transposed) return fal__allowed(error, FAL_E_PADDING, "only a transposed convolution has one");
    return fal__allowed(error, FAL_E_PADDING, "%s has none", said->facts->title);
}

static fal_status check_ends(const fal__saying *said, fal_error *error)
{
    const fal_axis *axis = &said->axis;
    bool negative = (axis->begin < 0 || axis->end < 0) && !said->facts->crops;
    if (said->rule != FAL_PADDING_EXPLICIT || (!negative && !said->facts->symmetric)) return FAL_OK;
    if (!negative && axis->begin == axis->end) return FAL_OK;
    fal__fail(error, FAL_E_PADDING, "padding", "padding is %" PRId64 " and %" PRId64, axis->begin, axis->end);
    if (negative)
        return fal__allowed(error, FAL_E_PADDING, "%s takes no negative padding", said->facts->title);
    fal__allowed(error, FAL_E_PADDING, "%s pads both ends alike", said->facts->title);
    if (said->transposed) return FAL_E_PADDING;
    return fal__hint(error, FAL_E_PADDING, "pad the input first");
}

/* ---- Reading and answering ---- */

static fal_status read_axis(fal__saying *said, const fal_axis *axis, fal_error *error)
{
    said->axis = *axis;
    said->axis.output = 0;
    said->wanted = axis->output;
    said->stride_said = axis->stride != 0;
    if (said->pooling && said->facts->pool_by_kernel && axis->stride == 0) said->axis.stride = axis->kernel;
    FAL__TRY(fal__axis_check(&said->axis, error));
    FAL__TRY(fal__at_least(said->wanted, 0, FAL_E_SHAPE, "output", error));
    if (!said->facts->strides) {
        FAL__TRY(fal__dialect_need_one(said, said->axis.stride, FAL_E_STRIDE, "stride", error));
        FAL__TRY(fal__dialect_need_one(said, said->axis.dilation, FAL_E_DILATION, "dilation", error));
    }
    return check_transposed_numbers(said, error);
}

/* From cell 0 to the middle of the window of output 0 (of the block of input 0): d*(k-1)/2 - begin. */
static fal_status shift_of(const fal_axis *axis, int64_t *shift, fal_error *error)
{
    int64_t twice;
    if (fal__mul(axis->begin, 2, &twice) && fal__mul(axis->dilation, axis->kernel - 1, shift) &&
        fal__sub(*shift, twice, shift))
        return FAL_OK;
    return fal__fail(error, FAL_E_OVERFLOW, "padding", "the shift of padding %" PRId64 " overflows 64 bits",
                     axis->begin);
}

static fal_status resolve(const fal_dialect_request *request, fal_dialect_answer *answer, fal_error *error)
{
    fal__saying said = {.dialect = request->dialect,
                        .facts = fal__dialect_facts_of(request->dialect),
                        .version = request->version ? request->version : NEWEST_OPSET,
                        .transposed = request->transposed,
                        .pooling = request->pooling,
                        .ceil_mode = request->ceil_mode};
    FAL__TRY(check_opset(request, error));
    FAL__TRY(check_operator(&said, error));
    FAL__TRY(read_axis(&said, &request->axis, error));
    FAL__TRY(read_word(&said, request->padding, error));
    FAL__TRY(check_ends(&said, error));

    fal__saying done = said;
    if (said.transposed)
        FAL__TRY(fal__dialect_transposed(&done, error));
    else
        FAL__TRY(said.pooling ? fal__dialect_pool(&done, error) : fal__dialect_conv(&done, error));
    answer->axis = done.axis;
    answer->ceil_mode = done.ceil_mode;
    answer->flip_kernel =
        said.facts->flips || (said.transposed && said.dialect == FAL_DIALECT_JAX); /* not mirrored there */
    answer->border = said.pooling || said.transposed ? FAL_PAD_ZEROS : said.facts->border;
    fal__dialect_note(&said, &done.axis, answer->note, sizeof answer->note);
    return shift_of(&answer->axis, &answer->shift_twice, error);
}

fal_status fal_dialect_resolve(const fal_dialect_request *request, fal_dialect_answer *answer,
                               fal_error *error)
{
    if (request == NULL) return fal__fail(error, FAL_E_NULL, "request", "request is NULL");
    if (answer == NULL) return fal__fail(error, FAL_E_NULL, "answer", "answer is NULL");
    FAL__TRY(fal__dialect_check(request->dialect, error));
    fal_dialect_answer result = {0};
    FAL__TRY(resolve(request, &result, error));
    *answer = result;
    return FAL_OK;
}
