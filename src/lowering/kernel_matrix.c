/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * kernel_matrix.c: the matrix F of a convolution or transposed convolution, vec(y) = F vec(x).
 *
 * Row (oc, o) holds the weights that output element meets, each in the column of the input element it
 * is multiplied with. A 3x3 kernel over a 4x4 image without padding:
 *
 *     o 00   w00 w01 w02  0  w10 w11 w12  0  w20 w21 w22  0   0   0   0   0
 *     o 01    0  w00 w01 w02  0  w10 w11 w12  0  w20 w21 w22  0   0   0   0
 *     o 10    0   0   0   0  w00 w01 w02  0  w10 w11 w12  0  w20 w21 w22  0
 *     o 11    0   0   0   0   0  w00 w01 w02  0  w10 w11 w12  0  w20 w21 w22
 *
 * The transpose of F is the matrix of the associated transposed convolution with the same kernel.
 * Every place comes from fal__tap_at, the index map that explanations and pictures use as well.
 */
#include "base/checked.h"
#include "base/error.h"
#include "geometry/geometry.h"
#include "tensor/tensor.h"

/* One image: the numbers of rows, columns and weights are offsets in row-major tensors of one. */
typedef struct matrix {
    fal_conv_geometry g; /* unbatched */
    fal__data_strides row, column;
    fal__weight_strides weight;
    int64_t rows, columns;
    int64_t group_ic, group_oc;
} matrix;

/* Called for each non-zero of one row, in the order of taps. */
typedef fal_status visitor(void *user, const fal_matrix_entry *entry);

/* The element numbers of a row-major tensor of this shape, by meaning. False: too many. */
static bool number_elements(int32_t rank, const int64_t *shape, fal_tensor *numbered, int64_t *count)
{
    *numbered = fal_tensor_of(NULL, FAL_I8, rank, shape);
    *count = fal_tensor_count(numbered);
    return numbered->dtype != FAL_DTYPE_NONE && *count >= 0;
}

static fal_status matrix_of(const fal_conv_geometry *geometry, matrix *m, fal_error *error)
{
    int64_t shape[FAL_MAX_RANK], weights;
    fal_tensor x, y, w;
    FAL__TRY(fal__geometry_check(geometry, error));
    m->g = *geometry;
    m->g.batched = false;
    m->g.n = 1;
    m->group_ic = m->g.in_channels / m->g.groups;
    m->group_oc = m->g.out_channels / m->g.groups;
    if (!number_elements(fal__input_shape(&m->g, shape), shape, &x, &m->columns) ||
        !number_elements(fal__output_shape(&m->g, shape), shape, &y, &m->rows) ||
        !number_elements(fal__weight_shape(&m->g, shape), shape, &w, &weights))
        return fal__fail(error, FAL_E_OVERFLOW, "geometry", "the size of the matrix overflows");
    m->row = fal__data_strides_of(&m->g, &y);
    m->column = fal__data_strides_of(&m->g, &x);
    m->weight = fal__weight_strides_of(&m->g, &w);
    return FAL_OK;
}

/* How many pairs of an output and a tap meet an input cell on one axis: with a border that repeats
 * cells, all of them. */
static fal_status count_meetings(const fal_conv_geometry *g, const fal_axis *axis, int64_t *count,
                                 fal_error *error)
{
    bool repeats = g->padding_mode != FAL_PAD_ZEROS && g->padding_mode != FAL_PAD_CONSTANT;
    if (!repeats || axis->input == 0) return fal__axis_products(axis, g->transposed, count, error);
    if (fal__mul(axis->output, axis->kernel, count)) return FAL_OK;
    return fal__fail(error, FAL_E_OVERFLOW, "entries", "the number of entries overflows");
}

fal_status fal_matrix_shape(const fal_conv_geometry *geometry, int64_t *rows, int64_t *columns,
                            int64_t *entries, fal_error *error)
{
    matrix m;
    int64_t total;
    FAL__TRY(matrix_of(geometry, &m, error));
    bool fits = fal__mul(m.g.out_channels, m.group_ic, &total);
    for (int32_t a = 0; fits && a < m.g.spatial; a++) {
        int64_t meetings;
        FAL__TRY(count_meetings(&m.g, &m.g.axis[a], &meetings, error));
        fits = fal__mul(total, meetings, &total);
    }
    if (!fits) return fal__fail(error, FAL_E_OVERFLOW, "entries", "the number of entries overflows");
    if (rows) *rows = m.rows;
    if (columns) *columns = m.columns;
    if (entries) *entries = total;
    return FAL_OK;
}

/* ---- Walking over one row ---- */

typedef struct row_walk {
    const matrix *m;
    int64_t oc, o[FAL_MAX_SPATIAL];
    visitor *visit;
    void *user;
} row_walk;

/* The output element that a row stands for. */
static void decode_row(row_walk *walk, int64_t row)
{
    const fal_conv_geometry *g = &walk->m->g;
    if (g->layout == FAL_NHWC) {
        walk->oc = row % g->out_channels;
        row /= g->out_channels;
    }
    for (int32_t a = g->spatial - 1; a >= 0; a--) {
        walk->o[a] = row % g->axis[a].output;
        row /= g->axis[a].output;
    }
    if (g->layout == FAL_NCHW) walk->oc = row;
}

static fal_status visit_channels(const row_walk *walk, fal_matrix_entry entry)
{
    const matrix *m = walk->m;
    int64_t oc = walk->oc, first = oc / m->group_oc * m->group_ic;
    for (int64_t c = 0; c < m->group_ic; c++) {
        int64_t out = m->g.transposed ? oc % m->group_oc : oc, in = m->g.transposed ? first + c : c;
        fal_matrix_entry met = entry;
        met.column += (first + c) * m->column.c;
        met.weight += out * m->weight.out + in * m->weight.in;
        FAL__TRY(walk->visit(walk->user, &met));
    }
    return FAL_OK;
}

static fal_status visit_axis(const row_walk *walk, int32_t a, fal_matrix_entry entry)
{
    const matrix *m = walk->m;
    if (a == m->g.spatial) return visit_channels(walk, entry);
    const fal_axis *axis = &m->g.axis[a];
    for (int64_t t = 0; t < axis->kernel; t++) {
        fal_tap tap;
        bool meets =
            fal__tap_at(axis, m->g.transposed, m->g.padding_mode, m->g.flip_kernel, walk->o[a], t, &tap);
        if (!meets || tap.index < 0) continue;
        fal_matrix_entry next = entry;
        next.column += tap.index * m->column.space[a];
        next.weight += tap.tap * m->weight.space[a];
        FAL__TRY(visit_axis(walk, a + 1, next));
    }
    return FAL_OK;
}

static fal_status visit_row(const matrix *m, int64_t row, visitor *visit, void *user)
{
    row_walk walk = {.m = m, .visit = visit, .user = user};
    decode_row(&walk, row);
    return visit_axis(&walk, 0, (fal_matrix_entry){.row = row});
}

/* ---- Sparse ---- */

static bool before(const fal_matrix_entry *a, const fal_matrix_entry *b)
{
    return a->column != b->column ? a->column < b->column : a->weight < b->weight;
}

/* Restores the heap below `root`: a parent stands behind its children in the wanted order. */
static void sift(fal_matrix_entry *entries, int64_t root, int64_t count)
{
    fal_matrix_entry moved = entries[root];
    for (int64_t child; (child = 2 * root + 1) < count; root = child) {
        if (child + 1 < count && before(&entries[child], &entries[child + 1])) child++;
        if (!before(&moved, &entries[child])) break;
        entries[root] = entries[child];
    }
    entries[root] = moved;
}

/* Heap sort: needs no memory and is never quadratic, and a row may hold thousands of entries. */
static void sort_row(fal_matrix_entry *entries, int64_t count)
{
    for (int64_t root = count / 2 - 1; root >= 0; root--) sift(entries, root, count);
    for (int64_t last = count - 1; last > 0; last--) {
        fal_matrix_entry largest = entries[0];
        entries[0] = entries[last];
        entries[last] = largest;
        sift(entries, 0, last);
    }
}

typedef struct entry_list {
    fal_matrix_entry *entries;
    int64_t count;
} entry_list;

static fal_status append(void *user, const fal_matrix_entry *entry)
{
    entry_list *list = user;
    list->entries[list->count++] = *entry;
    return FAL_OK;
}

fal_status fal_matrix_sparse(const fal_conv_geometry *geometry, fal_matrix_entry *entries, int64_t capacity,
                             int64_t *count, fal_error *error)
{
    matrix m;
    int64_t needed;
    FAL__TRY(fal_matrix_shape(geometry, NULL, NULL, &needed, error));
    FAL__TRY(matrix_of(geometry, &m, error));
    if (capacity < needed) {
        fal__fail(error, FAL_E_BUFSIZE, "entries", "room for %" PRId64 " entries", capacity);
        return fal__allowed(error, FAL_E_BUFSIZE, "%" PRId64 " are needed", needed);
    }
    if (!entries && needed > 0) return fal__fail(error, FAL_E_NULL, "entries", "entries is NULL");
    entry_list list = {.entries = entries};
    for (int64_t row = 0; row < m.rows; row++) {
        int64_t first = list.count;
        FAL__TRY(visit_row(&m, row, append, &list));
        sort_row(entries + first, list.count - first);
    }
    if (count) *count = list.count;
    return FAL_OK;
}

/* ---- Dense ---- */

typedef struct dense {
    const fal_tensor *w, *matrix;
    fal_error *error;
} dense;

/* Border modes bring several weights to one place. */
static fal_status add_weight(void *user, const fal_matrix_entry *entry)
{
    const dense *d = user;
    const int64_t place[2] = {entry->row, entry->column};
    void *to = fal__tensor_at(d->matrix, place);
    const void *from = fal__tensor_offset(d->w, entry->weight);
    fal_dtype dtype = d->w->dtype;
    if (!fal_dtype_is_integer(dtype)) {
        fal__store_f64(to, dtype, fal__load_f64(to, dtype) + fal__load_f64(from, dtype));
        return FAL_OK;
    }
    int64_t sum;
    if (fal__add(fal__load_i64(to, dtype), fal__load_i64(from, dtype), &sum) &&
        fal__store_i64(to, dtype, sum))
        return FAL_OK;
    return fal__fail(d->error, FAL_E_OVERFLOW, "matrix",
                     "weights that meet at (%" PRId64 ",%" PRId64 ") add up beyond %s", place[0], place[1],
                     fal_dtype_name(dtype));
}

static fal_status check_dense(const matrix *m, const fal_tensor *w, const fal_tensor *out, fal_error *error)
{
    FAL__TRY(fal_tensor_check(w, "w", error));
    FAL__TRY(fal__tensor_check_output(out, "matrix", error));
    FAL__TRY(fal__expect_weight(&m->g, w, "w", error));
    if (w->dtype != out->dtype) {
        fal__fail(error, FAL_E_DTYPE, "matrix", "w is %s, matrix is %s", fal_dtype_name(w->dtype),
                  fal_dtype_name(out->dtype));
        return fal__allowed(error, FAL_E_DTYPE, "types must be equal");
    }
    if (out->rank != 2 || out->shape[0] != m->rows || out->shape[1] != m->columns) {
        char found[FAL__LIST_TEXT];
        fal__shape_text(out, found, sizeof found);
        fal__fail(error, FAL_E_SHAPE, "matrix", "matrix is %s", found);
        return fal__allowed(error, FAL_E_SHAPE, "must be (%" PRId64 ",%" PRId64 ")", m->rows, m->columns);
    }
    FAL__TRY(fal__tensor_check_align(w, "w", error));
    FAL__TRY(fal__tensor_check_align(out, "matrix", error));
    return fal__tensor_check_alias(out, "matrix", w, "w", error);
}

fal_status fal_matrix_dense(const fal_conv_geometry *geometry, const fal_tensor *w,
                            const fal_tensor *matrix_out, fal_error *error)
{
    matrix m;
    FAL__TRY(matrix_of(geometry, &m, error));
    FAL__TRY(check_dense(&m, w, matrix_out, error));
    m.weight = fal__weight_strides_of(&m.g, w); /* entries then carry offsets into w itself */
    FAL__TRY(fal_tensor_fill(matrix_out, 0, error));
    dense d = {.w = w, .matrix = matrix_out, .error = error};
    for (int64_t row = 0; row < m.rows; row++) FAL__TRY(visit_row(&m, row, add_weight, &d));
    return FAL_OK;
}
