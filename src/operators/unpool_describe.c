/* SPDX-License-Identifier: BSD-3-Clause */
/* unpool_describe.c: see unpool.h. */
#include "base/checked.h"
#include "base/error.h"
#include "operators/pool.h"
#include "operators/unpool.h"
#include "tensor/tensor.h"

/* ---- indices ------------------------------------------------------------------------------------- */

/* Takes the last digit off a number whose digits have different bases. */
static int64_t digit(int64_t *number, int64_t base)
{
    const int64_t value = *number % base;
    *number /= base;
    return value;
}

bool fal__unpool_target(const fal__unpool *u, const fal__unpool_cell *o, fal__unpool_cell *target)
{
    const fal__steps *counted = &u->counted;
    int64_t rest = u->indices[fal__unpool_offset(&u->index_strides, o)];
    if (rest < 0) return false;
    for (int a = 0; a < FAL_MAX_SPATIAL; a++)
        if (counted->space[a] == 0) return false;
    *target = (fal__unpool_cell){.n = o->n, .c = o->c};
    const bool channels_last = u->g.layout == FAL_NHWC;
    if (!u->plane && channels_last) target->c = digit(&rest, counted->c);
    for (int i = 0; i < FAL_MAX_SPATIAL; i++) {
        const int a = u->column_major ? i : FAL_MAX_SPATIAL - 1 - i;
        target->space[a] = digit(&rest, counted->space[a]);
    }
    if (!u->plane && !channels_last) target->c = digit(&rest, counted->c);
    if (!u->plane) target->n = digit(&rest, counted->n);
    for (int a = 0; a < FAL_MAX_SPATIAL; a++)
        if (target->space[a] >= u->y_sizes.space[a]) return false;
    return rest == 0;
}

/* Advances (or turns back) one coordinate; false when it wraps around. */
static bool step_axis(int64_t *at, int64_t size, bool backwards)
{
    *at += backwards ? -1 : 1;
    if (*at >= 0 && *at < size) return true;
    *at = backwards ? size - 1 : 0;
    return false;
}

static bool step_cell(const fal__unpool *u, fal__unpool_cell *at, bool whole, bool backwards)
{
    const bool channels_last = u->g.layout == FAL_NHWC;
    if (whole && channels_last && step_axis(&at->c, u->x_sizes.c, backwards)) return true;
    for (int a = FAL_MAX_SPATIAL - 1; a >= 0; a--)
        if (step_axis(&at->space[a], u->x_sizes.space[a], backwards)) return true;
    if (whole && !channels_last && step_axis(&at->c, u->x_sizes.c, backwards)) return true;
    return whole && step_axis(&at->n, u->x_sizes.n, backwards);
}

bool fal__unpool_walk(const fal__unpool *u, int64_t n, int64_t c, bool backwards, fal__unpool_visit visit,
                      void *argument)
{
    const fal__steps *s = &u->x_sizes;
    const bool whole = n < 0;
    if (s->space[0] == 0 || s->space[1] == 0 || s->space[2] == 0 || s->n == 0 || s->c == 0) return true;
    fal__unpool_cell at = {.n = whole ? 0 : n, .c = whole ? 0 : c};
    if (backwards) {
        at = (fal__unpool_cell){whole ? s->n - 1 : n, whole ? s->c - 1 : c, {0}};
        for (int a = 0; a < FAL_MAX_SPATIAL; a++) at.space[a] = s->space[a] - 1;
    }
    do
        if (!visit(u, &at, argument)) return false;
    while (step_cell(u, &at, whole, backwards));
    return true;
}

fal__plane_rows fal__unpool_units(const fal__unpool *u)
{
    const int64_t *size = u->x_sizes.space, *to = u->y_sizes.space;
    return (fal__plane_rows){.n = u->plane ? u->g.n : 1,
                             .c = u->plane ? u->g.in_channels : 1,
                             .rows = {1, 1},
                             .block = 1,
                             .work = size[0] * size[1] * size[2] + to[0] * to[1] * to[2]};
}

/* ---- checks -------------------------------------------------------------------------------------- */

static bool has_target(const fal__unpool *u, const fal__unpool_cell *o, void *argument)
{
    (void)argument;
    fal__unpool_cell target;
    return fal__unpool_target(u, o, &target);
}

static bool check_plane(const void *argument, const fal__plane_row *row)
{
    const fal__unpool *u = argument;
    return fal__unpool_walk(u, u->plane ? row->n : -1, row->c, false, has_target, NULL);
}

/* Remembers the first element whose index leads nowhere. */
static bool find_bad(const fal__unpool *u, const fal__unpool_cell *o, void *argument)
{
    if (has_target(u, o, NULL)) return true;
    *(fal__unpool_cell *)argument = *o;
    return false;
}

static fal_status check_indices(const fal__setting *setting, const fal__unpool *u, const fal_tensor *y,
                                const char *y_name)
{
    fal__plane_rows rows = fal__unpool_units(u);
    rows.run = check_plane;
    if (fal__planes_run(setting, &rows, u)) return FAL_OK;
    fal__unpool_cell at = {0};
    fal__unpool_walk(u, -1, 0, false, find_bad, &at);
    const int64_t index = u->indices[fal__unpool_offset(&u->index_strides, &at)];
    int64_t place[FAL_MAX_RANK];
    if (u->g.batched) place[fal__batch_axis(&u->g)] = at.n;
    place[fal__channel_axis(&u->g)] = at.c;
    for (int32_t a = 0; a < u->g.spatial; a++)
        place[fal__spatial_axis(&u->g, a)] = at.space[FAL_MAX_SPATIAL - u->g.spatial + a];
    char place_text[FAL__LIST_TEXT], y_text[FAL__LIST_TEXT];
    fal__list_text(place, y->rank, place_text, sizeof place_text);
    fal__shape_text(y, y_text, sizeof y_text);
    fal__fail(setting->error, FAL_E_VALUE, "indices", "the index at %s is %" PRId64, place_text, index);
    return fal__allowed(setting->error, FAL_E_VALUE, "must name a cell of %s, which is %s", y_name, y_text);
}

static fal_status check_index_shape(const int64_t *shape, const fal_tensor *x, const char *x_name,
                                    fal__unpool *u, fal_error *error)
{
    const fal_tensor counted = fal_tensor_of(NULL, FAL_I64, x->rank, shape);
    const int32_t c = fal__channel_axis(&u->g), n = fal__batch_axis(&u->g);
    const bool valid = counted.dtype == FAL_I64;
    if (!valid || shape[c] != x->shape[c] || (n >= 0 && shape[n] != x->shape[n])) {
        char shape_text[FAL__LIST_TEXT], x_text[FAL__LIST_TEXT];
        fal__list_text(shape, x->rank, shape_text, sizeof shape_text);
        fal__shape_text(x, x_text, sizeof x_text);
        fal__fail(error, FAL_E_SHAPE, "index_shape", "index_shape is %s, %s is %s", shape_text, x_name,
                  x_text);
        return fal__allowed(error, FAL_E_SHAPE, "%s",
                            valid ? "batch and channels must be equal" : "must be sizes of a tensor");
    }
    for (int32_t a = 0; a < u->g.spatial; a++)
        u->counted.space[FAL_MAX_SPATIAL - u->g.spatial + a] = shape[fal__spatial_axis(&u->g, a)];
    return FAL_OK;
}

static fal_status check_memory(const fal__unpool_operands *o, fal_error *error)
{
    const fal_tensor *written = o->x_written ? o->x : o->y, *read = o->x_written ? o->y : o->x;
    const char *name = o->x_written ? o->x_name : o->y_name, *other = o->x_written ? o->y_name : o->x_name;
    FAL__TRY(fal__tensor_check_align(o->x, o->x_name, error));
    FAL__TRY(fal__tensor_check_align(o->y, o->y_name, error));
    FAL__TRY(fal__tensor_check_align(o->indices, "indices", error));
    FAL__TRY(fal__tensor_check_alias(written, name, read, other, error));
    return fal__tensor_check_alias(written, name, o->indices, "indices", error);
}

static fal_status check_operands(const fal__unpool_operands *o, fal_error *error)
{
    FAL__TRY(o->x_written ? fal__tensor_check_output(o->x, o->x_name, error)
                          : fal_tensor_check(o->x, o->x_name, error));
    FAL__TRY(o->x_written ? fal_tensor_check(o->y, o->y_name, error)
                          : fal__tensor_check_output(o->y, o->y_name, error));
    FAL__TRY(fal_tensor_check(o->indices, "indices", error));
    FAL__TRY(fal__planes_same_type(o->x, o->x_name, o->y, o->y_name, error));
    if (o->indices->dtype == FAL_I64)
        return fal__tensor_check_same_shape(o->x, o->x_name, o->indices, "indices", error);
    fal__fail(error, FAL_E_DTYPE, "indices", "indices is %s", fal_dtype_name(o->indices->dtype));
    return fal__allowed(error, FAL_E_DTYPE, "must be i64");
}

fal_status fal__unpool_describe(const fal__setting *setting, const fal__unpool_operands *o, fal__unpool *out)
{
    static const fal_pool_params none = {0};
    const fal_pool_params *p = o->params != NULL ? o->params : &none;
    fal_error *error = setting->error;
    fal__unpool u = {.plane = p->index_mode == FAL_INDEX_PLANE, .column_major = p->column_major};
    FAL__TRY(check_operands(o, error));
    FAL__TRY(fal__index_mode_check(p, error));
    FAL__TRY(fal__planes_describe(o->x, o->x_name, p->spatial, p->layout, &u.g, error));
    FAL__TRY(fal__planes_output(&u.g, o->y, o->y_name, o->x_name, error));
    u.x_sizes = fal__planes_sizes(&u.g, false);
    u.y_sizes = u.counted = fal__planes_sizes(&u.g, true);
    if (o->index_shape != NULL) FAL__TRY(check_index_shape(o->index_shape, o->x, o->x_name, &u, error));
    FAL__TRY(check_memory(o, error));
    u.x_strides = fal__planes_strides(&u.g, o->x);
    u.y_strides = fal__planes_strides(&u.g, o->y);
    u.index_strides = fal__planes_strides(&u.g, o->indices);
    u.indices = o->indices->data;
    u.x = o->x->data;
    u.y = o->y->data;
    u.bytes = (int64_t)fal_dtype_bytes(o->x->dtype);
    *out = u;
    return fal_tensor_count(o->x) == 0 ? FAL_OK : check_indices(setting, &u, o->y, o->y_name);
}
