/* SPDX-License-Identifier: BSD-3-Clause */
/* safetensors_header.c: see safetensors_header.h. */
#include "io/safetensors_header.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "io/bytes.h"
#include "io/json_guard.h"

/* A failure of one tensor; the messages name it as the member. */
typedef struct scope {
    io_place place;
    const io_limits *limits;
    fal_error *error;
} scope;

static fal_status fail_tree(const scope *s, const json_error_t *reason, uint64_t base)
{
    uint64_t at = base + (reason->position > 0 ? (uint64_t)reason->position : 0);
    /* jansson often has no more to say than that there is no value; errno was 0 before. */
    if (errno == ENOMEM || json_error_code(reason) == json_error_out_of_memory)
        return io_fail_memory(s->error, &s->place, "the header", 0);
    switch (json_error_code(reason)) {
    case json_error_invalid_utf8:
        return io_fail(s->error, FAL_E_ENCODING, &s->place, at, "the header is not UTF-8");
    case json_error_duplicate_key:
        return io_fail(s->error, FAL_E_DUPLICATE, &s->place, at, "a name is given twice in the header");
    case json_error_null_byte_in_key:
    case json_error_null_character:
        return io_fail(s->error, FAL_E_NAME, &s->place, at, "a name holds a zero character");
    case json_error_numeric_overflow:
        io_fail(s->error, FAL_E_OVERFLOW, &s->place, at, "a number of the header is too large");
        return io_allowed(s->error, FAL_E_OVERFLOW, "at most %" PRId64, INT64_MAX);
    case json_error_premature_end_of_input:
        return io_fail(s->error, FAL_E_HEADER, &s->place, at, "the header ends inside its JSON");
    case json_error_end_of_input_expected:
        return io_fail(s->error, FAL_E_HEADER, &s->place, at, "something follows the JSON of the header");
    default:
        /* jansson has no code of its own for half a surrogate pair. */
        if (strncmp(reason->text, "invalid Unicode", 15) == 0)
            return io_fail(s->error, FAL_E_ENCODING, &s->place, at, "an escape is half a character");
        return io_fail(s->error, FAL_E_HEADER, &s->place, at, "the header is not JSON");
    }
}

static fal_status parse_tree(const scope *s, const char *text, size_t length, uint64_t base, json_t **out)
{
    size_t start = 0;
    while (start < length && memchr(" \t\r\n", text[start], 4) != NULL) start++;
    if (start == length || text[start] != '{') {
        return io_fail(s->error, FAL_E_HEADER, &s->place, base + start, "the header is not a JSON object");
    }
    /* Four keys make a tensor; as many again for the free text of __metadata__. */
    uint64_t keys = s->limits->members > UINT64_MAX / 8 ? UINT64_MAX : s->limits->members * 8;
    const io_json_bounds most = {.array = FAL_MAX_RANK, .keys = keys, .key_bytes = s->limits->name_bytes};
    IO_TRY(io_json_guard(text, length, &most, &s->place, base, s->error));
    json_error_t reason;
    errno = 0;
    *out = json_loadb(text, length, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &reason);
    return *out != NULL ? FAL_OK : fail_tree(s, &reason, base);
}

static fal_status fail(const scope *s, fal_status status, const char *what)
{
    return io_fail(s->error, status, &s->place, IO_NOWHERE, "%s", what);
}

static fal_status read_type(const scope *s, const json_t *value, io_st_tensor *t)
{
    if (value == NULL) return fail(s, FAL_E_HEADER, "'dtype' is missing");
    const char *name = json_string_value(value);
    if (name == NULL) return fail(s, FAL_E_DTYPE, "'dtype' is not a text");
    size_t length = json_string_length(value); /* an escaped zero character may be inside */
    t->type = io_safetensors_types;
    while (t->type->name != NULL && strcmp(t->type->name, name) != 0) t->type++;
    if (t->type->name != NULL && strlen(name) == length) return FAL_OK;
    char text[IO_TEXT];
    return io_fail(s->error, FAL_E_DTYPE, &s->place, IO_NOWHERE, "element type '%s' is unknown",
                   io_escape(text, name, length));
}

static fal_status read_shape(const scope *s, const json_t *value, io_st_tensor *t)
{
    if (value == NULL) return fail(s, FAL_E_HEADER, "'shape' is missing");
    if (!json_is_array(value)) return fail(s, FAL_E_HEADER, "'shape' is not a list");
    t->rank = (int32_t)json_array_size(value); /* the guard allows FAL_MAX_RANK entries */
    for (int32_t a = 0; a < t->rank; a++) {
        const json_t *size = json_array_get(value, (size_t)a);
        if (!json_is_integer(size)) {
            return io_fail(s->error, FAL_E_HEADER, &s->place, IO_NOWHERE,
                           "shape[%" PRId32 "] is not an integer", a);
        }
        t->shape[a] = json_integer_value(size);
        bool negative = t->shape[a] < 0;
        if (!negative && (uint64_t)t->shape[a] <= s->limits->axis) continue;
        fal_status status = negative ? FAL_E_DIM : FAL_E_LIMIT;
        io_fail(s->error, status, &s->place, IO_NOWHERE, "shape[%" PRId32 "] is %" PRId64, a, t->shape[a]);
        io_allowed(s->error, status, "must be 0..%" PRIu64, s->limits->axis);
        return negative ? status : io_raise(s->error, "axis", (uint64_t)t->shape[a]);
    }
    return FAL_OK;
}

static fal_status read_offsets(const scope *s, const json_t *value, io_st_tensor *t)
{
    if (value == NULL) return fail(s, FAL_E_HEADER, "'data_offsets' is missing");
    const json_t *begin = json_array_get(value, 0), *end = json_array_get(value, 1);
    if (json_array_size(value) != 2 || !json_is_integer(begin) || !json_is_integer(end)) {
        return fail(s, FAL_E_HEADER, "'data_offsets' is not a list of two integers");
    }
    int64_t low = json_integer_value(begin), high = json_integer_value(end);
    if (low < 0 || high < low) {
        io_fail(s->error, FAL_E_HEADER, &s->place, IO_NOWHERE, "data_offsets are [%" PRId64 ", %" PRId64 "]",
                low, high);
        return io_allowed(s->error, FAL_E_HEADER, "0 <= begin <= end");
    }
    t->begin = (uint64_t)low;
    t->end = (uint64_t)high;
    return FAL_OK;
}

/* Shape times type must be what the offsets give. Zero sizes do not excuse products that overflow. */
static fal_status check_bytes(const scope *s, const io_st_tensor *t)
{
    uint64_t bits = t->type->bits;
    bool empty = false, fits = true;
    for (int32_t a = 0; a < t->rank; a++) {
        if (t->shape[a] == 0)
            empty = true;
        else
            fits = fits && io_multiply(bits, (uint64_t)t->shape[a], &bits);
    }
    if (!fits || bits > INT64_MAX) {
        return fail(s, FAL_E_OVERFLOW, "the sizes of the shape multiply to over 2^63 bits");
    }
    uint64_t bytes = empty ? 0 : bits / 8, given = t->end - t->begin;
    if (!empty && bits % 8 != 0) return fail(s, FAL_E_UNSUPPORTED, "the data ends inside a byte");
    if (bytes == given) return FAL_OK;
    return io_fail(s->error, FAL_E_SHAPE, &s->place, IO_NOWHERE,
                   "the shape needs %" PRIu64 " bytes, data_offsets give %" PRIu64, bytes, given);
}

static fal_status read_tensor(scope *s, const char *name, json_t *value, io_st_tensor *t)
{
    s->place.member = name;
    t->name = name;
    if (!json_is_object(value)) return fail(s, FAL_E_HEADER, "the tensor is not described by an object");
    const char *key;
    json_t *ignored;
    json_object_foreach(value, key, ignored)
    {
        if (strcmp(key, "dtype") == 0 || strcmp(key, "shape") == 0 || strcmp(key, "data_offsets") == 0)
            continue;
        char text[IO_TEXT];
        io_fail(s->error, FAL_E_HEADER, &s->place, IO_NOWHERE, "unknown key '%s'",
                io_escape(text, key, strlen(key)));
        return io_allowed(s->error, FAL_E_HEADER, "the keys are 'dtype', 'shape' and 'data_offsets'");
    }
    IO_TRY(read_type(s, json_object_get(value, "dtype"), t));
    IO_TRY(read_shape(s, json_object_get(value, "shape"), t));
    IO_TRY(read_offsets(s, json_object_get(value, "data_offsets"), t));
    IO_TRY(check_bytes(s, t));
    s->place.member = NULL;
    return FAL_OK;
}

static fal_status check_metadata(const scope *s, json_t *value)
{
    if (!json_is_object(value)) return fail(s, FAL_E_HEADER, "'__metadata__' is not an object");
    const char *key;
    json_t *text;
    json_object_foreach(value, key, text)
    {
        if (!json_is_string(text)) return fail(s, FAL_E_HEADER, "a value of '__metadata__' is not a text");
    }
    return FAL_OK;
}

static fal_status read_tensors(scope *s, io_st_header *out)
{
    size_t most = json_object_size(out->tree) - (json_object_get(out->tree, "__metadata__") != NULL);
    if (most > s->limits->members) {
        io_fail(s->error, FAL_E_LIMIT, &s->place, IO_NOWHERE, "%zu tensors", most);
        io_allowed(s->error, FAL_E_LIMIT, "at most %" PRIu64, s->limits->members);
        return io_raise(s->error, "members", most);
    }
    out->tensors = calloc(most + 1, sizeof *out->tensors);
    if (out->tensors == NULL)
        return io_fail_memory(s->error, &s->place, "the tensors", most * sizeof *out->tensors);
    const char *name;
    json_t *value;
    json_object_foreach(out->tree, name, value)
    {
        if (strcmp(name, "__metadata__") == 0) {
            IO_TRY(check_metadata(s, value));
            continue;
        }
        out->tensors[out->count].index = out->count;
        IO_TRY(read_tensor(s, name, value, out->tensors + out->count));
        out->count++;
    }
    return FAL_OK;
}

static int compare_begin(const void *left, const void *right)
{
    const io_st_tensor *a = left, *b = right;
    if (a->begin != b->begin) return a->begin < b->begin ? -1 : 1;
    if (a->end != b->end) return a->end < b->end ? -1 : 1;
    return a->index < b->index ? -1 : 1;
}

static int compare_index(const void *left, const void *right)
{
    const io_st_tensor *a = left, *b = right;
    return a->index < b->index ? -1 : 1;
}

/* Sorted by offset, each tensor begins where the last one ended, and the last ends with the file. */
static fal_status check_cover(const scope *s, io_st_header *h, uint64_t length)
{
    char first[IO_TEXT], second[IO_TEXT];
    uint64_t covered = 0;
    const io_st_tensor *last = NULL;
    qsort(h->tensors, h->count, sizeof *h->tensors, compare_begin);
    for (size_t i = 0; i < h->count; i++) {
        const io_st_tensor *t = h->tensors + i;
        io_escape(second, t->name, strlen(t->name));
        if (t->begin < covered) {
            return io_fail(s->error, FAL_E_OVERLAP, &s->place, h->data + t->begin,
                           "tensors '%s' and '%s' share bytes",
                           io_escape(first, last->name, strlen(last->name)), second);
        }
        if (t->begin > covered) {
            return io_fail(s->error, FAL_E_HEADER, &s->place, h->data + covered,
                           "bytes %" PRIu64 "..%" PRIu64 " of the data belong to no tensor", covered,
                           t->begin);
        }
        if (t->end > length) {
            return io_fail(s->error, FAL_E_TRUNCATED, &s->place, h->data + length,
                           "tensor '%s' ends at byte %" PRIu64 " of the data, %" PRIu64 " present", second,
                           t->end, length);
        }
        covered = t->end;
        last = t;
    }
    qsort(h->tensors, h->count, sizeof *h->tensors, compare_index);
    if (covered == length) return FAL_OK;
    return io_fail(s->error, FAL_E_TRAILING, &s->place, h->data + covered,
                   "%" PRIu64 " bytes after the last tensor", length - covered);
}

fal_status io_st_header_read(io_source *source, const io_limits *limits, io_st_header *out, fal_error *error)
{
    scope s = {.place = source->place, .limits = limits, .error = error};
    unsigned char field[8];
    void *text = NULL;
    *out = (io_st_header){0};
    IO_TRY(io_source_exact(source, field, sizeof field, "the header length", error));
    uint64_t length = io_le64(field);
    if (length > limits->json_header) {
        io_fail(error, FAL_E_LIMIT, &s.place, 0, "a header of %" PRIu64 " bytes", length);
        io_allowed(error, FAL_E_LIMIT, "at most %" PRIu64, limits->json_header);
        return io_raise(error, "json-header", length);
    }
    if (length == 0) return io_fail(error, FAL_E_HEADER, &s.place, 0, "the header is empty");
    IO_TRY(io_source_take(source, length, "the header", &text, error));
    out->data = source->position;
    fal_status status = parse_tree(&s, text, (size_t)length, sizeof field, &out->tree);
    free(text);
    if (status == FAL_OK) status = read_tensors(&s, out);
    if (status == FAL_OK) status = check_cover(&s, out, source->size - out->data);
    if (status != FAL_OK) io_st_header_free(out);
    return status;
}

void io_st_header_free(io_st_header *header)
{
    free(header->tensors);
    json_decref(header->tree);
    *header = (io_st_header){0};
}
