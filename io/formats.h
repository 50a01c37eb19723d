/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * formats.h: what each kind of file offers to io.c, which chooses by the first bytes (reading) or the
 * extension (writing). Options arrive complete: every limit has its value.
 */
#ifndef IO_FORMATS_H
#define IO_FORMATS_H

#include "io/report.h"
#include "io/source.h"

/* Readers fill *out or leave it empty. `member` is the name after the colon, or NULL. Kinds without
 * members are called with NULL only. */
typedef fal_status io_reader(io_source *source, const char *member, const io_read_options *options,
                             io_array *out, fal_error *error);
io_reader io_npy_read, io_npz_read, io_safetensors_read, io_png_read, io_jpeg_read, io_wav_read;

/* Listers add entries to *out, whose kind and file_bytes io.c sets. What they added stays for io.c to
 * release when they fail. */
typedef fal_status io_lister(io_source *source, const char *member, const io_read_options *options,
                             io_listing *out, fal_error *error);
io_lister io_npy_list, io_npz_list, io_safetensors_list, io_png_list, io_jpeg_list, io_wav_list;

/* Appends a zeroed entry with a copy of the name, of `length` bytes. */
fal_status io_listing_add(io_listing *listing, const char *name, size_t length, const io_place *place,
                          io_entry **entry, fal_error *error);

/* Writers write everything to an open file and leave its end to io.c. */
typedef fal_status io_writer(io_file *file, const io_named *items, size_t count,
                             const io_write_options *options, fal_error *error);
io_writer io_npy_write, io_npz_write, io_safetensors_write, io_png_write, io_wav_write;

/* For formats that write out of order: moves to an absolute position of a file that is not written
 * directly. */
fal_status io_file_seek(io_file *file, uint64_t position, fal_error *error);
/* The place of an output in messages. */
io_place io_file_place(const io_file *file);

#endif
