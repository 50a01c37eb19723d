/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * verb_selftest.c: faltung selftest
 *
 * Small random layers from a counter, so every machine runs the same ones: each operator and gradient,
 * in several types, with every instruction set there is, against the plain reference. The data are
 * small integers, whose sums are exact in every type: results must be equal, not close. Operators that
 * are no plain convolutions are in selftest_operators.c.
 */
#include <inttypes.h>
#include <string.h>

#include "cli/counter.h"
#include "cli/json_out.h"
#include "cli/selftest.h"
#include "cli/tensors.h"

enum { LAYERS = 120, SEED = 20 };

static const fal_dtype types[] = {FAL_F32, FAL_F64, FAL_F16, FAL_BF16, FAL_I32, FAL_I64};
static const char *const operators[] = {"conv",
                                        "conv-transpose",
                                        "conv, gradient of the input",
                                        "conv, gradient of the weight",
                                        "conv-transpose, gradient of the input",
                                        "conv-transpose, gradient of the weight"};

/* One layer: operands with data, and the parameters. */
typedef struct layer {
    fal_operator op;
    bool transposed;
    fal_conv_params params;
    fal_tensor x, w, bias, y;
} layer;

/* A stream of random choices. */
typedef struct chooser {
    uint64_t seed, next;
} chooser;

static int64_t choose(chooser *c, int64_t low, int64_t high)
{
    return cli_random_int(c->seed, c->next++, low, high);
}

static void choose_params(chooser *c, layer *l, int32_t spatial)
{
    fal_conv_params *p = &l->params;
    p->groups = choose(c, 1, 3);
    p->layout = (fal_layout)choose(c, 0, 1);
    p->flip_kernel = choose(c, 0, 3) == 0;
    p->padding_mode = l->transposed ? FAL_PAD_ZEROS : (fal_padding_mode)choose(c, 0, 5);
    p->padding_value = p->padding_mode == FAL_PAD_CONSTANT ? 2 : 0;
    for (int32_t a = 0; a < spatial; a++) {
        p->stride[a] = choose(c, 1, 3);
        p->dilation[a] = choose(c, 1, 2);
        p->padding_begin[a] = choose(c, 0, 2);
        p->padding_end[a] = choose(c, 0, 2);
        if (l->transposed) p->output_padding[a] = choose(c, 0, p->stride[a] - 1);
    }
}

/* The shapes of a layer in its layout: x (n, c, space) and w (outer, inner/group, k). */
static void choose_shapes(chooser *c, layer *l, int32_t spatial, fal_dtype dtype)
{
    int64_t groups = l->params.groups, outer = groups * choose(c, 1, 5), inner = choose(c, 1, 4);
    int64_t in = l->transposed ? outer : groups * inner, n = choose(c, 1, 2);
    bool nhwc = l->params.layout == FAL_NHWC;
    int64_t x[5], w[5];
    int32_t first = nhwc ? 1 : 2, tap = nhwc ? 0 : 2;
    x[0] = n;
    x[nhwc ? spatial + 1 : 1] = in;
    /* nhwc weights end in (ic/g, oc), transposed in (oc/g, ic): the group's own channels come first */
    w[nhwc ? spatial : 1] = inner;
    w[nhwc ? spatial + 1 : 0] = outer;
    for (int32_t a = 0; a < spatial; a++) {
        x[first + a] = choose(c, 3, spatial == 3 ? 6 : 12);
        w[tap + a] = choose(c, 1, 3);
    }
    l->x = fal_tensor_of(NULL, dtype, spatial + 2, x);
    l->w = fal_tensor_of(NULL, dtype, spatial + 2, w);
}

fal_status cli_selftest_fill(cli_command *command, fal_tensor *t, uint64_t seed, int64_t low, int64_t high)
{
    CLI_TRY(cli_tensor_alloc(command, t));
    int64_t count = fal_tensor_count(t);
    fal_tensor flat = fal_tensor_of(t->data, t->dtype, 1, &count);
    for (int64_t i = 0; i < count; i++)
        fal_tensor_set_int(&flat, &i, cli_random_int(seed, (uint64_t)i, low, high));
    return FAL_OK;
}

static fal_status fill(cli_command *command, fal_tensor *t, uint64_t seed)
{
    return cli_selftest_fill(command, t, seed, -2, 2);
}

/* Draws layer `number`; *valid tells whether its shapes fit together. */
static fal_status draw(cli_command *command, int number, layer *l, bool *valid)
{
    chooser c = {.seed = SEED + (uint64_t)number * 1000};
    fal_conv_geometry geometry;
    *l = (layer){.op = (fal_operator)(number % 6)};
    l->transposed = l->op == FAL_OP_CONV_TRANSPOSE || l->op >= FAL_OP_CONV_TRANSPOSE_GRAD_INPUT;
    int32_t spatial = (int32_t)choose(&c, 1, 3);
    choose_params(&c, l, spatial);
    choose_shapes(&c, l, spatial, types[number / 6 % 6]);
    *valid = fal_conv_describe(l->transposed, &l->x, &l->w, &l->params, &geometry, NULL) == FAL_OK;
    if (!*valid) return FAL_OK;
    CLI_TRY(fal_conv_output_shape(l->transposed, &l->x, &l->w, &l->params, &l->y, &command->error));
    CLI_TRY(fill(command, &l->x, c.seed + 1));
    CLI_TRY(fill(command, &l->w, c.seed + 2));
    CLI_TRY(fill(command, &l->y, c.seed + 3));
    if (l->op <= FAL_OP_CONV_TRANSPOSE) {
        l->bias = fal_tensor_of(NULL, l->x.dtype, 1, &geometry.out_channels);
        CLI_TRY(fill(command, &l->bias, c.seed + 4));
    }
    return FAL_OK;
}

/* The operand that the layer's operator writes. */
static fal_tensor *written(layer *l)
{
    switch (l->op) {
    case FAL_OP_CONV_GRAD_INPUT:
    case FAL_OP_CONV_TRANSPOSE_GRAD_INPUT: return &l->x;
    case FAL_OP_CONV_GRAD_WEIGHT:
    case FAL_OP_CONV_TRANSPOSE_GRAD_WEIGHT: return &l->w;
    default: return &l->y;
    }
}

static fal_status run_fast(const fal_context *context, const layer *l, const fal_tensor *out)
{
    const fal_tensor *bias = l->bias.rank ? &l->bias : NULL;
    switch (l->op) {
    case FAL_OP_CONV: return fal_conv(context, &l->x, &l->w, bias, &l->params, out);
    case FAL_OP_CONV_TRANSPOSE: return fal_conv_transpose(context, &l->x, &l->w, bias, &l->params, out);
    case FAL_OP_CONV_GRAD_INPUT:
        return fal_conv_grad(context, &l->x, &l->w, &l->y, &l->params, out, NULL, NULL);
    case FAL_OP_CONV_GRAD_WEIGHT:
        return fal_conv_grad(context, &l->x, &l->w, &l->y, &l->params, NULL, out, NULL);
    case FAL_OP_CONV_TRANSPOSE_GRAD_INPUT:
        return fal_conv_transpose_grad(context, &l->x, &l->w, &l->y, &l->params, out, NULL, NULL);
    case FAL_OP_CONV_TRANSPOSE_GRAD_WEIGHT:
        return fal_conv_transpose_grad(context, &l->x, &l->w, &l->y, &l->params, NULL, out, NULL);
    }
    return FAL_E_INTERNAL;
}

/* Runs the layer at one level and compares it with the reference, bit by bit of the numbers. */
static fal_status check(cli_command *command, layer *l, fal_cpu_level level, bool *equal)
{
    fal_context context = command->context;
    fal_operands operands = {.x = l->x, .w = l->w, .bias = l->bias, .y = l->y};
    fal_tensor fast = *written(l), slow = fast;
    context.cpu = level;
    CLI_TRY(cli_tensor_alloc(command, &fast));
    CLI_TRY(cli_tensor_alloc(command, &slow));
    if (written(l) == &l->x) operands.x = slow;
    if (written(l) == &l->w) operands.w = slow;
    if (written(l) == &l->y) operands.y = slow;
    CLI_TRY(run_fast(&context, l, &fast));
    CLI_TRY(fal_reference(l->op, &operands, &l->params, &command->error));
    int64_t count = fal_tensor_count(&fast);
    fal_tensor a = fal_tensor_of(fast.data, fast.dtype, 1, &count);
    fal_tensor b = fal_tensor_of(slow.data, slow.dtype, 1, &count);
    *equal = true;
    for (int64_t i = 0; i < count && *equal; i++) *equal = fal_tensor_get(&a, &i) == fal_tensor_get(&b, &i);
    return FAL_OK;
}

/* Says which layer went wrong, with what is needed to build it again. */
static void describe_failure(cli_command *command, int number, const layer *l, fal_cpu_level level)
{
    char x[320], w[320];
    cli_format_shape(x, sizeof x, &l->x);
    cli_format_shape(w, sizeof w, &l->w);
    cli_note(command, true, "layer %d differs at %s: %s %s, x %s, w %s, groups %" PRId64, number,
             fal_cpu_level_name(level), fal_dtype_name(l->x.dtype), operators[l->op], x, w, l->params.groups);
}

fal_status cli_run_selftest(cli_command *command)
{
    fal_cpu_level best = fal_cpu_detect();
    int passed = 0, failed = 0;
    if (command->context.cpu != FAL_CPU_AUTO && command->context.cpu < best) best = command->context.cpu;
    for (int number = 0; number < LAYERS; number++) {
        layer l;
        bool valid;
        cli_progress(number, LAYERS);
        CLI_TRY(draw(command, number, &l, &valid));
        for (int level = FAL_CPU_GENERIC; valid && level <= (int)best; level++) {
            bool equal;
            CLI_TRY(check(command, &l, (fal_cpu_level)level, &equal));
            if (!equal) describe_failure(command, number, &l, (fal_cpu_level)level);
            passed += equal;
            failed += !equal;
        }
    }
    for (int level = FAL_CPU_GENERIC; level <= (int)best; level++)
        CLI_TRY(cli_selftest_operators(command, (fal_cpu_level)level, &passed, &failed));
    command->answer_is_no = failed > 0;
    if (command->json)
        return cli_json_print(command, json_pack("{s:i, s:i, s:s}", "passed", passed, "failed", failed,
                                                 "level", fal_cpu_level_name(best)));
    fprintf(cli_out(command), "%d passed, %d failed (instruction sets up to %s)\n", passed, failed,
            fal_cpu_level_name(best));
    return FAL_OK;
}
