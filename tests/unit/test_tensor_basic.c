/* SPDX-License-Identifier: BSD-3-Clause */
/* test_tensor_basic.c: types, well-formed tensors, sizes and spans, single elements, texts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <string.h>

#include "support/support.h"
#include "tensor/tensor.h"

static void types_have_sizes_and_names(void **state)
{
    (void)state;
    static const struct {
        fal_dtype dtype;
        size_t bytes;
        bool integer;
        const char *name, *other;
    } facts[] = {
        {FAL_F32, 4, false, "f32", "float32"}, {FAL_F64, 8, false, "f64", "float64"},
        {FAL_F16, 2, false, "f16", "float16"}, {FAL_BF16, 2, false, "bf16", "bfloat16"},
        {FAL_I8, 1, true, "i8", "int8"},       {FAL_U8, 1, true, "u8", "uint8"},
        {FAL_I16, 2, true, "i16", "int16"},    {FAL_I32, 4, true, "i32", "int32"},
        {FAL_I64, 8, true, "i64", "int64"},
    };
    for (size_t i = 0; i < sizeof facts / sizeof *facts; i++) {
        assert_int_equal(fal_dtype_bytes(facts[i].dtype), facts[i].bytes);
        assert_int_equal(fal_dtype_is_integer(facts[i].dtype), facts[i].integer);
        assert_string_equal(fal_dtype_name(facts[i].dtype), facts[i].name);
        assert_int_equal(fal_dtype_parse(facts[i].name), facts[i].dtype);
        assert_int_equal(fal_dtype_parse(facts[i].other), facts[i].dtype);
    }
    const int unknown[] = {0, -1, 10, 1000, INT32_MIN, INT32_MAX};
    for (size_t i = 0; i < sizeof unknown / sizeof *unknown; i++) {
        assert_int_equal(fal_dtype_bytes((fal_dtype)unknown[i]), 0);
        assert_string_equal(fal_dtype_name((fal_dtype)unknown[i]), "none");
        assert_false(fal_dtype_is_integer((fal_dtype)unknown[i]));
    }
    assert_int_equal(fal_dtype_parse("f33"), FAL_DTYPE_NONE);
    assert_int_equal(fal_dtype_parse(""), FAL_DTYPE_NONE);
    assert_int_equal(fal_dtype_parse("none"), FAL_DTYPE_NONE);
    assert_int_equal(fal_dtype_parse(NULL), FAL_DTYPE_NONE);
}

static void row_major_strides(void **state)
{
    (void)state;
    float data[60];
    fal_tensor t = FAL_TENSOR(data, FAL_F32, 3, 4, 5);
    assert_int_equal(t.rank, 3);
    assert_ptr_equal(t.data, data);
    const int64_t strides[] = {20, 5, 1};
    assert_memory_equal(t.strides, strides, sizeof strides);
    assert_true(fal_tensor_is_compact(&t));
    assert_int_equal(fal_tensor_count(&t), 60);

    /* The same numbers stored column-major: element [1,2] lies at 1*1 + 2*3 = 7 instead of 6. */
    int32_t rows[12], columns[12];
    for (int i = 0; i < 3; i++)
        for (int j = 0; j < 4; j++) rows[4 * i + j] = columns[i + 3 * j] = 10 * i + j;
    fal_tensor a = FAL_TENSOR(rows, FAL_I32, 3, 4), b = FAL_TENSOR(columns, FAL_I32, 3, 4);
    b.strides[0] = 1;
    b.strides[1] = 3;
    const int64_t index[] = {1, 2};
    assert_ptr_equal(fal__tensor_at(&a, index), &rows[6]);
    assert_ptr_equal(fal__tensor_at(&b, index), &columns[7]);
    assert_int_equal(fal_tensor_get_int(&a, index), 12);
    assert_int_equal(fal_tensor_get_int(&b, index), 12);
    assert_false(fal_tensor_is_compact(&b));
}

static void bad_shapes_make_no_tensor(void **state)
{
    (void)state;
    float x = 0;
    const int64_t shape[FAL_MAX_RANK + 1] = {1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1};
    const int64_t negative[] = {2, -1}, big[] = {INT64_MAX, 2}, empty_big[] = {0, INT64_MAX, 2};
    assert_int_equal(fal_tensor_of(&x, FAL_F32, FAL_MAX_RANK, shape).dtype, FAL_F32);
    assert_int_equal(fal_tensor_of(&x, FAL_F32, FAL_MAX_RANK + 1, shape).dtype, FAL_DTYPE_NONE);
    assert_int_equal(fal_tensor_of(&x, FAL_F32, -1, shape).dtype, FAL_DTYPE_NONE);
    assert_int_equal(fal_tensor_of(&x, (fal_dtype)77, 1, shape).dtype, FAL_DTYPE_NONE);
    assert_int_equal(fal_tensor_of(&x, FAL_F32, 1, NULL).dtype, FAL_DTYPE_NONE);
    assert_int_equal(fal_tensor_of(&x, FAL_F32, 0, NULL).dtype, FAL_F32);
    assert_int_equal(fal_tensor_of(&x, FAL_F32, 2, negative).dtype, FAL_DTYPE_NONE);
    assert_int_equal(fal_tensor_of(&x, FAL_I8, 2, big).dtype, FAL_DTYPE_NONE);
    assert_int_equal(fal_tensor_of(&x, FAL_I8, 3, empty_big).dtype, FAL_DTYPE_NONE);
}

/* Checks the tensor and expects `status`, and that the message names it. */
static void expect_status(const fal_tensor *t, fal_status status)
{
    fal_error error = {0};
    assert_int_equal(fal_tensor_check(t, "weights", &error), status);
    assert_int_equal(fal_tensor_check(t, "weights", NULL), status);
    if (status == FAL_OK) return;
    assert_int_equal(error.status, status);
    assert_string_equal(error.field, "weights");
    assert_non_null(strstr(error.found, "weights"));
}

static void malformed_tensors_are_refused(void **state)
{
    (void)state;
    expect_status(NULL, FAL_E_NULL);
    int64_t data[4] = {0};
    fal_tensor good = FAL_TENSOR(data, FAL_I64, 2, 2), t = good;
    expect_status(&t, FAL_OK);
    t.data = NULL; /* a shape to plan with */
    expect_status(&t, FAL_OK);
    t.dtype = (fal_dtype)10;
    expect_status(&t, FAL_E_DTYPE);
    t = good, t.rank = -1;
    expect_status(&t, FAL_E_RANK);
    t.rank = FAL_MAX_RANK + 1;
    expect_status(&t, FAL_E_RANK);
    t = good, t.shape[1] = -1;
    expect_status(&t, FAL_E_DIM);
    t = good, t.shape[0] = INT64_MAX;
    expect_status(&t, FAL_E_OVERFLOW);
    t.shape[0] = (int64_t)1 << 59; /* times 2 times 8 bytes is 2^63 */
    expect_status(&t, FAL_E_OVERFLOW);
    t = good, t.strides[0] = INT64_MAX;
    expect_status(&t, FAL_E_OVERFLOW);
    t.strides[0] = INT64_MIN;
    expect_status(&t, FAL_E_OVERFLOW);
    t.shape[0] = 1; /* its stride is never used */
    expect_status(&t, FAL_OK);
    t = good, t.strides[0] = ((int64_t)1 << 60) - 2; /* 2^60 elements from end to end */
    expect_status(&t, FAL_E_OVERFLOW);
    t.strides[0]--;
    expect_status(&t, FAL_OK);
    /* One empty axis does not excuse the others. */
    fal_tensor empty = {.dtype = FAL_U8, .rank = 3, .shape = {0, INT64_MAX, 2}};
    expect_status(&empty, FAL_E_OVERFLOW);
    assert_int_equal(fal_tensor_count(&empty), -1);
    t = good, t.strides[0] = (int64_t)1 << 59, t.strides[1] = -((int64_t)1 << 59); /* span 2^60 + 1 */
    expect_status(&t, FAL_E_OVERFLOW);
}

static void counts(void **state)
{
    (void)state;
    fal_tensor t = FAL_TENSOR(NULL, FAL_U8, 2, 3, 0, 5);
    assert_int_equal(fal_tensor_count(&t), 0);
    t.shape[2] = -1;
    assert_int_equal(fal_tensor_count(&t), -1);
    t.shape[2] = INT64_MAX;
    assert_int_equal(fal_tensor_count(&t), -1);
    t.rank = 0;
    assert_int_equal(fal_tensor_count(&t), 1);
    t.rank = 99;
    assert_int_equal(fal_tensor_count(&t), -1);
    assert_int_equal(fal_tensor_count(NULL), -1);
}

static void compactness_ignores_axes_of_size_one(void **state)
{
    (void)state;
    fal_tensor t = FAL_TENSOR(NULL, FAL_F32, 2, 1, 3);
    t.strides[1] = -77;
    assert_true(fal_tensor_is_compact(&t));
    t.strides[0] = 4;
    assert_false(fal_tensor_is_compact(&t));
    t.shape[2] = 0;
    assert_true(fal_tensor_is_compact(&t));
    t.shape[2] = -1;
    assert_false(fal_tensor_is_compact(&t));
    assert_false(fal_tensor_is_compact(NULL));
}

static void extents_are_those_of_all_elements(void **state)
{
    (void)state;
    test_stream s = {3, 0};
    for (int i = 0; i < 500; i++) {
        fal_tensor t = {.dtype = FAL_F32, .rank = (int32_t)test_draw(&s, 0, 4)};
        for (int32_t a = 0; a < t.rank; a++) {
            t.shape[a] = test_draw(&s, 0, 3) + !test_chance(&s, 8);
            t.strides[a] = test_draw(&s, -9, 9);
        }
        int64_t index[FAL_MAX_RANK] = {0}, low = 0, high = 0, got_low = 7, got_high = 7;
        for (bool more = fal_tensor_count(&t) > 0, first = true; more;
             more = test_next(&t, index), first = false) {
            int64_t offset = 0;
            for (int32_t a = 0; a < t.rank; a++) offset += index[a] * t.strides[a];
            if (first || offset < low) low = offset;
            if (first || offset >= high) high = offset + 1;
        }
        assert_int_equal(fal_tensor_extent(&t, &got_low, &got_high), FAL_OK);
        assert_int_equal(got_low, low);
        assert_int_equal(got_high, high);
    }
    fal_tensor bad = {.dtype = FAL_F32, .rank = 1, .shape = {INT64_MAX}, .strides = {1}};
    int64_t low = 7, high = 7;
    assert_int_equal(fal_tensor_extent(&bad, &low, &high), FAL_E_OVERFLOW);
    assert_int_equal(fal_tensor_extent(NULL, &low, &high), FAL_E_NULL);
    assert_true(low == 7 && high == 7);
}

static void elements_are_read_and_written(void **state)
{
    (void)state;
    const fal_dtype types[] = {FAL_F32, FAL_F64, FAL_F16, FAL_BF16, FAL_I8,
                               FAL_U8,  FAL_I16, FAL_I32, FAL_I64};
    const int64_t shape[] = {2, 3};
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        test_tensor x = test_tensor_new(types[i], 2, shape, 5);
        const int64_t index[] = {1, 2}, other[] = {0, 2};
        fal_tensor_set(&x.t, other, 99);
        fal_tensor_set(&x.t, index, 41);
        assert_true(fal_tensor_get(&x.t, index) == 41);
        fal_tensor_set_int(&x.t, index, 42);
        assert_int_equal(fal_tensor_get_int(&x.t, index), 42);
        assert_int_equal(fal_tensor_get_int(&x.t, other), 99);
        fal_tensor read_only = x.t;
        read_only.flags = FAL_READ_ONLY;
        fal_tensor_set(&read_only, index, 7);
        fal_tensor_set_int(&read_only, index, 7);
        assert_int_equal(fal_tensor_get_int(&x.t, index), 42);
        assert_true(test_tensor_gaps_intact(&x));
        test_tensor_free(&x);
    }
    /* i64 beyond 2^53, and rank 0. */
    int64_t big = 0;
    fal_tensor scalar = fal_tensor_of(&big, FAL_I64, 0, NULL);
    fal_tensor_set_int(&scalar, NULL, INT64_MAX - 1);
    assert_true(fal_tensor_get_int(&scalar, NULL) == INT64_MAX - 1);
    assert_true(fal_tensor_get(&scalar, NULL) == 0x1p63);
}

static void shapes_become_text(void **state)
{
    (void)state;
    char text[FAL__LIST_TEXT];
    fal_tensor t = FAL_TENSOR(NULL, FAL_F32, 1, 3, 224, 224);
    fal__shape_text(&t, text, sizeof text);
    assert_string_equal(text, "(1,3,224,224)");
    for (size_t capacity = 1; capacity < 20; capacity++) {
        memset(text, '#', sizeof text);
        fal__shape_text(&t, text, capacity);
        assert_int_equal(strlen(text), capacity < 14 ? capacity - 1 : 13);
        assert_memory_equal(text, "(1,3,224,224)", strlen(text));
    }
    t.rank = 0;
    fal__shape_text(&t, text, sizeof text);
    assert_string_equal(text, "()");
    int64_t longest[FAL_MAX_RANK];
    for (int a = 0; a < FAL_MAX_RANK; a++) longest[a] = INT64_MIN;
    fal__list_text(longest, FAL_MAX_RANK, text, sizeof text);
    assert_int_equal(text[strlen(text) - 1], ')');
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(types_have_sizes_and_names),
        cmocka_unit_test(row_major_strides),
        cmocka_unit_test(bad_shapes_make_no_tensor),
        cmocka_unit_test(malformed_tensors_are_refused),
        cmocka_unit_test(counts),
        cmocka_unit_test(compactness_ignores_axes_of_size_one),
        cmocka_unit_test(extents_are_those_of_all_elements),
        cmocka_unit_test(elements_are_read_and_written),
        cmocka_unit_test(shapes_become_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
