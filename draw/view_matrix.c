/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * view_matrix.c: the operator as a matrix: y = F x, and beside it z = F' y.
 *
 *     [ F ] [x] = [y]      [ F' ] [y] = [z]
 *
 * F is that of `faltung matrix`. Equal colours are equal taps; lines divide the blocks, a row of the image
 * each. z is what the operator's transpose makes of y: the reason for the name. A step is a row of F.
 */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "draw/table.h"

enum { F, X, Y, FT, YT, Z, TABLES };

typedef struct matrix_view {
    draw_table table[TABLES];
    char title[TABLES][80];
    int32_t *taps, *taps_transposed;
    double width, bottom, words;
    bool placed;
} matrix_view;

static fal_status column(draw_scene *scene, fal_dtype dtype, int64_t count, fal_tensor *out, fal_error *error)
{
    const int64_t shape[2] = {count, 1};
    return draw_scene_tensor(scene, dtype, 2, shape, out, error);
}

/* Which weight stands where. */
static fal_status find_taps(draw_scene *scene, matrix_view *m, int64_t rows, int64_t columns, int64_t entries,
                            fal_error *error)
{
    void *memory;
    fal_matrix_entry *list;
    int64_t count;
    DRAW_TRY(draw_scene_alloc(scene, entries, sizeof *list, &memory, error));
    list = memory;
    DRAW_TRY(fal_matrix_sparse(&scene->geometry, list, entries, &count, error));
    DRAW_TRY(draw_scene_alloc(scene, 2 * rows * columns, sizeof(int32_t), &memory, error));
    m->taps = memory;
    m->taps_transposed = m->taps + rows * columns;
    for (int64_t i = 0; i < 2 * rows * columns; i++) m->taps[i] = -1;
    for (int64_t i = 0; i < count; i++) {
        int32_t *here = &m->taps[list[i].row * columns + list[i].column];
        int32_t *there = &m->taps_transposed[list[i].column * rows + list[i].row];
        *here = *there = *here == -1 ? (int32_t)list[i].weight : -2;
    }
    return FAL_OK;
}

/* The output channel of a row of F. */
static int64_t channel_of(const draw_scene *scene, int64_t rows, int64_t row)
{
    const fal_conv_geometry *g = &scene->geometry;
    return g->layout == FAL_NHWC ? row % g->out_channels : row / (rows / g->out_channels);
}

static void add_bias(const draw_scene *scene, const fal_tensor *y)
{
    for (int64_t row = 0; row < y->shape[0]; row++) {
        const int64_t at[2] = {row, 0}, oc = channel_of(scene, y->shape[0], row);
        fal_tensor_set(y, at, fal_tensor_get(y, at) + fal_tensor_get(&scene->problem.bias, &oc));
    }
}

static fal_status multiply(draw_scene *scene, matrix_view *m, int64_t rows, int64_t columns, fal_error *error)
{
    const draw_problem *p = &scene->problem;
    const fal_tensor *x = &p->x;
    const int64_t shape[2] = {rows, columns}, flat[2] = {columns, 1};
    const int32_t swap[2] = {1, 0}, batch = x->rank > scene->geometry.spatial + 1 ? 1 : 0;
    fal_tensor f, image = *x, copy, ones, y, z;
    DRAW_TRY(draw_scene_tensor(scene, x->dtype, 2, shape, &f, error));
    DRAW_TRY(fal_matrix_dense(&scene->geometry, &p->w, &f, error));
    if (batch) image.shape[0] = 1;
    DRAW_TRY(draw_scene_tensor(scene, x->dtype, image.rank, image.shape, &copy, error));
    DRAW_TRY(fal_tensor_copy(&image, &copy, error));
    DRAW_TRY(fal_tensor_reshape(&copy, 2, flat, &ones, error));
    DRAW_TRY(column(scene, x->dtype, rows, &y, error));
    DRAW_TRY(fal_matmul(&f, &ones, &y, error));
    if (p->bias.rank > 0) add_bias(scene, &y);
    DRAW_TRY(column(scene, x->dtype, columns, &z, error));
    m->table[F].values = f;
    DRAW_TRY(fal_tensor_permute(&f, swap, &m->table[FT].values, error));
    DRAW_TRY(fal_matmul(&m->table[FT].values, &y, &z, error));
    m->table[X].values = ones;
    m->table[Y].values = m->table[YT].values = y;
    m->table[Z].values = z;
    return FAL_OK;
}

static void name(const draw_view *view, matrix_view *m, int which, draw_role role, const char *what)
{
    draw_table *t = &m->table[which];
    if (t->values.shape[1] > 1)
        snprintf(m->title[which], sizeof m->title[which], "%s, %" PRId64 "x%" PRId64, what,
                 t->values.shape[0], t->values.shape[1]);
    else
        snprintf(m->title[which], sizeof m->title[which], "%s", what);
    if (view->look.heatmap && t->values.shape[1] == 1) {
        char low[DRAW_NUMBER], high[DRAW_NUMBER];
        draw_table_range(&t->values, low, high);
        snprintf(m->title[which], sizeof m->title[which], "%s: %s to %s", what, low, high);
    }
    t->title = m->title[which];
    t->look = &view->look;
    t->role = role;
}

static void arrange(draw_view *view)
{
    matrix_view *m = view->own;
    double cell = 0, x = 0, tallest = 0;
    for (int i = 0; i < TABLES; i++) cell = fmax(cell, draw_table_cell(&m->table[i]));
    if (view->look.heatmap) cell = draw_table_cell(&m->table[F]);
    for (int i = 0; i < TABLES; i++) {
        draw_table_measure(&m->table[i], cell);
        tallest = fmax(tallest, m->table[i].height);
    }
    for (int i = 0; i < TABLES; i++) {
        m->table[i].x = x;
        m->table[i].y = (tallest - m->table[i].height) / 2;
        x += m->table[i].width + (i == X || i == YT ? 40 : i == Y ? 64 : 22);
    }
    m->width = fmax(x - 22, 460);
    m->bottom = tallest;
}

static fal_status prepare(draw_view *view, const draw_problem *problem, fal_error *error)
{
    matrix_view *m = view->own;
    int64_t rows, columns, entries;
    draw_problem plain = *problem;
    if (plain.op == DRAW_OP_CONV_TRANSPOSE) plain.op = DRAW_OP_SCATTER; /* without zeros between */
    DRAW_TRY(draw_scene_create(&plain, &view->scene, error));
    const fal_conv_geometry *g = &view->scene->geometry;
    DRAW_TRY(fal_matrix_shape(g, &rows, &columns, &entries, error));
    if (rows > INT32_MAX / 4 / (columns ? columns : 1))
        return draw_fail(error, FAL_E_LIMIT, NULL, "a matrix of %" PRId64 " x %" PRId64 " cannot be read",
                         rows, columns);
    DRAW_TRY(draw_readable(&view->look, 2 * rows * columns, rows > columns ? rows : columns, error));
    DRAW_TRY(find_taps(view->scene, m, rows, columns, entries, error));
    DRAW_TRY(multiply(view->scene, m, rows, columns, error));
    fal_tensor y;
    DRAW_TRY(fal_conv_output_shape(g->transposed, &problem->x, &problem->w, &problem->params, &y, error));
    const int32_t first = g->batched ? 1 : 0;
    const draw_side in = draw_side_of(&problem->x, first), out = draw_side_of(&y, first);
    m->table[F].rows = m->table[Y].rows = m->table[FT].columns = m->table[YT].rows = out;
    m->table[F].columns = m->table[X].rows = m->table[FT].rows = m->table[Z].rows = in;
    m->table[F].taps = m->taps;
    m->table[FT].taps = m->taps_transposed;
    m->table[F].kernel = m->table[FT].kernel = draw_side_of(&problem->w, 0);
    name(view, m, F, DRAW_KERNEL, "F");
    name(view, m, X, DRAW_INPUT, "x");
    name(view, m, Y, DRAW_OUTPUT, "y");
    name(view, m, FT, DRAW_KERNEL, "F transposed");
    name(view, m, YT, DRAW_OUTPUT, "y");
    name(view, m, Z, DRAW_INPUT, "z");
    arrange(view);
    view->steps = rows;
    view->usual = -1;
    return FAL_OK;
}

/* ---- Drawing ---- */

/* What the two products are. */
static const char *meaning(const draw_scene *scene)
{
    const fal_padding_mode mode = scene->geometry.padding_mode;
    if (scene->geometry.transposed)
        return "y = F x is the transposed convolution; z = F' y, with F transposed, is the convolution that "
               "it "
               "belongs to.";
    if (mode == FAL_PAD_ZEROS)
        return "y = F x is the convolution; z = F' y, with F transposed, is the transposed convolution of y.";
    if (mode == FAL_PAD_CONSTANT)
        return "y = F x is the convolution without its constant border, which adds to y as a bias does.";
    return "y = F x is the convolution; where the border repeats a cell its taps are added. z = F' y is what "
           "reaches "
           "the input when y is its gradient.";
}

static void background(draw_view *view, draw_figure *figure)
{
    matrix_view *m = view->own;
    const draw_scene *scene = view->scene;
    const draw_text_style big = {.size = 20, .anchor = DRAW_MIDDLE, .centred = true};
    char title[DRAW_WORDS];
    snprintf(title, sizeof title, "%s as a matrix", scene->problem.title);
    const double top = draw_heading(figure, 0, 0, m->width, title, scene->title) + 4;
    for (int i = 0; i < TABLES && !m->placed; i++) m->table[i].y += top;
    if (!m->placed) m->bottom += top;
    m->placed = true;
    for (int i = 0; i < TABLES; i++) draw_table_grid(figure, &m->table[i], i == Y);
    for (int i = X; i <= YT; i += YT - X) {
        const draw_table *left = &m->table[i], *right = &m->table[i + 1];
        const draw_box box = draw_table_box(left, left->values.shape[0], 1);
        draw_text(figure, (left->x + left->width + right->x) / 2 + 2, (left->y + left->top + box.y) / 2, &big,
                  "=");
    }
    const draw_style zero = {.fill = DRAW_PAINT(DRAW_ZERO), .stroke = DRAW_PAINT(DRAW_FAINT), .width = 0.4};
    const draw_key keys[] = {
        {{.fill = DRAW_TINT(DRAW_GROUP, 0.55), .hatch = DRAW_HATCH_NONE, .stroke = DRAW_PAINT(DRAW_BORDER)},
         view->look.heatmap ? "a tap of the kernel; one colour, one tap"
                            : "a tap of the kernel, with its index"},
        {zero, "no tap: 0"},
        {{.stroke = DRAW_PAINT(DRAW_INK), .width = 1.6}, "a block: one row of the image"}};
    const bool blocks = scene->geometry.spatial > 1 && m->table[F].cell >= 8;
    double y = draw_legend(figure, 0, m->bottom + 26, m->width, keys, blocks ? 3 : 2);
    y = draw_words(figure, 0, y + 4, m->width, DRAW_INK, meaning(scene));
    if (scene->problem.bias.rank > 0)
        y = draw_words(figure, 0, y + 4, m->width, DRAW_INK,
                       "To y the bias of every channel is added: y = F x + b.");
    for (int i = 0; i < scene->captions; i++)
        y = draw_words(figure, 0, y + 4, m->width, DRAW_INK, scene->caption[i]);
    m->words = y + 6;
}

/* "y[0,1] = 2*1 + ..." from row n of F and x. */
static fal_status say_row(draw_view *view, int64_t n, fal_error *error)
{
    const matrix_view *m = view->own;
    draw_scene *scene = view->scene;
    const int64_t columns = m->table[F].values.shape[1];
    char text[DRAW_NUMBER];
    bool first = true;
    if (scene->sum != NULL) scene->sum[0] = '\0';
    DRAW_TRY(draw_say(scene, error, "row %" PRId64 ": y", n));
    if (scene->problem.bias.rank > 0) {
        const int64_t oc = channel_of(scene, m->table[F].values.shape[0], n);
        draw_number(text, fal_tensor_get(&scene->problem.bias, &oc));
        DRAW_TRY(draw_say(scene, error, " = %s", text));
        first = false;
    }
    for (int64_t c = 0; c < columns; c++) {
        if (m->taps[n * columns + c] == -1) continue;
        const double f = fal_tensor_get(&m->table[F].values, (const int64_t[]){n, c});
        DRAW_TRY(draw_say_product(scene, first, f,
                                  fal_tensor_get(&m->table[X].values, (const int64_t[]){c, 0}), error));
        first = false;
    }
    draw_number(text, fal_tensor_get(&m->table[Y].values, (const int64_t[]){n, 0}));
    return draw_say(scene, error, " = %s", text);
}

static fal_status frame(draw_view *view, draw_figure *figure, int64_t step, bool alone, fal_error *error)
{
    const matrix_view *m = view->own;
    const int64_t rows = m->table[F].values.shape[0], columns = m->table[F].values.shape[1];
    const draw_style focus = draw_style_focus(), tap = draw_style_tap(DRAW_INPUT);
    for (int64_t r = 0; r < rows; r++)
        if (alone || r <= step) draw_table_value(figure, &m->table[Y], r, 0);
    if (step < 0) return FAL_OK;
    if (step >= rows)
        return draw_fail(error, FAL_E_VALUE, "step", "step %" PRId64 " of %" PRId64, step, rows);
    for (int64_t c = 0; c < columns; c++)
        if (m->taps[step * columns + c] != -1) draw_table_mark(figure, &m->table[X], c, 0, &tap);
    draw_table_mark(figure, &m->table[Y], step, 0, &focus);
    draw_table_mark(figure, &m->table[YT], step, 0, &focus);
    draw_table_outline(figure, &m->table[F], step, 1, 0, columns);
    draw_table_outline(figure, &m->table[FT], 0, columns, step, 1);
    DRAW_TRY(say_row(view, step, error));
    draw_words(figure, 0, m->words, m->width, DRAW_INK, view->scene->sum);
    return FAL_OK;
}

static void describe(const draw_view *view, draw_figure *figure)
{
    const matrix_view *m = view->own;
    char text[2 * DRAW_WORDS];
    snprintf(text, sizeof text,
             "%s, %s. The kernel matrix F with %" PRId64 " rows and %" PRId64
             " columns, the products y = F x and z = F transposed y.",
             view->scene->problem.title, view->scene->title, m->table[F].values.shape[0],
             m->table[F].values.shape[1]);
    draw_figure_describe(figure, "The kernel matrix", text);
}

static const draw_view_kind kind = {
    .bytes = sizeof(matrix_view), .background = background, .frame = frame, .describe = describe};

fal_status draw_view_matrix(const draw_problem *problem, const draw_look *look, draw_view **view,
                            fal_error *error)
{
    DRAW_TRY(draw_view_new(&kind, look, view, error));
    return draw_view_done(view, prepare(*view, problem, error));
}
