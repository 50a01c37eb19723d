/* SPDX-License-Identifier: BSD-3-Clause */
/* json_guard.c: see json_guard.h. It counts; whether the text is JSON at all is the parser's to say. */
#include "io/json_guard.h"

enum { DEPTH = 16 };

/* The position behind the string that begins at `at`. */
static size_t skip_string(const char *json, size_t length, size_t at)
{
    for (at++; at < length && json[at] != '"'; at++)
        if (json[at] == '\\') at++;
    return at < length ? at + 1 : length;
}

fal_status io_json_guard(const char *json, size_t length, const io_json_bounds *most, const io_place *place,
                         uint64_t base, fal_error *error)
{
    uint64_t commas[DEPTH + 1] = {0}, found = 0;
    bool is_array[DEPTH + 1] = {false};
    int depth = 0;
    size_t string = 0; /* bytes of the last string */
    for (size_t at = 0; at < length;) {
        char byte = json[at];
        if (byte == '"') {
            size_t end = skip_string(json, length, at);
            string = end - at - 2;
            at = end;
            continue;
        }
        /* jansson passes over a zero byte behind a number. */
        if (byte == 0) return io_fail(error, FAL_E_HEADER, place, base + at, "the header holds a zero byte");
        if (byte == '-' && at + 1 < length && json[at + 1] == '0') {
            return io_fail(error, FAL_E_HEADER, place, base + at, "a number is written -0");
        }
        if (byte == '{' || byte == '[') {
            if (depth == DEPTH) {
                io_fail(error, FAL_E_HEADER, place, base + at, "the header nests deeper than %d", DEPTH);
                return FAL_E_HEADER;
            }
            depth++;
            commas[depth] = 0;
            is_array[depth] = byte == '[';
        } else if ((byte == '}' || byte == ']') && depth > 0) {
            depth--;
        } else if (byte == ',' && is_array[depth] && ++commas[depth] >= most->array) {
            io_fail(error, FAL_E_RANK, place, base + at, "a list of more than %" PRIu64 " numbers",
                    most->array);
            return io_allowed(error, FAL_E_RANK, "a tensor has at most %" PRIu64 " axes", most->array);
        } else if (byte == ':' && ++found > most->keys) {
            io_fail(error, FAL_E_LIMIT, place, base + at, "the header has more than %" PRIu64 " keys",
                    most->keys);
            return io_raise(error, "members",
                            most->keys / 4); /* twice the members that these keys stand for */
        } else if (byte == ':' && string > most->key_bytes) {
            io_fail(error, FAL_E_LIMIT, place, base + at, "a name of %zu bytes", string);
            io_allowed(error, FAL_E_LIMIT, "at most %" PRIu64, most->key_bytes);
            return io_raise(error, "name", string);
        }
        at++;
    }
    return FAL_OK;
}
