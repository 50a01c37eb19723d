/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * scene_sheet.c: tensors as planes of cells, with what stands around and between the cells.
 *
 * One axis of a sheet, with size 3, spread 2, before 1, after 2 (c cells, z zeros between, r the ring):
 *
 *     position  -1  0  1  2  3  4  5  6
 *                r  c  z  c  z  c  r  r
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "draw/scene_parts.h"

/* ---- Views ---- */

void draw_widen(int32_t spatial, const int64_t *space, int64_t missing, int64_t wide[3])
{
    for (int32_t a = 0; a < 3; a++) wide[a] = a < 3 - spatial ? missing : space[a - (3 - spatial)];
}

static void set_view(const fal_tensor *t, fal_tensor *out)
{
    *out = (fal_tensor){.data = t->data, .dtype = t->dtype, .rank = 5, .flags = FAL_READ_ONLY};
    for (int32_t a = 0; a < 5; a++) out->shape[a] = 1;
}

static void set_space(const fal_tensor *t, int32_t first, int32_t spatial, fal_tensor *out)
{
    draw_widen(spatial, &t->shape[first], 1, &out->shape[2]);
    draw_widen(spatial, &t->strides[first], 0, &out->strides[2]);
}

void draw_view_data(const fal_tensor *t, int32_t spatial, fal_layout layout, fal_tensor *out)
{
    int32_t first = t->rank > spatial + 1 ? 1 : 0, channel = layout == FAL_NHWC ? first + spatial : first;
    set_view(t, out);
    out->shape[0] = t->shape[channel];
    out->strides[0] = t->strides[channel];
    set_space(t, layout == FAL_NHWC ? first : first + 1, spatial, out);
}

void draw_view_weight(const fal_tensor *t, fal_layout layout, fal_tensor *out)
{
    int32_t spatial = t->rank - 2, outer = layout == FAL_NHWC ? spatial + 1 : 0;
    int32_t inner = layout == FAL_NHWC ? spatial : 1;
    set_view(t, out);
    out->shape[0] = t->shape[outer];
    out->strides[0] = t->strides[outer];
    out->shape[1] = t->shape[inner];
    out->strides[1] = t->strides[inner];
    set_space(t, layout == FAL_NHWC ? 0 : 2, spatial, out);
}

/* ---- Sheets ---- */

void draw_sheet_set(draw_sheet *sheet, const char *what, const char *name, const fal_tensor *view,
                    int32_t spatial)
{
    char sizes[48] = "";
    size_t used = 0;
    const bool weight = strcmp(name, "w") == 0 || strcmp(name, "gw") == 0;
    *sheet = (draw_sheet){.values = *view, .spatial = spatial, .groups = 1, .weight = weight};
    snprintf(sheet->name, sizeof sheet->name, "%s", name);
    const bool several = view->shape[0] * view->shape[1] > 1;
    for (int32_t a = 0; a < 5 && used < sizeof sizes; a++) {
        /* Channels when there are several, both of a weight; the axes of space that the tensor has. */
        const bool shown = a == 0 ? several : a == 1 ? several && sheet->weight : a >= 5 - spatial;
        const int64_t size = view->shape[a];
        if (!shown) continue;
        used += (size_t)snprintf(sizes + used, sizeof sizes - used, "%s%" PRId64, used ? "x" : "", size);
    }
    snprintf(sheet->title, sizeof sheet->title, "%s %s, %s", what, name, sizes);
    for (int32_t a = 0; a < 3; a++) {
        sheet->size[a] = view->shape[2 + a];
        sheet->spread[a] = 1;
    }
}

void draw_sheet_ring(draw_scene *scene, draw_sheet *sheet, const fal_axis *axis)
{
    for (int32_t a = 0; a < sheet->spatial; a++) {
        sheet->before[3 - sheet->spatial + a] = axis[a].begin;
        sheet->after[3 - sheet->spatial + a] = axis[a].end;
    }
    sheet->mode = scene->geometry.padding_mode;
    sheet->outside = sheet->mode == FAL_PAD_CONSTANT ? scene->problem.params.padding_value : 0;
}

static int64_t last_cell(const draw_sheet *sheet, int32_t axis)
{
    return (sheet->size[axis] - 1) * sheet->spread[axis];
}

int64_t draw_sheet_first(const draw_sheet *sheet, int32_t axis)
{
    return sheet->before[axis] > 0 ? -sheet->before[axis] : 0;
}

int64_t draw_sheet_end(const draw_sheet *sheet, int32_t axis)
{
    return last_cell(sheet, axis) + 1 + (sheet->after[axis] > 0 ? sheet->after[axis] : 0);
}

double draw_sheet_value(const draw_sheet *sheet, int64_t plane, const int64_t at[3])
{
    const int64_t index[5] = {plane / sheet->values.shape[1], plane % sheet->values.shape[1], at[0], at[1],
                              at[2]};
    return fal_tensor_get(&sheet->values, index);
}

draw_cell draw_sheet_cell(const draw_sheet *sheet, int64_t plane, const int64_t at[3])
{
    draw_cell cell = {.kind = DRAW_IS_CELL};
    bool ring = false, between = false, cropped = false;
    for (int32_t a = 0; a < 3; a++) {
        int64_t last = last_cell(sheet, a), index = at[a];
        if (at[a] < 0 || at[a] > last) {
            ring = true;
            if (!sheet->cut) index = fal_border_index(sheet->mode, at[a], sheet->size[a]);
        } else {
            between = between || at[a] % sheet->spread[a] != 0;
            index = at[a] / sheet->spread[a];
            cropped = cropped || at[a] < -sheet->before[a] || at[a] > last + sheet->after[a];
        }
        cell.source[a] = index;
    }
    cell.kind = ring ? DRAW_IS_GHOST : between ? DRAW_IS_BETWEEN : cropped ? DRAW_IS_CROPPED : DRAW_IS_CELL;
    for (int32_t a = 0; a < 3 && !sheet->cut; a++)
        if (cell.source[a] < 0) cell.kind = DRAW_IS_OUTSIDE;
    cell.value = cell.kind == DRAW_IS_OUTSIDE   ? sheet->outside
                 : cell.kind == DRAW_IS_BETWEEN ? 0
                                                : draw_sheet_value(sheet, plane, cell.source);
    return cell;
}

int64_t draw_sheet_planes(const draw_sheet *sheet)
{
    return sheet->values.shape[0] * sheet->values.shape[1];
}

bool draw_sheet_begin(const draw_sheet *sheet, int64_t *plane, int64_t at[3])
{
    *plane = 0;
    for (int32_t a = 0; a < 3; a++) {
        at[a] = draw_sheet_first(sheet, a);
        if (at[a] >= draw_sheet_end(sheet, a)) return false;
    }
    return draw_sheet_planes(sheet) > 0;
}

bool draw_sheet_next(const draw_sheet *sheet, int64_t *plane, int64_t at[3])
{
    for (int32_t a = 2; a >= 0; a--) {
        if (++at[a] < draw_sheet_end(sheet, a)) return true;
        at[a] = draw_sheet_first(sheet, a);
    }
    return ++*plane < draw_sheet_planes(sheet);
}

/* The outer channels of a weight's plane are counted over all groups, the inner ones within one. */
static void channels_of(const draw_sheet *sheet, int64_t plane, int64_t *outer, int64_t *inner)
{
    const int64_t *shape = sheet->values.shape;
    *outer = plane / shape[1];
    *inner = *outer / (shape[0] / sheet->groups) * shape[1] + plane % shape[1];
}

void draw_sheet_place(const draw_sheet *sheet, int64_t plane, int64_t *row, int64_t *column)
{
    *row = sheet->across ? plane / sheet->across : plane;
    *column = sheet->across ? plane % sheet->across : 0;
    if (!sheet->weight) return;
    if (sheet->transposed)
        channels_of(sheet, plane, row, column);
    else
        channels_of(sheet, plane, column, row);
}

int64_t draw_sheet_group(const draw_sheet *sheet, int64_t plane)
{
    const int64_t *shape = sheet->values.shape;
    return plane / shape[1] / (shape[0] / sheet->groups);
}

int64_t draw_sheet_order(const draw_sheet *sheet, int64_t plane, const int64_t at[3])
{
    return ((plane * sheet->size[0] + at[0]) * sheet->size[1] + at[1]) * sheet->size[2] + at[2];
}

void draw_sheet_nth(const draw_sheet *sheet, int64_t n, int64_t *plane, int64_t at[3])
{
    for (int32_t a = 2; a >= 0; a--) {
        at[a] = n % sheet->size[a];
        n /= sheet->size[a];
    }
    *plane = n;
}

int64_t draw_sheet_count(const draw_sheet *sheet)
{
    return fal_tensor_count(&sheet->values);
}

int64_t draw_weight_plane(const draw_scene *scene, int64_t ic, int64_t oc)
{
    const fal_conv_geometry *g = &scene->geometry;
    int64_t own_in = g->in_channels / g->groups, own_out = g->out_channels / g->groups;
    return g->transposed ? ic * own_out + oc % own_out : oc * own_in + ic % own_in;
}
