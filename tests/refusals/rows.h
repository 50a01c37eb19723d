/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * rows.h: runs the rows of one table of rows.inc as cmocka tests and counts them.
 *
 *     #define ROW_npy REFUSALS_ROW              before the include: which table
 *     static void N01(void) { ... }             a row without its function does not compile
 *
 *     static const refusals_row rows[] = {
 *     #include "refusals/rows.inc"
 *     };
 *     int main(void) { return refusals_main("npy", rows, sizeof rows / sizeof *rows, setup, teardown); }
 *
 * Covered is what ran to its end without a failure; a row that did not run is a failure.
 */
#ifndef TESTS_REFUSALS_ROWS_H
#define TESTS_REFUSALS_ROWS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>

typedef struct refusals_row {
    const char *name;
    void (*run)(void);
} refusals_row;

#define REFUSALS_ROW(id, input) {#id ": " input, id},
#ifndef ROW_api
#define ROW_api(id, input)
#endif
#ifndef ROW_activation
#define ROW_activation(id, input)
#endif
#ifndef ROW_npy
#define ROW_npy(id, input)
#endif
#ifndef ROW_npz
#define ROW_npz(id, input)
#endif
#ifndef ROW_safetensors
#define ROW_safetensors(id, input)
#endif
#ifndef ROW_png
#define ROW_png(id, input)
#endif
#define ROW_command(id, input)

#define ROW(table, id, input) ROW_##table(id, input)
#define ABSENT(table, id, input, why)

static int refusals_ran;

static inline void refusals_run(void **state)
{
    const refusals_row *row = *state;
    refusals_ran++;
    row->run();
}

/* Runs all rows; the last line is for test_total.py. */
static inline int refusals_main(const char *table, const refusals_row *rows, size_t count,
                                int (*setup)(void **), int (*teardown)(void **))
{
    static struct CMUnitTest tests[128]; /* cmocka passes over entries without a name */
    for (size_t i = 0; i < count && i < 128; i++)
        tests[i] = (struct CMUnitTest){
            .name = rows[i].name, .test_func = refusals_run, .initial_state = (void *)(uintptr_t)(rows + i)};
    int failed = cmocka_run_group_tests_name(table, tests, setup, teardown);
    printf("refusals: %s %d covered / %zu applicable\n", table, refusals_ran - failed, count);
    return failed != 0 || (size_t)refusals_ran != count;
}

#endif
