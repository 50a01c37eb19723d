/* SPDX-License-Identifier: BSD-3-Clause */
/* unfold_copy.h: the columns of unfold, written; see unfold_copy.c. */
#ifndef FAL_LOWERING_UNFOLD_COPY_H
#define FAL_LOWERING_UNFOLD_COPY_H

#include "lowering/columns.h"

/* Everything is checked. `border` stands where x does not, if the padding mode copies no cells. */
void fal__unfold_copy(const fal__columns *columns, const fal_tensor *x, const fal_tensor *cols,
                      double border);

#endif
