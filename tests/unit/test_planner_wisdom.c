/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * test_planner_wisdom.c: what measuring found is kept, found again, merged and never invented.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/support.h"

/* A layer that several solvers serve. */
static fal_plan *plan_of(const fal_context *context, int64_t channels, const fal_conv_params *params)
{
    const int64_t x[] = {1, channels, 12, 12}, w[] = {channels, channels, 3, 3}, y[] = {1, channels, 10, 10};
    const fal_operands operands = {.x = fal_tensor_of(NULL, FAL_F32, 4, x),
                                   .w = fal_tensor_of(NULL, FAL_F32, 4, w),
                                   .y = fal_tensor_of(NULL, FAL_F32, 4, y)};
    fal_plan *plan = NULL;
    assert_int_equal(fal_plan_create(context, FAL_OP_CONV, &operands, params, &plan), FAL_OK);
    return plan;
}

static fal_plan_candidate chosen_by(const fal_plan *plan)
{
    fal_plan_candidate c;
    for (int32_t i = 0; fal_plan_candidate_at(plan, 0, i, &c) == FAL_OK; i++)
        if (c.verdict == FAL_VERDICT_CHOSEN) return c;
    fail_msg("no solver is chosen");
    return c;
}

/* Plans with what the context grants, and tells who was chosen and why. */
static fal_plan_candidate choice(const fal_context *context, int64_t channels, const fal_conv_params *params)
{
    fal_plan *plan = plan_of(context, channels, params);
    const fal_plan_candidate c = chosen_by(plan);
    fal_plan_destroy(plan);
    return c;
}

static fal_wisdom *wisdom_of(const char *text, int64_t ignored)
{
    fal_wisdom *wisdom = NULL;
    int64_t found = -1;
    assert_int_equal(fal_wisdom_create(NULL, &wisdom), FAL_OK);
    assert_int_equal(fal_wisdom_import(wisdom, text, &found, NULL), FAL_OK);
    assert_int_equal(found, ignored);
    return wisdom;
}

static char *text_of(const fal_wisdom *wisdom)
{
    const size_t length = fal_wisdom_export(wisdom, NULL, 0);
    char *text = malloc(length + 1);
    assert_non_null(text);
    assert_int_equal(fal_wisdom_export(wisdom, text, length + 1), length);
    assert_int_equal(strlen(text), length);
    return text;
}

/* A line with a right checksum: FNV-1a of what stands before it. */
static void line_of(const char *before, char *line, size_t capacity)
{
    uint32_t h = 2166136261u;
    for (const char *c = before; *c != 0; c++) h = (h ^ (unsigned char)*c) * 16777619u;
    snprintf(line, capacity, "%s # %08x\n", before, (unsigned)h);
}

static void what_was_measured_is_found_again(void **state)
{
    (void)state;
    fal_wisdom *wisdom = wisdom_of("", 0);
    const fal_context measuring = {.threads = 1, .measure_seconds = 0.02, .wisdom = wisdom};
    const fal_context asking = {.threads = 2, .wisdom = wisdom};
    const fal_plan_candidate first = choice(&measuring, 8, NULL);
    assert_string_equal(first.reason, "as measured");
    assert_true(first.measured_seconds > 0);
    assert_int_equal(fal_wisdom_count(wisdom), 1);
    const fal_plan_candidate again = choice(&asking, 8, NULL);
    assert_string_equal(again.solver, first.solver);
    assert_string_equal(again.reason, "by wisdom");
    /* Asked first: nothing is measured again. */
    assert_string_equal(choice(&measuring, 8, NULL).reason, "by wisdom");
    /* Another problem is another entry. */
    assert_string_equal(choice(&asking, 9, NULL).reason, "by its estimate");
    choice(&measuring, 9, NULL);
    assert_int_equal(fal_wisdom_count(wisdom), 2);
    fal_wisdom_destroy(wisdom);
}

/* Through text and back, and into a plan. */
static void text_keeps_everything(void **state)
{
    (void)state;
    fal_wisdom *wisdom = wisdom_of("", 0);
    const fal_context measuring = {.threads = 1, .measure_seconds = 0.01, .wisdom = wisdom};
    for (int64_t channels = 5; channels < 9; channels++) choice(&measuring, channels, NULL);
    char *text = text_of(wisdom);
    fal_wisdom *copy = wisdom_of(text, 0);
    char *again = text_of(copy);
    assert_string_equal(text, again);
    const fal_context asking = {.threads = 1, .wisdom = copy};
    assert_string_equal(choice(&asking, 7, NULL).reason, "by wisdom");
    char cut[40];
    assert_int_equal(fal_wisdom_export(wisdom, cut, sizeof cut), strlen(text));
    assert_memory_equal(cut, text, sizeof cut - 1);
    assert_int_equal(cut[sizeof cut - 1], 0);
    fal_wisdom_destroy(wisdom);
    fal_wisdom_destroy(copy);
    free(text);
    free(again);
}

/* Wisdom decides: a file that says the slowest solver is the fastest is believed. */
static void wisdom_wins_over_estimates(void **state)
{
    (void)state;
    fal_wisdom *wisdom = wisdom_of("", 0);
    const fal_context measuring = {.threads = 1, .measure_seconds = 0.01, .wisdom = wisdom};
    choice(&measuring, 8, NULL);
    char *text = text_of(wisdom), line[2048], before[1024];
    const char *key_end = strstr(text, " = ");
    assert_non_null(key_end);
    snprintf(before, sizeof before, "%.*s = implicit-gemm/1 1 ns, 1 threads", (int)(key_end - text), text);
    line_of(before, line, sizeof line);
    fal_wisdom *other = wisdom_of(line, 0);
    const fal_context asking = {.threads = 1, .wisdom = other};
    assert_string_equal(choice(&asking, 8, NULL).solver, "implicit-gemm");
    /* But not over what the caller excludes, and not where the result must be reproducible. */
    const fal_conv_params without = {.algorithm = "-implicit-gemm"}, same = {.reproducible = true};
    assert_string_not_equal(choice(&asking, 8, &without).solver, "implicit-gemm");
    assert_string_not_equal(choice(&asking, 8, &same).reason, "by wisdom");
    free(text);
    fal_wisdom_destroy(wisdom);
    fal_wisdom_destroy(other);
}

static const char *const foreign[] = {
    "9.9.9 avx2 Some_CPU | words = winograd.f4x3/7 100 ns, 4 threads",
    "9.9.9 avx2 Some_CPU | words = unheard-of/1 100 ns, 4 threads",
    "a = b/0 0 ns, 0 threads",
};

/* Lines of other machines and versions come out as they went in. */
static void foreign_lines_are_kept(void **state)
{
    (void)state;
    char all[2048] = "", line[512];
    for (size_t i = 1; i < sizeof foreign / sizeof *foreign; i++) {
        line_of(foreign[i], line, sizeof line);
        strncat(all, line, sizeof all - strlen(all) - 1);
    }
    fal_wisdom *wisdom = wisdom_of(all, 0);
    char *text = text_of(wisdom);
    assert_string_equal(text, all);
    free(text);
    fal_wisdom_destroy(wisdom);
}

static void strange_lines_are_counted(void **state)
{
    (void)state;
    char good[512], text[8192], bad[512];
    line_of(foreign[0], good, sizeof good);
    snprintf(text, sizeof text, "# a comment\n\n%s", good);
    int64_t strange = 0;
    /* Every changed byte of a line is noticed. */
    for (size_t i = 0; good[i] != '\n'; i++) {
        memcpy(bad, good, sizeof bad);
        bad[i] ^= 1;
        fal_wisdom_destroy(wisdom_of(bad, 1));
    }
    static const char *const shapes[] = {"",
                                         "=",
                                         " = a/1 1 ns, 1 threads",
                                         "k = a 1 ns, 1 threads",
                                         "k = /1 1 ns, 1 threads",
                                         "k = a/ 1 ns, 1 threads",
                                         "k = a/1 -1 ns, 1 threads",
                                         "k = a/1 99999999999999999999 ns, 1 threads",
                                         "k = a/1 1 ms, 1 threads",
                                         "k = a/1 1 ns, 1 threads and more",
                                         "k = a/1 1 ns, x threads",
                                         "k\001 = a/1 1 ns, 1 threads"};
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        line_of(shapes[i], bad, sizeof bad);
        assert_true(strlen(text) + strlen(bad) < sizeof text);
        strcat(text, bad);
        strange++;
    }
    fal_wisdom *wisdom = wisdom_of(text, strange);
    assert_int_equal(fal_wisdom_count(wisdom), 1);
    fal_wisdom_destroy(wisdom);
}

/* Of two times the shorter stays, in whichever order they come; nothing else is lost. */
static void merging_loses_nothing(void **state)
{
    (void)state;
    char slow[256], fast[256], other[256], text[1024];
    line_of("k1 = implicit-gemm/1 200 ns, 1 threads", slow, sizeof slow);
    line_of("k1 = implicit-gemm/1 100 ns, 2 threads", fast, sizeof fast);
    line_of("k2 = shifted-rows/1 300 ns, 1 threads", other, sizeof other);
    snprintf(text, sizeof text, "%s%s", slow, other);
    for (int order = 0; order < 2; order++) {
        fal_wisdom *a = wisdom_of(order == 0 ? text : fast, 0), *b = wisdom_of(order == 0 ? fast : text, 0);
        assert_int_equal(fal_wisdom_merge(a, b, NULL), FAL_OK);
        assert_int_equal(fal_wisdom_merge(a, a, NULL), FAL_OK);
        assert_int_equal(fal_wisdom_count(a), 2);
        char *merged = text_of(a);
        assert_memory_equal(merged, fast, strlen(fast));
        assert_string_equal(merged + strlen(fast), other);
        free(merged);
        fal_wisdom_destroy(a);
        fal_wisdom_destroy(b);
    }
}

/* Hundreds of entries, in an order that is not theirs. */
static void many_entries_stay_sorted(void **state)
{
    (void)state;
    fal_wisdom *wisdom = wisdom_of("", 0);
    char before[128], line[256];
    for (int i = 0; i < 500; i++) {
        snprintf(before, sizeof before, "key %03d = implicit-gemm/1 %d ns, 1 threads", i * 263 % 500, i);
        line_of(before, line, sizeof line);
        assert_int_equal(fal_wisdom_import(wisdom, line, NULL, NULL), FAL_OK);
    }
    assert_int_equal(fal_wisdom_count(wisdom), 500);
    char *text = text_of(wisdom);
    int seen = 0;
    for (const char *at = text; *at != 0; at = strchr(at, '\n') + 1, seen++) {
        snprintf(before, sizeof before, "key %03d = ", seen);
        assert_memory_equal(at, before, strlen(before));
    }
    assert_int_equal(seen, 500);
    free(text);
    fal_wisdom_destroy(wisdom);
}

static void misuse_is_refused(void **state)
{
    (void)state;
    fal_error error = {0};
    fal_wisdom *wisdom = wisdom_of("", 0);
    const fal_context context = {.error = &error};
    assert_int_equal(fal_wisdom_create(&context, NULL), FAL_E_NULL);
    assert_int_equal(error.status, FAL_E_NULL);
    assert_int_equal(fal_wisdom_import(NULL, "", NULL, &error), FAL_E_NULL);
    assert_int_equal(fal_wisdom_import(wisdom, NULL, NULL, &error), FAL_E_NULL);
    assert_int_equal(fal_wisdom_merge(wisdom, NULL, &error), FAL_E_NULL);
    assert_int_equal(fal_wisdom_merge(NULL, wisdom, &error), FAL_E_NULL);
    assert_int_equal(fal_wisdom_export(NULL, NULL, 0), 0);
    assert_int_equal(fal_wisdom_count(NULL), 0);
    fal_wisdom_destroy(NULL);
    fal_wisdom_destroy(wisdom);
}

/* Every allocation fails once: nothing is lost and nothing leaks. */
static void no_memory_leaves_it_whole(void **state)
{
    (void)state;
    char lines[2][256], text[512];
    line_of("k1 = implicit-gemm/1 200 ns, 1 threads", lines[0], sizeof lines[0]);
    line_of("k2 = implicit-gemm/1 100 ns, 2 threads", lines[1], sizeof lines[1]);
    snprintf(text, sizeof text, "%s%s", lines[0], lines[1]);
    fal_status status = FAL_E_NOMEM;
    for (int64_t n = 1; status != FAL_OK; n++) {
        test_memory memory = {.fail_from = n, .fail_once = true};
        const fal_context context = {.allocator = test_allocator(&memory)};
        fal_wisdom *wisdom = NULL;
        status = fal_wisdom_create(&context, &wisdom);
        if (status == FAL_OK) {
            status = fal_wisdom_import(wisdom, text, NULL, NULL);
            if (status != FAL_OK) assert_int_equal(fal_wisdom_import(wisdom, text, NULL, NULL), FAL_OK);
            assert_int_equal(fal_wisdom_count(wisdom), 2);
        }
        assert_true(status == FAL_OK || status == FAL_E_NOMEM);
        fal_wisdom_destroy(wisdom);
        assert_int_equal(memory.live, 0);
        assert_false(memory.broken);
        assert_true(n < 10);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_measured_is_found_again), cmocka_unit_test(text_keeps_everything),
        cmocka_unit_test(wisdom_wins_over_estimates),       cmocka_unit_test(foreign_lines_are_kept),
        cmocka_unit_test(strange_lines_are_counted),        cmocka_unit_test(merging_loses_nothing),
        cmocka_unit_test(many_entries_stay_sorted),         cmocka_unit_test(misuse_is_refused),
        cmocka_unit_test(no_memory_leaves_it_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
