/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * view_parts.h: what the views are made of: grids of cells with their labels, and the text around them.
 */
#ifndef FALTUNG_DRAW_VIEW_PARTS_H
#define FALTUNG_DRAW_VIEW_PARTS_H

#include "draw/scene_parts.h"
#include "draw/view.h"

/* A view: `frame` draws what changes with the step, -1 for none. `alone`: in a still, where the whole
 * result is shown. */
typedef struct draw_view_kind {
    size_t bytes; /* of its own */
    void (*background)(draw_view *view, draw_figure *figure);
    fal_status (*frame)(draw_view *view, draw_figure *figure, int64_t step, bool alone, fal_error *error);
    void (*describe)(const draw_view *view, draw_figure *figure);
    void (*release)(draw_view *view); /* of what `own` points to; may be NULL */
} draw_view_kind;

struct draw_view {
    const draw_view_kind *kind;
    draw_look look;
    int64_t steps, usual;
    draw_scene *scene; /* may be NULL */
    void *own;         /* freed with the view */
};

/* How a view opens: made, with zeros for its own, then prepared; closed again when that fails.
 *
 *     DRAW_TRY(draw_view_new(&kind, look, view, error));
 *     return draw_view_done(view, prepare(*view, problem, error)); */
fal_status draw_view_new(const draw_view_kind *kind, const draw_look *look, draw_view **view,
                         fal_error *error);
fal_status draw_view_done(draw_view **view, fal_status status);

/* ---- grids ---- */

/* By how much neighbouring cells of a heat map overlap, so that no seams are seen between them. */
#define DRAW_OVERLAP 0.3

/* Where a sheet lies. Planes are pitched so that labels fit between them. */
typedef struct draw_panel {
    const draw_sheet *sheet;
    const draw_look *look;
    draw_role role;             /* of its cells, when they have no groups */
    double x, y, width, height; /* of everything, labels included */
    double cell, pitch_x, pitch_y, slice;
    double shift;     /* of a plane within its pitch */
    int64_t rows;     /* of planes */
    double low, high; /* numbers at the ends of a heat map's scale */
} draw_panel;

/* Sizes of a panel whose place is not yet known. `cell`: the side of a cell. */
void draw_panel_measure(draw_panel *panel, const draw_sheet *sheet, draw_role role, double cell,
                        const draw_look *look);
/* The side that a sheet's numbers need. */
double draw_panel_cell(const draw_sheet *sheet, const draw_look *look);
/* Gives rows of planes the same height in both panels, when there are several. */
void draw_panel_align(draw_panel *a, draw_panel *b);
draw_box draw_panel_box(const draw_panel *panel, int64_t plane, const int64_t at[3]);
/* Title, labels and cells. `empty`: cells of the tensor hold nothing yet. */
void draw_panel_grid(draw_figure *figure, const draw_panel *panel, bool empty);
/* The number of a cell, over the empty grid. */
void draw_panel_value(draw_figure *figure, const draw_panel *panel, int64_t plane, const int64_t at[3]);
/* The marks of the scene's step that belong to sheet number `sheet`, and the outlines of the windows. */
void draw_panel_marks(draw_figure *figure, const draw_panel *panel, const draw_scene *scene, int32_t sheet);

/* The role of a plane's cells: its group's, when there are groups. */
draw_role draw_panel_role(const draw_panel *panel, int64_t plane);
/* Does the sheet's border repeat cells? Then every cell of a plane has a colour of its own, which its copies
 * wear, and copies have the index of their source in a corner. */
bool draw_panel_copies(const draw_sheet *sheet);
draw_paint draw_panel_colour(const int64_t source[3]);
void draw_panel_source(draw_figure *figure, const draw_panel *panel, draw_box box, const int64_t source[3]);

/* ---- heat maps ---- */

/* Finds the numbers at the ends of the scale. */
void draw_heat_scale(draw_panel *panel);
/* What the colours of a plane lie on, seen where there is no number. */
void draw_heat_ground(draw_figure *figure, const draw_panel *panel, int64_t plane);
void draw_heat_cell(draw_figure *figure, const draw_panel *panel, draw_box box, const draw_cell *cell);
/* Which colours are which numbers. */
void draw_heat_key(draw_figure *figure, const draw_panel *panel);

/* ---- one cell ---- */

/* A number in the middle of a box, smaller when it does not fit; `fill` keeps a hatch away from it. */
void draw_cell_text(draw_figure *figure, draw_box box, draw_paint fill, draw_paint paint, double value);
/* Small text in the lower right (or upper left) corner of a box. */
void draw_cell_note(draw_figure *figure, draw_box box, bool upper_left, draw_paint fill, draw_paint paint,
                    const char *text);

/* ---- words ---- */

/* Writes a plain formula as it is printed: minus signs, dots for products, crosses between sizes. */
void draw_typeset(const char *plain, char *text, size_t capacity);
/* Title and captions of a scene at (x, y); returns the y below. */
double draw_heading(draw_figure *figure, double x, double y, double width, const char *title,
                    const char *subtitle);
double draw_words(draw_figure *figure, double x, double y, double width, draw_role role, const char *plain);

/* A sample of a style with its meaning. */
typedef struct draw_key {
    draw_style style;
    const char *text;
} draw_key;
/* Keys in lines of at most `width`; returns the y below. */
double draw_legend(draw_figure *figure, double x, double y, double width, const draw_key *keys, int count);

/* ---- looks that all views share ---- */

draw_style draw_style_tap(draw_role role);
draw_style draw_style_focus(void);
draw_style draw_style_window(void);
draw_style draw_style_plain(draw_role role);
draw_style draw_style_ring(void);
draw_style draw_style_between(void);

/* Refuses what cannot be read at its size; `cells` of all grids and the longest side of one. */
fal_status draw_readable(const draw_look *look, int64_t cells, int64_t longest, fal_error *error);

#endif
