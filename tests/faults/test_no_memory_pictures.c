/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * test_no_memory_pictures.c: every allocation below the building and the writing of a picture fails, alone
 * and with all later ones. Each failure is FAL_E_NOMEM with a message, or the picture is there and is the
 * right one; every block is released.
 *
 * The pictures are SVG. Those that cairo draws are left out: cairo 1.16 and pixman 0.42 themselves write to
 * released memory after some failures.
 */
#define _XOPEN_SOURCE 700
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "draw/example.h"
#include "faults/behind.h"

static fault_state *state;

enum { MOST_CALLS = 1000 };

/* Builds and writes; cmocka's own allocations must not happen while faults are armed. */
static fal_status run(bool moving, const fault *f, draw_bytes *bytes, fal_error *error)
{
    fal_status status;
    *bytes = (draw_bytes){0};
    *error = (fal_error){0};
    *state = (fault_state){.faults = {*f}, .armed = 1};
    if (moving) {
        draw_animation *animation = make_animation(DRAW_PRINT);
        status = draw_moving(animation, DRAW_SVG, NULL, bytes, error);
        draw_animation_free(animation);
    } else {
        draw_figure *figure = make_example(DRAW_PRINT);
        status = draw_still(figure, DRAW_SVG, NULL, bytes, error);
        draw_figure_free(figure);
    }
    state->armed = 0;
    return status;
}

static bool clean(int64_t k, fal_status status, const draw_bytes *bytes, const draw_bytes *good)
{
    const char *wrong = NULL;
    if (status != FAL_OK && status != FAL_E_NOMEM) wrong = "another status";
    if (status == FAL_OK &&
        (bytes->count != good->count || memcmp(bytes->data, good->data, good->count) != 0))
        wrong = "another picture";
    if (state->live > (bytes->data != NULL)) wrong = "blocks are left";
    if (wrong != NULL) print_error("allocation %d: %s\n", (int)k, wrong);
    return wrong == NULL;
}

static void check(bool moving)
{
    const fault none = {0};
    fal_error error;
    draw_bytes good, bytes;
    int wrong = 0;
    assert_int_equal(run(moving, &none, &good, &error), FAL_OK);
    const int64_t calls = state->calls[FAULT_MEMORY];
    assert_true(calls > 0 && calls < MOST_CALLS);
    for (int64_t k = 1; k <= calls; k++)
        for (int once = 0; once < 2; once++) {
            const fault f = {
                .call = FAULT_MEMORY, .action = FAULT_ERROR, .first = k, .last = once ? k : calls, .step = 1};
            const fal_status status = run(moving, &f, &bytes, &error);
            wrong += !clean(k, status, &bytes, &good);
            wrong += status != FAL_OK && (error.status != status || error.found[0] == '\0');
            draw_bytes_free(&bytes);
        }
    print_message("%6d failure points visited\n", 2 * (int)calls);
    draw_bytes_free(&good);
    assert_int_equal(wrong, 0);
}

static void a_figure_survives_every_failed_allocation(void **unused)
{
    (void)unused;
    check(false);
}

static void an_animation_survives_every_failed_allocation(void **unused)
{
    (void)unused;
    check(true);
}

int main(int count, char **arguments)
{
    state = count < 1 ? NULL : faults_behind(arguments);
    if (state == NULL) return 77; /* skipped: the library is not built here */
    const struct CMUnitTest tests[] = {cmocka_unit_test(a_figure_survives_every_failed_allocation),
                                       cmocka_unit_test(an_animation_survives_every_failed_allocation)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
