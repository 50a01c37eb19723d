/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * io.h: tensors in files, for the command. The only header of this folder that the command needs.
 *
 *     read   .npy  .npz  .safetensors  PNG  WAV  JPEG  from a path or "-"; kinds are told by the bytes
 *     write  .npy  .npz  .safetensors  PNG  WAV        to a temporary file that is renamed when complete
 *
 * A SPEC names one tensor: "a.npy", "photo.png", "weights.npz:conv1", "model.safetensors:fc.weight",
 * "-" (standard input), "-:conv1". When a file of the whole name exists, that file is meant, colons
 * included. A container that holds a single tensor needs no name.
 *
 * Files are not trusted: every size is checked against the bytes that are really there before memory
 * for it is asked for, nothing in a file is ever executed, and whatever a file says is shown escaped.
 * On failure *error tells the file, member and byte offset in `field` ("w.npz:conv1@128"), *out stays
 * empty, and nothing is left on the disk. No function prints. Options may be NULL (all defaults).
 */
#ifndef IO_IO_H
#define IO_IO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "faltung.h"

/* Lets the compiler check format strings: the format is argument `f`, its values begin at `a`. */
#if defined(__GNUC__)
#define IO_PRINTF(f, a) __attribute__((format(printf, f, a)))
#else
#define IO_PRINTF(f, a)
#endif

/* ---- Reading ---------------------------------------------------------------------------------- */

/* A tensor and the memory it lives in. Zero it, read into it, free it. */
typedef struct io_array {
    fal_tensor tensor; /* row-major, or column-major for an .npy in Fortran order */
    void *memory;
    size_t bytes;
    int64_t rate; /* samples a second of a WAV; else 0 */
} io_array;

/* Releases the memory and zeroes the struct. */
void io_array_free(io_array *array);

/* Most that a file may ask for; 0 takes the default in brackets. */
typedef struct io_limits {
    uint64_t stream_bytes; /* [8 GiB] a stream of unknown length, or one unpacked .npz member */
    uint64_t npy_header;   /* [65536] bytes */
    uint64_t json_header;  /* [25000000] bytes of a .safetensors header */
    uint64_t members;      /* [65535] members of an .npz; tensors of a .safetensors */
    uint64_t name_bytes;   /* [4096] bytes of one name */
    uint64_t axis;         /* [2^31 - 1] size of one axis */
    uint64_t side;         /* [1000000] width or height of an image */
    uint64_t pixels;       /* [2^28] of an image */
} io_limits;

typedef struct io_read_options {
    fal_layout layout;    /* of images and sounds: FAL_NCHW (1,C,H,W), the default, or FAL_NHWC */
    fal_dtype void_dtype; /* what the 2-byte void elements of an .npy are (FAL_BF16); default: refuse */
    bool allow_trailing; /* ignore bytes after the array of an .npz member or after the end of a PNG or WAV */
    io_limits limits;
} io_read_options;

/* Reads the tensor that `spec` names. Images become float32 in 0..1 with C = 1 (gray), 2 (gray and
 * alpha), 3 (RGB) or 4 (RGB and alpha); palettes are expanded. Sounds become float32 (1,C,L) in -1..1.
 * Booleans become u8. */
fal_status io_read(const char *spec, const io_read_options *options, io_array *out, fal_error *error);

/* ---- What is in a file ------------------------------------------------------------------------ */

typedef enum io_kind {
    IO_UNKNOWN = 0,
    IO_NPY = 1,
    IO_NPZ = 2,
    IO_SAFETENSORS = 3,
    IO_PNG = 4,
    IO_JPEG = 5,
    IO_WAV = 6
} io_kind;

/* The kind that these first bytes of a file belong to. 64 bytes are always enough. */
io_kind io_sniff(const void *bytes, size_t count);
/* The kind of an output: from "npy" or ".npy" or "dir/y.npy"; IO_UNKNOWN when it is none. */
io_kind io_kind_of_name(const char *name);
/* "npy", "npz", "safetensors", "png", "jpeg", "wav"; "unknown". */
const char *io_kind_name(io_kind kind);

typedef struct io_entry {
    char *name;      /* "" where the kind has no names; may hold any UTF-8: escape before printing */
    fal_dtype dtype; /* of the tensor that io_read would give; FAL_DTYPE_NONE when it would refuse */
    char stored[32]; /* the file's own name of the type: "<f4", "BF16", "16-bit RGB", "16-bit PCM 44100 Hz" */
    int32_t rank;    /* of the shape; -1 when it is not known */
    int64_t shape[FAL_MAX_RANK];
    bool fortran;          /* stored column-major */
    uint64_t bytes;        /* of the elements, unpacked */
    uint64_t stored_bytes; /* that they take in the file */
} io_entry;

typedef struct io_listing {
    io_kind kind;
    uint64_t file_bytes; /* 0 for standard input */
    size_t count;
    io_entry *entries; /* in the file's order */
} io_listing;

/* Lists every tensor of a file, or only the one that `spec` names, without reading any data. */
fal_status io_list(const char *spec, const io_read_options *options, io_listing *out, fal_error *error);
void io_listing_free(io_listing *listing);

/* ---- Writing ---------------------------------------------------------------------------------- */

typedef struct io_file io_file; /* see below */

typedef struct io_write_options {
    bool overwrite;    /* replace an existing file; default: FAL_E_EXISTS */
    fal_layout layout; /* PNG, WAV: where the channels are; default FAL_NCHW */
    int32_t bits;      /* PNG: 8 (default) or 16; WAV: 16 (default), 24, or 32, which is float */
    int64_t rate;      /* WAV: samples a second; default 44100 */
    const char *name;  /* of the tensor in an .npz ("arr_0") or .safetensors ("tensor") */
    io_file *sealed;   /* default NULL; else the file is left here, sealed, for io_file_commit or _abort */
} io_write_options;

/* Writes `t` to `path` ("-": standard output, refused when that is a terminal). `format` is "npy",
 * "npz", "safetensors", "png" or "wav"; NULL takes it from the path's extension, and npy for "-".
 * PNG takes (H,W), (C,H,W), (1,C,H,W) or their channels-last forms with 1 to 4 channels: u8 as it is,
 * floats clipped to 0..1 and rounded. WAV takes (L), (C,L) or (1,C,L), or (L,C), (1,L,C): i16 as it is,
 * floats clipped to -1..1 and rounded, or stored as they are in 32 bits. */
fal_status io_write(const char *path, const char *format, const fal_tensor *t,
                    const io_write_options *options, fal_error *error);

typedef struct io_named {
    const char *name; /* without ".npy" */
    const fal_tensor *tensor;
} io_named;

/* Writes several tensors into one .npz or .safetensors. */
fal_status io_write_all(const char *path, const char *format, const io_named *items, size_t count,
                        const io_write_options *options, fal_error *error);

/* ---- Any other file, written atomically ------------------------------------------------------- */

/* A file that appears complete or not at all: JSON, SVG, Matrix Market.
 *
 *     io_file f;
 *     fal_status s = io_file_begin(&f, "m.mtx", overwrite, error);
 *     if (s == FAL_OK) s = io_file_print(&f, error, "%" PRId64 "\n", rows);
 *     if (s == FAL_OK) s = io_file_commit(&f, error);
 *     io_file_abort(&f);      // after a commit, or a begin that failed, it does nothing
 *
 * Several files that belong together are sealed first, one after another, and then committed: what can go
 * wrong has gone wrong before the first of them appears.
 * A path that is "-", a device or a pipe is written directly. */
struct io_file {
    int fd;
    int slot; /* in the table of temporaries; -1 when written directly */
    bool overwrite;
    char *path;      /* the final name */
    char *temporary; /* the name until then; NULL when written directly */
    unsigned char *buffer;
    size_t used;
};

fal_status io_file_begin(io_file *file, const char *path, bool overwrite, fal_error *error);
fal_status io_file_write(io_file *file, const void *bytes, size_t count, fal_error *error);
#if defined(__GNUC__)
__attribute__((format(printf, 3, 4)))
#endif
fal_status
io_file_print(io_file *file, fal_error *error, const char *format, ...);
/* Writes everything out, waits until the disk has it and closes; the name stays the temporary one. Aborts
 * when it fails. */
fal_status io_file_seal(io_file *file, fal_error *error);
/* Seals a file that is not sealed and gives it its name. Aborts when it fails. */
fal_status io_file_commit(io_file *file, fal_error *error);
/* Closes and removes what was begun. */
void io_file_abort(io_file *file);

/* Removes every temporary file that is being written. Async-signal-safe: call it from the handler of
 * a signal that ends the program. */
void io_cleanup_temporaries(void);

/* ---- Text from outside ------------------------------------------------------------------------ */

enum { IO_TEXT = 72 };
/* `count` bytes of untrusted text made printable: everything but ASCII letters, digits, punctuation and
 * space as \xNN (the backslash too), cut to 64 characters with "..." at the end. Returns `out`. */
const char *io_escape(char out[IO_TEXT], const void *text, size_t count);

#endif
