/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * test_bad_arguments.c: what bad input gets.
 *
 * One row per mistake: what is done to a valid call, and the status that names it. Every row goes
 * through the one-call function, the plan and the reference, which must agree; the message must be
 * presentable, and the result untouched. What looks odd and is legal
 * stands in test_edge_cases.c.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "support/support.h"

/* x (1,6,9,9), w (8,3,3,3) with 2 groups, y (1,8,9,9), pads 1; the buffers are larger. */
enum { Y_COUNT = 8 * 9 * 9, ROOM = 4096 };

/* A call that a row may spoil. */
typedef struct call {
    bool transposed;
    fal_context context;
    fal_operands operands;
    fal_conv_params params;
    float x[ROOM], w[ROOM], bias[ROOM], y[ROOM];
} call;

static void valid(call *c)
{
    memset(c, 0, sizeof *c);
    c->context.threads = 1;
    for (int i = 0; i < ROOM; i++) {
        c->x[i] = (float)(i % 7);
        c->w[i] = (float)(i % 5);
        c->bias[i] = 1;
        c->y[i] = -77;
    }
    c->operands.x = FAL_TENSOR(c->x, FAL_F32, 1, 6, 9, 9);
    c->operands.w = FAL_TENSOR(c->w, FAL_F32, 8, 3, 3, 3);
    c->operands.bias = FAL_TENSOR(c->bias, FAL_F32, 8);
    c->operands.y = FAL_TENSOR(c->y, FAL_F32, 1, 8, 9, 9);
    c->params.groups = 2;
    for (int a = 0; a < 2; a++) c->params.padding_begin[a] = c->params.padding_end[a] = 1;
}

/* The transposed twin: x (1,8,9,9), w (8,3,3,3), y (1,6,9,9). */
static void transpose(call *c)
{
    c->transposed = true;
    c->operands.x = FAL_TENSOR(c->x, FAL_F32, 1, 8, 9, 9);
    c->operands.bias = FAL_TENSOR(c->bias, FAL_F32, 6);
    c->operands.y = FAL_TENSOR(c->y, FAL_F32, 1, 6, 9, 9);
}

/* The mistakes: what is done to a valid call. */
typedef enum mistake {
    X_MISSING,
    W_MISSING,
    Y_MISSING,
    X_WITHOUT_DATA,
    W_WITHOUT_DATA,
    BIAS_WITHOUT_DATA,
    Y_WITHOUT_DATA,
    X_OF_RANK_0,
    X_OF_RANK_2,
    X_OF_RANK_13,
    X_OF_RANK_MINUS_1,
    W_OF_RANK_2,
    FOUR_SPATIAL_AXES,
    BATCH_MINUS_1,
    NO_OUTPUT_CHANNELS,
    KERNEL_OF_0,
    X_TYPE_UNKNOWN,
    W_IS_F64,
    Y_IS_F64,
    BIAS_IS_F16,
    Y_IS_I32,
    Y_AXIS_WITHOUT_STRIDE,
    Y_OVERLAPS_ITSELF,
    Y_READ_ONLY,
    Y_IS_X,
    Y_OVERLAPS_X_BY_ONE,
    Y_OVERLAPS_W,
    Y_OVERLAPS_BIAS,
    X_AT_AN_ODD_ADDRESS,
    Y_AT_AN_ODD_ADDRESS,
    X_COUNT_OVERFLOWS,
    X_EXTENT_OVERFLOWS,
    X_OF_OTHER_CHANNELS,
    W_OF_OTHER_CHANNELS,
    BIAS_ONE_SHORT,
    BIAS_OF_RANK_2,
    Y_ONE_ROW_SHORT,
    Y_OF_OTHER_BATCH,
    Y_UNBATCHED,
    STRIDE_MINUS_1,
    DILATION_MINUS_1,
    DILATION_2_62,
    PADDING_NEAR_2_63,
    PADDINGS_SUM_OVERFLOWS,
    PADDING_MOST_NEGATIVE,
    CROP_LEAVES_NOTHING,
    KERNEL_LARGER_THAN_INPUT,
    GROUPS_MINUS_2,
    GROUPS_DO_NOT_DIVIDE,
    GROUPS_ABOVE_CHANNELS,
    LAYOUT_UNKNOWN,
    PADDING_RULE_UNKNOWN,
    PADDING_MODE_UNKNOWN,
    ACCURACY_UNKNOWN,
    OUTPUT_PADDING_OF_CONV,
    TRANSPOSED_OUTPUT_PADDING,
    TRANSPOSED_OUTPUT_PADDING_MINUS_1,
    TRANSPOSED_OUTPUT_SIZE_TOO_LARGE,
    TRANSPOSED_OUTPUT_BELOW_1,
    TRANSPOSED_REFLECT,
    TRANSPOSED_GROUPS
} mistake;

static void spoil_tensor(call *c, mistake m)
{
    fal_operands *o = &c->operands;
    switch (m) {
    case X_MISSING: o->x = (fal_tensor){0}; break;
    case W_MISSING: o->w = (fal_tensor){0}; break;
    case Y_MISSING: o->y = (fal_tensor){0}; break;
    case X_WITHOUT_DATA: o->x.data = NULL; break;
    case W_WITHOUT_DATA: o->w.data = NULL; break;
    case BIAS_WITHOUT_DATA: o->bias.data = NULL; break;
    case Y_WITHOUT_DATA: o->y.data = NULL; break;
    case X_OF_RANK_0: o->x.rank = 0; break;
    case X_OF_RANK_2: o->x.rank = 2; break;
    case X_OF_RANK_13: o->x.rank = 13; break;
    case X_OF_RANK_MINUS_1: o->x.rank = -1; break;
    case W_OF_RANK_2: o->w.rank = 2; break;
    case FOUR_SPATIAL_AXES:
        o->x = FAL_TENSOR(c->x, FAL_F32, 1, 6, 1, 1, 9, 9);
        o->w = FAL_TENSOR(c->w, FAL_F32, 8, 3, 1, 1, 3, 3);
        o->y = FAL_TENSOR(c->y, FAL_F32, 1, 8, 1, 1, 9, 9);
        break;
    case BATCH_MINUS_1: o->x.shape[0] = -1; break;
    case NO_OUTPUT_CHANNELS: o->w.shape[0] = 0; break;
    case KERNEL_OF_0: o->w.shape[3] = 0; break;
    case X_TYPE_UNKNOWN: o->x.dtype = (fal_dtype)999; break;
    case W_IS_F64: o->w.dtype = FAL_F64; break;
    case Y_IS_F64: o->y.dtype = FAL_F64; break;
    case BIAS_IS_F16: o->bias.dtype = FAL_F16; break;
    case Y_IS_I32: o->y.dtype = FAL_I32; break;
    case Y_AXIS_WITHOUT_STRIDE: o->y.strides[2] = 0; break;
    case Y_OVERLAPS_ITSELF: o->y.strides[2] = 1; break;
    case Y_READ_ONLY: o->y.flags = FAL_READ_ONLY; break;
    case Y_IS_X: o->y.data = c->x; break;
    case Y_OVERLAPS_X_BY_ONE: o->x.data = c->y + Y_COUNT - 1; break;
    case Y_OVERLAPS_W: o->w.data = c->y + 8; break;
    case Y_OVERLAPS_BIAS: o->bias.data = c->y + 17; break;
    case X_AT_AN_ODD_ADDRESS: o->x.data = (char *)c->x + 1; break;
    case Y_AT_AN_ODD_ADDRESS: o->y.data = (char *)c->y + 2; break;
    case X_COUNT_OVERFLOWS: o->x.shape[2] = o->x.shape[3] = INT64_C(1) << 32; break;
    case X_EXTENT_OVERFLOWS: o->x.strides[2] = INT64_MAX / 4; break;
    case X_OF_OTHER_CHANNELS: o->x = FAL_TENSOR(c->x, FAL_F32, 1, 8, 9, 9); break;
    case W_OF_OTHER_CHANNELS: o->w = FAL_TENSOR(c->w, FAL_F32, 8, 2, 3, 3); break;
    case BIAS_ONE_SHORT: o->bias.shape[0] = 7; break;
    case BIAS_OF_RANK_2: o->bias = FAL_TENSOR(c->bias, FAL_F32, 1, 8); break;
    case Y_ONE_ROW_SHORT: o->y.shape[2] = 8; break;
    case Y_OF_OTHER_BATCH: o->y.shape[0] = 2; break;
    case Y_UNBATCHED: o->y = FAL_TENSOR(c->y, FAL_F32, 8, 9, 9); break;
    default: break;
    }
}

static void spoil_parameter(call *c, mistake m)
{
    fal_conv_params *p = &c->params;
    if (m >= TRANSPOSED_OUTPUT_PADDING) transpose(c);
    switch (m) {
    case STRIDE_MINUS_1: p->stride[0] = -1; break;
    case DILATION_MINUS_1: p->dilation[1] = -1; break;
    case DILATION_2_62: p->dilation[0] = INT64_C(1) << 62; break;
    case PADDING_NEAR_2_63: p->padding_begin[0] = INT64_MAX; break;
    case PADDINGS_SUM_OVERFLOWS: p->padding_begin[0] = p->padding_end[0] = INT64_MAX - 9; break;
    case PADDING_MOST_NEGATIVE: p->padding_end[1] = INT64_MIN; break;
    case CROP_LEAVES_NOTHING: p->padding_begin[0] = -8; break;
    case KERNEL_LARGER_THAN_INPUT: p->dilation[0] = 6; break;
    case GROUPS_MINUS_2: p->groups = -2; break;
    case GROUPS_DO_NOT_DIVIDE: p->groups = 4; break;
    case GROUPS_ABOVE_CHANNELS: p->groups = 16; break;
    case LAYOUT_UNKNOWN: p->layout = (fal_layout)7; break;
    case PADDING_RULE_UNKNOWN: p->padding = (fal_padding)9; break;
    case PADDING_MODE_UNKNOWN: p->padding_mode = (fal_padding_mode)17; break;
    case ACCURACY_UNKNOWN: p->accuracy = (fal_accuracy)5; break;
    case OUTPUT_PADDING_OF_CONV: p->output_padding[0] = 1; break;
    case TRANSPOSED_OUTPUT_PADDING: p->output_padding[1] = 1; break;
    case TRANSPOSED_OUTPUT_PADDING_MINUS_1: p->output_padding[1] = -1; break;
    case TRANSPOSED_OUTPUT_SIZE_TOO_LARGE: p->output_size[0] = 20; break;
    case TRANSPOSED_OUTPUT_BELOW_1: p->padding_begin[0] = 20; break;
    case TRANSPOSED_REFLECT: p->padding_mode = FAL_PAD_REFLECT; break;
    case TRANSPOSED_GROUPS: p->groups = 3; break;
    default: break;
    }
}

static void spoil(call *c, mistake m)
{
    spoil_tensor(c, m);
    spoil_parameter(c, m);
}

typedef struct row {
    mistake mistake;
    fal_status status;
    const char *name;
} row;

static const row rows[] = {
    {X_MISSING, FAL_E_NULL, "x missing"},
    {W_MISSING, FAL_E_NULL, "w missing"},
    {Y_MISSING, FAL_E_NULL, "y missing"},
    {X_WITHOUT_DATA, FAL_E_NULL, "x without data"},
    {W_WITHOUT_DATA, FAL_E_NULL, "w without data"},
    {BIAS_WITHOUT_DATA, FAL_E_NULL, "bias without data"},
    {Y_WITHOUT_DATA, FAL_E_NULL, "y without data"},
    {X_OF_RANK_0, FAL_E_RANK, "x of rank 0"},
    {X_OF_RANK_2, FAL_E_RANK, "x of rank 2"},
    {X_OF_RANK_13, FAL_E_RANK, "x of rank 13"},
    {X_OF_RANK_MINUS_1, FAL_E_RANK, "x of rank -1"},
    {W_OF_RANK_2, FAL_E_RANK, "w of rank 2"},
    {FOUR_SPATIAL_AXES, FAL_E_RANK, "four spatial axes"},
    {BATCH_MINUS_1, FAL_E_DIM, "batch -1"},
    {NO_OUTPUT_CHANNELS, FAL_E_DIM, "no output channels"},
    {KERNEL_OF_0, FAL_E_KERNEL, "kernel of 0"},
    {X_TYPE_UNKNOWN, FAL_E_DTYPE, "x of an unknown type"},
    {W_IS_F64, FAL_E_DTYPE, "w is f64"},
    {Y_IS_F64, FAL_E_DTYPE, "y is f64"},
    {BIAS_IS_F16, FAL_E_DTYPE, "bias is f16"},
    {Y_IS_I32, FAL_E_DTYPE, "y is i32"},
    {Y_AXIS_WITHOUT_STRIDE, FAL_E_LAYOUT, "y with stride 0"},
    {Y_OVERLAPS_ITSELF, FAL_E_LAYOUT, "y overlaps itself"},
    {Y_READ_ONLY, FAL_E_LAYOUT, "y read only"},
    {Y_IS_X, FAL_E_ALIAS, "y is x"},
    {Y_OVERLAPS_X_BY_ONE, FAL_E_ALIAS, "y overlaps x by one element"},
    {Y_OVERLAPS_W, FAL_E_ALIAS, "y overlaps w"},
    {Y_OVERLAPS_BIAS, FAL_E_ALIAS, "y overlaps bias"},
    {X_AT_AN_ODD_ADDRESS, FAL_E_ALIGN, "x at an odd address"},
    {Y_AT_AN_ODD_ADDRESS, FAL_E_ALIGN, "y at an odd address"},
    {X_COUNT_OVERFLOWS, FAL_E_OVERFLOW, "x count overflows"},
    {X_EXTENT_OVERFLOWS, FAL_E_OVERFLOW, "x extent overflows"},
    {X_OF_OTHER_CHANNELS, FAL_E_SHAPE, "x of other channels"},
    {W_OF_OTHER_CHANNELS, FAL_E_SHAPE, "w of other channels"},
    {BIAS_ONE_SHORT, FAL_E_SHAPE, "bias one short"},
    {BIAS_OF_RANK_2, FAL_E_RANK, "bias of rank 2"},
    {Y_ONE_ROW_SHORT, FAL_E_SHAPE, "y one row short"},
    {Y_OF_OTHER_BATCH, FAL_E_SHAPE, "y of another batch"},
    {Y_UNBATCHED, FAL_E_RANK, "y unbatched"},
    {STRIDE_MINUS_1, FAL_E_STRIDE, "stride -1"},
    {DILATION_MINUS_1, FAL_E_DILATION, "dilation -1"},
    {DILATION_2_62, FAL_E_OVERFLOW, "dilation 2^62"},
    {PADDING_NEAR_2_63, FAL_E_OVERFLOW, "padding 2^63-1"},
    {PADDINGS_SUM_OVERFLOWS, FAL_E_OVERFLOW, "paddings whose sum overflows"},
    {PADDING_MOST_NEGATIVE, FAL_E_KERNEL, "padding -2^63"},
    {CROP_LEAVES_NOTHING, FAL_E_KERNEL, "a crop that leaves nothing"},
    {KERNEL_LARGER_THAN_INPUT, FAL_E_KERNEL, "kernel larger than the padded input"},
    {GROUPS_MINUS_2, FAL_E_GROUPS, "groups -2"},
    {GROUPS_DO_NOT_DIVIDE, FAL_E_GROUPS, "groups do not divide"},
    {GROUPS_ABOVE_CHANNELS, FAL_E_GROUPS, "groups above the channels"},
    {LAYOUT_UNKNOWN, FAL_E_VALUE, "layout unknown"},
    {PADDING_RULE_UNKNOWN, FAL_E_VALUE, "padding rule unknown"},
    {PADDING_MODE_UNKNOWN, FAL_E_VALUE, "padding mode unknown"},
    {ACCURACY_UNKNOWN, FAL_E_VALUE, "accuracy unknown"},
    {OUTPUT_PADDING_OF_CONV, FAL_E_PADDING, "output padding of a convolution"},
    {TRANSPOSED_OUTPUT_PADDING, FAL_E_PADDING, "transposed: output padding = stride"},
    {TRANSPOSED_OUTPUT_PADDING_MINUS_1, FAL_E_PADDING, "transposed: output padding -1"},
    {TRANSPOSED_OUTPUT_SIZE_TOO_LARGE, FAL_E_SHAPE, "transposed: output size out of reach"},
    {TRANSPOSED_OUTPUT_BELOW_1, FAL_E_SHAPE, "transposed: output below 1"},
    {TRANSPOSED_REFLECT, FAL_E_PADDING, "transposed: reflect"},
    {TRANSPOSED_GROUPS, FAL_E_GROUPS, "transposed: groups do not divide"},
};

/* ---- the checks --------------------------------------------------------------------------------------- */

/* One line of printable ASCII that says something, names the argument and ends without a full stop. */
static bool presentable(const fal_error *error, fal_status status)
{
    char text[TEST_TEXT];
    size_t length = fal_error_message(error, text, sizeof text);
    if (error->status != status || error->field[0] == 0 || error->found[0] == 0) return false;
    if (length == 0 || length >= sizeof text || text[length - 1] == '.') return false;
    for (size_t i = 0; i < length; i++)
        if (text[i] < ' ' || text[i] > '~') return false;
    return true;
}

static bool untouched(const call *c)
{
    for (int i = 0; i < ROOM; i++)
        if (c->y[i] != -77 || c->x[i] != (float)(i % 7) || c->w[i] != (float)(i % 5)) return false;
    return true;
}

/* Runs the call by the one-call function (0), the reference (1) or plan and execute (2). */
static fal_status run(call *c, int way)
{
    fal_operator op = c->transposed ? FAL_OP_CONV_TRANSPOSE : FAL_OP_CONV;
    if (way == 0) return test_call(&c->context, op, &c->operands, &c->params);
    if (way == 1) return fal_reference(op, &c->operands, &c->params, c->context.error);
    return test_plan(&c->context, op, &c->operands, &c->params, false, 0xFF);
}

static void every_mistake_is_named(void **state)
{
    (void)state;
    static call c;
    int wrong = 0;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        for (int way = 0; way < 3; way++) {
            fal_error error = {0};
            valid(&c);
            spoil(&c, rows[i].mistake);
            c.context.error = &error;
            fal_status status = run(&c, way);
            bool ok = status == rows[i].status && presentable(&error, status) && untouched(&c);
            if (ok) continue;
            wrong++;
            print_error("%s, way %d: %s instead of %s%s\n    [%s] %s; %s\n", rows[i].name, way,
                        fal_status_name(status), fal_status_name(rows[i].status),
                        untouched(&c) ? "" : ", and something was written", error.field, error.found,
                        error.allowed);
        }
    }
    assert_int_equal(wrong, 0);
}

/* Without a fal_error only the status travels. */
static void mistakes_need_no_error_struct(void **state)
{
    (void)state;
    static call c;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        valid(&c);
        spoil(&c, rows[i].mistake);
        assert_int_equal(run(&c, 0), rows[i].status);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_mistake_is_named),
        cmocka_unit_test(mistakes_need_no_error_struct),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
