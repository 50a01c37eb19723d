/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * implicit_gemm.h: the planned state of the implicit matrix product, shared by its planning
 * (solvers/implicit_gemm.c), its loops and its repair of non-finite borders (parts/).
 */
#ifndef FAL_SOLVERS_PARTS_IMPLICIT_GEMM_H
#define FAL_SOLVERS_PARTS_IMPLICIT_GEMM_H

#include "solvers/parts/channels.h"
#include "solvers/parts/pixels.h"

/* Pieces of one task's scratch, as byte offsets; each begins on a cache line. */
typedef struct fal__gemm_scratch {
    size_t pixel_panels;  /* block_tiles panels of kc steps */
    size_t channel_panel; /* one slice, when weights are packed on the way */
    size_t sums;          /* block_tiles x channel tiles of one split, or a single tile */
    size_t runs;          /* block_tiles x width pixel runs */
    size_t run_counts;    /* block_tiles numbers */
    size_t segments;      /* width segments */
    size_t bias;          /* one tile filled with the bias of its channels */
    size_t repair;        /* one tile for a pixel that is summed again */
    size_t bytes;         /* of all */
} fal__gemm_scratch;

typedef struct fal__gemm {
    fal__problem problem; /* with axes merged where that changes nothing */
    const fal__compute *compute;
    fal__tile tile;
    bool pixels_in_lanes; /* B holds pixels, A weights; else the other way round */
    bool stream;          /* without packed weights: pack each slice when it is needed */
    fal__pixels pixels;
    fal__channels channels;
    int64_t pixel_tiles; /* of one group */
    int64_t block_tiles; /* pixel tiles that share one pass over the weights */
    int64_t splits;      /* of the channel tiles, to keep all tasks busy and the sums small */
    int64_t split_tiles; /* channel tiles of one split */
    int32_t tasks;
    fal__gemm_scratch scratch;
    size_t packed_bytes; /* with its header */
} fal__gemm;

/* Packed weights begin with this; the slices follow on the next cache line. */
typedef struct fal__gemm_packed {
    uint64_t magic; /* FAL__GEMM_MAGIC */
    uint64_t bytes; /* packed_bytes of the plan */
    uint64_t width, kc, finite;
} fal__gemm_packed;

#define FAL__GEMM_MAGIC UINT64_C(0x46414c474d503031) /* "FALGMP01" */
enum { FAL__WIDE_TILE_MAX = 16 }; /* elements of a tile whose sums are wider than its panels */
enum { FAL__GEMM_HEADER = 64 };

/* The work of one task: a range of (group, split, pixel tile) units. */
typedef struct fal__gemm_task {
    const fal__gemm *gemm;
    const fal__run *run;
    const char *slices; /* packed weights, or NULL when streaming */
    char *scratch;
    bool weights_finite;
    bool fits; /* result */
} fal__gemm_task;

void fal__gemm_run_units(fal__gemm_task *task, int64_t first, int64_t end);

/* A slice: in the packed weights, or packed into the task's scratch. */
const void *fal__gemm_slice(fal__gemm_task *task, int64_t group, int64_t block, int64_t tile);

/* Writes sums of `count` pixels from `run` on and the channels of one tile to y. `sums` points at the
 * first pixel's sum of channel 0. */
void fal__gemm_store(fal__gemm_task *task, const fal__pixel_run *run, int64_t group, int64_t channel_tile,
                     const void *sums);

/* The bias of a channel tile, as one row or column per pixel of a whole tile; NULL without bias. */
const void *fal__gemm_bias(const fal__gemm_task *task, int64_t group, int64_t channel_tile);

/* As fal__gemm_store, but the pixels that touch padding are summed again from the products that
 * exist. Uses the channel panel and the bias tile of the scratch for this same channel tile. */
void fal__gemm_store_repaired(fal__gemm_task *task, const fal__pixel_run *run, int64_t group,
                              int64_t channel_tile, const void *sums);

#endif
