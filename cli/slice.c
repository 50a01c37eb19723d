/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * slice.c: Python's slices, `0:2,:,::-1,-1`.
 *
 * Negative numbers count from the end and what reaches outside is cut, as in Python; a plain number picks
 * one element and drops its axis. The library's slice has no such wrap-around, so it is resolved here.
 */
#include "cli/slice.h"

#include <inttypes.h>
#include <string.h>

/* One axis as it was typed. */
typedef struct slice {
    bool has_start, has_stop, single;
    int64_t start, stop, step;
} slice;

static fal_status bad_slice(cli_command *command, const char *text, const char *what)
{
    cli_fail(command, FAL_E_USAGE, "--slice", "'%.80s' %s", text, what);
    return cli_allow(command, FAL_E_USAGE,
                     "must be start:stop:step or a number for each axis, separated by commas");
}

/* One axis: up to three numbers between colons; empty ones are left out. */
static bool parse_axis(char *part, slice *s)
{
    *s = (slice){.step = 1};
    char *first = strchr(part, ':'), *second = first ? strchr(first + 1, ':') : NULL;
    if (first == NULL) {
        s->single = s->has_start = true;
        return cli_parse_int(part, &s->start);
    }
    *first = '\0';
    if (second != NULL) *second = '\0';
    s->has_start = *part != '\0';
    s->has_stop = first[1] != '\0';
    if (s->has_start && !cli_parse_int(part, &s->start)) return false;
    if (s->has_stop && !cli_parse_int(first + 1, &s->stop)) return false;
    return second == NULL || second[1] == '\0' || cli_parse_int(second + 1, &s->step);
}

/* A position that Python would accept: from the end when negative, then cut to low..high. */
static int64_t settle(int64_t position, int64_t size, int64_t low, int64_t high)
{
    if (position < 0) position += size;
    return position < low ? low : position > high ? high : position;
}

/* Resolves start and stop for an axis of this size. An empty slice becomes 0:0. */
static void resolve(slice *s, int64_t size)
{
    bool back = s->step < 0;
    int64_t low = back ? -1 : 0, high = back ? size - 1 : size;
    s->start = s->has_start ? settle(s->start, size, low, high) : back ? size - 1 : 0;
    s->stop = s->has_stop ? settle(s->stop, size, low, high) : back ? -1 : size;
    if (back ? s->start <= s->stop : s->start >= s->stop) *s = (slice){.step = 1};
}

static void drop_axis(fal_tensor *t, int32_t axis)
{
    size_t after = (size_t)(t->rank - axis - 1);
    memmove(&t->shape[axis], &t->shape[axis + 1], after * sizeof t->shape[0]);
    memmove(&t->strides[axis], &t->strides[axis + 1], after * sizeof t->strides[0]);
    t->rank--;
}

static fal_status slice_axis(cli_command *command, slice *s, int32_t axis, int32_t number, fal_tensor *out)
{
    int64_t size = out->shape[axis];
    if (s->single) {
        if (s->start < -size || s->start >= size) {
            cli_fail(command, FAL_E_DIM, "--slice",
                     "element %" PRId64 " of axis %" PRId32 ", which has %" PRId64, s->start, number, size);
            if (size == 0) return FAL_E_DIM;
            return cli_allow(command, FAL_E_DIM, "must be %" PRId64 "..%" PRId64, -size, size - 1);
        }
        int64_t at = s->start < 0 ? s->start + size : s->start;
        CLI_TRY(fal_tensor_slice(out, axis, at, at + 1, 1, out, &command->error));
        drop_axis(out, axis);
        return FAL_OK;
    }
    resolve(s, size);
    return fal_tensor_slice(out, axis, s->start, s->stop, s->step, out, &command->error);
}

fal_status cli_slice(cli_command *command, const fal_tensor *t, const char *text, fal_tensor *out)
{
    const char *rest = text;
    int32_t axis = 0;
    *out = *t;
    for (int32_t number = 0;; number++) {
        char part[80];
        slice s;
        size_t length = strcspn(rest, ",");
        if (number == t->rank) return bad_slice(command, text, "has more slices than the tensor has axes");
        if (length >= sizeof part) return bad_slice(command, text, "is too long");
        memcpy(part, rest, length);
        part[length] = '\0';
        if (!parse_axis(part, &s) || s.step == 0) return bad_slice(command, text, "is not a list of slices");
        CLI_TRY(slice_axis(command, &s, axis, number, out));
        if (!s.single) axis++;
        if (rest[length] == '\0') return FAL_OK;
        rest += length + 1;
    }
}
