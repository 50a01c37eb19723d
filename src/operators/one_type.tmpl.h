/* SPDX-License-Identifier: BSD-3-Clause */
/* one_type.tmpl.h: one inclusion of FAL__TEMPLATE, for each_type.tmpl.h only. */
#include FAL__TEMPLATE
#undef T
#undef ELEMENT
#undef VALUE
#undef BEST_OF
#undef LOAD
#undef KEEP
#undef LEAST
#undef ROUND
