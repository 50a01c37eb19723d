/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * peers.c: the peers of this build. cmake/bench.cmake defines BENCH_HAVE_... for what it found; without
 * another library there is nobody to race.
 */
#include "bench/peer.h"

#ifdef BENCH_HAVE_OPENBLAS
extern const bench_peer bench_openblas;
#endif
#ifdef BENCH_HAVE_ONEDNN
extern const bench_peer bench_onednn, bench_onednn_any, bench_onednn_winograd;
#endif
#ifdef BENCH_HAVE_XNNPACK
extern const bench_peer bench_xnnpack;
#endif

const bench_peer *const bench_peers[] = {
#ifdef BENCH_HAVE_OPENBLAS
    &bench_openblas,
#endif
#ifdef BENCH_HAVE_ONEDNN
    &bench_onednn,
    &bench_onednn_any,
    &bench_onednn_winograd,
#endif
#ifdef BENCH_HAVE_XNNPACK
    &bench_xnnpack,
#endif
#if defined(BENCH_HAVE_OPENBLAS) || defined(BENCH_HAVE_ONEDNN) || defined(BENCH_HAVE_XNNPACK)
    &bench_rows,
    &bench_copy,
#endif
    NULL,
};
