/* SPDX-License-Identifier: BSD-3-Clause */
/* planes.c: see planes.h. */
#include "operators/planes.h"

#include "base/checked.h"
#include "base/error.h"
#include "tensor/tensor.h"
#include "threads/parallel.h"

/* The context admits no more threads; below WORK_MIN elements starting one costs more than it saves. */
enum { TASKS_MAX = 1024, WORK_MIN = 1 << 15 };

/* ---- description ------------------------------------------------------------------------------- */

static fal_status check_axes(const fal_tensor *t, const char *name, int32_t spatial, fal_error *error)
{
    if (spatial < 0 || spatial > FAL_MAX_SPATIAL) {
        fal__fail(error, FAL_E_VALUE, "spatial", "spatial is %" PRId32, spatial);
        return fal__allowed(error, FAL_E_VALUE, "must be 1..%d, or 0 for the rank less 2", FAL_MAX_SPATIAL);
    }
    if (spatial == 0 && (t->rank < 3 || t->rank > FAL_MAX_SPATIAL + 2)) {
        fal__fail(error, FAL_E_RANK, name, "%s has %" PRId32 " axes", name, t->rank);
        return fal__allowed(error, FAL_E_RANK, "must be 3..%d: batch, channels and 1..%d of space",
                            FAL_MAX_SPATIAL + 2, FAL_MAX_SPATIAL);
    }
    if (spatial == 0 || t->rank == spatial + 2 || t->rank == spatial + 1) return FAL_OK;
    fal__fail(error, FAL_E_RANK, name, "%s has %" PRId32 " axes, spatial is %" PRId32, name, t->rank,
              spatial);
    return fal__allowed(error, FAL_E_RANK, "must be %" PRId32 ", or %" PRId32 " without a batch", spatial + 2,
                        spatial + 1);
}

fal_status fal__planes_describe(const fal_tensor *t, const char *name, int32_t spatial, fal_layout layout,
                                fal_conv_geometry *g, fal_error *error)
{
    FAL__TRY(fal_tensor_check(t, name, error));
    if ((int)layout < 0 || (int)layout > FAL_NHWC) {
        fal__fail(error, FAL_E_VALUE, "layout", "layout is %d", (int)layout);
        return fal__allowed(error, FAL_E_VALUE, "must be one of fal_layout, 0..%d", (int)FAL_NHWC);
    }
    FAL__TRY(check_axes(t, name, spatial, error));
    *g = (fal_conv_geometry){.spatial = spatial == 0 ? t->rank - 2 : spatial, .groups = 1, .layout = layout};
    g->batched = t->rank == g->spatial + 2;
    g->n = g->batched ? t->shape[fal__batch_axis(g)] : 1;
    g->in_channels = g->out_channels = t->shape[fal__channel_axis(g)];
    for (int32_t a = 0; a < g->spatial; a++) g->axis[a].input = t->shape[fal__spatial_axis(g, a)];
    return FAL_OK;
}

fal_status fal__planes_output(fal_conv_geometry *g, const fal_tensor *y, const char *name, const char *x_name,
                              fal_error *error)
{
    FAL__TRY(fal_tensor_check(y, name, error));
    int64_t shape[FAL_MAX_RANK];
    const int32_t rank = fal__input_shape(g, shape);
    const bool fits = y->rank == rank && y->shape[fal__channel_axis(g)] == g->in_channels &&
                      (!g->batched || y->shape[fal__batch_axis(g)] == g->n);
    if (!fits) {
        char x_text[FAL__LIST_TEXT], y_text[FAL__LIST_TEXT];
        fal__list_text(shape, rank, x_text, sizeof x_text);
        fal__shape_text(y, y_text, sizeof y_text);
        const fal_status status = y->rank == rank ? FAL_E_SHAPE : FAL_E_RANK;
        fal__fail(error, status, name, "%s is %s, %s is %s", name, y_text, x_name, x_text);
        return fal__allowed(error, status, "rank, batch and channels must be equal");
    }
    for (int32_t a = 0; a < g->spatial; a++) g->axis[a].output = y->shape[fal__spatial_axis(g, a)];
    return FAL_OK;
}

fal__steps fal__planes_sizes(const fal_conv_geometry *g, bool output)
{
    fal__steps sizes = {.n = g->n, .c = g->in_channels, .space = {1, 1, 1}};
    const int32_t missing = FAL_MAX_SPATIAL - g->spatial;
    for (int32_t a = 0; a < g->spatial; a++)
        sizes.space[missing + a] = output ? g->axis[a].output : g->axis[a].input;
    return sizes;
}

fal__steps fal__planes_strides(const fal_conv_geometry *g, const fal_tensor *t)
{
    const fal__data_strides s = fal__data_strides_of(g, t);
    fal__steps strides = {.n = s.n, .c = s.c};
    const int32_t missing = FAL_MAX_SPATIAL - g->spatial;
    for (int32_t a = 0; a < g->spatial; a++) strides.space[missing + a] = s.space[a];
    return strides;
}

static int64_t distance(int64_t stride)
{
    return stride < 0 ? -stride : stride;
}

bool fal__planes_along_channels(const fal__steps *s)
{
    const int64_t row = s->space[FAL_MAX_SPATIAL - 1];
    return s->c != 0 && (row == 0 || distance(s->c) < distance(row));
}

fal_status fal__planes_same_type(const fal_tensor *a, const char *a_name, const fal_tensor *b,
                                 const char *b_name, fal_error *error)
{
    if (a->dtype == b->dtype) return FAL_OK;
    fal__fail(error, FAL_E_DTYPE, b_name, "%s is %s, %s is %s", a_name, fal_dtype_name(a->dtype), b_name,
              fal_dtype_name(b->dtype));
    return fal__allowed(error, FAL_E_DTYPE, "types must be equal");
}

/* ---- the loop ---------------------------------------------------------------------------------- */

typedef struct loop {
    const fal__plane_rows *rows;
    const void *argument;
    int64_t blocks, units; /* blocks of channels; rows altogether */
    int32_t tasks;
    bool fits[TASKS_MAX];
} loop;

static int64_t units_of(const fal__plane_rows *rows)
{
    return rows->n * fal__ceil_div(rows->c, rows->block) * rows->rows[0] * rows->rows[1];
}

int32_t fal__planes_tasks(const fal__setting *setting, const fal__plane_rows *rows)
{
    const int64_t units = units_of(rows);
    /* The quotient avoids a product that could overflow. */
    const int64_t each = fal__max(WORK_MIN / fal__max(rows->work, 1), 1);
    const int64_t tasks = fal__min(fal__min(units / each, setting->machine.threads), TASKS_MAX);
    return (int32_t)fal__max(tasks, 1);
}

static void run_task(void *argument, int32_t index)
{
    loop *l = argument;
    const fal__plane_rows *rows = l->rows;
    int64_t begin, end;
    fal__partition(l->units, l->tasks, index, &begin, &end);
    bool fits = true;
    for (int64_t u = begin; u < end;) {
        int64_t rest = u;
        fal__plane_row row = {.task = index};
        row.at[1] = rest % rows->rows[1];
        row.rows = rows->together ? fal__min(rows->rows[1] - row.at[1], end - u) : 1;
        rest /= rows->rows[1];
        row.at[0] = rest % rows->rows[0];
        rest /= rows->rows[0];
        row.c = rest % l->blocks * rows->block;
        row.n = rest / l->blocks;
        row.channels = (int32_t)fal__min(rows->block, rows->c - row.c);
        fits &= rows->run(l->argument, &row);
        u += row.rows;
    }
    l->fits[index] = fits;
}

bool fal__planes_run(const fal__setting *setting, const fal__plane_rows *rows, const void *argument)
{
    loop l = {.rows = rows, .argument = argument, .blocks = fal__ceil_div(rows->c, rows->block)};
    l.units = units_of(rows);
    l.tasks = fal__planes_tasks(setting, rows);
    fal__parallel(&setting->executor, l.tasks, run_task, &l);
    bool fits = true;
    for (int32_t i = 0; i < l.tasks; i++) fits &= l.fits[i];
    return fits;
}

fal_status fal__planes_overflow(fal_error *error, const char *name, const fal_tensor *t)
{
    fal__fail(error, FAL_E_OVERFLOW, name, "a result does not fit %s, the type of %s",
              fal_dtype_name(t->dtype), name);
    return fal__allowed(error, FAL_E_OVERFLOW, "an integer result must fit its type");
}
