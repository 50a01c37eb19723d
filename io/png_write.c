/* SPDX-License-Identifier: BSD-3-Clause */
/* png_write.c: a tensor as a PNG of 8 or 16 bits with 1 to 4 channels. */
#include <math.h>
#include <png.h>
#include <setjmp.h>
#include <stdlib.h>

#include "io/formats.h"

/* The picture inside a tensor: which axis is what. */
typedef struct picture {
    const fal_tensor *tensor;
    int32_t channel, row, column; /* axes; channel -1 for (H,W) */
    int64_t channels, height, width;
    int32_t bits;
} picture;

typedef struct encoder {
    png_structp png;
    png_infop info;
    io_file *file;
    unsigned char *row;
    fal_status status; /* of the file */
    fal_error error;
} encoder;

static int64_t axis_size(const fal_tensor *t, int32_t axis)
{
    return axis < 0 ? 1 : t->shape[axis];
}

static fal_status refuse_channels(const picture *p, const io_place *place, fal_layout layout,
                                  fal_error *error)
{
    int32_t other = layout == FAL_NHWC ? p->tensor->rank - 3 : p->tensor->rank - 1;
    int64_t channels = axis_size(p->tensor, other);
    io_fail(error, FAL_E_SHAPE, place, IO_NOWHERE, "axis %" PRId32 " gives %" PRId64 " channels", p->channel,
            p->channels);
    io_allowed(error, FAL_E_SHAPE, "a PNG has 1 to 4");
    if (channels < 1 || channels > 4) return FAL_E_SHAPE;
    return io_hint(error, FAL_E_SHAPE, "is the tensor %s? try --layout %s",
                   layout == FAL_NHWC ? "NCHW" : "NHWC", layout == FAL_NHWC ? "nchw" : "nhwc");
}

static fal_status find_picture(const fal_tensor *t, const io_write_options *options, const io_place *place,
                               picture *p, fal_error *error)
{
    bool last = options->layout == FAL_NHWC;
    int32_t rank = t->rank;
    if (rank < 2 || rank > 4 || (rank == 4 && t->shape[0] != 1)) {
        io_fail(error, FAL_E_RANK, place, IO_NOWHERE, "the tensor has %" PRId32 " axes%s", rank,
                rank == 4 ? " and is not a single image" : "");
        return io_allowed(error, FAL_E_RANK, "a PNG takes (H,W), (C,H,W) or (1,C,H,W)");
    }
    *p = (picture){.tensor = t, .bits = options->bits == 0 ? 8 : options->bits};
    p->channel = rank == 2 ? -1 : last ? rank - 1 : rank - 3;
    p->row = rank == 2 ? 0 : last ? rank - 3 : rank - 2;
    p->column = p->row + 1;
    p->channels = axis_size(t, p->channel);
    p->height = t->shape[p->row];
    p->width = t->shape[p->column];
    if (p->channels < 1 || p->channels > 4) return refuse_channels(p, place, options->layout, error);
    if (p->height < 1 || p->width < 1 || p->height > 1000000 || p->width > 1000000) {
        io_fail(error, FAL_E_DIM, place, IO_NOWHERE, "the image is %" PRId64 " x %" PRId64 " pixels",
                p->width, p->height);
        return io_allowed(error, FAL_E_DIM, "width and height must be 1..1000000");
    }
    if (p->bits != 8 && p->bits != 16) {
        io_fail(error, FAL_E_VALUE, place, IO_NOWHERE, "%" PRId32 " bits", p->bits);
        return io_allowed(error, FAL_E_VALUE, "a PNG is written with 8 or 16");
    }
    if (t->dtype != FAL_U8 && fal_dtype_is_integer(t->dtype)) {
        io_fail(error, FAL_E_DTYPE, place, IO_NOWHERE, "elements are %s", fal_dtype_name(t->dtype));
        return io_allowed(error, FAL_E_DTYPE, "a PNG takes floats in 0..1, or u8");
    }
    return FAL_OK;
}

/* Floats are clipped to 0..1 and rounded; NaN is black. Bytes stay themselves; 257 = 65535/255. */
static uint32_t level(const picture *p, double value)
{
    const double most = p->bits == 16 ? 65535 : 255;
    if (p->tensor->dtype == FAL_U8) return (uint32_t)value * (p->bits == 16 ? 257 : 1);
    if (!(value > 0)) return 0;
    return value >= 1 ? (uint32_t)most : (uint32_t)floor(value * most + 0.5);
}

static void fill_row(const picture *p, int64_t y, unsigned char *row)
{
    int64_t index[FAL_MAX_RANK] = {0};
    index[p->row] = y;
    for (int64_t x = 0; x < p->width; x++) {
        index[p->column] = x;
        for (int64_t c = 0; c < p->channels; c++) {
            if (p->channel >= 0) index[p->channel] = c;
            uint32_t value = level(p, fal_tensor_get(p->tensor, index));
            if (p->bits == 16) *row++ = (unsigned char)(value >> 8);
            *row++ = (unsigned char)(value & 255);
        }
    }
}

static void stop(png_structp png, png_const_charp text)
{
    (void)text;
    png_longjmp(png, 1);
}

static void ignore(png_structp png, png_const_charp text)
{
    (void)png;
    (void)text;
}

static void take_bytes(png_structp png, png_bytep bytes, size_t count)
{
    encoder *e = png_get_io_ptr(png);
    e->status = io_file_write(e->file, bytes, count, &e->error);
    if (e->status != FAL_OK) png_error(png, "");
}

static void flush_nothing(png_structp png)
{
    (void)png;
}

/* The jump of a libpng error ends here; what it would leak belongs to the caller. */
static bool encode(encoder *e, const picture *p)
{
    static const int colors[] = {PNG_COLOR_TYPE_GRAY, PNG_COLOR_TYPE_GRAY_ALPHA, PNG_COLOR_TYPE_RGB,
                                 PNG_COLOR_TYPE_RGB_ALPHA};
    if (setjmp(png_jmpbuf(e->png)) != 0) return false;
    png_set_write_fn(e->png, e, take_bytes, flush_nothing);
    png_set_IHDR(e->png, e->info, (png_uint_32)p->width, (png_uint_32)p->height, p->bits,
                 colors[p->channels - 1], PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_DEFAULT,
                 PNG_FILTER_TYPE_DEFAULT);
    png_write_info(e->png, e->info);
    for (int64_t y = 0; y < p->height; y++) {
        fill_row(p, y, e->row);
        png_write_row(e->png, e->row);
    }
    png_write_end(e->png, NULL);
    return true;
}

fal_status io_png_write(io_file *file, const io_named *items, size_t count, const io_write_options *options,
                        fal_error *error)
{
    (void)count;
    const io_place place = io_file_place(file);
    picture p;
    IO_TRY(find_picture(items->tensor, options, &place, &p, error));
    encoder e = {.file = file, .status = FAL_OK};
    fal_status status = FAL_OK;
    e.row = malloc((size_t)(p.width * p.channels) * (p.bits == 16 ? 2 : 1));
    e.png = png_create_write_struct(PNG_LIBPNG_VER_STRING, NULL, stop, ignore);
    if (e.png != NULL) e.info = png_create_info_struct(e.png);
    if (e.row == NULL || e.info == NULL) {
        status = io_fail_memory(error, &place, "the PNG encoder", (uint64_t)p.width);
    } else if (!encode(&e, &p)) {
        status = e.status;
        if (status == FAL_OK)
            status = io_fail(error, FAL_E_NOMEM, &place, IO_NOWHERE, "the PNG encoder gave up");
        else if (error != NULL)
            *error = e.error;
    }
    png_destroy_write_struct(&e.png, &e.info);
    free(e.row);
    return status;
}
