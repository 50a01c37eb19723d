/* SPDX-License-Identifier: BSD-3-Clause */
/* fold_rows.h: fold for float32 and float64, row by row; see fold_rows.c. */
#ifndef FAL_LOWERING_FOLD_ROWS_H
#define FAL_LOWERING_FOLD_ROWS_H

#include "lowering/columns.h"

/* Sums all columns into x; everything is checked. False, and nothing is written, where it does not apply:
 * other types, and padding modes that copy cells. */
bool fal__fold_rows(const fal__columns *columns, const fal_tensor *cols, const fal_tensor *x);

#endif
