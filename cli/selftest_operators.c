/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * selftest_operators.c: operators that must equal something made of other operators.
 *
 *     deformable, nothing moved            = convolution
 *     separable                            = depthwise, then pointwise convolution
 *     8-bit integers with zero points      = 32-bit convolution of the differences
 *     max-unpool of max-pool, then max-pool = max-pool
 *     average over windows that tile       = convolution with 1/4 everywhere
 *
 * Small whole numbers, whose sums are exact, so that equal means equal.
 */
#include "cli/layer.h"
#include "cli/selftest.h"
#include "cli/tensors.h"

/* Two tensors of one shape: what an operator gave and what it should be. */
typedef struct pair {
    fal_tensor found, expected;
} pair;

static fal_tensor shaped(fal_dtype dtype, int64_t n, int64_t c, int64_t height, int64_t width)
{
    return fal_tensor_of(NULL, dtype, 4, (const int64_t[]){n, c, height, width});
}

static fal_status make_pair(cli_command *command, const fal_tensor *like, pair *p)
{
    p->found = p->expected = *like;
    CLI_TRY(cli_tensor_alloc(command, &p->found));
    return cli_tensor_alloc(command, &p->expected);
}

static fal_status deform(cli_command *command, const fal_context *context, pair *p)
{
    const fal_conv_params params = {
        .stride = {2, 1}, .padding_begin = {1, 1}, .padding_end = {1, 1}, .groups = 2};
    fal_deform_operands o = {.x = shaped(FAL_F32, 2, 4, 9, 8),
                             .offset = shaped(FAL_F32, 2, 36, 5, 8),
                             .w = shaped(FAL_F32, 6, 2, 3, 3)};
    const fal_tensor y = shaped(FAL_F32, 2, 6, 5, 8);
    CLI_TRY(cli_selftest_fill(command, &o.x, 1, -4, 4));
    CLI_TRY(cli_selftest_fill(command, &o.w, 2, -4, 4));
    CLI_TRY(cli_selftest_fill(command, &o.offset, 3, 0, 0));
    CLI_TRY(make_pair(command, &y, p));
    o.y = p->found;
    CLI_TRY(fal_deform_conv(context, &o, &params, 2));
    return fal_conv(context, &o.x, &o.w, NULL, &params, &p->expected);
}

static fal_status separable(cli_command *command, const fal_context *context, pair *p)
{
    const fal_conv_params first = {.stride = {2, 2}, .padding = FAL_PADDING_SAME};
    const fal_conv_params grouped = {.stride = {2, 2}, .padding = FAL_PADDING_SAME, .groups = 5};
    const fal_conv_params plain = {.groups = 1};
    fal_separable_operands o = {.x = shaped(FAL_F32, 2, 5, 11, 9),
                                .depthwise = shaped(FAL_F32, 5, 1, 3, 3),
                                .pointwise = shaped(FAL_F32, 7, 5, 1, 1)};
    fal_tensor middle = shaped(FAL_F32, 2, 5, 6, 5);
    const fal_tensor y = shaped(FAL_F32, 2, 7, 6, 5);
    CLI_TRY(cli_selftest_fill(command, &o.x, 4, -4, 4));
    CLI_TRY(cli_selftest_fill(command, &o.depthwise, 5, -4, 4));
    CLI_TRY(cli_selftest_fill(command, &o.pointwise, 6, -4, 4));
    CLI_TRY(cli_tensor_alloc(command, &middle));
    CLI_TRY(make_pair(command, &y, p));
    o.y = p->found;
    CLI_TRY(fal_separable_conv(context, &o, &first));
    CLI_TRY(fal_conv(context, &o.x, &o.depthwise, NULL, &grouped, &middle));
    return fal_conv(context, &middle, &o.pointwise, NULL, &plain, &p->expected);
}

/* t - zero in 32 bits. */
static fal_status differences(cli_command *command, const fal_tensor *t, int64_t zero, fal_tensor *wide)
{
    *wide = *t;
    wide->dtype = FAL_I32;
    CLI_TRY(cli_tensor_alloc(command, wide));
    int64_t index[FAL_MAX_RANK] = {0};
    do fal_tensor_set_int(wide, index, fal_tensor_get_int(t, index) - zero);
    while (cli_next_index(t, index));
    return FAL_OK;
}

static fal_status integers(cli_command *command, const fal_context *context, pair *p)
{
    const fal_conv_params params = {.padding_begin = {1, 1}, .padding_end = {1, 1}};
    const int64_t one = 1;
    int8_t w_zero = -3;
    const fal_tensor zero = fal_tensor_of(&w_zero, FAL_I8, 1, &one);
    fal_tensor x = shaped(FAL_U8, 1, 3, 7, 6), w = shaped(FAL_I8, 4, 3, 3, 3), wide_x, wide_w;
    const fal_tensor y = shaped(FAL_I32, 1, 4, 7, 6);
    CLI_TRY(cli_selftest_fill(command, &x, 7, 0, 255));
    CLI_TRY(cli_selftest_fill(command, &w, 8, -128, 127));
    CLI_TRY(differences(command, &x, 128, &wide_x));
    CLI_TRY(differences(command, &w, w_zero, &wide_w));
    CLI_TRY(make_pair(command, &y, p));
    CLI_TRY(fal_conv_integer(context, &x, 128, &w, &zero, &params, &p->found));
    return fal_conv(context, &wide_x, &wide_w, NULL, &params, &p->expected);
}

static fal_status maxima(cli_command *command, const fal_context *context, pair *p)
{
    const fal_pool_params params = {.kernel = {2, 2}};
    fal_tensor x = shaped(FAL_F32, 2, 3, 8, 6), y = shaped(FAL_F32, 2, 3, 4, 3);
    fal_tensor spread = x, indices = y;
    indices.dtype = FAL_I64;
    CLI_TRY(cli_selftest_fill(command, &x, 9, 1, 9)); /* above the zeros between the maxima */
    CLI_TRY(cli_tensor_alloc(command, &indices));
    CLI_TRY(cli_tensor_alloc(command, &spread));
    CLI_TRY(make_pair(command, &y, p));
    CLI_TRY(fal_pool(context, &x, &params, &p->expected, &indices));
    const fal_pool_params places = {.index_mode = FAL_INDEX_PLANE};
    CLI_TRY(fal_max_unpool(context, &p->expected, &indices, &places, NULL, &spread));
    return fal_pool(context, &spread, &params, &p->found, NULL);
}

static fal_status averages(cli_command *command, const fal_context *context, pair *p)
{
    const fal_pool_params params = {.kind = FAL_POOL_AVERAGE, .kernel = {2, 2}};
    const fal_conv_params strided = {.stride = {2, 2}, .groups = 3};
    fal_tensor x = shaped(FAL_F32, 2, 3, 8, 6), w = shaped(FAL_F32, 3, 1, 2, 2),
               y = shaped(FAL_F32, 2, 3, 4, 3);
    CLI_TRY(cli_selftest_fill(command, &x, 10, -9, 9));
    CLI_TRY(cli_tensor_alloc(command, &w));
    CLI_TRY(fal_tensor_fill(&w, 0.25, &command->error));
    CLI_TRY(make_pair(command, &y, p));
    CLI_TRY(fal_pool(context, &x, &params, &p->found, NULL));
    return fal_conv(context, &x, &w, NULL, &strided, &p->expected);
}

fal_status cli_selftest_operators(cli_command *command, fal_cpu_level level, int *passed, int *failed)
{
    static const struct {
        const char *name;
        fal_status (*run)(cli_command *command, const fal_context *context, pair *p);
    } operators[] = {{"deformable convolution", deform},
                     {"separable convolution", separable},
                     {"integer convolution", integers},
                     {"max pooling", maxima},
                     {"average pooling", averages}};
    fal_context context = command->context;
    context.cpu = level;
    for (size_t i = 0; i < sizeof operators / sizeof operators[0]; i++) {
        pair p;
        CLI_TRY(operators[i].run(command, &context, &p));
        bool equal = cli_largest_difference(&p.found, &p.expected) == 0;
        if (!equal) cli_note(command, true, "%s differs at %s", operators[i].name, fal_cpu_level_name(level));
        *passed += equal;
        *failed += !equal;
    }
    return FAL_OK;
}
