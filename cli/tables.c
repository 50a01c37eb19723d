/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * tables.c: options.inc and verbs.inc as arrays, and look-ups in them.
 *
 * Sets of options that many verbs share are named here, once.
 */
#include "cli/options.h"

#include <string.h>

#define CLI_SET_GEOMETRY                                                                                     \
    CLI_STRIDE, CLI_DILATION, CLI_GROUPS, CLI_PADDING, CLI_PADDING_MODE, CLI_PADDING_VALUE, CLI_FLIP_KERNEL, \
        CLI_LAYOUT
#define CLI_SET_CONV   CLI_SET_GEOMETRY, CLI_ACCURACY, CLI_ALGORITHM
#define CLI_SET_TUNING CLI_REPRODUCIBLE, CLI_MEASURE, CLI_WISDOM
#define CLI_SET_WINDOW CLI_KERNEL, CLI_STRIDE, CLI_DILATION, CLI_PADDING, CLI_CEIL_MODE
#define CLI_SET_FILE   CLI_OUTPUT, CLI_RATE, CLI_BITS
#define CLI_SET_RESULT CLI_SET_FILE, CLI_THREADS, CLI_FORCE, CLI_JSON
#define CLI_SET_FIGURE                                                                                    \
    CLI_VIEW, CLI_INPUT, CLI_WEIGHT, CLI_INPUT_SIZE, CLI_KERNEL, CLI_SPATIAL, CLI_SET_GEOMETRY,           \
        CLI_OUTPUT_PADDING, CLI_OUTPUT_SIZE, CLI_CEIL_MODE, CLI_COUNT_INCLUDE_PAD, CLI_DIVISOR, CLI_NORM, \
        CLI_BIAS, CLI_MASK, CLI_OFFSET_GROUPS, CLI_TRANSPOSED, CLI_LAYERS, CLI_TILE, CLI_DTYPE, CLI_DATA, \
        CLI_SEED, CLI_VALUES, CLI_HEATMAP, CLI_THEME, CLI_ZOOM, CLI_TRANSPARENT, CLI_FIGURE, CLI_FORCE
/* What draw and animate know, in the order of cli_drawn (drawing.h). */
#define CLI_DRAWN                                                                                         \
    "conv conv-transpose max-pool=pool avg-pool lp-pool grad-input grad-weight deform-conv pad upsample " \
    "unfold fold stack tile adaptive-avg-pool adaptive-max-pool global-avg-pool global-max-pool max-unpool"

/* The code of a verb; a test of the tables alone says NULL. */
#ifndef CLI_RUN
#define CLI_RUN(id) cli_run_##id
#endif

#define OPTION(id, ...) [CLI_##id] = {__VA_ARGS__},
const cli_option cli_options[CLI_OPTION_COUNT] = {
#include "cli/options.inc"
};
#undef OPTION

#define OPTIONS(...)  ((const cli_option_id[]){__VA_ARGS__, CLI_OPTION_COUNT})
#define VERB(id, ...) {.run = CLI_RUN(id), __VA_ARGS__},
const cli_verb cli_verbs[] = {
#include "cli/verbs.inc"
};
#undef VERB

const int cli_verb_count = (int)(sizeof cli_verbs / sizeof cli_verbs[0]);

/* What every verb takes. */
static const cli_option_id common[] = {CLI_LIMITS, CLI_QUIET, CLI_VERBOSE, CLI_HELP, CLI_VERSION};

const cli_verb *cli_verb_find(const char *name)
{
    for (int i = 0; i < cli_verb_count; i++)
        if (strcmp(cli_verbs[i].name, name) == 0) return &cli_verbs[i];
    return NULL;
}

bool cli_verb_takes(const cli_verb *verb, cli_option_id id)
{
    for (size_t i = 0; i < sizeof common / sizeof common[0]; i++)
        if (common[i] == id) return true;
    if (verb == NULL) return false;
    for (const cli_option_id *own = verb->options; *own != CLI_OPTION_COUNT; own++)
        if (*own == id) return true;
    return false;
}

cli_option_id cli_option_named(const cli_verb *verb, const char *name)
{
    for (int id = 0; id < CLI_OPTION_COUNT; id++)
        if (strcmp(cli_options[id].name, name) == 0 && cli_verb_takes(verb, (cli_option_id)id))
            return (cli_option_id)id;
    return CLI_OPTION_COUNT;
}

cli_option_id cli_option_lettered(const cli_verb *verb, char letter)
{
    for (int id = 0; id < CLI_OPTION_COUNT; id++)
        if (cli_options[id].letter == letter && cli_verb_takes(verb, (cli_option_id)id))
            return (cli_option_id)id;
    return CLI_OPTION_COUNT;
}

cli_option_id cli_option_anywhere(const char *name)
{
    for (int id = 0; id < CLI_OPTION_COUNT; id++)
        if (strcmp(cli_options[id].name, name) == 0) return (cli_option_id)id;
    return CLI_OPTION_COUNT;
}

/* ---- choices: "zeros replicate=edge=nearest" ---- */

/* Do the first `length` characters of `spelling` say `word`? '-' and '_' are equal. */
static bool same_word(const char *spelling, size_t length, const char *word)
{
    for (size_t i = 0; i < length; i++) {
        char a = spelling[i] == '_' ? '-' : spelling[i], b = word[i] == '_' ? '-' : word[i];
        if (a != b) return false;
    }
    return word[length] == '\0';
}

int cli_word_index(const char *words, const char *word)
{
    int index = 0;
    for (const char *at = words; *at != '\0'; index++) {
        while (*at != ' ' && *at != '\0') {
            size_t length = strcspn(at, "= ");
            if (length > 0 && same_word(at, length, word)) return index;
            at += length + (at[length] == '=');
        }
        while (*at == ' ') at++;
    }
    return -1;
}

bool cli_word_at(const char *words, int index, char *text, size_t capacity)
{
    const char *at = words;
    for (; index > 0 && *at != '\0'; index--) {
        at += strcspn(at, " ");
        while (*at == ' ') at++;
    }
    size_t length = strcspn(at, "= ");
    if (*at == '\0' || length >= capacity) return false;
    memcpy(text, at, length);
    text[length] = '\0';
    return true;
}
