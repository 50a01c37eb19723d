/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * scene.h: an operator at work, as cells that can be drawn.
 *
 * A scene holds up to three sheets (what is read, the weight, the result) and can be asked for its steps:
 * which cells meet in output n. Where cells meet comes from the index map of faltung.h, every number from
 * the library's own operators; the views turn both into figures and know no operator.
 *
 *     draw_scene *scene;
 *     draw_scene_create(&problem, &scene, &error);
 *     for (int64_t n = 0; n < scene->steps; n++) {
 *         draw_scene_step(scene, n, &error);       // scene->marks, scene->sum
 *         ...
 *     }
 *     draw_scene_destroy(scene);
 */
#ifndef FALTUNG_DRAW_SCENE_H
#define FALTUNG_DRAW_SCENE_H

#include "faltung.h"

typedef enum draw_operator {
    DRAW_OP_CONV,           /* y from x and w */
    DRAW_OP_CONV_TRANSPOSE, /* the same, as a convolution of x with zeros between its cells */
    DRAW_OP_SCATTER,        /* the same, as every input spreading the kernel over the result */
    DRAW_OP_GRAD_INPUT,     /* gx from gy and w, for the convolution */
    DRAW_OP_GRAD_WEIGHT,    /* gw from x and gy */
    DRAW_OP_GATHER_INPUT,   /* gx from gy and w, for the transposed convolution */
    DRAW_OP_GATHER_WEIGHT,  /* gw from gy and x */
    DRAW_OP_POOL,           /* y from x */
    DRAW_OP_DEFORM,         /* y from x and w, the taps moved by offsets */
    DRAW_OP_PAD,            /* y from x: nothing but the border */
    DRAW_OP_FOLD,           /* an image from the columns x */
    DRAW_OP_UNPOOL          /* y from the maxima x and where they stood */
} draw_operator;

/* What the caller brings: operands with data, parameters, and the size formula of each axis in words. */
typedef struct draw_problem {
    draw_operator op;
    fal_tensor x, w;         /* w: rank 0 for pooling and padding */
    fal_tensor bias;         /* rank 0: none */
    fal_tensor gy;           /* gradients: what arrives at y */
    fal_tensor offset, mask; /* deformable: mask of rank 0: none */
    fal_tensor image;        /* fold, unpooling: the result's shape, without data */
    fal_tensor indices;      /* unpooling */
    fal_conv_params params;  /* padding only: padding_begin, padding_end and the mode are read */
    fal_pool_params pool;
    int64_t offset_groups;
    const char *title;                    /* "convolution" */
    const char *formula[FAL_MAX_SPATIAL]; /* NULL: the sizes follow from none */
} draw_problem;

/* A tensor as planes of cells: of one image, always with three axes of space, the missing ones of size 1.
 * A cell's position on an axis is its index times `spread`; positions before 0 and after the last cell
 * belong to the ring. */
typedef struct draw_sheet {
    char name[16];         /* "x" */
    char title[64];        /* "input x, 2x5x5" */
    fal_tensor values;     /* (outer, inner, depth, rows, columns), any strides */
    int32_t spatial;       /* axes that the tensor has */
    bool weight;           /* planes lie in a table: see draw_sheet_place */
    bool transposed;       /* its outer channels are the rows of that table */
    int64_t groups;        /* of the channels */
    int64_t across;        /* planes in a row; 0: one below the other */
    int64_t size[3];       /* cells */
    int64_t spread[3];     /* 1: neighbours touch; s: s-1 zeros lie between them */
    int64_t before[3];     /* positions of the ring; negative: cells that are cropped */
    int64_t after[3];      /* */
    fal_padding_mode mode; /* what the ring shows */
    double outside;        /* the number in a constant ring */
    bool blank;            /* nothing is written into the ring: what stands there has no number */
    bool cut;              /* the ring holds numbers that the result does not keep */
} draw_sheet;

/* What stands at a position of a sheet. */
typedef enum draw_cell_kind {
    DRAW_IS_CELL,    /* a cell of the tensor */
    DRAW_IS_GHOST,   /* the border shows a cell of the tensor */
    DRAW_IS_OUTSIDE, /* the border shows a number: zero, or padding_value */
    DRAW_IS_BETWEEN, /* a zero between two cells */
    DRAW_IS_CROPPED  /* a cell that negative padding takes away */
} draw_cell_kind;

typedef struct draw_cell {
    draw_cell_kind kind;
    int64_t source[3]; /* CELL, GHOST, CROPPED: the cell that stands here */
    double value;
} draw_cell;

typedef enum draw_mark_kind {
    DRAW_MARK_FOCUS,  /* the cell that a step is about */
    DRAW_MARK_TAP,    /* a cell that takes part */
    DRAW_MARK_MISS,   /* a tap that meets no cell: it adds nothing, or a constant */
    DRAW_MARK_CHOSEN, /* the maximum of a window */
    DRAW_MARK_POINT   /* a sampling point between cells */
} draw_mark_kind;

typedef struct draw_mark {
    draw_mark_kind kind;
    int32_t sheet;
    int64_t plane, at[3];
    double point[2]; /* POINT: row and column */
    double note;     /* the weight that meets the cell; NaN: none */
} draw_mark;

enum {
    DRAW_READ = 0,
    DRAW_WEIGHT = 1,
    DRAW_RESULT = 2,
    DRAW_SHEETS = 3,
    DRAW_WORDS = 256,
    DRAW_CAPTIONS = 8,
    DRAW_PRODUCTS = 32
};

typedef struct draw_scene {
    draw_problem problem;
    fal_conv_geometry geometry;
    const fal_axis *said;          /* the parameters that the title names; NULL: those of the geometry */
    draw_sheet sheet[DRAW_SHEETS]; /* one without values is not drawn */
    const char *joint[2];          /* what stands between the sheets: "*", "=" */
    int64_t steps;
    bool scatter; /* every step changes the whole result; else step n is result cell n */
    char title[DRAW_WORDS];
    char caption[DRAW_CAPTIONS][DRAW_WORDS];
    int captions;

    /* The step that was asked for last. */
    int64_t step;
    draw_mark *marks;
    int64_t mark_count, mark_capacity;
    char *sum; /* "y[0,1] = 2*1 + 3*(-1) = -1" */
    size_t sum_capacity;
    int64_t products; /* said in sum; after DRAW_PRODUCTS of them an ellipsis stands for the rest */

    struct draw_block *blocks; /* memory that lives as long as the scene */
    void *detail;              /* the operator's own */
} draw_scene;

enum { DRAW_MOST_NUMBERS = 1 << 20 }; /* of an operand or result; what can be read is much less */
/* Refuses a tensor with more; only its shape is read. */
fal_status draw_small_enough(const fal_tensor *t, fal_error *error);

fal_status draw_scene_create(const draw_problem *problem, draw_scene **scene, fal_error *error);
void draw_scene_destroy(draw_scene *scene); /* NULL is fine */
/* Fills marks and sum for step n of 0..steps-1; a scatter scene also makes the result's numbers those
 * after step n. */
fal_status draw_scene_step(draw_scene *scene, int64_t n, fal_error *error);

/* ---- sheets ---- */

/* The first and one past the last position that is drawn. */
int64_t draw_sheet_first(const draw_sheet *sheet, int32_t axis);
int64_t draw_sheet_end(const draw_sheet *sheet, int32_t axis);
draw_cell draw_sheet_cell(const draw_sheet *sheet, int64_t plane, const int64_t at[3]);
int64_t draw_sheet_planes(const draw_sheet *sheet);
/* Walks over everything that is drawn, ring included, row by row; false when there is nothing (more). */
bool draw_sheet_begin(const draw_sheet *sheet, int64_t *plane, int64_t at[3]);
bool draw_sheet_next(const draw_sheet *sheet, int64_t *plane, int64_t at[3]);
/* Row and column of a plane among the planes. Channels lie below each other; the kernels of a weight
 * form a table of input channels (rows) by output channels (columns), of which groups fill blocks. */
void draw_sheet_place(const draw_sheet *sheet, int64_t plane, int64_t *row, int64_t *column);
/* The group of a plane. */
int64_t draw_sheet_group(const draw_sheet *sheet, int64_t plane);
/* The number of the result's cell in the order of the steps. */
int64_t draw_sheet_order(const draw_sheet *sheet, int64_t plane, const int64_t at[3]);

/* ---- numbers in words ---- */

enum { DRAW_NUMBER = 32 };
/* The text of a number in a cell: whole numbers as they are, others with four digits. */
void draw_number(char text[DRAW_NUMBER], double value);

#endif
