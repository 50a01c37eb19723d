/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * value.c: the text of an option into its value, as the option's row says.
 *
 * Numbers are whole strings in the C locale (the program never sets another), so that a script means
 * the same everywhere. A number out of range is refused with the library's own status and in its
 * words, because on a command line 0 was said, where in the C structs it means "not given".
 */
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "cli/parts.h"

bool cli_parse_int(const char *text, int64_t *value)
{
    char *end;
    const char *digits = *text == '-' ? text + 1 : text;
    if (!isdigit((unsigned char)*digits)) return false;
    errno = 0;
    long long number = strtoll(text, &end, 10);
    if (*end != '\0' || errno == ERANGE) return false;
    *value = number;
    return true;
}

bool cli_parse_number(const char *text, double *value)
{
    char *end;
    if (*text == '\0' || isspace((unsigned char)*text)) return false;
    *value = strtod(text, &end);
    return *end == '\0';
}

/* Is it a whole number that only fails to fit 64 bits? */
static bool only_digits(const char *text)
{
    const char *digits = *text == '-' ? text + 1 : text;
    return *digits != '\0' && strspn(digits, "0123456789") == strlen(digits);
}

static fal_status refuse_text(cli_command *command, const cli_option *option, const char *text,
                              const char *want)
{
    char where[48];
    snprintf(where, sizeof where, "--%s", option->name);
    if (only_digits(text)) return cli_fail(command, FAL_E_OVERFLOW, where, "%s does not fit 64 bits", text);
    return cli_fail(command, FAL_E_USAGE, where, "'%s' is not %s", text, want);
}

/* "stride[1] is 0; must be at least 1" in the words of the library. */
static fal_status check_range(cli_command *command, const cli_option *option, int32_t index, int32_t count,
                              int64_t value)
{
    bool any = option->low == 0 && option->high == 0;
    if (any || (value >= option->low && value <= option->high)) return FAL_OK;
    fal_status status = option->refusal ? option->refusal : FAL_E_VALUE;
    char where[48];
    snprintf(where, sizeof where, "--%s", option->name);
    if (count > 1)
        cli_fail(command, status, where, "%s[%" PRId32 "] is %" PRId64, option->name, index, value);
    else
        cli_fail(command, status, where, "%s is %" PRId64, option->name, value);
    if (option->high == INT64_MAX)
        return cli_allow(command, status, "must be at least %" PRId64, option->low);
    return cli_allow(command, status, "must be %" PRId64 "..%" PRId64, option->low, option->high);
}

/* Copies the part of *text before the next comma and moves on; false when it does not fit. */
static bool next_part(const char **text, char *part, size_t capacity)
{
    size_t length = strcspn(*text, ",");
    if (length >= capacity) return false;
    memcpy(part, *text, length);
    part[length] = '\0';
    *text += length;
    if (**text == ',') ++*text;
    return true;
}

static int32_t count_parts(const char *text)
{
    int32_t count = 1;
    for (; *text != '\0'; text++) count += *text == ',';
    return count;
}

static fal_status read_ints(cli_command *command, const cli_option *option, cli_value *value)
{
    const char *rest = value->text;
    char part[32];
    int32_t count = count_parts(rest), most = option->kind == CLI_KIND_INT ? 1 : FAL_MAX_RANK;
    const char *want = most == 1 ? "a whole number" : "a list of whole numbers";
    if (count > most)
        return refuse_text(command, option, value->text,
                           most == 1 ? want : "a list of at most 12 whole numbers");
    for (int32_t i = 0; i < count; i++) {
        if (!next_part(&rest, part, sizeof part)) return refuse_text(command, option, value->text, want);
        if (!cli_parse_int(part, &value->ints[i]))
            return refuse_text(command, option, only_digits(part) ? part : value->text, want);
        CLI_TRY(check_range(command, option, i, count, value->ints[i]));
    }
    value->count = count;
    return FAL_OK;
}

/* `1`, `1,2`, `0:1,2:0`, or a rule. */
static fal_status read_padding(cli_command *command, const cli_option *option, cli_value *value)
{
    static const char want[] =
        "a padding such as 1 or 1,2 or 0:1,2:0 or same, same-lower, valid, full, causal";
    const char *rest = value->text;
    char part[64];
    int rule = cli_word_index(option->choices, value->text);
    value->count = 0;
    value->choice = rule + 1; /* the rules in the order of fal_padding, after FAL_PADDING_EXPLICIT */
    if (rule >= 0) return FAL_OK;
    int32_t count = count_parts(rest);
    if (count > FAL_MAX_RANK) return refuse_text(command, option, value->text, want);
    for (int32_t i = 0; i < count; i++) {
        if (!next_part(&rest, part, sizeof part)) return refuse_text(command, option, value->text, want);
        char *colon = strchr(part, ':');
        if (colon != NULL) *colon = '\0';
        if (!cli_parse_int(part, &value->ints[i]))
            return refuse_text(command, option, only_digits(part) ? part : value->text, want);
        value->ends[i] = value->ints[i];
        if (colon != NULL && !cli_parse_int(colon + 1, &value->ends[i]))
            return refuse_text(command, option, only_digits(colon + 1) ? colon + 1 : value->text, want);
    }
    value->count = count;
    return FAL_OK;
}

/* "must be one of nchw, nhwc" */
static fal_status read_choice(cli_command *command, const cli_option *option, cli_value *value)
{
    char where[48];
    snprintf(where, sizeof where, "--%s", option->name);
    value->choice = cli_word_index(option->choices, value->text);
    if (value->choice >= 0) return FAL_OK;
    cli_fail(command, FAL_E_USAGE, where, "'%s' is not a %s", value->text, option->name);
    return cli_allow_words(command, option->choices);
}

fal_status cli_allow_words(cli_command *command, const char *words)
{
    char list[256] = "", word[32];
    for (int i = 0; cli_word_at(words, i, word, sizeof word); i++) {
        size_t used = strlen(list);
        snprintf(list + used, sizeof list - used, "%s%s", i ? ", " : "", word);
    }
    return cli_allow(command, command->error.status, "must be one of %s", list);
}

fal_status cli_read_value(cli_command *command, cli_option_id id, const char *text)
{
    const cli_option *option = &cli_options[id];
    cli_value *value = &command->values[id];
    char where[48];
    snprintf(where, sizeof where, "--%s", option->name);
    value->given++;
    value->text = text;
    if (text != NULL && value->given > 1)
        return cli_fail(command, FAL_E_USAGE, where, "--%s is given twice", option->name);
    if (text != NULL && *text == '\0') return cli_fail(command, FAL_E_USAGE, where, "the value is empty");
    switch (option->kind) {
    case CLI_KIND_INT:
    case CLI_KIND_INTS: return read_ints(command, option, value);
    case CLI_KIND_PADDING: return read_padding(command, option, value);
    case CLI_KIND_CHOICE: return read_choice(command, option, value);
    case CLI_KIND_NUMBER:
        if (!cli_parse_number(text, &value->number))
            return cli_fail(command, FAL_E_USAGE, where, "'%s' is not a number", text);
        return FAL_OK;
    case CLI_KIND_TEXT:
    case CLI_KIND_FILE:
    case CLI_KIND_OUTPUT:
    case CLI_KIND_FLAG: return FAL_OK;
    }
    return FAL_OK;
}

fal_status cli_operand_word(cli_command *command, int i, const char *what, const char *words, int *place)
{
    const char *word = cli_operand(command, i);
    *place = word ? cli_word_index(words, word) : -1;
    if (*place >= 0) return FAL_OK;
    cli_fail(command, FAL_E_USAGE, NULL, "'%s' is not a known %s", word ? word : "", what);
    return cli_allow_words(command, words);
}
