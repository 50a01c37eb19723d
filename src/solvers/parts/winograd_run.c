/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * winograd_run.c: the loops of Winograd's convolution.
 *
 *     for each unit: a block of tiles, a split of the output channels
 *         transform the inputs of the block, all channels              V: L2, or streams
 *         for each chunk of the split's output channels
 *             for each chain of channels                               sums: L2
 *                 for each product                                     a slice of V: L1 or L2
 *                     for each panel of output channels                U: streams, read once a block
 *                         for each panel of tiles: multiply            a slice of U: L1
 *             transform the sums back, strip by strip, and store
 *
 * The taps of axes that are not transformed are more channels: their products are added before the
 * transform back.
 */
#include "base/checked.h"
#include "solvers/parts/winograd.h"

/* A block on its way through the loops. */
typedef struct block {
    const fal__winograd_plan *plan;
    const fal__run *run;
    int64_t group, first, count; /* tiles first..first+count-1 */
    float *transformed, *sums, *weights, *patch, *bias;
    const float *packed; /* or NULL */
} block;

static float *v_slice(const block *b, int64_t chain, int64_t product)
{
    return b->transformed + (chain * b->plan->products + product) * b->plan->v_step;
}

static void transform_inputs(const block *b)
{
    const fal__winograd_plan *plan = b->plan;
    const int64_t lanes = plan->kernels->lanes;
    for (int64_t tile = 0; tile < b->count;) {
        const fal__strip strip = fal__strip_at(plan, b->first + tile, b->first + b->count);
        for (int64_t i = 0; i < plan->chains; i++) {
            const fal__chain chain = fal__chain_at(plan, i);
            float *v = v_slice(b, i, 0) + tile * lanes;
            for (int64_t c = 0; c < chain.count; c += lanes, v += plan->block_tiles * lanes)
                fal__winograd_input_strip(plan, &strip, b->run->x, b->group, &chain, chain.ic + c, b->patch,
                                          v);
        }
        tile += strip.count;
    }
}

/* Weights of one chain, as they are multiplied: `panels` panels of a chunk, from its panel `first` on. */
typedef struct factor {
    int64_t chain, first, panels;
    const float *u;
    int64_t u_step;
    const float *ahead; /* `reads` elements that are read next */
    int64_t reads;
} factor;

/* All products of one chain. */
static void multiply(const block *b, const factor *f)
{
    const fal__winograd_plan *plan = b->plan;
    const int64_t lanes = plan->kernels->lanes, rows = plan->panel_rows;
    const fal__chain chain = fal__chain_at(plan, f->chain);
    /* Each multiplication fetches its share of what will be read. */
    const int64_t calls = plan->products * f->panels * fal__ceil_div(b->count, rows);
    fal__winograd_product product = {.channels = chain.count,
                                     .block_step = plan->block_tiles * lanes,
                                     .accumulate = f->chain > 0,
                                     .ahead_step = fal__ceil_div(f->reads, calls * chain.count)};
    int64_t call = 0;
    for (int64_t i = 0; i < plan->products; i++)
        for (int64_t panel = 0; panel < f->panels; panel++)
            for (int64_t tile = 0; tile < b->count; tile += rows) {
                const int64_t place = (f->first + panel) * plan->block_tiles + tile;
                product.v = v_slice(b, f->chain, i) + tile * lanes;
                product.u = f->u + i * f->u_step + panel * chain.count * plan->width;
                product.sums = b->sums + i * plan->sums_step + place * plan->width;
                product.ahead = f->ahead + call++ * f->reads / calls;
                plan->kernels->multiply((int32_t)fal__min(rows, b->count - tile), &product);
            }
}

static void store_outputs(const block *b, int64_t panel, int64_t place)
{
    const fal__winograd_plan *plan = b->plan;
    const fal__problem *p = &plan->problem;
    const int64_t oc = panel * plan->width, end = fal__min(p->oc, oc + plan->width);
    const float *bias = b->run->bias;
    for (int64_t c = oc; c < end && p->has_bias; c++) b->bias[c - oc] = bias[b->group * p->b_g + c * p->b_oc];
    for (int64_t tile = 0; tile < b->count;) {
        const fal__strip strip = fal__strip_at(plan, b->first + tile, b->first + b->count);
        for (int64_t c = oc; c < end; c += plan->kernels->lanes) {
            const float *sums = b->sums + (place * plan->block_tiles + tile) * plan->width + c - oc;
            plan->transform->output[plan->dims](sums, plan->width, plan->sums_step, strip.count,
                                                b->bias + (c - oc), b->patch, fal__patch_row(plan));
            fal__patch_scatter(plan, &strip, b->patch, b->group, c, b->run->y);
        }
        tile += strip.count;
    }
}

/* The weights of a chain were transformed ahead. */
static void multiply_packed(const block *b, int64_t chunk, int64_t chain)
{
    const fal__winograd_plan *plan = b->plan;
    const int64_t panels = fal__panels_of(plan, chunk), count = fal__chain_at(plan, chain).count;
    factor f = {.chain = chain,
                .panels = panels,
                .u = b->packed + fal__weights_at(plan, b->group, chunk, chain),
                .u_step = fal__u_step(plan, panels, count, true),
                .reads = plan->products * panels * count * plan->width};
    f.ahead = f.u + count * plan->width;
    multiply(b, &f);
}

/* They are transformed now, panel by panel. */
static void multiply_unpacked(const block *b, int64_t chunk, int64_t chain)
{
    const fal__winograd_plan *plan = b->plan;
    const int64_t panels = fal__panels_of(plan, chunk), count = fal__chain_at(plan, chain).count;
    factor f = {.chain = chain,
                .panels = 1,
                .u = b->weights,
                .u_step = fal__u_step(plan, 1, count, false),
                .ahead = b->weights,
                .reads = count * plan->width * plan->kernel_taps};
    const float *kept = NULL;
    if (b->packed != NULL) kept = b->packed + fal__weights_at(plan, b->group, chunk, chain);
    for (f.first = 0; f.first < panels; f.first++) {
        const fal__kernels_of which = {b->group, chunk * plan->chunk_panels + f.first, chain};
        fal__winograd_unpack(plan, kept, b->run->w, &which, b->weights);
        if (kept != NULL) {
            kept += f.reads;
            f.ahead = kept;
        }
        multiply(b, &f);
    }
}

static void run_chunk(const block *b, int64_t chunk)
{
    const fal__winograd_plan *plan = b->plan;
    for (int64_t chain = 0; chain < plan->chains; chain++)
        if (b->packed != NULL && !plan->lean)
            multiply_packed(b, chunk, chain);
        else
            multiply_unpacked(b, chunk, chain);
    for (int64_t panel = 0; panel < fal__panels_of(plan, chunk); panel++)
        store_outputs(b, chunk * plan->chunk_panels + panel, panel);
}

void fal__winograd_run_units(const fal__winograd_plan *plan, const fal__run *run, const float *packed,
                             char *scratch, int64_t unit, int64_t end)
{
    const fal__winograd_scratch *s = &plan->scratch;
    block b = {.plan = plan,
               .run = run,
               .transformed = (float *)(void *)(scratch + s->transformed),
               .sums = (float *)(void *)(scratch + s->sums),
               .weights = (float *)(void *)(scratch + s->weights),
               .packed = packed,
               .patch = (float *)(void *)(scratch + s->patch),
               .bias = (float *)(void *)(scratch + s->bias)};
    for (int64_t c = 0; c < plan->width; c++) b.bias[c] = 0;
    for (; unit < end; unit++) {
        const int64_t split = unit / plan->blocks % plan->splits;
        b.group = unit / plan->blocks / plan->splits;
        b.first = unit % plan->blocks * plan->block_tiles;
        b.count = fal__min(plan->block_tiles, plan->tiles - b.first);
        transform_inputs(&b);
        const int64_t last = fal__min(plan->chunks, (split + 1) * plan->split_chunks);
        for (int64_t chunk = split * plan->split_chunks; chunk < last; chunk++) run_chunk(&b, chunk);
    }
}
