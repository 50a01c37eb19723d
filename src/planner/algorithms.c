/* SPDX-License-Identifier: BSD-3-Clause */
/* algorithms.c: see algorithms.h. */
#include "planner/algorithms.h"

#include <stdio.h>
#include <string.h>

#include "base/error.h"

/* "must be implicit-gemm or shifted-rows" */
static fal_status allow_names(fal_error *error)
{
    int32_t count;
    const fal__solver *const *solvers = fal__solvers(&count);
    char names[sizeof error->allowed] = "";
    size_t used = 0;
    for (int32_t i = 0; i < count && used < sizeof names; i++) {
        const char *joint = i == 0 ? "" : i + 1 == count ? " or " : ", ";
        used += (size_t)snprintf(names + used, sizeof names - used, "%s%s", joint, solvers[i]->name);
    }
    return fal__allowed(error, FAL_E_UNSUPPORTED, "must be %s", names);
}

/* The row of the solver of this name, or -1. */
static int32_t row_of(const char *name, size_t length)
{
    int32_t count;
    const fal__solver *const *solvers = fal__solvers(&count);
    for (int32_t i = 0; i < count && i < FAL__SOLVERS_MAX; i++)
        if (strlen(solvers[i]->name) == length && memcmp(solvers[i]->name, name, length) == 0) return i;
    return -1;
}

fal_status fal__algorithms_parse(const char *text, uint32_t *allowed, fal_error *error)
{
    uint32_t only = 0, without = 0;
    *allowed = FAL__ALGORITHMS_ANY;
    if (text == NULL) return FAL_OK;
    for (const char *at = text;; at++) {
        const bool forbids = *at == '-';
        at += forbids;
        const size_t length = strcspn(at, ",");
        const int32_t row = row_of(at, length);
        if (row < 0) {
            fal__fail(error, FAL_E_UNSUPPORTED, "algorithm", "there is no algorithm %.*s",
                      (int)(length < 40 ? length : 40), at);
            return allow_names(error);
        }
        *(forbids ? &without : &only) |= UINT32_C(1) << row;
        at += length;
        if (*at == '\0') break;
    }
    *allowed = (only != 0 ? only : FAL__ALGORITHMS_ANY) & ~without;
    int32_t count;
    fal__solvers(&count);
    if ((*allowed & (UINT32_MAX >> (32 - count))) != 0) return FAL_OK;
    return fal__fail(error, FAL_E_UNSUPPORTED, "algorithm", "'%.100s' leaves no algorithm", text);
}
