/* SPDX-License-Identifier: BSD-3-Clause */
/* clock.c: see clock.h. POSIX has a clock that nobody sets; C11 alone has the time of day. */
#define _POSIX_C_SOURCE 200809L
#include "base/clock.h"

#include <time.h>

double fal__clock_seconds(void)
{
    struct timespec t;
#ifdef CLOCK_MONOTONIC
    clock_gettime(CLOCK_MONOTONIC, &t);
#else
    timespec_get(&t, TIME_UTC);
#endif
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}
