/* SPDX-License-Identifier: BSD-3-Clause */
/* planes.c: see planes.h. */
#include "cli/planes.h"

#include <inttypes.h>
#include <string.h>

#include "cli/params.h"
#include "cli/tensors.h"

fal_status cli_planes_check(cli_command *command, const fal_tensor *x, int32_t spatial)
{
    if (x->rank == spatial + 2 || x->rank == spatial + 1) return FAL_OK;
    cli_fail(command, FAL_E_RANK, "x", "an input of rank %" PRId32 " with %" PRId32 " spatial ax%s", x->rank,
             spatial, spatial == 1 ? "is" : "es");
    return cli_allow(command, FAL_E_RANK, "must have rank %" PRId32 ", or %" PRId32 " without a batch",
                     spatial + 2, spatial + 1);
}

fal_status cli_planes_read(cli_command *command, const char *text, fal_tensor *x, int32_t *spatial)
{
    CLI_TRY(cli_load(command, text, "x", x));
    CLI_TRY(cli_window_axes(command, text, x, spatial));
    cli_lead_axes(text, cli_layout(command), *spatial + 2, x);
    return cli_planes_check(command, x, *spatial);
}

int32_t cli_planes_first(const cli_command *command, const fal_tensor *x, int32_t spatial)
{
    return x->rank - spatial - (cli_layout(command) == FAL_NHWC ? 1 : 0);
}

fal_status cli_planes_resize(cli_command *command, const fal_tensor *x, int32_t spatial, const char *where,
                             const int64_t *sizes, fal_tensor *y)
{
    int64_t shape[FAL_MAX_RANK];
    memcpy(shape, x->shape, sizeof shape);
    memcpy(&shape[cli_planes_first(command, x, spatial)], sizes, (size_t)spatial * sizeof sizes[0]);
    *y = fal_tensor_of(NULL, x->dtype, x->rank, shape);
    if (y->dtype == x->dtype) return FAL_OK;
    return cli_fail(command, FAL_E_OVERFLOW, where, "the result's elements do not fit 64 bits");
}

fal_status cli_planes_output_size(cli_command *command, const char *of, int32_t spatial, int64_t *sizes)
{
    if (cli_given(command, CLI_OUTPUT_SIZE)) return cli_axis_ints(command, CLI_OUTPUT_SIZE, spatial, sizes);
    cli_fail(command, FAL_E_USAGE, "--output-size", "the size of %s is not given", of);
    return cli_allow(command, FAL_E_USAGE, "give --output-size N,N");
}

static void remark(cli_command *command, const cli_outcome *o)
{
    char x[320], y[320], formula[CLI_FORMULA_TEXT];
    cli_format_shape(x, sizeof x, o->x);
    cli_format_shape(y, sizeof y, o->y);
    cli_note(command, false, "input %s, result %s, %s", x, y, fal_dtype_name(o->y->dtype));
    for (int32_t a = 0; o->axis != NULL && a < o->spatial; a++) {
        cli_formula(formula, &o->axis[a], o->formula);
        cli_note(command, false, "%s %s", cli_axis_name(o->spatial, a), formula);
    }
    if (o->difference != NULL && !command->json)
        cli_note(command, true, "largest difference from the reference: %g", *o->difference);
}

static fal_status print_facts(cli_command *command, const cli_outcome *o)
{
    json_t *json = json_pack("{s:s, s:o, s:o}", "operator", command->verb->name, "input",
                             cli_json_tensor(o->x), "output", cli_json_tensor(o->y));
    if (o->indices != NULL) json_object_set_new(json, "indices", cli_json_tensor(o->indices));
    if (o->axis != NULL) json_object_set_new(json, "size", cli_json_axes(o->spatial, o->axis, o->formula));
    if (o->difference != NULL) json_object_set_new(json, "largest_difference", json_real(*o->difference));
    if (!cli_given(command, CLI_OUTPUT)) json_object_set_new(json, "values", cli_json_values(o->y));
    return cli_json_print(command, json);
}

fal_status cli_planes_emit(cli_command *command, const cli_outcome *o)
{
    const char *path = cli_text(command, CLI_OUTPUT, ""); /* "": printed */
    const char *indices = o->indices != NULL ? cli_text(command, CLI_INDICES, "") : "";
    const bool piped = strcmp(path, "-") == 0 || strcmp(indices, "-") == 0;
    if (*path) CLI_TRY(cli_write(command, o->y, path));
    if (*indices) CLI_TRY(cli_write(command, o->indices, indices));
    remark(command, o);
    if (command->json && !piped) return print_facts(command, o);
    return *path || piped ? FAL_OK : cli_emit(command, o->y);
}
