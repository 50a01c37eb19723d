/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * safetensors_write.c: tensors as .safetensors, laid out as the format's own writer does: the types
 * with the largest alignment first, equal types by name, the header padded to 8 bytes with blanks, so
 * that every tensor is aligned.
 */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "io/bytes.h"
#include "io/pack.h"
#include "io/safetensors.h"

/* The row of the last name of a type: "U8" rather than "BOOL". */
static int type_row(fal_dtype dtype)
{
    int row = 0;
    for (int i = 0; io_safetensors_types[i].name != NULL; i++)
        if (io_safetensors_types[i].dtype == dtype) row = i;
    return row;
}

static int compare_items(const void *left, const void *right)
{
    const io_named *a = left, *b = right;
    int rows = type_row(b->tensor->dtype) - type_row(a->tensor->dtype);
    return rows != 0 ? rows : strcmp(a->name, b->name);
}

/* {"dtype": ..., "shape": ..., "data_offsets": ...} or NULL. */
static json_t *describe(const fal_tensor *t, uint64_t begin, uint64_t end)
{
    json_t *shape = json_array();
    for (int32_t a = 0; a < t->rank; a++) json_array_append_new(shape, json_integer(t->shape[a]));
    json_t *tensor = json_pack("{s:s, s:o, s:[I, I]}", "dtype", io_safetensors_types[type_row(t->dtype)].name,
                               "shape", shape, "data_offsets", (json_int_t)begin, (json_int_t)end);
    if (tensor != NULL && json_array_size(shape) == (size_t)t->rank) return tensor;
    json_decref(tensor);
    return NULL;
}

/* The number of bytes behind the first byte of a character; 4: it is none. */
static int followers(unsigned char first)
{
    if (first < 0x80) return 0;
    if (first < 0xC2) return 4;
    return first < 0xE0 ? 1 : first < 0xF0 ? 2 : first < 0xF5 ? 3 : 4;
}

/* Looked at before jansson does, whose refusal does not tell a bad name from too little memory. */
static bool is_utf8(const char *text)
{
    const unsigned char *at = (const unsigned char *)text;
    while (*at != 0) {
        unsigned char first = *at++;
        int left = followers(first);
        if (left == 4) return false;
        /* Overlong forms, surrogates and what lies behind U+10FFFF show in the second byte. */
        if ((first == 0xE0 && *at < 0xA0) || (first == 0xED && *at > 0x9F)) return false;
        if ((first == 0xF0 && *at < 0x90) || (first == 0xF4 && *at > 0x8F)) return false;
        for (; left > 0; left--, at++)
            if ((*at & 0xC0) != 0x80) return false;
    }
    return true;
}

static fal_status build_header(const io_named *items, size_t count, const io_place *place, json_t *tree,
                               fal_error *error)
{
    uint64_t at = 0;
    char text[IO_TEXT];
    for (size_t i = 0; i < count; i++) {
        const fal_tensor *t = items[i].tensor;
        uint64_t end = at + (uint64_t)fal_tensor_count(t) * fal_dtype_bytes(t->dtype);
        io_escape(text, items[i].name, strlen(items[i].name));
        if (strcmp(items[i].name, "__metadata__") == 0) {
            return io_fail(error, FAL_E_NAME, place, IO_NOWHERE, "a tensor cannot be named '__metadata__'");
        }
        if (json_object_get(tree, items[i].name) != NULL) {
            return io_fail(error, FAL_E_DUPLICATE, place, IO_NOWHERE, "two tensors are named '%s'", text);
        }
        if (!is_utf8(items[i].name)) {
            return io_fail(error, FAL_E_ENCODING, place, IO_NOWHERE, "the name '%s' is not UTF-8", text);
        }
        json_t *tensor = describe(t, at, end);
        if (tensor == NULL || json_object_set_new(tree, items[i].name, tensor) != 0)
            return io_fail_memory(error, place, "the header", 0);
        at = end;
    }
    return FAL_OK;
}

static fal_status write_header(io_file *file, const json_t *tree, fal_error *error)
{
    char *text = json_dumps(tree, JSON_COMPACT);
    const io_place place = io_file_place(file);
    if (text == NULL) return io_fail_memory(error, &place, "the header", 0);
    unsigned char field[8];
    size_t length = strlen(text), blanks = (8 - length % 8) % 8;
    io_put_le64(field, length + blanks);
    fal_status status = io_file_write(file, field, sizeof field, error);
    if (status == FAL_OK) status = io_file_write(file, text, length, error);
    if (status == FAL_OK) status = io_file_write(file, "       ", blanks, error);
    free(text);
    return status;
}

fal_status io_safetensors_write(io_file *file, const io_named *items, size_t count,
                                const io_write_options *options, fal_error *error)
{
    (void)options;
    const io_place place = io_file_place(file);
    io_named *sorted = malloc(count * sizeof *sorted + 1);
    json_t *tree = json_object();
    fal_status status = FAL_OK;
    if (sorted == NULL || tree == NULL) {
        status = io_fail_memory(error, &place, "the header", count * sizeof *sorted);
    } else {
        memcpy(sorted, items, count * sizeof *sorted);
        qsort(sorted, count, sizeof *sorted, compare_items);
        status = build_header(sorted, count, &place, tree, error);
    }
    if (status == FAL_OK) status = write_header(file, tree, error);
    for (size_t i = 0; i < count && status == FAL_OK; i++)
        status = io_pack_write(sorted[i].tensor, file, error);
    json_decref(tree);
    free(sorted);
    return status;
}
