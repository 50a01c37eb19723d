/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * verb_separable.c: a depthwise, then a pointwise convolution, and its gradients.
 */
#include <inttypes.h>
#include <string.h>

#include "cli/grad.h"
#include "cli/limits.h"
#include "cli/params.h"
#include "cli/planes.h"
#include "cli/tensors.h"

typedef struct separable {
    fal_separable_operands operands;
    fal_conv_params params;
    fal_tensor y;
} separable;

/* A literal matrix (c_out, c) is a pointwise weight without its kernel of ones; nhwc (c, c_out). */
static void lead_pointwise(const char *text, fal_layout layout, int32_t rank, fal_tensor *w)
{
    if (!cli_is_literal(text) || w->rank != 2 || rank > FAL_MAX_RANK) return;
    int64_t shape[FAL_MAX_RANK];
    for (int32_t a = 0; a < rank; a++) shape[a] = 1;
    memcpy(&shape[layout == FAL_NHWC ? rank - 2 : 0], w->shape, 2 * sizeof shape[0]);
    *w = fal_tensor_of(w->data, w->dtype, rank, shape);
}

/* The library's fields as the operands' names; the pointwise x is the intermediate, which no file holds. */
static fal_status name_field(cli_command *command, fal_status status)
{
    static const char *const fields[][2] = {{"depthwise.x", "x"},
                                            {"depthwise", "depthwise.w"},
                                            {"depthwise.groups", "depthwise.w"},
                                            {"pointwise", "pointwise.w"},
                                            {"pointwise.x", "pointwise.w"}};
    fal_error *error = &command->error;
    for (size_t i = 0; status != FAL_OK && i < sizeof fields / sizeof fields[0]; i++)
        if (strcmp(error->field, fields[i][0]) == 0) {
            snprintf(error->field, sizeof error->field, "%s", fields[i][1]);
            break;
        }
    return status;
}

/* Operands `first`, ...: X DEPTHWISE POINTWISE. */
static fal_status read_separable(cli_command *command, int first, separable *s)
{
    const char *x = cli_operand(command, first);
    const cli_operand_name depthwise = {cli_operand(command, first + 1), "depthwise.w",
                                        "the depthwise weight"};
    const cli_operand_name pointwise = {cli_operand(command, first + 2), "pointwise.w",
                                        "the pointwise weight"};
    const cli_operand_name biases[] = {
        {cli_text(command, CLI_DEPTHWISE_BIAS, NULL), "depthwise.bias", "the depthwise bias"},
        {cli_text(command, CLI_POINTWISE_BIAS, NULL), "pointwise.bias", "the pointwise bias"}};
    cli_layer layer;
    *s = (separable){.params = {.groups = 0}};
    CLI_TRY(cli_layer_load(command, false, x, depthwise.text, &layer));
    cli_name_source(command, depthwise.name, depthwise.text);
    CLI_TRY(cli_same_type(command, &layer.x, &depthwise, &layer.w));
    CLI_TRY(cli_load_like(command, &layer.x, &pointwise, &s->operands.pointwise));
    CLI_TRY(cli_load_like(command, &layer.x, &biases[0], &s->operands.depthwise_bias));
    CLI_TRY(cli_load_like(command, &layer.x, &biases[1], &s->operands.pointwise_bias));
    CLI_TRY(cli_conv_params(command, layer.w.rank - 2, &s->params));
    lead_pointwise(pointwise.text, s->params.layout, layer.w.rank, &s->operands.pointwise);
    s->operands.x = layer.x;
    s->operands.depthwise = layer.w;
    return name_field(command, fal_separable_output_shape(&s->operands, &s->params, &s->y, &command->error));
}

/* The work of both halves, from the result: each of its pixels has all taps of all channels, once, and then
 * all channels of the result. */
static fal_status check_work(cli_command *command, const separable *s)
{
    const fal_tensor *w = &s->operands.depthwise, *y = &s->y;
    int64_t channels = y->shape[s->params.layout == FAL_NHWC ? y->rank - 1 : y->rank - (w->rank - 1)];
    double pixels = channels > 0 ? (double)fal_tensor_count(y) / (double)channels : 0;
    double work = pixels * ((double)fal_tensor_count(w) + (double)fal_tensor_count(&s->operands.pointwise));
    return cli_check_work(command, work < 9e18 ? (int64_t)work : INT64_MAX);
}

fal_status cli_run_separable(cli_command *command)
{
    separable s;
    CLI_TRY(read_separable(command, 0, &s));
    CLI_TRY(check_work(command, &s));
    CLI_TRY(cli_tensor_alloc(command, &s.y));
    s.operands.y = s.y;
    fal_status status = fal_separable_conv(&command->context, &s.operands, &s.params);
    CLI_TRY(name_field(command, cli_hint_wider(command, status, s.y.dtype)));
    return cli_planes_emit(command, &(cli_outcome){.x = &s.operands.x, .y = &s.y});
}

/* A bias that is wanted but not given is 0. */
static fal_status give_bias(cli_command *command, bool wanted, const fal_tensor *w, fal_tensor *bias)
{
    if (!wanted || bias->rank > 0) return FAL_OK;
    *bias = fal_tensor_of(NULL, w->dtype, 1, &w->shape[cli_layout(command) == FAL_NHWC ? w->rank - 1 : 0]);
    return cli_tensor_alloc(command, bias);
}

fal_status cli_grad_separable(cli_command *command, cli_gradients *gradients)
{
    enum { INPUT, DEPTHWISE, DEPTHWISE_BIAS, POINTWISE, POINTWISE_BIAS };
    separable s;
    fal_separable_operands *o = &s.operands;
    cli_gradient *g = gradients->entry;
    CLI_TRY(read_separable(command, 1, &s));
    CLI_TRY(check_work(command, &s));
    CLI_TRY(cli_arriving(command, 4, &o->x, &s.y, &o->y));
    CLI_TRY(cli_arriving_shape(command, &s.y, &o->y));
    CLI_TRY(give_bias(command, g[DEPTHWISE_BIAS].wanted, &o->depthwise, &o->depthwise_bias));
    CLI_TRY(give_bias(command, g[POINTWISE_BIAS].wanted, &o->pointwise, &o->pointwise_bias));
    CLI_TRY(cli_gradient_alloc(command, &g[INPUT], &o->x));
    CLI_TRY(cli_gradient_alloc(command, &g[DEPTHWISE], &o->depthwise));
    CLI_TRY(cli_gradient_alloc(command, &g[DEPTHWISE_BIAS], &o->depthwise_bias));
    CLI_TRY(cli_gradient_alloc(command, &g[POINTWISE], &o->pointwise));
    CLI_TRY(cli_gradient_alloc(command, &g[POINTWISE_BIAS], &o->pointwise_bias));
    const fal_separable_operands results = {.x = g[INPUT].tensor,
                                            .depthwise = g[DEPTHWISE].tensor,
                                            .depthwise_bias = g[DEPTHWISE_BIAS].tensor,
                                            .pointwise = g[POINTWISE].tensor,
                                            .pointwise_bias = g[POINTWISE_BIAS].tensor};
    return name_field(command, fal_separable_conv_grad(&command->context, o, &s.params, &results));
}
