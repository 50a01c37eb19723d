/* SPDX-License-Identifier: BSD-3-Clause */
/* image.c: see image.h. */
#include "io/image.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

fal_status io_image_check(const io_image *image, uint64_t most, const io_limits *limits,
                          const io_place *place, fal_error *error)
{
    uint64_t w = image->width, h = image->height;
    if (w == 0 || h == 0) {
        io_fail(error, FAL_E_DIM, place, IO_NOWHERE, "the image is %" PRIu64 " x %" PRIu64 " pixels", w, h);
        return io_allowed(error, FAL_E_DIM, "width and height are at least 1");
    }
    if (w > limits->side || h > limits->side) {
        io_fail(error, FAL_E_LIMIT, place, IO_NOWHERE, "the image is %" PRIu64 " x %" PRIu64 " pixels", w, h);
        io_allowed(error, FAL_E_LIMIT, "at most %" PRIu64 " wide or high", limits->side);
        return io_raise(error, "side", w > h ? w : h);
    }
    if (w > limits->pixels / h) {
        io_fail(error, FAL_E_LIMIT, place, IO_NOWHERE, "the image is %" PRIu64 " x %" PRIu64 " pixels", w, h);
        io_allowed(error, FAL_E_LIMIT, "at most %" PRIu64 " pixels", limits->pixels);
        return io_raise(error, "pixels", w * h);
    }
    if (w > most / h) {
        io_fail(error, FAL_E_BOMB, place, IO_NOWHERE, "the image claims %" PRIu64 " x %" PRIu64 " pixels", w,
                h);
        return io_allowed(error, FAL_E_BOMB, "its data can hold %" PRIu64, most);
    }
    return FAL_OK;
}

static void shape_of(const io_image *image, fal_layout layout, int64_t shape[4])
{
    int64_t c = image->channels, h = (int64_t)image->height, w = (int64_t)image->width;
    bool last = layout == FAL_NHWC;
    shape[0] = 1;
    shape[1] = last ? h : c;
    shape[2] = last ? w : h;
    shape[3] = last ? c : w;
}

fal_status io_image_allocate(const io_image *image, fal_layout layout, const io_place *place, io_array *out,
                             fal_error *error)
{
    int64_t shape[4];
    shape_of(image, layout, shape);
    uint64_t bytes = image->width * image->height * (uint64_t)image->channels * sizeof(float);
    void *memory = bytes > SIZE_MAX ? NULL : malloc((size_t)bytes);
    if (memory == NULL) return io_fail_memory(error, place, "the pixels", bytes);
    out->memory = memory;
    out->bytes = (size_t)bytes;
    out->tensor = fal_tensor_of(memory, FAL_F32, 4, shape);
    return FAL_OK;
}

fal_status io_image_list(const io_image *image, fal_layout layout, const char *stored,
                         const io_source *source, io_listing *out, fal_error *error)
{
    io_entry *entry = NULL;
    IO_TRY(io_listing_add(out, "", 0, &source->place, &entry, error));
    entry->dtype = FAL_F32;
    snprintf(entry->stored, sizeof entry->stored, "%s", stored);
    entry->rank = 4;
    shape_of(image, layout, entry->shape);
    entry->bytes = image->width * image->height * (uint64_t)image->channels * sizeof(float);
    entry->stored_bytes = source->size;
    return FAL_OK;
}

io_image_steps io_image_step(const io_image *image, fal_layout layout)
{
    if (layout == FAL_NHWC) return (io_image_steps){.pixel = (size_t)image->channels, .channel = 1};
    return (io_image_steps){.pixel = 1, .channel = (size_t)(image->width * image->height)};
}
