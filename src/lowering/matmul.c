/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * matmul.c: c = a b on strided tensors, tile by tile.
 *
 * The matrix product that turns the lowerings into convolutions. It is meant to be read and to be
 * exact: floating types are summed in double (every product of two float32 is exact there) and
 * rounded once, integers in 128 bits. The tiling keeps memory traffic right all the same:
 *
 *              N                      for each ROWS x COLUMNS tile of c     sums stay in L1
 *         +---------+                     for each DEPTH of K
 *       K |  b   |##|  DEPTH                  copy the tiles of a and b     strided, once per tile
 *         |      |  |                         sums += a tile * b tile       unit stride, from L1
 *     K   +---------+                     store the tile of c               rounded once
 *   +---+ +---------+
 *   |   | |         |
 *   |###| |      |##|  ROWS
 * M | a | |  c      |
 *   +---+ +---------+
 *
 * Each element of a is copied N/COLUMNS times and each of b M/ROWS times, and then used COLUMNS and
 * ROWS times. The three tiles of doubles take 4 + 8 + 16 KiB and share the smallest L1 caches.
 */
#include "base/checked.h"
#include "base/error.h"
#include "tensor/tensor.h"

enum { ROWS = 16, COLUMNS = 32, DEPTH = 64 };

typedef struct real_tiles {
    double c[ROWS][COLUMNS], a[ROWS][DEPTH], b[DEPTH][COLUMNS];
} real_tiles;

typedef struct whole_tiles {
    fal__int128 c[ROWS][COLUMNS];
    int64_t a[ROWS][DEPTH], b[DEPTH][COLUMNS];
    bool lost; /* a sum left 128 bits */
} whole_tiles;

/* A part of a matrix: `rows` x `columns` elements from (row, column) on. */
typedef struct part {
    const fal_tensor *matrix;
    int64_t row, column, rows, columns;
} part;

/* The tile at (row, column), cut at the ends of the matrix. */
static part part_of(const fal_tensor *matrix, int64_t row, int64_t rows, int64_t column, int64_t columns)
{
    return (part){.matrix = matrix,
                  .row = row,
                  .column = column,
                  .rows = fal__min(rows, matrix->shape[0] - row),
                  .columns = fal__min(columns, matrix->shape[1] - column)};
}

static void *element(const part *p, int64_t row, int64_t column)
{
    const int64_t index[2] = {p->row + row, p->column + column};
    return fal__tensor_at(p->matrix, index);
}

/* ---- Floating types ---- */

static void load_real(const part *from, double *to, int64_t width)
{
    for (int64_t i = 0; i < from->rows; i++)
        for (int64_t j = 0; j < from->columns; j++)
            to[i * width + j] = fal__load_f64(element(from, i, j), from->matrix->dtype);
}

static void multiply_real(real_tiles *tiles, const part *c, int64_t depth)
{
    for (int64_t i = 0; i < c->rows; i++)            /* one row of sums: 256 bytes, in registers or L1 */
        for (int64_t p = 0; p < depth; p++)          /* one element of a, kept in a register */
            for (int64_t j = 0; j < c->columns; j++) /* a row of b from L1; the compiler's vectors */
                tiles->c[i][j] += tiles->a[i][p] * tiles->b[p][j];
}

static void product_real(const fal_tensor *a, const fal_tensor *b, const part *c)
{
    real_tiles tiles = {.c = {{0}}};
    for (int64_t p = 0; p < a->shape[1]; p += DEPTH) {
        part of_a = part_of(a, c->row, ROWS, p, DEPTH), of_b = part_of(b, p, DEPTH, c->column, COLUMNS);
        load_real(&of_a, &tiles.a[0][0], DEPTH);
        load_real(&of_b, &tiles.b[0][0], COLUMNS);
        multiply_real(&tiles, c, of_a.columns);
    }
    for (int64_t i = 0; i < c->rows; i++)
        for (int64_t j = 0; j < c->columns; j++)
            fal__store_f64(element(c, i, j), c->matrix->dtype, tiles.c[i][j]);
}

/* ---- Integers ---- */

static void load_whole(const part *from, int64_t *to, int64_t width)
{
    for (int64_t i = 0; i < from->rows; i++)
        for (int64_t j = 0; j < from->columns; j++)
            to[i * width + j] = fal__load_i64(element(from, i, j), from->matrix->dtype);
}

static void multiply_whole(whole_tiles *tiles, const part *c, int64_t depth)
{
    for (int64_t i = 0; i < c->rows; i++)
        for (int64_t p = 0; p < depth; p++)
            for (int64_t j = 0; j < c->columns; j++) {
                fal__int128 product = (fal__int128)tiles->a[i][p] * tiles->b[p][j];
                if (!fal__add128(tiles->c[i][j], product, &tiles->c[i][j])) tiles->lost = true;
            }
}

static fal_status product_whole(const fal_tensor *a, const fal_tensor *b, const part *c, fal_error *error)
{
    whole_tiles tiles = {.c = {{0}}};
    for (int64_t p = 0; p < a->shape[1]; p += DEPTH) {
        part of_a = part_of(a, c->row, ROWS, p, DEPTH), of_b = part_of(b, p, DEPTH, c->column, COLUMNS);
        load_whole(&of_a, &tiles.a[0][0], DEPTH);
        load_whole(&of_b, &tiles.b[0][0], COLUMNS);
        multiply_whole(&tiles, c, of_a.columns);
    }
    for (int64_t i = 0; i < c->rows; i++)
        for (int64_t j = 0; j < c->columns; j++) {
            fal__int128 sum = tiles.c[i][j];
            bool fits = !tiles.lost && sum >= INT64_MIN && sum <= INT64_MAX;
            if (!fits || !fal__store_i64(element(c, i, j), c->matrix->dtype, (int64_t)sum))
                return fal__fail(error, FAL_E_OVERFLOW, "c",
                                 "element (%" PRId64 ",%" PRId64 ") of the product does not fit %s",
                                 c->row + i, c->column + j, fal_dtype_name(c->matrix->dtype));
        }
    return FAL_OK;
}

/* ---- Checks ---- */

static fal_status check_shapes(const fal_tensor *a, const fal_tensor *b, const fal_tensor *c,
                               fal_error *error)
{
    bool matrices = a->rank == 2 && b->rank == 2 && c->rank == 2;
    if (!matrices) {
        fal__fail(error, FAL_E_RANK, "a", "ranks are %" PRId32 ", %" PRId32 " and %" PRId32, a->rank, b->rank,
                  c->rank);
        return fal__allowed(error, FAL_E_RANK, "must be 2");
    }
    bool fit = a->shape[1] == b->shape[0] && c->shape[0] == a->shape[0] && c->shape[1] == b->shape[1];
    if (fit) return FAL_OK;
    return fal__fail(error, FAL_E_SHAPE, "c",
                     "(%" PRId64 ",%" PRId64 ") times (%" PRId64 ",%" PRId64 ") is not (%" PRId64 ",%" PRId64
                     ")",
                     a->shape[0], a->shape[1], b->shape[0], b->shape[1], c->shape[0], c->shape[1]);
}

static fal_status check(const fal_tensor *a, const fal_tensor *b, const fal_tensor *c, fal_error *error)
{
    FAL__TRY(fal_tensor_check(a, "a", error));
    FAL__TRY(fal_tensor_check(b, "b", error));
    FAL__TRY(fal__tensor_check_output(c, "c", error));
    FAL__TRY(check_shapes(a, b, c, error));
    if (a->dtype != b->dtype || a->dtype != c->dtype) {
        fal__fail(error, FAL_E_DTYPE, "c", "types are %s, %s and %s", fal_dtype_name(a->dtype),
                  fal_dtype_name(b->dtype), fal_dtype_name(c->dtype));
        return fal__allowed(error, FAL_E_DTYPE, "types must be equal");
    }
    FAL__TRY(fal__tensor_check_align(a, "a", error));
    FAL__TRY(fal__tensor_check_align(b, "b", error));
    FAL__TRY(fal__tensor_check_align(c, "c", error));
    FAL__TRY(fal__tensor_check_alias(c, "c", a, "a", error));
    return fal__tensor_check_alias(c, "c", b, "b", error);
}

fal_status fal_matmul(const fal_tensor *a, const fal_tensor *b, const fal_tensor *c, fal_error *error)
{
    FAL__TRY(check(a, b, c, error));
    for (int64_t row = 0; row < c->shape[0]; row += ROWS)
        for (int64_t column = 0; column < c->shape[1]; column += COLUMNS) {
            part tile = part_of(c, row, ROWS, column, COLUMNS);
            if (fal_dtype_is_integer(c->dtype))
                FAL__TRY(product_whole(a, b, &tile, error));
            else
                product_real(a, b, &tile);
        }
    return FAL_OK;
}
