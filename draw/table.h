/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * table.h: matrices and vectors whose rows and columns stand for cells of tensors.
 *
 * A side of n rows that runs over the axes (2, 3, 3) is labelled 0,0,0 0,0,1 ... 1,2,2, with a line after
 * every third row and a stronger one after every ninth: the blocks of the kernel matrix.
 */
#ifndef FALTUNG_DRAW_TABLE_H
#define FALTUNG_DRAW_TABLE_H

#include "draw/view_parts.h"

/* The axes that rows or columns run over; rank 0: no labels. */
typedef struct draw_side {
    int32_t rank;
    int64_t axes[5], from[5]; /* sizes, and the index of the first cell */
} draw_side;

typedef struct draw_table {
    const char *title;
    const draw_look *look;
    fal_tensor values; /* rank 2 */
    draw_side rows, columns;
    draw_role role;      /* of its cells */
    const int32_t *taps; /* NULL, or for every cell the number of the weight that stands there; -1: none,
                            a zero; -2: a sum of several */
    draw_side kernel;    /* what those numbers run over */
    double x, y, cell, width, height;
    double left, top; /* of labels */
    double low, high; /* numbers at the ends of a heat map's scale */
} draw_table;

/* The cells of image 0 of a tensor in the order of its own axes; axes of one element are left out. */
draw_side draw_side_of(const fal_tensor *t, int32_t first);
/* Sizes; the place is the caller's. `cell` 0: what the numbers need. */
void draw_table_measure(draw_table *table, double cell);
double draw_table_cell(const draw_table *table);
/* The least and the largest number, in words. */
void draw_table_range(const fal_tensor *values, char low[DRAW_NUMBER], char high[DRAW_NUMBER]);
draw_box draw_table_box(const draw_table *table, int64_t row, int64_t column);
/* Title, labels, cells and block lines; `empty`: without numbers. */
void draw_table_grid(draw_figure *figure, const draw_table *table, bool empty);
void draw_table_value(draw_figure *figure, const draw_table *table, int64_t row, int64_t column);
/* A cell marked with a style, with its number again. */
void draw_table_mark(draw_figure *figure, const draw_table *table, int64_t row, int64_t column,
                     const draw_style *style);
/* An outline around rows and columns. */
void draw_table_outline(draw_figure *figure, const draw_table *table, int64_t row, int64_t rows,
                        int64_t column, int64_t columns);

#endif
