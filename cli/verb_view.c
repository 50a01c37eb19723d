/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * verb_view.c: a tensor seen through other strides.
 *
 * One operation a call, so that its effect on the strides is what is printed. Nothing is copied until
 * -o asks for a file.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cli/layer.h"
#include "cli/params.h"
#include "cli/slice.h"
#include "cli/tensors.h"

static const cli_option_id operations[] = {CLI_TILE,    CLI_WINDOWS, CLI_PERMUTE, CLI_SLICE,
                                           CLI_RESHAPE, CLI_FLIP,    CLI_SHUFFLE, CLI_BROADCAST};
enum { OPERATIONS = sizeof operations / sizeof operations[0] };

static fal_status view_tile(cli_command *command, const fal_tensor *x, fal_tensor *out)
{
    const int64_t *given;
    int64_t tile[FAL_MAX_RANK];
    int32_t count = cli_ints(command, CLI_TILE, &given);
    if (count != 1 && count != x->rank) {
        cli_fail(command, FAL_E_RANK, "--tile", "tile has %" PRId32 " entries for %" PRId32 " axes", count,
                 x->rank);
        return cli_allow(command, FAL_E_RANK, "give 1 for all axes, or %" PRId32, x->rank);
    }
    for (int32_t a = 0; a < x->rank; a++) tile[a] = given[count == 1 ? 0 : a];
    return fal_tensor_tile(x, tile, out, &command->error);
}

/* Windows run over the spatial axes: the last ones in nchw, those before the channels in nhwc. One number
 * means all spatial axes: every axis of a signal or matrix, else those behind batch and channels. */
static fal_status view_windows(cli_command *command, const fal_tensor *x, fal_tensor *out)
{
    const int64_t *given;
    int64_t kernel[FAL_MAX_RANK], stride[FAL_MAX_RANK] = {0}, dilation[FAL_MAX_RANK] = {0};
    int32_t count = cli_ints(command, CLI_WINDOWS, &given), spatial = count;
    if (count == 1) {
        spatial = x->rank;
        if (cli_given(command, CLI_SPATIAL) || x->rank > 2) CLI_TRY(cli_spatial(command, x, &spatial));
    }
    bool channels_last = cli_layout(command) == FAL_NHWC && x->rank > spatial;
    int32_t first = x->rank - spatial - (channels_last ? 1 : 0);
    if (first < 0 || spatial < 1) {
        cli_fail(command, FAL_E_RANK, "--windows", "windows of %" PRId32 " axes on a tensor of rank %" PRId32,
                 spatial, x->rank);
        return cli_allow(command, FAL_E_RANK, "must have 1..%" PRId32 " entries", x->rank);
    }
    for (int32_t a = 0; a < spatial; a++) kernel[a] = given[count == 1 ? 0 : a];
    for (int32_t a = 0; a < spatial; a++) stride[a] = dilation[a] = 1;
    CLI_TRY(cli_axis_ints(command, CLI_STRIDE, spatial, stride));
    CLI_TRY(cli_axis_ints(command, CLI_DILATION, spatial, dilation));
    return fal_tensor_windows(x, first, spatial, kernel, stride, dilation, out, &command->error);
}

static fal_status view_permute(cli_command *command, const fal_tensor *x, fal_tensor *out)
{
    const int64_t *given;
    int32_t axes[FAL_MAX_RANK], count = cli_ints(command, CLI_PERMUTE, &given);
    if (count != x->rank) {
        cli_fail(command, FAL_E_RANK, "--permute", "permute has %" PRId32 " entries for %" PRId32 " axes",
                 count, x->rank);
        return cli_allow(command, FAL_E_RANK, "name every axis once");
    }
    for (int32_t a = 0; a < count; a++) axes[a] = (int32_t)given[a];
    return fal_tensor_permute(x, axes, out, &command->error);
}

static fal_status view_flip(cli_command *command, const fal_tensor *x, fal_tensor *out)
{
    const int64_t *axes;
    int32_t count = cli_ints(command, CLI_FLIP, &axes);
    *out = *x;
    for (int32_t i = 0; i < count; i++) CLI_TRY(fal_tensor_flip(out, (int32_t)axes[i], out, &command->error));
    return FAL_OK;
}

/* The channels are axis 1, or the last axis in nhwc. */
static fal_status view_shuffle(cli_command *command, const fal_tensor *x, fal_tensor *out)
{
    int32_t axis = cli_layout(command) == FAL_NHWC ? x->rank - 1 : x->rank == 1 ? 0 : 1;
    return fal_tensor_shuffle(x, axis, cli_int(command, CLI_SHUFFLE, 1), out, &command->error);
}

static fal_status apply(cli_command *command, cli_option_id operation, const fal_tensor *x, fal_tensor *out)
{
    const int64_t *shape;
    int32_t rank;
    switch (operation) {
    case CLI_TILE: return view_tile(command, x, out);
    case CLI_WINDOWS: return view_windows(command, x, out);
    case CLI_PERMUTE: return view_permute(command, x, out);
    case CLI_SLICE: return cli_slice(command, x, cli_text(command, CLI_SLICE, ""), out);
    case CLI_FLIP: return view_flip(command, x, out);
    case CLI_SHUFFLE: return view_shuffle(command, x, out);
    case CLI_RESHAPE:
        rank = cli_ints(command, CLI_RESHAPE, &shape);
        return fal_tensor_reshape(x, rank, shape, out, &command->error);
    default:
        rank = cli_ints(command, CLI_BROADCAST, &shape);
        return fal_tensor_broadcast(x, rank, shape, out, &command->error);
    }
}

/* The one operation that was asked for; CLI_OPTION_COUNT for none. */
static fal_status find_operation(cli_command *command, cli_option_id *operation)
{
    *operation = CLI_OPTION_COUNT;
    for (int i = 0; i < OPERATIONS; i++) {
        if (!cli_given(command, operations[i])) continue;
        if (*operation != CLI_OPTION_COUNT) {
            cli_fail(command, FAL_E_USAGE, NULL, "--%s and --%s are both given", cli_options[*operation].name,
                     cli_options[operations[i]].name);
            return cli_allow(command, FAL_E_USAGE, "one operation at a time; write the first with -o");
        }
        *operation = operations[i];
    }
    return FAL_OK;
}

static void format_strides(char *text, size_t capacity, const fal_tensor *t)
{
    fal_tensor as_shape = {.rank = t->rank};
    memcpy(as_shape.shape, t->strides, sizeof as_shape.shape);
    cli_format_shape(text, capacity, &as_shape);
}

static fal_status print_json(cli_command *command, const fal_tensor *view, int64_t offset)
{
    json_t *json =
        json_pack("{s:s, s:o, s:o, s:I, s:b, s:b, s:b}", "dtype", fal_dtype_name(view->dtype), "shape",
                  cli_json_ints(view->shape, view->rank), "strides", cli_json_ints(view->strides, view->rank),
                  "offset", (json_int_t)offset, "copied", 0, "read_only", (view->flags & FAL_READ_ONLY) != 0,
                  "compact", fal_tensor_is_compact(view));
    if (!cli_given(command, CLI_OUTPUT)) json_object_set_new(json, "values", cli_json_values(view));
    return cli_json_print(command, json);
}

fal_status cli_run_view(cli_command *command)
{
    enum { PRINT_MOST = 1000 };
    fal_tensor x, view;
    cli_option_id operation;
    char shape[320], strides[320];
    const char *path = cli_text(command, CLI_OUTPUT, NULL);
    CLI_TRY(find_operation(command, &operation));
    CLI_TRY(cli_load(command, cli_operand(command, 0), "x", &x));
    view = x;
    if (operation != CLI_OPTION_COUNT) CLI_TRY(apply(command, operation, &x, &view));
    int64_t bytes = (int64_t)((const char *)view.data - (const char *)x.data);
    int64_t offset = bytes / (int64_t)fal_dtype_bytes(x.dtype);
    if (path != NULL) CLI_TRY(cli_write(command, &view, path));
    if (path != NULL && strcmp(path, "-") == 0) return FAL_OK;
    if (command->json) return print_json(command, &view, offset);
    cli_format_shape(shape, sizeof shape, &view);
    format_strides(strides, sizeof strides, &view);
    FILE *out = cli_out(command);
    fprintf(out, "shape    %s\nstrides  %s\noffset   %" PRId64 "\n", shape, strides, offset);
    fprintf(out, "view     nothing copied%s%s\n",
            view.flags & FAL_READ_ONLY ? ", read only: elements overlap" : "",
            fal_tensor_is_compact(&view) ? ", compact" : "");
    if (path == NULL && fal_tensor_count(&view) <= PRINT_MOST) cli_print_tensor(out, &view);
    return FAL_OK;
}
