/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * deform.c: the deformable convolution; deform.h shows the parts.
 *
 * The blocks of a few images at a time are independent tasks: points, columns, product. Each output
 * belongs to one block and blocks are cut by shapes alone, so no bit depends on the number of threads.
 * The weights are packed once and serve all blocks.
 */
#include "operators/deform.h"

#include "base/alloc.h"
#include "base/checked.h"
#include "base/error.h"
#include "tensor/tensor.h"
#include "threads/parallel.h"

/* Columns of a block: half of the smallest common L2 cache, because the product reads them again. */
enum { COLUMN_BYTES = 512 * 1024 };

typedef struct forward {
    fal__deform d;
    const fal_deform_operands *o;
    fal__setting setting;
    fal__deform_rows rows;
    fal__deform_blocks blocks;
    struct {
        fal_plan *plan;
        fal_plan_info info;
        size_t packed; /* offset of the packed weights */
    } product[2];      /* of a full block, of a smaller last one; NULL: there is none */
    int32_t tasks;
    bool copies;        /* the image's channels do not lie side by side */
    int64_t images;     /* that are worked on at once */
    size_t image_bytes; /* of one copy */
    size_t copy_at, tasks_at, task_bytes;
    struct {
        size_t status, columns, points, product;
    } task; /* offsets in the piece of a task */
    size_t bytes;
    char *memory;
    int64_t first; /* of the images at work */
} forward;

/* ---- Planning ---- */

static fal_status plan_products(forward *f, const fal_conv_params *params)
{
    const fal_context serial = {
        .allocator = f->setting.allocator, .threads = 1, .cpu = f->setting.cpu, .error = f->setting.error};
    const fal_conv_params inner = {.groups = f->d.g.groups,
                                   .beta = f->d.beta,
                                   .activation = f->d.activation.kind,
                                   .activation_low = f->d.activation.low,
                                   .activation_high = f->d.activation.high,
                                   .activation_slope = f->d.activation.slope,
                                   .accuracy = params != NULL ? params->accuracy : FAL_ACCURACY_DEFAULT,
                                   .algorithm = params != NULL ? params->algorithm : NULL,
                                   .reproducible = params != NULL && params->reproducible};
    const int64_t last = f->blocks.down * f->blocks.across - 1;
    for (int i = 0; i < (f->blocks.rest > 0 ? 2 : 1); i++) {
        const fal__deform_block block = fal__deform_block_at(&f->d, &f->blocks, 0, i == 0 ? 0 : last);
        const fal_operands product = fal__deform_product(&f->d, f->o, &block, NULL);
        FAL__TRY(fal_plan_create(&serial, FAL_OP_CONV, &product, &inner, &f->product[i].plan));
        FAL__TRY(fal_plan_describe(f->product[i].plan, &f->product[i].info));
    }
    return FAL_OK;
}

static bool book_task(forward *f)
{
    const fal__deform *d = &f->d;
    const size_t full = f->product[0].info.workspace_packed_bytes;
    const size_t rest = f->product[1].info.workspace_packed_bytes;
    int64_t samples, columns;
    f->task_bytes = 0;
    return fal__mul(f->blocks.rows * f->blocks.columns, d->taps, &samples) &&
           fal__mul(samples, d->g.in_channels, &columns) && fal__mul(samples, d->offset_groups, &samples) &&
           fal__deform_book(&f->task_bytes, 1, sizeof(fal_status), &f->task.status) &&
           fal__deform_book(&f->task_bytes, columns, f->rows.bytes, &f->task.columns) &&
           fal__deform_book(&f->task_bytes, samples, sizeof(fal__point), &f->task.points) &&
           fal__deform_book(&f->task_bytes, (int64_t)(full > rest ? full : rest), 1, &f->task.product);
}

static bool book_all(forward *f)
{
    const fal__deform *d = &f->d;
    int64_t cells;
    size_t none;
    f->bytes = f->image_bytes = 0;
    if (!fal__mul(d->g.axis[0].input, d->g.axis[1].input, &cells) ||
        !fal__mul(cells, d->g.in_channels, &cells) ||
        !fal__deform_book(&f->image_bytes, cells, f->rows.bytes, &none))
        return false;
    return fal__deform_book(&f->bytes, (int64_t)f->product[0].info.packed_bytes, 1, &f->product[0].packed) &&
           fal__deform_book(&f->bytes, (int64_t)f->product[1].info.packed_bytes, 1, &f->product[1].packed) &&
           fal__deform_book(&f->bytes, f->copies ? f->images : 0, f->image_bytes, &f->copy_at) &&
           fal__deform_book(&f->bytes, f->tasks, f->task_bytes, &f->tasks_at);
}

/* As many images at once as give every thread a few blocks; under a cap, first one image, then one task. */
static fal_status plan_memory(forward *f)
{
    const int64_t blocks = fal__max(1, f->blocks.down * f->blocks.across);
    f->copies = fal__deform_image_apart(&f->d, &f->o->x);
    f->tasks = f->setting.machine.threads;
    f->images = fal__max(1, fal__min(f->d.g.n, fal__ceil_div(4 * (int64_t)f->tasks, blocks)));
    f->tasks = (int32_t)fal__max(1, fal__min(f->tasks, f->images * blocks));
    for (;;) {
        if (!book_task(f) || !book_all(f))
            return fal__fail(f->setting.error, FAL_E_OVERFLOW, "workspace",
                             "the workspace overflows 64 bits");
        if (f->bytes <= f->setting.machine.workspace_cap) return FAL_OK;
        if (f->images == 1 && f->tasks == 1) break;
        if (f->images == 1) f->tasks = 1;
        f->images = 1;
    }
    fal__fail(f->setting.error, FAL_E_WORKSPACE, "workspace_cap_bytes",
              "at least %zu bytes of workspace are needed", f->bytes);
    return fal__allowed(f->setting.error, FAL_E_WORKSPACE, "the cap is %" PRIu64,
                        f->setting.machine.workspace_cap);
}

/* ---- Running ---- */

/* The copy of image n, or NULL. */
static char *copy_of(const forward *f, int64_t n)
{
    return f->copies ? f->memory + f->copy_at + (size_t)(n - f->first) * f->image_bytes : NULL;
}

static void copy_images(void *argument, int32_t index)
{
    const forward *f = argument;
    const int64_t height = f->d.g.axis[0].input, images = fal__min(f->images, f->d.g.n - f->first);
    int64_t begin, end;
    fal__partition(images * height, f->tasks, index, &begin, &end);
    for (int64_t row = begin; row < end; row++) {
        const int64_t n = f->first + row / height, r = row % height;
        fal__deform_image_copy(&f->d, &f->o->x, n, r, r + 1, copy_of(f, n));
    }
}

/* Columns of a block: one row of channels per pixel, tap and offset group. */
static void fill_columns(const forward *f, const fal__deform_block *block, const fal__point *points,
                         char *columns)
{
    const fal__deform_image image = fal__deform_image_of(&f->d, &f->o->x, block->n, copy_of(f, block->n));
    const int64_t rows = block->rows * block->columns * f->d.taps, count = f->d.group_channels;
    for (int64_t i = 0; i < rows; i++)
        for (int64_t q = 0; q < f->d.offset_groups; q++, columns += (size_t)count * f->rows.bytes)
            fal__deform_gather(&f->rows, points++, &image, q * count, count, columns);
}

static fal_status run_block(const forward *f, const fal__deform_block *block, char *piece)
{
    const bool full = block->rows == f->blocks.rows && block->columns == f->blocks.columns;
    fal__point *points = (fal__point *)(void *)(piece + f->task.points);
    fal__deform_points(&f->d, f->o, block, 0, block->rows * block->columns, points);
    fill_columns(f, block, points, piece + f->task.columns);
    const fal_operands product = fal__deform_product(&f->d, f->o, block, piece + f->task.columns);
    const int i = full ? 0 : 1;
    return fal_plan_execute(f->product[i].plan, &product, f->memory + f->product[i].packed,
                            piece + f->task.product, f->product[i].info.workspace_packed_bytes, NULL);
}

static void run_blocks(void *argument, int32_t index)
{
    const forward *f = argument;
    const int64_t per_image = f->blocks.down * f->blocks.across;
    const int64_t images = fal__min(f->images, f->d.g.n - f->first);
    char *piece = f->memory + f->tasks_at + (size_t)index * f->task_bytes;
    fal_status *status = (fal_status *)(void *)(piece + f->task.status);
    int64_t begin, end;
    *status = FAL_OK;
    fal__partition(images * per_image, f->tasks, index, &begin, &end);
    for (int64_t i = begin; i < end && *status == FAL_OK; i++) {
        const fal__deform_block block =
            fal__deform_block_at(&f->d, &f->blocks, f->first + i / per_image, i % per_image);
        *status = run_block(f, &block, piece);
    }
}

static fal_status run_all(forward *f)
{
    for (int i = 0; i < 2; i++) {
        if (f->product[i].plan == NULL) continue;
        const fal__deform_block any = {.rows = 1, .columns = 1};
        const fal_tensor w = fal__deform_product(&f->d, f->o, &any, NULL).w;
        FAL__TRY(fal_plan_pack_weights(f->product[i].plan, &w, f->memory + f->product[i].packed,
                                       f->setting.error));
    }
    for (f->first = 0; f->first < f->d.g.n; f->first += f->images) {
        if (f->copies) fal__parallel(&f->setting.executor, f->tasks, copy_images, f);
        fal__parallel(&f->setting.executor, f->tasks, run_blocks, f);
        for (int32_t i = 0; i < f->tasks; i++) {
            const char *piece = f->memory + f->tasks_at + (size_t)i * f->task_bytes;
            const fal_status status = *(const fal_status *)(const void *)(piece + f->task.status);
            if (status != FAL_OK)
                return fal__fail(f->setting.error, FAL_E_INTERNAL, "y", "the product of a block failed");
        }
    }
    return FAL_OK;
}

fal_status fal_deform_conv(const fal_context *context, const fal_deform_operands *operands,
                           const fal_conv_params *params, int64_t offset_groups)
{
    forward f = {.o = operands};
    FAL__TRY(fal__context_resolve(context, &f.setting));
    FAL__TRY(fal__deform_check(operands, params, offset_groups, NULL, &f.d, f.setting.error));
    if (f.d.dtype != FAL_F32 && f.d.dtype != FAL_F64)
        return fal__deform_half(context, operands, params, offset_groups, NULL);
    if (fal_tensor_count(&operands->y) == 0) return FAL_OK;
    f.rows = fal__deform_rows_of(&f.setting, f.d.dtype);
    f.blocks = fal__deform_blocks_of(&f.d, COLUMN_BYTES);
    fal_status status = plan_products(&f, params);
    if (status == FAL_OK) status = plan_memory(&f);
    void *memory = NULL;
    if (status == FAL_OK)
        status = fal__allocate(&f.setting.allocator, f.bytes, "workspace", &memory, f.setting.error);
    f.memory = memory;
    if (status == FAL_OK) status = run_all(&f);
    if (memory != NULL) fal__release(&f.setting.allocator, memory, f.bytes);
    fal_plan_destroy(f.product[0].plan);
    fal_plan_destroy(f.product[1].plan);
    return status;
}
