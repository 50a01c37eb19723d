/* SPDX-License-Identifier: BSD-3-Clause */
/* npy_header.c: the parser of npy_header.h. Meaning of element types: npy_dtype.c. */
#include "io/npy_header.h"

#include <stdlib.h>
#include <string.h>

#include "io/bytes.h"

static const char *const keys[] = {"descr", "fortran_order", "shape"};

/* A walk over the header text. `base` is the file offset of its first byte, for messages. */
typedef struct cursor {
    const unsigned char *text;
    size_t at, end;
    uint64_t base;
    const io_place *place;
    const io_limits *limits;
    fal_error *error;
} cursor;

static bool is_digit(int byte)
{
    return byte >= '0' && byte <= '9';
}

static int peek(const cursor *c)
{
    return c->at < c->end ? c->text[c->at] : -1;
}

static int next_token(cursor *c)
{
    while (c->at < c->end && memchr(" \t\r\n\f", c->text[c->at], 5) != NULL) c->at++;
    return peek(c);
}

/* "expected ':', found 'x'" at the cursor. */
static fal_status fail_expected(const cursor *c, const char *expected)
{
    char found[IO_TEXT];
    if (c->at >= c->end) {
        return io_fail(c->error, FAL_E_HEADER, c->place, c->base + c->end,
                       "the header ends where %s is expected", expected);
    }
    return io_fail(c->error, FAL_E_HEADER, c->place, c->base + c->at, "expected %s, found '%s'", expected,
                   io_escape(found, c->text + c->at, 1));
}

static fal_status expect(cursor *c, char byte, const char *name)
{
    if (next_token(c) != (unsigned char)byte) return fail_expected(c, name);
    c->at++;
    return FAL_OK;
}

/* 'text' or "text", without escapes; cut texts are errors, because every known one is short. */
static fal_status parse_string(cursor *c, char *out, size_t capacity, const char *what)
{
    int quote = next_token(c);
    if (quote == 'u' && c->at + 1 < c->end && (c->text[c->at + 1] == '\'' || c->text[c->at + 1] == '"')) {
        quote = c->text[++c->at];
    }
    if (quote != '\'' && quote != '"') return fail_expected(c, what);
    size_t start = ++c->at;
    while (c->at < c->end && c->text[c->at] != quote) {
        if (c->text[c->at] == '\\') {
            return io_fail(c->error, FAL_E_HEADER, c->place, c->base + c->at, "escapes in %s", what);
        }
        c->at++;
    }
    if (c->at == c->end) {
        return io_fail(c->error, FAL_E_HEADER, c->place, c->base + start - 1, "a quote is not closed");
    }
    size_t length = c->at - start;
    if (length >= capacity) {
        char text[IO_TEXT];
        return io_fail(c->error, FAL_E_HEADER, c->place, c->base + start, "unknown text '%s'",
                       io_escape(text, c->text + start, length));
    }
    memcpy(out, c->text + start, length);
    out[length] = 0;
    c->at++;
    return FAL_OK;
}

static bool take_word(cursor *c, const char *word)
{
    size_t length = strlen(word);
    if (c->end - c->at < length || memcmp(c->text + c->at, word, length) != 0) return false;
    c->at += length;
    return true;
}

static fal_status parse_bool(cursor *c, bool *out)
{
    next_token(c);
    *out = take_word(c, "True");
    if (*out || take_word(c, "False")) return FAL_OK;
    return fail_expected(c, "True or False for 'fortran_order'");
}

/* One size: decimal digits without leading zeros. */
static fal_status parse_size(cursor *c, int32_t axis, int64_t *out)
{
    size_t start = c->at;
    bool negative = peek(c) == '-';
    if (negative) c->at++;
    if (!is_digit(peek(c))) return fail_expected(c, "a size in decimal digits");
    uint64_t value = 0;
    bool fits = true;
    for (; is_digit(peek(c)); c->at++) {
        uint64_t digit = (uint64_t)(peek(c) - '0');
        fits = fits && value <= ((uint64_t)INT64_MAX - digit) / 10;
        if (fits) value = value * 10 + digit;
    }
    char text[IO_TEXT];
    io_escape(text, c->text + start, c->at - start);
    uint64_t offset = c->base + start;
    if (negative || !fits) {
        io_fail(c->error, FAL_E_DIM, c->place, offset, "shape[%" PRId32 "] is %s", axis, text);
        return io_allowed(c->error, FAL_E_DIM, "must be 0..%" PRIu64, c->limits->axis);
    }
    if (c->text[start] == '0' && c->at - start > 1) {
        return io_fail(c->error, FAL_E_HEADER, c->place, offset, "shape[%" PRId32 "] has leading zeros",
                       axis);
    }
    if (value > c->limits->axis) {
        io_fail(c->error, FAL_E_LIMIT, c->place, offset, "shape[%" PRId32 "] is %s", axis, text);
        io_allowed(c->error, FAL_E_LIMIT, "must be 0..%" PRIu64, c->limits->axis);
        return io_raise(c->error, "axis", value);
    }
    if (peek(c) == 'L') c->at++; /* Python 2 wrote 3L */
    *out = (int64_t)value;
    return FAL_OK;
}

/* () or (3,) or (3, 4) or (3, 4,) */
static fal_status parse_shape(cursor *c, io_npy_header *header)
{
    if (next_token(c) != '(') return fail_expected(c, "a tuple for 'shape'");
    size_t start = c->at++;
    bool comma = true;
    header->rank = 0;
    while (next_token(c) != ')') {
        if (!comma) return fail_expected(c, "',' or ')'");
        int64_t size = 0;
        IO_TRY(parse_size(c, header->rank, &size));
        if (header->rank == FAL_MAX_RANK) {
            io_fail(c->error, FAL_E_RANK, c->place, c->base + start, "more than %d axes", FAL_MAX_RANK);
            return io_allowed(c->error, FAL_E_RANK, "at most %d", FAL_MAX_RANK);
        }
        header->shape[header->rank++] = size;
        comma = next_token(c) == ',';
        if (comma) c->at++;
    }
    c->at++;
    if (header->rank == 1 && !comma) {
        io_fail(c->error, FAL_E_HEADER, c->place, c->base + start, "shape (%" PRId64 ") is not a tuple",
                header->shape[0]);
        return io_allowed(c->error, FAL_E_HEADER, "one axis is written (%" PRId64 ",)", header->shape[0]);
    }
    return FAL_OK;
}

static fal_status parse_descr(cursor *c, io_npy_header *header)
{
    int first = next_token(c);
    if (first != '[' && first != '(') return parse_string(c, header->descr, sizeof header->descr, "a type");
    io_fail(c->error, FAL_E_UNSUPPORTED, c->place, c->base + c->at, "structured arrays are not supported");
    return io_hint(c->error, FAL_E_UNSUPPORTED, "save each field as an array of its own");
}

static fal_status parse_entry(cursor *c, io_npy_header *header, bool seen[3])
{
    char key[64];
    size_t start = c->at;
    IO_TRY(parse_string(c, key, sizeof key, "a key in quotes"));
    int which = 0;
    while (which < 3 && strcmp(key, keys[which]) != 0) which++;
    if (which == 3) {
        char text[IO_TEXT];
        io_fail(c->error, FAL_E_HEADER, c->place, c->base + start, "unknown key '%s'",
                io_escape(text, key, strlen(key)));
        return io_allowed(c->error, FAL_E_HEADER, "the keys are 'descr', 'fortran_order' and 'shape'");
    }
    if (seen[which]) {
        return io_fail(c->error, FAL_E_DUPLICATE, c->place, c->base + start, "key '%s' is given twice", key);
    }
    seen[which] = true;
    IO_TRY(expect(c, ':', "':'"));
    if (which == 0) return parse_descr(c, header);
    if (which == 1) return parse_bool(c, &header->fortran);
    return parse_shape(c, header);
}

static fal_status parse_dictionary(cursor *c, io_npy_header *header)
{
    bool seen[3] = {false, false, false}, comma = true;
    if (next_token(c) != '{') {
        return io_fail(c->error, FAL_E_HEADER, c->place, c->base + c->at, "the header is not a dictionary");
    }
    c->at++;
    while (next_token(c) != '}') {
        if (!comma) return fail_expected(c, "',' or '}'");
        IO_TRY(parse_entry(c, header, seen));
        comma = next_token(c) == ',';
        if (comma) c->at++;
    }
    c->at++;
    for (int i = 0; i < 3; i++) {
        if (!seen[i]) {
            return io_fail(c->error, FAL_E_HEADER, c->place, c->base, "key '%s' is missing", keys[i]);
        }
    }
    if (next_token(c) != -1) return fail_expected(c, "the end of the header");
    return FAL_OK;
}

/* Plain types need nothing but ASCII. Version 3 allows UTF-8 for the field names of structured arrays,
 * which are refused anyway, so one rule serves all versions. */
static fal_status check_text(const cursor *c)
{
    for (size_t i = 0; i < c->end; i++) {
        if (c->text[i] >= 0x80) {
            return io_fail(c->error, FAL_E_ENCODING, c->place, c->base + i,
                           "byte 0x%02x in the header is not ASCII", (unsigned)c->text[i]);
        }
        if (c->text[i] == 0) {
            return io_fail(c->error, FAL_E_HEADER, c->place, c->base + i, "the header holds a zero byte");
        }
    }
    return FAL_OK;
}

/* Magic and version. Writes the width of the length field. */
static fal_status read_prelude(io_source *source, size_t *width, fal_error *error)
{
    static const unsigned char magic[6] = {0x93, 'N', 'U', 'M', 'P', 'Y'};
    const io_place *place = &source->place;
    unsigned char start[8];
    size_t got = 0;
    IO_TRY(io_source_read(source, start, sizeof start, &got, error));
    if (got == 0) return io_fail(error, FAL_E_TRUNCATED, place, 0, "the array is empty: 0 bytes");
    if (memcmp(start, magic, got < 6 ? got : 6) != 0) {
        char text[IO_TEXT];
        return io_fail(error, FAL_E_MAGIC, place, 0, "starts with '%s', which is not .npy",
                       io_escape(text, start, got));
    }
    if (got < sizeof start) {
        return io_fail(error, FAL_E_TRUNCATED, place, got, "%zu byte%s; magic and version need 8", got,
                       got == 1 ? "" : "s");
    }
    if (start[6] < 1 || start[6] > 3 || start[7] != 0) {
        io_fail(error, FAL_E_VERSION, place, 6, "version %u.%u", (unsigned)start[6], (unsigned)start[7]);
        return io_allowed(error, FAL_E_VERSION, "1.0, 2.0 and 3.0 are supported");
    }
    *width = start[6] == 1 ? 2 : 4;
    return FAL_OK;
}

fal_status io_npy_read_header(io_source *source, const io_limits *limits, io_npy_header *header,
                              fal_error *error)
{
    size_t width = 0;
    unsigned char field[4] = {0};
    *header = (io_npy_header){.dtype = FAL_DTYPE_NONE};
    IO_TRY(read_prelude(source, &width, error));
    IO_TRY(io_source_exact(source, field, width, "the header length", error));
    uint32_t length = width == 2 ? io_le16(field) : io_le32(field);
    if (length > limits->npy_header) {
        io_fail(error, FAL_E_LIMIT, &source->place, 8, "a header of %" PRIu32 " bytes", length);
        io_allowed(error, FAL_E_LIMIT, "at most %" PRIu64, limits->npy_header);
        return io_raise(error, "npy-header", length);
    }
    if (length == 0) return io_fail(error, FAL_E_HEADER, &source->place, 8, "the header is empty");
    void *text = NULL;
    uint64_t base = source->position;
    IO_TRY(io_source_take(source, length, "the header", &text, error));
    cursor c = {
        .text = text, .end = length, .base = base, .place = &source->place, .limits = limits, .error = error};
    fal_status status = check_text(&c);
    if (status == FAL_OK) status = parse_dictionary(&c, header);
    free(text);
    return status;
}
