/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * layer.c: a line of text into a layer.
 *
 * A word is split into the letters of its key and the rest; what the rest may be is a row of `keys`.
 */
#include "bench/layer.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* The keys, in the order of list_keys(), and sets of them. */
enum { KEY_N, KEY_IC, KEY_OC, KEY_G, KEY_IN, KEY_K, KEY_S, KEY_D, KEY_P, KEY_OP, KEYS };
enum {
    CONV_NEEDS = 1 << KEY_IC | 1 << KEY_OC | 1 << KEY_IN | 1 << KEY_K,
    CONV_TAKES = 1 << KEY_N | 1 << KEY_G | 1 << KEY_S | 1 << KEY_D | 1 << KEY_P,
    WINDOW_NEEDS = 1 << KEY_IC | 1 << KEY_IN | 1 << KEY_K,
    WINDOW_TAKES = 1 << KEY_N | 1 << KEY_S | 1 << KEY_D | 1 << KEY_P
};

typedef struct operator_row {
    const char *name;
    unsigned needs, takes; /* keys; what is needed is taken, too */
    const char *needs_text;
} operator_row;

/* By bench_operator. */
static const operator_row operators[BENCH_OPERATORS] = {
    {"conv", CONV_NEEDS, CONV_TAKES | 1 << KEY_OP, "ic, oc, in and k"},
    {"conv-transpose", CONV_NEEDS, CONV_TAKES | 1 << KEY_OP, "ic, oc, in and k"},
    {"grad-input", CONV_NEEDS, CONV_TAKES | 1 << KEY_OP, "ic, oc, in and k"},
    {"grad-weight", CONV_NEEDS, CONV_TAKES | 1 << KEY_OP, "ic, oc, in and k"},
    {"max-pool", WINDOW_NEEDS, WINDOW_TAKES, "ic, in and k"},
    {"average-pool", WINDOW_NEEDS, WINDOW_TAKES, "ic, in and k"},
    {"global-pool", 1 << KEY_IC | 1 << KEY_IN, 1 << KEY_N, "ic and in"},
    {"unfold", WINDOW_NEEDS, WINDOW_TAKES, "ic, in and k"},
    {"fold", WINDOW_NEEDS, WINDOW_TAKES, "ic, in and k"},
    {"pad", 1 << KEY_IC | 1 << KEY_IN | 1 << KEY_P, 1 << KEY_N, "ic, in and p"},
    {"upsample", 1 << KEY_IC | 1 << KEY_IN | 1 << KEY_S, 1 << KEY_N, "ic, in and s"},
    {"upsample-nearest", 1 << KEY_IC | 1 << KEY_IN | 1 << KEY_S, 1 << KEY_N, "ic, in and s"},
    {"deform-conv", CONV_NEEDS, CONV_TAKES, "ic, oc, in and k"},
    {"deform-conv-v2", CONV_NEEDS, CONV_TAKES, "ic, oc, in and k"},
    {"deform-grad", CONV_NEEDS, CONV_TAKES, "ic, oc, in and k"},
};

/* By fal_padding. */
static const char *const rules[] = {"", "valid", "same", "same-lower", "full", "causal"};
enum { RULES = 6 };
_Static_assert(FAL_PADDING_VALID == 1 && FAL_PADDING_CAUSAL == 5, "the words above are in the enum's order");

/* No layer has a size beyond this; products of a few such numbers are the library's to check. */
static const int64_t largest = INT32_MAX;

/* What reading one line keeps. */
typedef struct reading {
    bench_layer *layer;
    fal_error *error;
    unsigned seen; /* a bit for each row of `keys` */
} reading;

static fal_status refuse(fal_error *error, const char *allowed, const char *format, const char *word)
{
    *error = (fal_error){.status = FAL_E_VALUE};
    snprintf(error->found, sizeof error->found, format, word);
    snprintf(error->allowed, sizeof error->allowed, "%s", allowed);
    return FAL_E_VALUE;
}

/* Reads digits; NULL when there are none, or too many. */
static const char *read_number(const char *at, int64_t *value)
{
    *value = 0;
    if (*at < '0' || *at > '9') return NULL;
    for (; *at >= '0' && *at <= '9'; at++) {
        *value = *value * 10 + (*at - '0');
        if (*value > largest) return NULL;
    }
    return at;
}

/* Reads "3", "3x5" or, where `ends` is wanted, "0:1x1". Fills the axes beyond a single entry with it.
 * Returns the number of entries, 0 when the text is none of these. */
static int32_t read_axes(const char *at, int64_t *values, int64_t *ends)
{
    int32_t count = 0;
    for (;; at++) {
        if (count == FAL_MAX_SPATIAL || (at = read_number(at, &values[count])) == NULL) return 0;
        if (ends != NULL) {
            ends[count] = values[count];
            if (*at == ':' && (at = read_number(at + 1, &ends[count])) == NULL) return 0;
        }
        count++;
        if (*at != 'x') break;
    }
    if (*at != '\0') return 0;
    for (int32_t a = count == 1 ? 1 : FAL_MAX_SPATIAL; a < FAL_MAX_SPATIAL; a++) {
        values[a] = values[0];
        if (ends != NULL) ends[a] = ends[0];
    }
    return count;
}

/* One key: `number` or `axes` says where its value goes. */
typedef struct key {
    const char *name;
    int64_t *number, *axes, *ends;
    bool zero; /* 0 is a value, and not the library's word for "not given" */
} key;

static void list_keys(bench_layer *l, key list[KEYS])
{
    const key all[KEYS] = {
        {.name = "n", .number = &l->n},
        {.name = "ic", .number = &l->in_channels},
        {.name = "oc", .number = &l->out_channels},
        {.name = "g", .number = &l->params.groups},
        {.name = "in", .axes = l->input},
        {.name = "k", .axes = l->kernel},
        {.name = "s", .axes = l->params.stride},
        {.name = "d", .axes = l->params.dilation},
        {.name = "p", .axes = l->params.padding_begin, .ends = l->params.padding_end, .zero = true},
        {.name = "op", .axes = l->params.output_padding, .zero = true}};
    memcpy(list, all, sizeof all);
}

/* "psame" is a rule; "p1" is numbers. */
static bool read_rule(const char *value, fal_padding *padding)
{
    for (int i = FAL_PADDING_VALID; i < RULES; i++)
        if (strcmp(value, rules[i]) == 0) {
            *padding = (fal_padding)i;
            return true;
        }
    return false;
}

/* Reads the value of one key, and how many entries it has. */
static bool read_value(const key *k, const char *value, bench_layer *layer, int32_t *count)
{
    *count = 1;
    if (k->number != NULL) {
        const char *end = read_number(value, k->number);
        return end != NULL && *end == '\0' && *k->number > 0;
    }
    if (k->ends != NULL && read_rule(value, &layer->params.padding)) return true;
    *count = read_axes(value, k->axes, k->ends);
    for (int32_t a = 0; a < *count; a++)
        if (k->axes[a] == 0 && !k->zero) return false;
    return *count > 0;
}

/* found names the word and the operator, allowed what the operator needs. */
static fal_status refuse_operator(fal_error *error, const operator_row *op, const char *format,
                                  const char *word)
{
    *error = (fal_error){.status = FAL_E_VALUE};
    snprintf(error->found, sizeof error->found, format, word, op->name);
    snprintf(error->allowed, sizeof error->allowed, "a layer needs %s", op->needs_text);
    return FAL_E_VALUE;
}

static fal_status read_word(reading *r, const char *word, int32_t counts[KEYS])
{
    key keys[KEYS];
    list_keys(r->layer, keys);
    size_t best = 0, length = 0;
    for (size_t i = 0; i < KEYS; i++) { /* the longest key: "op1" is not o, "in56" not i */
        const size_t n = strlen(keys[i].name);
        if (n > length && strncmp(word, keys[i].name, n) == 0) best = i, length = n;
    }
    if (length == 0)
        return refuse(r->error, "must be a key and its value; the keys are n ic oc g in k s d p op",
                      "'%s' is not a part of a layer", word);
    if ((r->seen >> best & 1) != 0)
        return refuse(r->error, "each key may stand once", "'%s' is a second value", word);
    const operator_row *op = &operators[r->layer->op];
    if (((op->needs | op->takes) >> best & 1) == 0)
        return refuse_operator(r->error, op, "'%s' has no meaning for %s", word);
    r->seen |= 1U << best;
    if (read_value(&keys[best], word + length, r->layer, &counts[best])) return FAL_OK;
    if (best == KEY_P)
        return refuse(r->error, "must be p1, p1x2, p0:1, pvalid, psame, psame-lower, pfull or pcausal",
                      "'%s' is not a padding", word);
    return refuse(r->error,
                  keys[best].number != NULL ? "must be one number in 1..2147483647"
                                            : "must be like 3, 3x3 or 3x3x3, each in 1..2147483647",
                  "'%s' has no such value", word);
}

/* What no single word can tell: missing keys, lists of another length than `in`. */
static fal_status finish(reading *r, const int32_t counts[KEYS])
{
    key keys[KEYS];
    const operator_row *op = &operators[r->layer->op];
    list_keys(r->layer, keys);
    for (size_t i = 0; i < KEYS; i++)
        if ((op->needs >> i & 1) != 0 && (r->seen >> i & 1) == 0)
            return refuse_operator(r->error, op, "'%s' is missing", keys[i].name);
    r->layer->spatial = counts[KEY_IN];
    for (size_t i = 0; i < KEYS; i++)
        if (keys[i].axes != NULL && counts[i] > 1 && counts[i] != counts[KEY_IN])
            return refuse(r->error, "must have one number, or one for each axis of 'in'",
                          "'%s' has another number of axes than 'in'", keys[i].name);
    return FAL_OK;
}

/* Cuts the line into words, separated by blanks, in place; returns the next word or NULL. */
static char *next_word(char **at)
{
    *at += strspn(*at, " \t\r\n");
    if (**at == '\0') return NULL;
    char *word = *at;
    *at += strcspn(*at, " \t\r\n");
    if (**at != '\0') *(*at)++ = '\0';
    return word;
}

static void trim(const char *text, size_t length, char *out)
{
    while (length > 0 && strchr(" \t\r\n", *text) != NULL) text++, length--;
    while (length > 0 && strchr(" \t\r\n", text[length - 1]) != NULL) length--;
    memcpy(out, text, length);
    out[length] = '\0';
}

static fal_status read_operator(reading *r, const char *word)
{
    for (int i = 0; i < BENCH_OPERATORS; i++)
        if (strcmp(word, operators[i].name) == 0) {
            r->layer->op = (bench_operator)i;
            return FAL_OK;
        }
    refuse(r->error, "must be one of", "'%s' is not an operator", word);
    for (int i = 0; i < BENCH_OPERATORS; i++) {
        const size_t used = strlen(r->error->allowed);
        snprintf(r->error->allowed + used, sizeof r->error->allowed - used, "%s %s", i > 0 ? "," : "",
                 operators[i].name);
    }
    return FAL_E_VALUE;
}

fal_status bench_layer_parse(const char *line, bench_layer *layer, bool *found, fal_error *error)
{
    char copy[BENCH_LINE_TEXT], *at = copy, *word;
    int32_t counts[KEYS] = {0};
    reading r = {.layer = layer, .error = error};
    *layer = (bench_layer){.n = 1};
    *found = false;
    if (strlen(line) >= sizeof copy)
        return refuse(error, "must be shorter than 160 characters",
                      "the line that begins '%.40s' is too long", line);
    const size_t length = strcspn(line, "#");
    trim(line, length, layer->text);
    if (line[length] == '#') trim(line + length + 1, strlen(line + length + 1), layer->name);
    memcpy(copy, layer->text, sizeof copy);
    if ((word = next_word(&at)) == NULL) return FAL_OK;
    fal_status status = read_operator(&r, word);
    while (status == FAL_OK && (word = next_word(&at)) != NULL) status = read_word(&r, word, counts);
    if (status == FAL_OK) status = finish(&r, counts);
    *found = status == FAL_OK;
    return status;
}
