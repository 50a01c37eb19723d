/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * clock.h: how long something takes.
 *
 * Only the planner asks, and only when its caller wants measuring: nothing else in the library depends
 * on time.
 */
#ifndef FAL_BASE_CLOCK_H
#define FAL_BASE_CLOCK_H

/* Seconds since some moment; never runs backwards where the system has such a clock. */
double fal__clock_seconds(void);

#endif
