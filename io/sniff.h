/* SPDX-License-Identifier: BSD-3-Clause */
/* sniff.h: kinds of files that are known but not read, so that a refusal can name them. */
#ifndef IO_SNIFF_H
#define IO_SNIFF_H

#include "io/report.h"

/* FAL_E_MAGIC (or FAL_E_TRUNCATED for an empty file) with what the bytes look like. */
fal_status io_refuse_kind(const void *bytes, size_t count, const io_place *place, fal_error *error);

#endif
