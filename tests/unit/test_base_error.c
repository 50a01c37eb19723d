/* SPDX-License-Identifier: BSD-3-Clause */
/* test_base_error.c: status texts, and how the parts of a report are composed and cut. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <ctype.h>
#include <string.h>

#include "base/error.h"

static bool is_status(int number)
{
    return (number >= 0 && number <= 23) || (number >= 40 && number <= 54) || number == 60;
}

static void every_status_has_a_name_and_a_text(void **state)
{
    (void)state;
    for (int number = -5; number < 100; number++) {
        const char *name = fal_status_name((fal_status)number), *text = fal_status_string((fal_status)number);
        assert_int_equal(strcmp(name, "E_UNKNOWN") != 0, is_status(number));
        assert_int_equal(strcmp(text, "unknown status") != 0, is_status(number));
        for (const char *c = text; *c != 0; c++) assert_true(isprint((unsigned char)*c));
        for (int other = 0; other < number; other++)
            if (is_status(number)) assert_string_not_equal(name, fal_status_name((fal_status)other));
    }
    assert_string_equal(fal_status_name(FAL_E_SHAPE), "E_SHAPE");
    assert_string_equal(fal_status_string(FAL_E_SHAPE), "shapes do not fit together");
    assert_string_equal(fal_version(), FAL_VERSION_STRING);
}

static void a_report_is_composed_of_its_parts(void **state)
{
    (void)state;
    fal_error error;
    memset(&error, 'x', sizeof error);
    assert_int_equal(fal__fail(&error, FAL_E_STRIDE, "stride[0]", "stride[0] is %d", -1), FAL_E_STRIDE);
    assert_int_equal(error.status, FAL_E_STRIDE);
    assert_string_equal(error.field, "stride[0]");
    assert_string_equal(error.allowed, "");
    char text[100];
    assert_int_equal(fal_error_message(&error, text, sizeof text), 15);
    assert_string_equal(text, "stride[0] is -1");

    assert_int_equal(fal__allowed(&error, FAL_E_STRIDE, "must be at least %d", 1), FAL_E_STRIDE);
    assert_int_equal(fal__hint(&error, FAL_E_STRIDE, "try %s", "1"), FAL_E_STRIDE);
    assert_int_equal(fal__fix(&error, FAL_E_STRIDE, "stride", "1"), FAL_E_STRIDE);
    const char *whole = "stride[0] is -1; must be at least 1; try 1";
    assert_int_equal(fal_error_message(&error, text, sizeof text), strlen(whole));
    assert_string_equal(text, whole);
    assert_string_equal(error.fix_field, "stride");
    assert_string_equal(error.fix_value, "1");

    /* The next report starts afresh. */
    fal__fail(&error, FAL_E_NULL, "x", "x is NULL");
    fal_error_message(&error, text, sizeof text);
    assert_string_equal(text, "x is NULL");
    assert_string_equal(error.fix_field, "");
}

static void a_message_is_cut_to_every_capacity(void **state)
{
    (void)state;
    fal_error error;
    fal__fail(&error, FAL_E_VALUE, "f", "found");
    fal__allowed(&error, FAL_E_VALUE, "allowed");
    const char *whole = "found; allowed";
    for (size_t capacity = 1; capacity < 20; capacity++) {
        char text[24];
        memset(text, '#', sizeof text);
        assert_int_equal(fal_error_message(&error, text, capacity), strlen(whole));
        size_t kept = capacity - 1 < strlen(whole) ? capacity - 1 : strlen(whole);
        assert_memory_equal(text, whole, kept);
        assert_int_equal(text[kept], 0);
        for (size_t i = capacity; i < sizeof text; i++) assert_int_equal(text[i], '#');
    }
    assert_int_equal(fal_error_message(&error, NULL, 0), strlen(whole));
    char text[4] = "abc";
    assert_int_equal(fal_error_message(&error, text, 0), strlen(whole));
    assert_string_equal(text, "abc");
    assert_int_equal(fal_error_message(NULL, text, sizeof text), 0);
    assert_string_equal(text, "");
}

static void long_parts_are_cut_and_terminated(void **state)
{
    (void)state;
    char big[1000];
    memset(big, 'b', sizeof big - 1);
    big[sizeof big - 1] = 0;
    fal_error error;
    fal__fail(&error, FAL_E_VALUE, big, "%s", big);
    fal__allowed(&error, FAL_E_VALUE, "%s", big);
    fal__hint(&error, FAL_E_VALUE, "%s", big);
    fal__fix(&error, FAL_E_VALUE, big, big);
    assert_int_equal(strlen(error.field), sizeof error.field - 1);
    assert_int_equal(strlen(error.found), sizeof error.found - 1);
    assert_int_equal(strlen(error.allowed), sizeof error.allowed - 1);
    assert_int_equal(strlen(error.hint), sizeof error.hint - 1);
    assert_int_equal(strlen(error.fix_field), sizeof error.fix_field - 1);
    assert_int_equal(strlen(error.fix_value), sizeof error.fix_value - 1);
}

static void a_missing_error_only_loses_the_text(void **state)
{
    (void)state;
    assert_int_equal(fal__fail(NULL, FAL_E_DIM, "x", "%d", 1), FAL_E_DIM);
    assert_int_equal(fal__allowed(NULL, FAL_E_DIM, "%d", 1), FAL_E_DIM);
    assert_int_equal(fal__hint(NULL, FAL_E_DIM, "%d", 1), FAL_E_DIM);
    assert_int_equal(fal__fix(NULL, FAL_E_DIM, "x", "1"), FAL_E_DIM);
    fal_error only_status = {.status = FAL_E_DIM};
    char text[64];
    fal_error_message(&only_status, text, sizeof text);
    assert_string_equal(text, fal_status_string(FAL_E_DIM));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_status_has_a_name_and_a_text),
        cmocka_unit_test(a_report_is_composed_of_its_parts),
        cmocka_unit_test(a_message_is_cut_to_every_capacity),
        cmocka_unit_test(long_parts_are_cut_and_terminated),
        cmocka_unit_test(a_missing_error_only_loses_the_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
