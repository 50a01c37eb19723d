/* SPDX-License-Identifier: BSD-3-Clause */
/* npy_write.c: one tensor as .npy version 1, the bytes that NumPy would write. */
#include "io/npy_header.h"
#include "io/pack.h"

fal_status io_npy_write(io_file *file, const io_named *items, size_t count, const io_write_options *options,
                        fal_error *error)
{
    (void)count;
    (void)options;
    unsigned char header[IO_NPY_HEADER_BYTES];
    size_t length = io_npy_format_header(items->tensor, header);
    IO_TRY(io_file_write(file, header, length, error));
    return io_pack_write(items->tensor, file, error);
}
