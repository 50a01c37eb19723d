/* SPDX-License-Identifier: BSD-3-Clause */
/* pack.c: see pack.h. */
#include "io/pack.h"

#include <string.h>

#include "io/bytes.h"

io_packer io_pack_begin(const fal_tensor *t)
{
    return (io_packer){.tensor = t, .width = fal_dtype_bytes(t->dtype), .left = fal_tensor_count(t)};
}

/* Copies as much of the current innermost row as is left and fits, and moves the index on. */
static int64_t copy_run(io_packer *packer, unsigned char *out, int64_t room)
{
    const fal_tensor *t = packer->tensor;
    int64_t offset = 0;
    for (int32_t a = 0; a < t->rank; a++) offset += packer->index[a] * t->strides[a];
    const unsigned char *from = (const unsigned char *)t->data + offset * (int64_t)packer->width;
    if (t->rank == 0) {
        memcpy(out, from, packer->width);
        return 1;
    }
    int32_t last = t->rank - 1;
    int64_t run = t->shape[last] - packer->index[last];
    if (run > room) run = room;
    int64_t step = t->strides[last] * (int64_t)packer->width;
    if (t->strides[last] == 1) {
        memcpy(out, from, (size_t)run * packer->width);
    } else {
        for (int64_t i = 0; i < run; i++)
            memcpy(out + (size_t)i * packer->width, from + i * step, packer->width);
    }
    packer->index[last] += run;
    for (int32_t a = last; a > 0 && packer->index[a] == t->shape[a]; a--) {
        packer->index[a] = 0;
        packer->index[a - 1]++;
    }
    return run;
}

size_t io_pack_next(io_packer *packer, void *out, size_t capacity)
{
    int64_t room = (int64_t)(capacity / packer->width);
    size_t filled = 0;
    while (packer->left > 0 && room > 0) {
        int64_t run = copy_run(packer, (unsigned char *)out + filled, room);
        filled += (size_t)run * packer->width;
        packer->left -= run;
        room -= run;
    }
    if (io_host_is_big()) io_swap(out, packer->width, filled / packer->width);
    return filled;
}

fal_status io_pack_write(const fal_tensor *t, io_file *file, fal_error *error)
{
    unsigned char piece[16384];
    io_packer packer = io_pack_begin(t);
    for (size_t count; (count = io_pack_next(&packer, piece, sizeof piece)) > 0;) {
        IO_TRY(io_file_write(file, piece, count, error));
    }
    return FAL_OK;
}
