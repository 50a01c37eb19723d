/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * unpool.c: fal_max_unpool and its gradient.
 *
 * Forward scatters: y[indices[o]] = x[o] in row-major order of x, so that a cell named twice keeps the
 * last. The gradient is the exact adjoint of that: gx[o] = gy[indices[o]] for the element that the
 * cell kept, 0 for those that were overwritten. (Frameworks give gy to all of them, which is no
 * gradient of what they compute.) Walking backwards, the first visitor of a cell is the one it kept;
 * the visitors are remembered in one byte a cell of y, the only memory taken from the context.
 */
#include <string.h>

#include "base/alloc.h"
#include "base/checked.h"
#include "base/error.h"
#include "operators/unpool.h"
#include "tensor/tensor.h"

/* Constant sizes become single moves. */
static void copy_element(void *to, const void *from, int64_t bytes)
{
    switch (bytes) {
    case 1: memcpy(to, from, 1); return;
    case 2: memcpy(to, from, 2); return;
    case 4: memcpy(to, from, 4); return;
    default: memcpy(to, from, 8); return;
    }
}

/* ---- forward ------------------------------------------------------------------------------------- */

typedef struct forward {
    fal__unpool u;
    fal_dtype dtype;
} forward;

static bool place_element(const fal__unpool *u, const fal__unpool_cell *o, void *argument)
{
    (void)argument;
    fal__unpool_cell target;
    if (fal__unpool_target(u, o, &target))
        copy_element(u->y + fal__unpool_offset(&u->y_strides, &target) * u->bytes,
                     u->x + fal__unpool_offset(&u->x_strides, o) * u->bytes, u->bytes);
    return true;
}

/* Zeros in one plane of y, or in all of it. */
static void clear(const forward *f, int64_t n, int64_t c)
{
    const fal__steps *size = &f->u.y_sizes, *s = &f->u.y_strides;
    const bool whole = n < 0;
    fal_tensor part = {
        .data = f->u.y + (whole ? 0 : n * s->n + c * s->c) * f->u.bytes,
        .dtype = f->dtype,
        .rank = 2 + FAL_MAX_SPATIAL,
        .shape = {whole ? size->n : 1, whole ? size->c : 1, size->space[0], size->space[1], size->space[2]},
        .strides = {s->n, s->c, s->space[0], s->space[1], s->space[2]}};
    fal_tensor_fill(&part, 0, NULL);
}

static bool make_unit(const void *argument, const fal__plane_row *row)
{
    const forward *f = argument;
    const int64_t n = f->u.plane ? row->n : -1;
    clear(f, n, row->c);
    return fal__unpool_walk(&f->u, n, row->c, false, place_element, NULL);
}

fal_status fal_max_unpool(const fal_context *context, const fal_tensor *x, const fal_tensor *indices,
                          const fal_pool_params *params, const int64_t *index_shape, const fal_tensor *y)
{
    fal__setting setting;
    FAL__TRY(fal__context_resolve(context, &setting));
    const fal__unpool_operands operands = {.x = x,
                                           .indices = indices,
                                           .y = y,
                                           .x_name = "x",
                                           .y_name = "y",
                                           .params = params,
                                           .index_shape = index_shape};
    forward f;
    FAL__TRY(fal__unpool_describe(&setting, &operands, &f.u));
    if (fal_tensor_count(y) == 0) return FAL_OK;
    f.dtype = y->dtype;
    fal__plane_rows rows = fal__unpool_units(&f.u);
    rows.run = make_unit;
    fal__planes_run(&setting, &rows, &f);
    return FAL_OK;
}

/* ---- gradient ------------------------------------------------------------------------------------ */

typedef struct backward {
    fal__unpool u;
    fal__steps numbers; /* of the cells of y: in a unit of the loop */
    char *visited;
    int64_t cells; /* of a unit */
} backward;

typedef struct visit {
    const backward *b;
    char *visited;
} visit;

static bool fetch_element(const fal__unpool *u, const fal__unpool_cell *o, void *argument)
{
    const visit *v = argument;
    static const char zero[8];
    fal__unpool_cell target;
    if (!fal__unpool_target(u, o, &target)) return true;
    char *visited = v->visited + fal__unpool_offset(&v->b->numbers, &target);
    const char *gy = u->y + fal__unpool_offset(&u->y_strides, &target) * u->bytes;
    copy_element(u->x + fal__unpool_offset(&u->x_strides, o) * u->bytes, *visited ? zero : gy, u->bytes);
    *visited = 1;
    return true;
}

static bool fetch_unit(const void *argument, const fal__plane_row *row)
{
    const backward *b = argument;
    visit v = {.b = b, .visited = b->visited + row->task * b->cells};
    memset(v.visited, 0, (size_t)b->cells);
    return fal__unpool_walk(&b->u, b->u.plane ? row->n : -1, row->c, true, fetch_element, &v);
}

static fal_status fetch_all(backward *b, const fal__setting *setting)
{
    const fal__steps *size = &b->u.y_sizes;
    b->numbers = (fal__steps){.space = {size->space[1] * size->space[2], size->space[2], 1}};
    b->cells = size->space[0] * size->space[1] * size->space[2];
    if (!b->u.plane) {
        b->numbers.c = b->cells;
        b->numbers.n = b->cells * size->c;
        b->cells *= size->c * size->n;
    }
    fal__plane_rows rows = fal__unpool_units(&b->u);
    rows.run = fetch_unit;
    int64_t bytes;
    if (!fal__mul(b->cells, fal__planes_tasks(setting, &rows), &bytes))
        return fal__fail(setting->error, FAL_E_OVERFLOW, "gy", "the marks of gy overflow 64 bits");
    void *memory;
    FAL__TRY(fal__allocate(&setting->allocator, (size_t)bytes, "marks of gy", &memory, setting->error));
    b->visited = memory;
    fal__planes_run(setting, &rows, b);
    fal__release(&setting->allocator, memory, (size_t)bytes);
    return FAL_OK;
}

fal_status fal_max_unpool_grad(const fal_context *context, const fal_tensor *indices, const fal_tensor *gy,
                               const fal_pool_params *params, const int64_t *index_shape,
                               const fal_tensor *gx)
{
    fal__setting setting;
    FAL__TRY(fal__context_resolve(context, &setting));
    const fal__unpool_operands operands = {.x = gx,
                                           .indices = indices,
                                           .y = gy,
                                           .x_name = "gx",
                                           .y_name = "gy",
                                           .x_written = true,
                                           .params = params,
                                           .index_shape = index_shape};
    backward b = {0};
    FAL__TRY(fal__unpool_describe(&setting, &operands, &b.u));
    return fal_tensor_count(gx) == 0 ? FAL_OK : fetch_all(&b, &setting);
}
