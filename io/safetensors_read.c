/* SPDX-License-Identifier: BSD-3-Clause */
/* safetensors_read.c: one tensor, or the list of them, from a .safetensors file. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "io/bytes.h"
#include "io/choice.h"
#include "io/safetensors_header.h"

static fal_status fail_choice(const io_st_header *h, const char *member, const io_place *place,
                              fal_error *error)
{
    io_choice choice = {.wanted = member};
    for (size_t i = 0; i < h->count; i++)
        io_choice_add(&choice, h->tensors[i].name, strlen(h->tensors[i].name));
    return io_choice_fail(&choice, place, error);
}

static const io_st_tensor *choose(const io_st_header *h, const char *member)
{
    if (member == NULL) return h->count == 1 ? h->tensors : NULL;
    for (size_t i = 0; i < h->count; i++)
        if (strcmp(h->tensors[i].name, member) == 0) return h->tensors + i;
    return NULL;
}

static fal_status read_data(io_source *source, const io_st_header *h, const io_st_tensor *t, io_array *out,
                            fal_error *error)
{
    io_place place = {.name = source->place.name, .member = t->name};
    void *memory = NULL;
    if (t->type->dtype == FAL_DTYPE_NONE) {
        io_fail(error, FAL_E_UNSUPPORTED, &place, IO_NOWHERE, "elements are %s", t->type->name);
        return io_allowed(error, FAL_E_UNSUPPORTED,
                          "F16, BF16, F32, F64, I8, I16, I32, I64, U8 and BOOL can be read");
    }
    IO_TRY(io_source_seek(source, h->data + t->begin, error));
    IO_TRY(io_source_take(source, t->end - t->begin, "the tensor", &memory, error));
    size_t bytes = (size_t)(t->end - t->begin), width = t->type->bits / 8;
    const unsigned char *data = memory;
    for (size_t i = 0; i < bytes && t->type == io_safetensors_types; i++) {
        if (data[i] <= 1) continue;
        unsigned value = data[i];
        free(memory);
        io_fail(error, FAL_E_HEADER, &place, h->data + t->begin + i, "value %u at element %zu", value, i);
        return io_allowed(error, FAL_E_HEADER, "a bool is 0 or 1");
    }
    if (io_host_is_big()) io_swap(memory, width, bytes / width);
    out->memory = memory;
    out->bytes = bytes;
    out->tensor = fal_tensor_of(memory, t->type->dtype, t->rank, t->shape);
    return FAL_OK;
}

fal_status io_safetensors_read(io_source *source, const char *member, const io_read_options *options,
                               io_array *out, fal_error *error)
{
    io_st_header header;
    if (source->size == IO_UNKNOWN_SIZE) IO_TRY(io_source_load(source, error));
    IO_TRY(io_st_header_read(source, &options->limits, &header, error));
    const io_st_tensor *t = choose(&header, member);
    fal_status status = t != NULL ? read_data(source, &header, t, out, error)
                                  : fail_choice(&header, member, &source->place, error);
    io_st_header_free(&header);
    return status;
}

static fal_status list_tensor(const io_st_tensor *t, const io_place *place, io_listing *out, fal_error *error)
{
    io_entry *entry = NULL;
    IO_TRY(io_listing_add(out, t->name, strlen(t->name), place, &entry, error));
    entry->dtype = t->type->dtype;
    snprintf(entry->stored, sizeof entry->stored, "%s", t->type->name);
    entry->rank = t->rank;
    memcpy(entry->shape, t->shape, sizeof t->shape);
    entry->bytes = entry->stored_bytes = t->end - t->begin;
    return FAL_OK;
}

fal_status io_safetensors_list(io_source *source, const char *member, const io_read_options *options,
                               io_listing *out, fal_error *error)
{
    io_st_header header;
    fal_status status = FAL_OK;
    if (source->size == IO_UNKNOWN_SIZE) IO_TRY(io_source_load(source, error));
    IO_TRY(io_st_header_read(source, &options->limits, &header, error));
    if (member != NULL) {
        const io_st_tensor *t = choose(&header, member);
        status = t != NULL ? list_tensor(t, &source->place, out, error)
                           : fail_choice(&header, member, &source->place, error);
    } else {
        for (size_t i = 0; i < header.count && status == FAL_OK; i++)
            status = list_tensor(header.tensors + i, &source->place, out, error);
    }
    io_st_header_free(&header);
    return status;
}
