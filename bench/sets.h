/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * sets.h: the files of bench/sets, which the build turns into tables, so that the command finds them
 * wherever it is moved to.
 */
#ifndef FALTUNG_BENCH_SETS_H
#define FALTUNG_BENCH_SETS_H

typedef struct bench_set {
    const char *name;         /* "resnet50", of resnet50.txt */
    const char *const *lines; /* ended by NULL; see layer.h */
} bench_set;

/* In alphabetical order, ended by a set without a name. */
extern const bench_set bench_sets[];

#endif
