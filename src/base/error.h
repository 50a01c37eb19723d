/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * error.h: how a room reports a refusal.
 *
 * fal__fail() starts a report and returns the status, so that a check is one statement; the others
 * add to a report that was started. All accept error == NULL and then only the status travels.
 *
 *     if (stride < 1) {
 *         fal__fail(error, FAL_E_STRIDE, "stride[0]", "stride[0] is %" PRId64, stride);
 *         return fal__allowed(error, FAL_E_STRIDE, "must be at least 1");
 *     }
 */
#ifndef FAL_BASE_ERROR_H
#define FAL_BASE_ERROR_H

#include <inttypes.h>

#include "base/compiler.h"
#include "faltung.h"

/* Clears *error, sets status, field and found. Returns status. */
fal_status fal__fail(fal_error *error, fal_status status, const char *field, const char *found, ...)
    FAL__PRINTF(4, 5);
/* Adds the clause that says what is allowed. Returns status. */
fal_status fal__allowed(fal_error *error, fal_status status, const char *allowed, ...) FAL__PRINTF(3, 4);
/* Adds the hint. Returns status. */
fal_status fal__hint(fal_error *error, fal_status status, const char *hint, ...) FAL__PRINTF(3, 4);
/* Names the parameter that the hint would set, and its value. Returns status. */
fal_status fal__fix(fal_error *error, fal_status status, const char *field, const char *value);

/* Forwards a failure: the one shorthand of the code base. */
#define FAL__TRY(expression)                                   \
    do {                                                       \
        fal_status fal__try_status = (expression);             \
        if (fal__try_status != FAL_OK) return fal__try_status; \
    } while (0)

#endif
