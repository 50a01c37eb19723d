/* SPDX-License-Identifier: BSD-3-Clause */
/* rows.c: see rows.h. A constant size makes each memcpy one load and one store. */
#include "tensor/rows.h"

#include <string.h>

#include "base/checked.h"
#include "base/compiler.h"

enum { VECTOR = 16, SHORT = 128 /* bytes; longer rows are the C library's */ };

/* Neighbours. Short rows end with a move that overlaps the one before. */
static FAL__ALWAYS_INLINE void move_bytes(char *to, const char *from, size_t bytes)
{
    if (bytes > SHORT) {
        memcpy(to, from, bytes);
    } else if (bytes >= VECTOR) {
        for (size_t at = 0; at + VECTOR < bytes; at += VECTOR) memcpy(to + at, from + at, VECTOR);
        memcpy(to + bytes - VECTOR, from + bytes - VECTOR, VECTOR);
    } else if (bytes >= 8) {
        memcpy(to, from, 8);
        memcpy(to + bytes - 8, from + bytes - 8, 8);
    } else if (bytes >= 4) {
        memcpy(to, from, 4);
        memcpy(to + bytes - 4, from + bytes - 4, 4);
    } else {
        for (size_t at = 0; at < bytes; at++) to[at] = from[at];
    }
}

/* One element repeated: twice what is there, again and again. */
static void repeat(char *to, const char *from, int64_t count, size_t bytes)
{
    memcpy(to, from, bytes);
    for (int64_t done = 1; done < count; done *= 2)
        memcpy(to + (size_t)done * bytes, to, (size_t)fal__min(done, count - done) * bytes);
}

static FAL__ALWAYS_INLINE void move_elements(char *to, int64_t to_step, const char *from, int64_t from_step,
                                             int64_t count, int64_t bytes)
{
    for (int64_t i = 0; i < count; i++)
        memcpy(to + bytes * i * to_step, from + bytes * i * from_step, (size_t)bytes);
}

/* Every second of 32 bits, which windows of stride 2 read: four at a time, of two vectors that share an
 * element so that nothing beyond the last is read. */
static void move_every_second(char *to, const char *from, int64_t count)
{
    typedef FAL__VECTOR(int32_t, VECTOR) vector;
    int64_t i = 0;
    for (; i + 4 <= count; i += 4) {
        vector a, b;
        memcpy(&a, from + 8 * i, VECTOR);
        memcpy(&b, from + 8 * i + 12, VECTOR);
        const vector picked = FAL__SHUFFLE4(a, b, 0, 2, 5, 7);
        memcpy(to + 4 * i, &picked, VECTOR);
    }
    move_elements(to + 4 * i, 1, from + 8 * i, 2, count - i, 4);
}

void fal__move_row(void *to, int64_t to_step, const void *from, int64_t from_step, int64_t count,
                   size_t bytes)
{
    if (count <= 0) return;
    if (to_step == 1 && from_step == 1) {
        move_bytes(to, from, (size_t)count * bytes);
        return;
    }
    if (count > 4 && to_step == 1 && from_step == 0) {
        repeat(to, from, count, bytes);
        return;
    }
    switch (bytes) {
    case 1: move_elements(to, to_step, from, from_step, count, 1); return;
    case 2: move_elements(to, to_step, from, from_step, count, 2); return;
    case 4:
        if (to_step == 1 && from_step == 2)
            move_every_second(to, from, count);
        else
            move_elements(to, to_step, from, from_step, count, 4);
        return;
    default: move_elements(to, to_step, from, from_step, count, 8);
    }
}
