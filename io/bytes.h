/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * bytes.h: numbers in files, independent of this machine's byte order, and products of sizes that
 * cannot wrap. Used by every reader and writer.
 */
#ifndef IO_BYTES_H
#define IO_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

static inline uint16_t io_le16(const unsigned char *p)
{
    return (uint16_t)(p[0] | p[1] << 8);
}
static inline uint32_t io_le32(const unsigned char *p)
{
    return (uint32_t)io_le16(p) | (uint32_t)io_le16(p + 2) << 16;
}
static inline uint64_t io_le64(const unsigned char *p)
{
    return (uint64_t)io_le32(p) | (uint64_t)io_le32(p + 4) << 32;
}
static inline uint32_t io_be32(const unsigned char *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static inline void io_put_le64(unsigned char *p, uint64_t value)
{
    for (int i = 0; i < 8; i++) p[i] = (unsigned char)(value >> (8 * i));
}

static inline bool io_host_is_big(void)
{
    const uint16_t one = 1;
    return *(const unsigned char *)&one == 0;
}

/* Reverses the bytes of each of `count` elements of `width` bytes. */
static inline void io_swap(void *data, size_t width, size_t count)
{
    unsigned char *p = data;
    if (width < 2) return;
    for (size_t i = 0; i < count; i++, p += width) {
        for (size_t low = 0, high = width - 1; low < high; low++, high--) {
            unsigned char byte = p[low];
            p[low] = p[high];
            p[high] = byte;
        }
    }
}

/* *out = a * b; false when it does not fit. */
static inline bool io_multiply(uint64_t a, uint64_t b, uint64_t *out)
{
    if (b != 0 && a > UINT64_MAX / b) return false;
    *out = a * b;
    return true;
}

#endif
