/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * verb_receptive_field.c: what an output of a stack of layers sees.
 *
 * The stack comes in words, "k3s2p1 t4s2p1", or as JSON: an array of objects (or {"layers": [...]}) with
 * "kernel", "stride", "dilation", "padding" (a number or [begin, end]), "transposed" and "name".
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cli/layer.h"
#include "cli/text_file.h"

enum { NAME = 48, JSON_MOST = 1 << 24 };

typedef struct stack {
    fal_layer *layers;
    char (*names)[NAME];
    int32_t count;
} stack;

static fal_status reserve(cli_command *command, stack *s, size_t count)
{
    if (count == 0 || count > 100000) {
        cli_fail(command, FAL_E_VALUE, NULL, "the stack has %zu layers", count);
        return cli_allow(command, FAL_E_VALUE, "must have 1..100000");
    }
    CLI_TRY(cli_alloc(command, (int64_t)count, sizeof *s->layers, (void **)&s->layers));
    return cli_alloc(command, (int64_t)count, sizeof *s->names, (void **)&s->names);
}

/* ---- words ---- */

static fal_status bad_word(cli_command *command, const char *word)
{
    cli_fail(command, FAL_E_USAGE, "--layers", "'%s' is not a layer", word);
    return cli_allow(command, FAL_E_USAGE,
                     "must be letters with numbers: k or t kernel, s stride, d dilation, p padding");
}

/* Reads the number at *at and moves behind it. */
static bool take_number(const char **at, int64_t *value)
{
    char digits[24];
    size_t length = strspn(*at, "-0123456789");
    if (length >= sizeof digits) return false;
    memcpy(digits, *at, length);
    digits[length] = '\0';
    *at += length;
    return cli_parse_int(digits, value);
}

/* "k3s2p1", "t4s2p0:1"; each letter at most once, k or t first. */
static fal_status parse_word(cli_command *command, const char *word, fal_layer *layer)
{
    char seen[8] = "";
    *layer = (fal_layer){.stride = 1, .dilation = 1};
    for (const char *at = word; *at != '\0';) {
        char letter = *at++;
        bool first = seen[0] == '\0', kernel = letter == 'k' || letter == 't';
        if (first != kernel || strchr("ktsdp", letter) == NULL || strchr(seen, letter) != NULL)
            return bad_word(command, word);
        seen[strlen(seen)] = letter;
        int64_t *value = kernel          ? &layer->kernel
                         : letter == 's' ? &layer->stride
                         : letter == 'd' ? &layer->dilation
                                         : &layer->begin;
        if (!take_number(&at, value) || (letter != 'p' && *value < 1)) return bad_word(command, word);
        if (letter == 't') layer->transposed = true;
        if (letter != 'p') continue;
        layer->end = layer->begin;
        if (*at == ':' && (at++, !take_number(&at, &layer->end))) return bad_word(command, word);
    }
    return FAL_OK;
}

static fal_status parse_words(cli_command *command, const char *text, stack *s)
{
    size_t count = 0;
    for (const char *at = text + strspn(text, " ,"); *at != '\0'; count++) {
        at += strcspn(at, " ,");
        at += strspn(at, " ,");
    }
    CLI_TRY(reserve(command, s, count));
    for (const char *at = text + strspn(text, " ,"); *at != '\0'; s->count++) {
        size_t length = strcspn(at, " ,");
        char *name = s->names[s->count];
        snprintf(name, NAME, "%.*s", (int)(length < NAME ? length : NAME - 1), at);
        if (length >= NAME) return bad_word(command, name);
        CLI_TRY(parse_word(command, name, &s->layers[s->count]));
        at += length;
        at += strspn(at, " ,");
    }
    return FAL_OK;
}

/* ---- JSON ---- */

static fal_status bad_layer(cli_command *command, int32_t number, const char *key, const char *what)
{
    command->in_file = true;
    return cli_fail(command, FAL_E_HEADER, cli_operand(command, 0), "layer %" PRId32 ": \"%.40s\" %s", number,
                    key, what);
}

static bool integer_of(const json_t *value, int64_t *number)
{
    if (!json_is_integer(value)) return false;
    *number = (int64_t)json_integer_value(value);
    return true;
}

static bool padding_of(const json_t *value, fal_layer *layer)
{
    if (integer_of(value, &layer->begin)) {
        layer->end = layer->begin;
        return true;
    }
    return json_array_size(value) == 2 && integer_of(json_array_get(value, 0), &layer->begin) &&
           integer_of(json_array_get(value, 1), &layer->end);
}

static fal_status read_key(cli_command *command, int32_t number, const char *key, const json_t *value,
                           fal_layer *layer, char name[NAME])
{
    int64_t *place = strcmp(key, "kernel") == 0     ? &layer->kernel
                     : strcmp(key, "stride") == 0   ? &layer->stride
                     : strcmp(key, "dilation") == 0 ? &layer->dilation
                                                    : NULL;
    if (place != NULL) {
        bool good = integer_of(value, place) && *place >= 1;
        return good ? FAL_OK : bad_layer(command, number, key, "must be a whole number of at least 1");
    }
    if (strcmp(key, "padding") == 0)
        return padding_of(value, layer) ? FAL_OK
                                        : bad_layer(command, number, key, "must be a number or [begin, end]");
    if (strcmp(key, "transposed") == 0) {
        layer->transposed = json_is_true(value);
        return json_is_boolean(value) ? FAL_OK : bad_layer(command, number, key, "must be true or false");
    }
    if (strcmp(key, "name") != 0) return bad_layer(command, number, key, "is not a known key");
    if (!json_is_string(value)) return bad_layer(command, number, key, "must be a text");
    snprintf(name, NAME, "%s", json_string_value(value));
    for (char *at = name; *at != '\0'; at++)
        if (*at < ' ' || *at > '~') *at = '?';
    return FAL_OK;
}

static void release_json(void *json)
{
    json_decref(json);
}

static fal_status load_json(cli_command *command, const char *path, json_t **root)
{
    json_error_t problem;
    char *text;
    CLI_TRY(cli_read_text(command, path, JSON_MOST, "JSON", &text));
    *root = json_loads(text, JSON_REJECT_DUPLICATES, &problem);
    if (*root == NULL)
        return cli_fail(command, FAL_E_HEADER, path, "no JSON: %.80s in line %d", problem.text, problem.line);
    CLI_TRY(cli_adopt(command, *root, release_json));
    command->in_file = false;
    return FAL_OK;
}

static fal_status read_json(cli_command *command, const char *path, stack *s)
{
    json_t *root, *value;
    const char *key;
    CLI_TRY(load_json(command, path, &root));
    const json_t *list = json_is_object(root) ? json_object_get(root, "layers") : root;
    if (!json_is_array(list)) {
        command->in_file = true;
        return cli_fail(command, FAL_E_HEADER, path,
                        "no list of layers: an array, or an object with \"layers\"");
    }
    CLI_TRY(reserve(command, s, json_array_size(list)));
    for (size_t i = 0; i < json_array_size(list); i++, s->count++) {
        json_t *object = json_array_get(list, i);
        fal_layer *layer = &s->layers[i];
        *layer = (fal_layer){.kernel = 1, .stride = 1, .dilation = 1};
        snprintf(s->names[i], NAME, "%zu", i);
        if (!json_is_object(object)) return bad_layer(command, s->count, "", "is not an object");
        json_object_foreach(object, key, value)
            CLI_TRY(read_key(command, s->count, key, value, layer, s->names[i]));
    }
    return FAL_OK;
}

/* ---- results ---- */

/* "3", "1/2": numerator over denominator in lowest terms. */
static void format_ratio(char *text, size_t capacity, int64_t numerator, int64_t denominator)
{
    uint64_t a = numerator < 0 ? 0 - (uint64_t)numerator : (uint64_t)numerator, b = (uint64_t)denominator;
    while (b != 0) {
        uint64_t rest = a % b;
        a = b;
        b = rest;
    }
    int64_t divisor = a ? (int64_t)a : 1;
    if (denominator / divisor == 1)
        snprintf(text, capacity, "%" PRId64, numerator / divisor);
    else
        snprintf(text, capacity, "%" PRId64 "/%" PRId64, numerator / divisor, denominator / divisor);
}

static void format_field(const fal_field *field, char jump[48], char start[48], char centre[48])
{
    format_ratio(jump, 48, field->jump, field->denominator);
    format_ratio(start, 48, field->start, field->denominator);
    format_ratio(centre, 48, field->centre_twice, 2 * field->denominator);
}

/* The numbers of fal_field: jump, start and centre_twice are numerators over the denominator. */
static fal_status print_json(cli_command *command, const stack *s, const fal_field *fields)
{
    json_t *list = json_array();
    for (int32_t i = 0; i < s->count; i++) {
        const fal_field *field = &fields[i];
        json_array_append_new(list, json_pack("{s:s, s:I, s:I, s:I, s:I, s:I}", "layer", s->names[i], "size",
                                              (json_int_t)field->size, "denominator",
                                              (json_int_t)field->denominator, "jump", (json_int_t)field->jump,
                                              "start", (json_int_t)field->start, "centre_twice",
                                              (json_int_t)field->centre_twice));
    }
    return cli_json_print(command, json_pack("{s:o}", "layers", list));
}

static fal_status read_stack(cli_command *command, const char *path, stack *s)
{
    const char *words = cli_text(command, CLI_LAYERS, NULL);
    if ((words == NULL) == (path == NULL)) {
        cli_fail(command, FAL_E_USAGE, NULL,
                 words ? "--layers and a file are both given" : "no layers are given");
        return cli_allow(command, FAL_E_USAGE, "give LAYERS.json or --layers \"k3s1 k3s2\"");
    }
    return words ? parse_words(command, words, s) : read_json(command, path, s);
}

fal_status cli_layers_read(cli_command *command, const char *path, fal_layer **layers, int32_t *count)
{
    stack s = {0};
    CLI_TRY(read_stack(command, path, &s));
    *layers = s.layers;
    *count = s.count;
    return FAL_OK;
}

fal_status cli_run_receptive_field(cli_command *command)
{
    stack s = {0};
    fal_field *fields;
    CLI_TRY(read_stack(command, cli_operand(command, 0), &s));
    CLI_TRY(cli_alloc(command, s.count, sizeof *fields, (void **)&fields));
    CLI_TRY(fal_receptive_field(s.layers, s.count, fields, &command->error));
    if (command->json) return print_json(command, &s, fields);
    FILE *out = cli_out(command);
    fprintf(out, "%-16s %10s %10s %10s %10s\n", "layer", "size", "jump", "start", "centre");
    for (int32_t i = 0; i < s.count; i++) {
        char jump[48], start[48], centre[48];
        format_field(&fields[i], jump, start, centre);
        fprintf(out, "%-16s %10" PRId64 " %10s %10s %10s\n", s.names[i], fields[i].size, jump, start, centre);
    }
    return FAL_OK;
}
