/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * verb_unfold.c: unfold (im2col) and fold (col2im). Each is the gradient of the other.
 */
#include <inttypes.h>
#include <string.h>

#include "cli/grad.h"
#include "cli/params.h"
#include "cli/planes.h"
#include "cli/tensors.h"

static fal_status read_window(cli_command *command, int32_t spatial, fal_conv_params *params)
{
    if (!cli_given(command, CLI_KERNEL)) {
        cli_fail(command, FAL_E_USAGE, "--kernel", "no window is given");
        return cli_allow(command, FAL_E_USAGE, "give --kernel K");
    }
    return cli_conv_params(command, spatial, params);
}

/* ---- unfold ---- */

static fal_status read_unfold(cli_command *command, int operand, fal_conv_params *params, fal_tensor *x,
                              fal_tensor *columns)
{
    int32_t spatial;
    CLI_TRY(cli_planes_read(command, cli_operand(command, operand), x, &spatial));
    CLI_TRY(read_window(command, spatial, params));
    return fal_unfold_shape(x, params, columns, &command->error);
}

fal_status cli_run_unfold(cli_command *command)
{
    fal_tensor x, columns;
    fal_conv_params params;
    CLI_TRY(read_unfold(command, 0, &params, &x, &columns));
    CLI_TRY(cli_tensor_alloc(command, &columns));
    CLI_TRY(fal_unfold(&x, &params, &columns, &command->error));
    return cli_emit(command, &columns);
}

fal_status cli_grad_unfold(cli_command *command, cli_gradients *gradients)
{
    fal_tensor x, columns, gy;
    fal_conv_params params;
    cli_gradient *gx = &gradients->entry[0];
    CLI_TRY(read_unfold(command, 1, &params, &x, &columns));
    CLI_TRY(cli_arriving(command, 2, &x, &columns, &gy));
    CLI_TRY(cli_arriving_shape(command, &columns, &gy));
    CLI_TRY(cli_gradient_alloc(command, gx, &x));
    return fal_fold(&gy, &params, &gx->tensor, &command->error);
}

/* ---- fold ---- */

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

/* Columns do not tell how many axes their image had: --spatial, or the entries of the options, does. */
static fal_status read_fold(cli_command *command, int operand, fal_conv_params *params, fal_tensor *columns,
                            fal_tensor *image)
{
    int32_t spatial;
    int64_t size[FAL_MAX_SPATIAL];
    CLI_TRY(cli_spatial_said(command, &spatial));
    if (spatial == 0) spatial = 1;
    CLI_TRY(cli_planes_output_size(command, "the image", spatial, size));
    CLI_TRY(cli_load(command, cli_operand(command, operand), "cols", columns));
    CLI_TRY(read_window(command, spatial, params));
    memset(params->output_size, 0, sizeof params->output_size);
    return image_shape(command, columns, params, size, image);
}

fal_status cli_run_fold(cli_command *command)
{
    fal_tensor columns, image;
    fal_conv_params params;
    CLI_TRY(read_fold(command, 0, &params, &columns, &image));
    CLI_TRY(cli_tensor_alloc(command, &image));
    CLI_TRY(fal_fold(&columns, &params, &image, &command->error));
    return cli_emit(command, &image);
}

fal_status cli_grad_fold(cli_command *command, cli_gradients *gradients)
{
    fal_tensor columns, image, gy;
    fal_conv_params params;
    cli_gradient *gx = &gradients->entry[0];
    CLI_TRY(read_fold(command, 1, &params, &columns, &image));
    CLI_TRY(cli_arriving(command, 2, &columns, &image, &gy));
    CLI_TRY(cli_arriving_shape(command, &image, &gy));
    CLI_TRY(cli_gradient_alloc(command, gx, &columns));
    return fal_unfold(&gy, &params, &gx->tensor, &command->error);
}
