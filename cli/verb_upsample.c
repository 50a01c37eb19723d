/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * verb_upsample.c: upsample and its gradient.
 */
#include <inttypes.h>
#include <string.h>

#include "cli/grad.h"
#include "cli/params.h"
#include "cli/planes.h"
#include "cli/tensors.h"

_Static_assert(FAL_UPSAMPLE_BILINEAR == 0 && FAL_UPSAMPLE_NEAREST == 1,
               "--mode lists the modes in this order");
_Static_assert(FAL_HALF_PIXEL == 0 && FAL_ALIGN_CORNERS == 1 && FAL_TRANSPOSED_CONV == 2,
               "--coordinates lists them in this order");

typedef struct upsampling {
    fal_tensor x, y;
    fal_upsample_params params;
} upsampling;

/* The result's sizes: --scale times the input's, or --output-size. */
static fal_status read_sizes(cli_command *command, const upsampling *u, int64_t *sizes)
{
    int32_t spatial = u->params.spatial, first = cli_planes_first(command, &u->x, spatial);
    int64_t scale[FAL_MAX_SPATIAL];
    bool scaled = cli_given(command, CLI_SCALE) > 0, sized = cli_given(command, CLI_OUTPUT_SIZE) > 0;
    if (scaled == sized) {
        cli_fail(command, FAL_E_USAGE, NULL,
                 scaled ? "--scale and --output-size both give the size"
                        : "the size of the result is not given");
        return cli_allow(command, FAL_E_USAGE, "give --scale S or --output-size N,N");
    }
    if (sized) return cli_axis_ints(command, CLI_OUTPUT_SIZE, spatial, sizes);
    CLI_TRY(cli_axis_ints(command, CLI_SCALE, spatial, scale));
    for (int32_t a = 0; a < spatial; a++) {
        int64_t input = u->x.shape[first + a];
        if (input > 0 && scale[a] > INT64_MAX / input)
            return cli_fail(command, FAL_E_OVERFLOW, "--scale",
                            "axis %" PRId32 " of space: %" PRId64 " times %" PRId64 " does not fit 64 bits",
                            a, input, scale[a]);
        sizes[a] = input * scale[a];
    }
    return FAL_OK;
}

/* The library calls an impossible size y's; here an option gave it. */
static fal_status name_size(cli_command *command, fal_status status)
{
    if (status == FAL_E_SHAPE && strcmp(command->error.field, "y") == 0)
        snprintf(command->error.field, sizeof command->error.field, "--%s",
                 cli_given(command, CLI_SCALE) ? "scale" : "output-size");
    return status;
}

static fal_status read_upsampling(cli_command *command, int operand, upsampling *u)
{
    int64_t sizes[FAL_MAX_SPATIAL];
    *u = (upsampling){.params = {.mode = (fal_upsample_mode)cli_choice(command, CLI_MODE, 0),
                                 .coordinates = (fal_coordinates)cli_choice(command, CLI_COORDINATES, 0),
                                 .layout = cli_layout(command)}};
    CLI_TRY(cli_planes_read(command, cli_operand(command, operand), &u->x, &u->params.spatial));
    CLI_TRY(read_sizes(command, u, sizes));
    return cli_planes_resize(command, &u->x, u->params.spatial,
                             cli_given(command, CLI_SCALE) ? "--scale" : "--output-size", sizes, &u->y);
}

fal_status cli_run_upsample(cli_command *command)
{
    upsampling u;
    CLI_TRY(read_upsampling(command, 0, &u));
    CLI_TRY(cli_tensor_alloc(command, &u.y));
    fal_status status = fal_upsample(&command->context, &u.x, &u.params, &u.y);
    CLI_TRY(name_size(command, status));
    return cli_planes_emit(command, &(cli_outcome){.x = &u.x, .y = &u.y});
}

fal_status cli_grad_upsample(cli_command *command, cli_gradients *gradients)
{
    upsampling u;
    fal_tensor gy;
    CLI_TRY(read_upsampling(command, 1, &u));
    CLI_TRY(cli_arriving(command, 2, &u.x, &u.y, &gy));
    CLI_TRY(cli_arriving_shape(command, &u.y, &gy));
    CLI_TRY(cli_gradient_alloc(command, &gradients->entry[0], &u.x));
    return fal_upsample_grad(&command->context, &gy, &u.params, &gradients->entry[0].tensor);
}
