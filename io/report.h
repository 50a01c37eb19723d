/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * report.h: how the readers and writers refuse.
 *
 * io_fail() starts a report and returns the status; io_allowed() and io_hint() add to it. The place
 * goes into `field` as "name:member@offset", of which a long name loses its beginning first. Text
 * from a file enters a message only through io_escape(). Nothing here allocates, so a report about
 * lack of memory cannot fail. All accept error == NULL.
 */
#ifndef IO_REPORT_H
#define IO_REPORT_H

#include <inttypes.h>

#include "io/io.h"

typedef struct io_place {
    const char *name;   /* path or "standard input" */
    const char *member; /* or NULL */
} io_place;

/* "No offset is worth telling." */
#define IO_NOWHERE UINT64_MAX

fal_status io_fail(fal_error *error, fal_status status, const io_place *place, uint64_t offset,
                   const char *found, ...) IO_PRINTF(5, 6);
fal_status io_allowed(fal_error *error, fal_status status, const char *allowed, ...) IO_PRINTF(3, 4);
fal_status io_hint(fal_error *error, fal_status status, const char *hint, ...) IO_PRINTF(3, 4);
/* Ends the report of a limit: which one, by the name that the command's --limits knows, and the value that
 * would let this file pass. Returns FAL_E_LIMIT. */
fal_status io_raise(fal_error *error, const char *limit, uint64_t value);

/* What the operating system said: "cannot open it: permission denied". A missing file is
 * FAL_E_NOTFOUND, lack of memory FAL_E_NOMEM, all else FAL_E_IO. */
fal_status io_fail_system(fal_error *error, const io_place *place, const char *action, int number);
/* "cannot allocate 1.5 GiB for the pixels" */
fal_status io_fail_memory(fal_error *error, const io_place *place, const char *what, uint64_t bytes);

enum { IO_SIZE_TEXT = 32 };
/* "312 bytes", "8.0 GiB". Returns `out`. */
const char *io_size_text(char out[IO_SIZE_TEXT], uint64_t bytes);

/* Forwards a failure. */
#define IO_TRY(expression)                                 \
    do {                                                   \
        fal_status io_try_status = (expression);           \
        if (io_try_status != FAL_OK) return io_try_status; \
    } while (0)

#endif
