/* SPDX-License-Identifier: BSD-3-Clause */
/* npy_read.c: the data of an .npy array. Also reads the members of an .npz. */
#include <stdlib.h>
#include <string.h>

#include "io/bytes.h"
#include "io/formats.h"
#include "io/npy_header.h"

/* Column-major data keeps its order; the strides run the other way. */
static void set_fortran_strides(fal_tensor *t)
{
    int64_t stride = 1;
    for (int32_t a = 0; a < t->rank; a++) {
        t->strides[a] = stride;
        if (t->shape[a] > 0) stride *= t->shape[a];
    }
}

static fal_status check_booleans(const unsigned char *data, uint64_t count, const io_source *source,
                                 fal_error *error)
{
    for (uint64_t i = 0; i < count; i++) {
        if (data[i] <= 1) continue;
        io_fail(error, FAL_E_HEADER, &source->place, source->position - count + i,
                "value %u at element %" PRIu64, (unsigned)data[i], i);
        return io_allowed(error, FAL_E_HEADER, "a bool is 0 or 1");
    }
    return FAL_OK;
}

fal_status io_npy_read(io_source *source, const char *member, const io_read_options *options, io_array *out,
                       fal_error *error)
{
    (void)member;
    io_npy_header header;
    void *memory = NULL;
    IO_TRY(io_npy_read_header(source, &options->limits, &header, error));
    IO_TRY(io_npy_resolve(&header, options->void_dtype, &source->place, error));
    IO_TRY(io_source_take(source, header.bytes, "the array", &memory, error));
    fal_status status = FAL_OK;
    if (header.boolean) status = check_booleans(memory, header.count, source, error);
    /* A stream may hold several arrays, one after another; a member of an archive holds one. */
    bool more = source->handle == NULL || options->allow_trailing;
    if (status == FAL_OK) status = io_source_finish(source, more, error);
    if (status != FAL_OK) {
        free(memory);
        return status;
    }
    if (header.swap) io_swap(memory, fal_dtype_bytes(header.dtype), (size_t)header.count);
    out->memory = memory;
    out->bytes = (size_t)header.bytes;
    out->tensor = fal_tensor_of(memory, header.dtype, header.rank, header.shape);
    if (header.fortran) set_fortran_strides(&out->tensor);
    return FAL_OK;
}

fal_status io_npy_list(io_source *source, const char *member, const io_read_options *options, io_listing *out,
                       fal_error *error)
{
    io_npy_header header;
    io_entry *entry = NULL;
    IO_TRY(io_npy_read_header(source, &options->limits, &header, error));
    const char *name = member != NULL ? member : "";
    IO_TRY(io_listing_add(out, name, strlen(name), &source->place, &entry, error));
    bool sized = source->size != IO_UNKNOWN_SIZE && source->size >= source->position;
    entry->stored_bytes = sized ? source->size - source->position : 0;
    memcpy(entry->stored, header.descr, sizeof header.descr);
    entry->rank = header.rank;
    memcpy(entry->shape, header.shape, sizeof header.shape);
    entry->fortran = header.fortran;
    fal_status status = io_npy_resolve(&header, options->void_dtype, &source->place, NULL);
    entry->dtype = status == FAL_OK ? header.dtype : FAL_DTYPE_NONE;
    entry->bytes = status == FAL_OK ? header.bytes : entry->stored_bytes;
    return FAL_OK;
}
