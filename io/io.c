/* SPDX-License-Identifier: BSD-3-Clause */
/* io.c: finds the file that a SPEC means, chooses the format, and hands over. */
#define _POSIX_C_SOURCE   200809L
#define _FILE_OFFSET_BITS 64
#include "io/io.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "io/formats.h"
#include "io/sniff.h"

/* One row a format. */
static const struct format {
    io_kind kind;
    bool members; /* holds several tensors by name */
    io_reader *read;
    io_lister *list;
    io_writer *write;
} formats[] = {
    {IO_NPY, false, io_npy_read, io_npy_list, io_npy_write},
    {IO_NPZ, true, io_npz_read, io_npz_list, io_npz_write},
    {IO_SAFETENSORS, true, io_safetensors_read, io_safetensors_list, io_safetensors_write},
    {IO_PNG, false, io_png_read, io_png_list, io_png_write},
    {IO_JPEG, false, io_jpeg_read, io_jpeg_list, NULL},
    {IO_WAV, false, io_wav_read, io_wav_list, io_wav_write},
};

static const struct format *find_format(io_kind kind)
{
    for (size_t i = 0; i < sizeof formats / sizeof *formats; i++)
        if (formats[i].kind == kind) return formats + i;
    return NULL;
}

void io_array_free(io_array *array)
{
    free(array->memory);
    *array = (io_array){0};
}

void io_listing_free(io_listing *listing)
{
    for (size_t i = 0; i < listing->count; i++) free(listing->entries[i].name);
    free(listing->entries);
    *listing = (io_listing){0};
}

fal_status io_listing_add(io_listing *listing, const char *name, size_t length, const io_place *place,
                          io_entry **entry, fal_error *error)
{
    size_t count = listing->count;
    /* Room doubles whenever the count is a power of two. */
    if ((count & (count - 1)) == 0) {
        io_entry *larger = realloc(listing->entries, (count == 0 ? 1 : 2 * count) * sizeof *larger);
        if (larger == NULL)
            return io_fail_memory(error, place, "the list of tensors", 2 * count * sizeof *larger);
        listing->entries = larger;
    }
    char *copy = malloc(length + 1);
    if (copy == NULL) return io_fail_memory(error, place, "a name", length + 1);
    memcpy(copy, name, length);
    copy[length] = 0;
    listing->entries[count] = (io_entry){.name = copy};
    listing->count = count + 1;
    *entry = listing->entries + count;
    return FAL_OK;
}

static uint64_t limit_or(uint64_t given, uint64_t standard)
{
    return given != 0 ? given : standard;
}

static io_read_options complete(const io_read_options *options)
{
    io_read_options result = options != NULL ? *options : (io_read_options){.layout = FAL_NCHW};
    io_limits *l = &result.limits;
    l->stream_bytes = limit_or(l->stream_bytes, UINT64_C(8) << 30);
    l->npy_header = limit_or(l->npy_header, 65536);
    l->json_header = limit_or(l->json_header, 25000000);
    l->members = limit_or(l->members, 65535);
    l->name_bytes = limit_or(l->name_bytes, 4096);
    l->axis = limit_or(l->axis, INT32_MAX);
    l->side = limit_or(l->side, 1000000);
    l->pixels = limit_or(l->pixels, UINT64_C(1) << 28);
    return result;
}

static bool exists(const char *path)
{
    struct stat status;
    return strcmp(path, "-") == 0 || stat(path, &status) == 0;
}

/* Splits a copy of the spec at the last colon before which a file exists; a file of the whole name
 * comes first. When there is none, the whole spec stays the path, and opening it will tell. */
static const char *split(char *path)
{
    if (exists(path)) return NULL;
    for (size_t at = strlen(path); at-- > 1;) {
        if (path[at] != ':') continue;
        path[at] = 0;
        if (exists(path)) return path + at + 1;
        path[at] = ':';
    }
    return NULL;
}

/* An open file with its format. */
typedef struct input {
    char *path; /* the spec, cut at the colon */
    const char *member;
    io_source source;
    const struct format *format;
} input;

static void close_input(input *in)
{
    io_source_close(&in->source);
    free(in->path);
}

static fal_status choose_format(input *in, fal_error *error)
{
    const unsigned char *bytes = NULL;
    size_t count = 0;
    IO_TRY(io_source_peek(&in->source, &bytes, &count, error));
    io_kind kind = io_sniff(bytes, count);
    /* A .safetensors has no magic. Where its beginning is damaged, its name is what tells. */
    if (kind == IO_UNKNOWN && count > 0 && io_kind_of_name(in->path) == IO_SAFETENSORS) kind = IO_SAFETENSORS;
    in->format = find_format(kind);
    if (in->format == NULL) return io_refuse_kind(bytes, count, &in->source.place, error);
    if (in->member == NULL || in->format->members) return FAL_OK;
    char text[IO_TEXT];
    return io_fail(error, FAL_E_NOTFOUND, &in->source.place, IO_NOWHERE,
                   "the file is a single %s without names, '%s' was asked for",
                   io_kind_name(in->format->kind), io_escape(text, in->member, strlen(in->member)));
}

static fal_status open_input(input *in, const char *spec, const io_read_options *options, fal_error *error)
{
    const io_place place = {.name = spec};
    size_t length = strlen(spec);
    *in = (input){.path = malloc(length + 1)};
    if (in->path == NULL) return io_fail_memory(error, &place, "a file name", length + 1);
    memcpy(in->path, spec, length + 1);
    in->member = split(in->path);
    fal_status status = io_source_open(&in->source, in->path, options->limits.stream_bytes, error);
    if (status == FAL_OK) status = choose_format(in, error);
    if (status != FAL_OK) close_input(in);
    return status;
}

fal_status io_read(const char *spec, const io_read_options *options, io_array *out, fal_error *error)
{
    input in;
    const io_read_options all = complete(options);
    *out = (io_array){0};
    IO_TRY(open_input(&in, spec, &all, error));
    fal_status status = in.format->read(&in.source, in.member, &all, out, error);
    close_input(&in);
    return status;
}

fal_status io_list(const char *spec, const io_read_options *options, io_listing *out, fal_error *error)
{
    input in;
    const io_read_options all = complete(options);
    *out = (io_listing){0};
    IO_TRY(open_input(&in, spec, &all, error));
    out->kind = in.format->kind;
    out->file_bytes = in.source.size == IO_UNKNOWN_SIZE ? 0 : in.source.size;
    fal_status status = in.format->list(&in.source, in.member, &all, out, error);
    if (status != FAL_OK) io_listing_free(out);
    close_input(&in);
    return status;
}

static fal_status choose_output(const char *path, const char *format, const struct format **out,
                                fal_error *error)
{
    const io_place place = {.name = path};
    bool stream = strcmp(path, "-") == 0;
    const char *from = format != NULL ? format : stream ? "npy" : path;
    *out = find_format(io_kind_of_name(from));
    if (*out == NULL || (*out)->write == NULL) {
        char text[IO_TEXT];
        io_fail(error, FAL_E_UNSUPPORTED, &place, IO_NOWHERE, "no output format is known for '%s'",
                io_escape(text, from, strlen(from)));
        return io_allowed(error, FAL_E_UNSUPPORTED, ".npy, .npz, .safetensors, .png and .wav are written");
    }
    if (stream && isatty(STDOUT_FILENO)) {
        const io_place screen = {.name = "standard output"};
        io_fail(error, FAL_E_USAGE, &screen, IO_NOWHERE, "standard output is a terminal");
        return io_hint(error, FAL_E_USAGE, "redirect it to a file or a pipe");
    }
    return FAL_OK;
}

static fal_status check_items(const struct format *format, const io_named *items, size_t count,
                              const io_place *place, fal_error *error)
{
    if (count == 0 || (count > 1 && !format->members)) {
        io_fail(error, FAL_E_VALUE, place, IO_NOWHERE, "%zu tensors for one file", count);
        return io_allowed(error, FAL_E_VALUE,
                          format->members ? "at least 1" : "an .npz or .safetensors holds several");
    }
    for (size_t i = 0; i < count; i++) {
        IO_TRY(fal_tensor_check(items[i].tensor, items[i].name, error));
        if (items[i].tensor->dtype == FAL_BF16 && (format->kind == IO_NPY || format->kind == IO_NPZ)) {
            io_fail(error, FAL_E_DTYPE, place, IO_NOWHERE, "NumPy has no bfloat16");
            return io_hint(error, FAL_E_DTYPE, "write .safetensors, or convert with --dtype f32");
        }
        if (items[i].name[0] == 0 && format->members) {
            return io_fail(error, FAL_E_NAME, place, IO_NOWHERE, "a tensor has an empty name");
        }
    }
    return FAL_OK;
}

fal_status io_write_all(const char *path, const char *format, const io_named *items, size_t count,
                        const io_write_options *options, fal_error *error)
{
    const struct format *chosen = NULL;
    const io_place place = {.name = path};
    const io_write_options all = options != NULL ? *options : (io_write_options){.layout = FAL_NCHW};
    io_file file;
    IO_TRY(choose_output(path, format, &chosen, error));
    IO_TRY(check_items(chosen, items, count, &place, error));
    IO_TRY(io_file_begin(&file, path, all.overwrite, error));
    fal_status status = chosen->write(&file, items, count, &all, error);
    if (status == FAL_OK)
        status = all.sealed != NULL ? io_file_seal(&file, error) : io_file_commit(&file, error);
    if (status != FAL_OK)
        io_file_abort(&file);
    else if (all.sealed != NULL)
        *all.sealed = file;
    return status;
}

fal_status io_write(const char *path, const char *format, const fal_tensor *t,
                    const io_write_options *options, fal_error *error)
{
    const struct format *chosen = NULL;
    IO_TRY(choose_output(path, format, &chosen, error));
    const char *standard = chosen->kind == IO_NPZ ? "arr_0" : "tensor";
    io_named item = {.name = options != NULL && options->name != NULL ? options->name : standard,
                     .tensor = t};
    return io_write_all(path, format, &item, 1, options, error);
}
