/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * verb_unfold.c: unfold (im2col) and its adjoint fold (col2im).
 */
#include <inttypes.h>
#include <string.h>

#include "cli/layer.h"
#include "cli/params.h"
#include "cli/tensors.h"

static fal_status read_window(cli_command *command, int32_t spatial, fal_conv_params *params)
{
    if (!cli_given(command, CLI_KERNEL)) {
        cli_fail(command, FAL_E_USAGE, "--kernel", "no window is given");
        return cli_allow(command, FAL_E_USAGE, "give --kernel K");
    }
    CLI_TRY(cli_conv_params(command, spatial, params));
    params->spatial = spatial;
    return cli_axis_ints(command, CLI_KERNEL, spatial, params->kernel);
}

fal_status cli_run_unfold(cli_command *command)
{
    const char *text = cli_operand(command, 0);
    fal_tensor x, columns;
    fal_conv_params params;
    int32_t spatial;
    CLI_TRY(cli_load(command, text, "x", &x));
    CLI_TRY(cli_window_axes(command, text, &x, &spatial));
    cli_lead_axes(text, cli_layout(command), spatial + 2, &x);
    CLI_TRY(read_window(command, spatial, &params));
    CLI_TRY(fal_unfold_shape(&x, &params, &columns, &command->error));
    CLI_TRY(cli_tensor_alloc(command, &columns));
    CLI_TRY(fal_unfold(&x, &params, &columns, &command->error));
    return cli_emit(command, &columns);
}

/* The image's shape: batch as the columns have it, channels from their count, space from --output-size. */
static fal_status image_shape(cli_command *command, const fal_tensor *columns, const fal_conv_params *params,
                              const int64_t *size, fal_tensor *image)
{
    bool nhwc = params->layout == FAL_NHWC, batched = columns->rank == 3;
    int64_t taps = 1, shape[FAL_MAX_RANK] = {1};
    if (columns->rank != 2 && columns->rank != 3) {
        cli_fail(command, FAL_E_RANK, "cols", "the columns have rank %" PRId32, columns->rank);
        return cli_allow(command, FAL_E_RANK, "must be 2 (one image) or 3 (a batch)");
    }
    int64_t rows = columns->shape[columns->rank - (nhwc ? 1 : 2)];
    for (int32_t a = 0; a < params->spatial; a++) {
        if (params->kernel[a] > INT64_MAX / taps)
            return cli_fail(command, FAL_E_OVERFLOW, "--kernel", "the kernel's taps do not fit 64 bits");
        taps *= params->kernel[a];
    }
    if (rows % taps != 0) {
        cli_fail(command, FAL_E_SHAPE, "cols",
                 "the columns have %" PRId64 " entries a window, the kernel %" PRId64 " taps", rows, taps);
        return cli_allow(command, FAL_E_SHAPE, "the entries must be channels times taps");
    }
    int32_t first = batched ? 1 : 0;
    if (batched) shape[0] = columns->shape[0];
    shape[nhwc ? first + params->spatial : first] = rows / taps;
    memcpy(&shape[nhwc ? first : first + 1], size, (size_t)params->spatial * sizeof size[0]);
    *image = fal_tensor_of(NULL, columns->dtype, first + 1 + params->spatial, shape);
    if (image->dtype == FAL_DTYPE_NONE)
        return cli_fail(command, FAL_E_OVERFLOW, "--output-size", "the image's elements do not fit 64 bits");
    return FAL_OK;
}

fal_status cli_run_fold(cli_command *command)
{
    fal_tensor columns, image;
    fal_conv_params params;
    int64_t size[FAL_MAX_SPATIAL];
    const int64_t *ints;
    int32_t spatial = cli_ints(command, CLI_OUTPUT_SIZE, &ints), taps = cli_ints(command, CLI_KERNEL, &ints);
    if (spatial == 0) {
        cli_fail(command, FAL_E_USAGE, "--output-size", "the size of the image is not given");
        return cli_allow(command, FAL_E_USAGE, "give --output-size N,N");
    }
    if (spatial == 1 && taps > 1) spatial = taps;
    if (spatial == 1) spatial = (int32_t)cli_int(command, CLI_SPATIAL, 1);
    if (spatial > FAL_MAX_SPATIAL) {
        cli_fail(command, FAL_E_RANK, "--output-size", "%" PRId32 " spatial axes", spatial);
        return cli_allow(command, FAL_E_RANK, "must be 1 to 3");
    }
    CLI_TRY(cli_load(command, cli_operand(command, 0), "cols", &columns));
    CLI_TRY(cli_axis_ints(command, CLI_OUTPUT_SIZE, spatial, size));
    CLI_TRY(read_window(command, spatial, &params));
    memset(params.output_size, 0, sizeof params.output_size);
    CLI_TRY(image_shape(command, &columns, &params, size, &image));
    CLI_TRY(cli_tensor_alloc(command, &image));
    CLI_TRY(fal_fold(&columns, &params, &image, &command->error));
    return cli_emit(command, &image);
}
