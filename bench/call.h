/* SPDX-License-Identifier: BSD-3-Clause */
/* call.h: any problem by one call of the library, which allocates what it needs. Used by own.c. */
#ifndef FALTUNG_BENCH_CALL_H
#define FALTUNG_BENCH_CALL_H

#include "bench/problem.h"

fal_status bench_call(const bench_problem *problem, const fal_operands *operands);

#endif
