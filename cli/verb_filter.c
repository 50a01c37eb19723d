/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * verb_filter.c: a kernel on every colour channel of an image.
 *
 * A depthwise convolution (groups = channels) with a replicated border. The numbers are float32 from the
 * first to the last step; clipping or rescaling comes at the end, and alpha goes around all of it.
 */
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "cli/filters.h"
#include "cli/params.h"
#include "cli/tensors.h"

/* An image as (1, c, h, w) and the places of its parts. */
typedef struct picture {
    fal_tensor all, colours, alpha; /* views of one memory; alpha of rank 0 when there is none */
    fal_tensor original;            /* shape and type as they were read */
} picture;

static fal_status refuse_shape(cli_command *command, const fal_tensor *t)
{
    char shape[320];
    cli_format_shape(shape, sizeof shape, t);
    cli_fail(command, FAL_E_RANK, "x", "the image is %s", shape);
    return cli_allow(command, FAL_E_RANK,
                     "must be (h, w), (c, h, w) or (1, c, h, w), in nhwc (h, w, c) or (1, h, w, c)");
}

/* The image as (n, c, h, w), without a copy. */
static fal_status as_nchw(cli_command *command, const fal_tensor *t, fal_tensor *out)
{
    fal_tensor image = *t;
    if (t->rank < 2 || t->rank > 4) return refuse_shape(command, t);
    bool nhwc = cli_layout(command) == FAL_NHWC && t->rank > 2;
    int32_t missing = 4 - t->rank;
    memmove(&image.shape[missing], t->shape, (size_t)t->rank * sizeof t->shape[0]);
    memmove(&image.strides[missing], t->strides, (size_t)t->rank * sizeof t->strides[0]);
    for (int32_t a = 0; a < missing; a++) image.shape[a] = 1, image.strides[a] = 0;
    image.rank = 4;
    *out = image;
    return nhwc ? fal_tensor_permute(&image, (const int32_t[]){0, 3, 1, 2}, out, &command->error) : FAL_OK;
}

static fal_status read_picture(cli_command *command, picture *p)
{
    fal_tensor given, image;
    CLI_TRY(cli_load(command, cli_operand(command, 0), "x", &given));
    if (fal_dtype_is_integer(given.dtype)) {
        cli_fail(command, FAL_E_DTYPE, "x", "the image is %s", fal_dtype_name(given.dtype));
        return cli_allow(command, FAL_E_DTYPE, "must be a PNG, a JPEG or floats in 0..1");
    }
    CLI_TRY(as_nchw(command, &given, &image));
    p->original = given;
    p->all = image;
    p->all.dtype = FAL_F32;
    CLI_TRY(cli_tensor_alloc(command, &p->all));
    CLI_TRY(fal_tensor_copy(&image, &p->all, &command->error));
    int64_t channels = p->all.shape[1];
    bool has_alpha = channels == 2 || channels == 4;
    p->alpha = (fal_tensor){0};
    CLI_TRY(fal_tensor_slice(&p->all, 1, 0, channels - has_alpha, 1, &p->colours, &command->error));
    if (!has_alpha) return FAL_OK;
    return fal_tensor_slice(&p->all, 1, channels - 1, channels, 1, &p->alpha, &command->error);
}

/* The same kernel for each of `channels` channels: (channels, 1, kh, kw) with a stride of 0. */
static fal_status depthwise(cli_command *command, const fal_tensor *kernel, int64_t channels, fal_tensor *w)
{
    const int64_t shape[] = {channels, 1, kernel->shape[0], kernel->shape[1]};
    return fal_tensor_broadcast(kernel, 4, shape, w, &command->error);
}

/* Clips to 0..1, or maps the smallest..largest number to 0..1. NaN stays NaN. */
static void settle(const fal_tensor *t, bool rescale)
{
    int64_t count = fal_tensor_count(t);
    float *values = t->data, low = 0, high = 1;
    if (rescale && count > 0) {
        low = INFINITY;
        high = -INFINITY;
        for (int64_t i = 0; i < count; i++) {
            if (values[i] < low) low = values[i];
            if (values[i] > high) high = values[i];
        }
    }
    float scale = high > low ? 1 / (high - low) : 0;
    for (int64_t i = 0; i < count; i++) {
        values[i] = (values[i] - low) * scale;
        if (values[i] < 0) values[i] = 0;
        if (values[i] > 1) values[i] = 1;
    }
}

/* Colours and alpha together again, in the shape, layout and type of the original. */
static fal_status assemble(cli_command *command, const picture *p, const fal_tensor *colours,
                           fal_tensor *result)
{
    fal_tensor target, part;
    *result = p->original;
    result->flags = 0;
    CLI_TRY(cli_tensor_alloc(command, result));
    CLI_TRY(as_nchw(command, result, &target));
    int64_t count = colours->shape[1];
    CLI_TRY(fal_tensor_slice(&target, 1, 0, count, 1, &part, &command->error));
    CLI_TRY(fal_tensor_copy(colours, &part, &command->error));
    if (p->alpha.rank == 0) return FAL_OK;
    CLI_TRY(fal_tensor_slice(&target, 1, count, count + 1, 1, &part, &command->error));
    return fal_tensor_copy(&p->alpha, &part, &command->error);
}

fal_status cli_run_filter(cli_command *command)
{
    picture p;
    fal_tensor kernel, w, colours, result;
    CLI_TRY(cli_filter_kernel(command, &kernel));
    CLI_TRY(read_picture(command, &p));
    fal_conv_params params = {
        .padding = FAL_PADDING_SAME, .padding_mode = FAL_PAD_REPLICATE, .groups = p.colours.shape[1]};
    CLI_TRY(depthwise(command, &kernel, params.groups, &w));
    colours = p.colours;
    CLI_TRY(cli_tensor_alloc(command, &colours));
    if (fal_tensor_count(&colours) > 0)
        CLI_TRY(fal_conv(&command->context, &p.colours, &w, NULL, &params, &colours));
    settle(&colours, cli_given(command, CLI_RESCALE) > 0);
    CLI_TRY(assemble(command, &p, &colours, &result));
    return cli_emit(command, &result);
}
