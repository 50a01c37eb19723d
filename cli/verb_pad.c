/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * verb_pad.c: pad, which continues or crops a tensor, and its gradient.
 */
#include <inttypes.h>

#include "cli/grad.h"
#include "cli/params.h"
#include "cli/planes.h"
#include "cli/tensors.h"

typedef struct padding {
    fal_tensor x, y;
    int64_t begin[FAL_MAX_RANK]; /* of every axis */
    fal_padding_mode mode;
    double value;
} padding;

static fal_status check_numbers(cli_command *command)
{
    if (cli_given(command, CLI_PADDING) && cli_padding(command) == FAL_PADDING_EXPLICIT) return FAL_OK;
    if (cli_given(command, CLI_PADDING))
        cli_fail(command, FAL_E_PADDING, "--padding", "'%s' needs a kernel, and pad has none",
                 cli_text(command, CLI_PADDING, ""));
    else
        cli_fail(command, FAL_E_USAGE, "--padding", "no padding is given");
    return cli_allow(command, command->error.status, "give numbers: 1 or 1,2 or 0:1,2:0");
}

/* An integer tensor cannot hold every number. */
static fal_status check_value(cli_command *command, const padding *p)
{
    const int64_t one = 1, first = 0;
    int64_t element = 0;
    fal_tensor t = fal_tensor_of(&element, p->x.dtype, 1, &one);
    if (!fal_dtype_is_integer(p->x.dtype)) return FAL_OK;
    fal_tensor_set(&t, &first, p->value);
    if (fal_tensor_get(&t, &first) == p->value) return FAL_OK;
    return cli_fail(command, FAL_E_PADDING, "--padding-value", "padding value %g is no %s", p->value,
                    fal_dtype_name(p->x.dtype));
}

/* The axes from `first` on; the others stay as they are. */
static fal_status resolve(cli_command *command, int32_t first, int32_t count, padding *p)
{
    int64_t shape[FAL_MAX_RANK], end[FAL_MAX_RANK] = {0};
    CLI_TRY(cli_axis_padding(command, count, &p->begin[first], &end[first]));
    for (int32_t a = 0; a < p->x.rank; a++) {
        int64_t size = p->x.shape[a], begin = p->begin[a];
        /* A quarter of the range each: their sum cannot overflow. */
        bool fits = begin > INT64_MIN / 4 && begin < INT64_MAX / 4 && end[a] > INT64_MIN / 4 &&
                    end[a] < INT64_MAX / 4 && size < INT64_MAX / 4;
        if (!fits)
            return cli_fail(command, FAL_E_OVERFLOW, "--padding",
                            "axis %" PRId32 ": %" PRId64 " + %" PRId64 " + %" PRId64 " does not fit 64 bits",
                            a, size, begin, end[a]);
        shape[a] = size + begin + end[a];
        if (shape[a] < 0) {
            cli_fail(command, FAL_E_PADDING, "--padding",
                     "axis %" PRId32 ": %" PRId64 " elements, %" PRId64 " are cropped", a, size,
                     -(begin + end[a]));
            return cli_allow(command, FAL_E_PADDING, "at most all");
        }
    }
    p->y = fal_tensor_of(NULL, p->x.dtype, p->x.rank, shape);
    if (p->y.dtype == p->x.dtype) return FAL_OK;
    return cli_fail(command, FAL_E_OVERFLOW, "--padding", "the result's elements do not fit 64 bits");
}

static fal_status read_padding(cli_command *command, int operand, padding *p)
{
    const char *text = cli_operand(command, operand);
    int32_t spatial, first = 0, count;
    *p = (padding){.mode = FAL_PAD_ZEROS};
    CLI_TRY(check_numbers(command));
    CLI_TRY(cli_border(command, &p->mode, &p->value));
    if (cli_given(command, CLI_ALL_AXES)) {
        if (cli_given(command, CLI_SPATIAL))
            return cli_fail(command, FAL_E_USAGE, NULL, "--all-axes leaves nothing for --spatial to say");
        CLI_TRY(cli_load(command, text, "x", &p->x));
        count = p->x.rank;
    } else {
        CLI_TRY(cli_planes_read(command, text, &p->x, &spatial));
        first = cli_planes_first(command, &p->x, spatial);
        count = spatial;
    }
    CLI_TRY(check_value(command, p));
    return resolve(command, first, count, p);
}

fal_status cli_run_pad(cli_command *command)
{
    padding p;
    CLI_TRY(read_padding(command, 0, &p));
    CLI_TRY(cli_tensor_alloc(command, &p.y));
    CLI_TRY(fal_tensor_pad(&p.x, p.begin, p.mode, p.value, &p.y, &command->error));
    return cli_planes_emit(command, &(cli_outcome){.x = &p.x, .y = &p.y});
}

fal_status cli_grad_pad(cli_command *command, cli_gradients *gradients)
{
    padding p;
    fal_tensor gy;
    CLI_TRY(read_padding(command, 1, &p));
    CLI_TRY(cli_arriving(command, 2, &p.x, &p.y, &gy));
    CLI_TRY(cli_arriving_shape(command, &p.y, &gy));
    CLI_TRY(cli_gradient_alloc(command, &gradients->entry[0], &p.x));
    return fal_tensor_pad_grad(&gy, p.begin, p.mode, &gradients->entry[0].tensor, &command->error);
}
