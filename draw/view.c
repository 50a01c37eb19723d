/* SPDX-License-Identifier: BSD-3-Clause */
/* view.c: stills and animations of any view; the words and keys around the grids. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "draw/view_parts.h"

fal_status draw_view_new(const draw_view_kind *kind, const draw_look *look, draw_view **view,
                         fal_error *error)
{
    *view = calloc(1, sizeof **view);
    void *own = calloc(1, kind->bytes);
    if (*view == NULL || own == NULL) {
        free(own);
        free(*view);
        *view = NULL;
        return draw_fail(error, FAL_E_NOMEM, NULL, "no memory for the figure");
    }
    (*view)->kind = kind;
    (*view)->look = *look;
    (*view)->own = own;
    return FAL_OK;
}

fal_status draw_view_done(draw_view **view, fal_status status)
{
    if (status == FAL_OK) return FAL_OK;
    draw_view_close(*view);
    *view = NULL;
    return status;
}

void draw_view_close(draw_view *view)
{
    if (view == NULL) return;
    if (view->kind->release != NULL) view->kind->release(view);
    draw_scene_destroy(view->scene);
    free(view->own);
    free(view);
}

int64_t draw_view_steps(const draw_view *view)
{
    return view->steps;
}

int64_t draw_view_usual_step(const draw_view *view)
{
    return view->usual;
}

static fal_status told(fal_status status, fal_error *error)
{
    if (status == FAL_OK) return FAL_OK;
    return draw_fail(error, status, NULL,
                     status == FAL_E_NOMEM ? "no memory for the figure"
                                           : "a place of the figure is not finite");
}

fal_status draw_view_still(draw_view *view, int64_t step, draw_figure **figure, fal_error *error)
{
    draw_figure *f = draw_figure_create(view->look.theme);
    *figure = NULL;
    if (f == NULL) return told(FAL_E_NOMEM, error);
    view->kind->background(view, f);
    fal_status status = view->kind->frame(view, f, step, true, error);
    if (status == FAL_OK) {
        view->kind->describe(view, f);
        draw_figure_fit(f, DRAW_MARGIN);
        status = told(draw_figure_status(f), error);
    }
    if (status != FAL_OK) {
        draw_figure_free(f);
        return status;
    }
    *figure = f;
    return FAL_OK;
}

fal_status draw_view_moving(draw_view *view, double seconds, draw_animation **animation, fal_error *error)
{
    draw_animation *a = draw_animation_create(view->look.theme);
    fal_status status = FAL_OK;
    *animation = NULL;
    if (a == NULL) return told(FAL_E_NOMEM, error);
    view->kind->background(view, draw_animation_background(a));
    for (int64_t n = 0; status == FAL_OK && n < view->steps; n++) {
        /* The last frame stays longer: the result is complete. */
        draw_figure *frame = draw_animation_frame(a, n + 1 < view->steps ? seconds : 2 * seconds);
        status = view->kind->frame(view, frame, n, false, error);
    }
    if (status == FAL_OK) {
        view->kind->describe(view, draw_animation_background(a));
        draw_animation_still(a, (size_t)(view->steps > 0 ? view->steps - 1 : 0));
        draw_animation_fit(a, DRAW_MARGIN);
        status = told(draw_animation_status(a), error);
    }
    if (status != FAL_OK) {
        draw_animation_free(a);
        return status;
    }
    *animation = a;
    return FAL_OK;
}

fal_status draw_readable(const draw_look *look, int64_t cells, int64_t longest, fal_error *error)
{
    const int64_t most = look->heatmap ? 150000 : 3000, side = look->heatmap ? 600 : 64;
    if (cells <= most && longest <= side) return FAL_OK;
    if (longest > side)
        draw_fail(error, FAL_E_LIMIT, NULL, "a grid %" PRId64 " cells long cannot be read", longest);
    else
        draw_fail(error, FAL_E_LIMIT, NULL, "a figure of %" PRId64 " cells cannot be read", cells);
    if (error == NULL) return FAL_E_LIMIT;
    snprintf(error->allowed, sizeof error->allowed, "at most %" PRId64 " cells, %" PRId64 " along a side%s",
             most, side, look->heatmap ? "" : ", are drawn with numbers");
    if (!look->heatmap && cells <= 150000 && longest <= 600)
        snprintf(error->hint, sizeof error->hint, "--heatmap draws it as colours");
    return FAL_E_LIMIT;
}

/* ---- Words -------------------------------------------------------------------------------------- */

static bool digit(char c)
{
    return c >= '0' && c <= '9';
}

void draw_typeset(const char *plain, char *text, size_t capacity)
{
    size_t used = 0;
    for (size_t i = 0; plain[i] != '\0'; i++) {
        const char before = i > 0 ? plain[i - 1] : ' ', after = plain[i + 1];
        const char one[2] = {plain[i], '\0'};
        const char *put = one;
        /* A hyphen between letters stays one. */
        bool word = (before >= 'a' && before <= 'z') && (after >= 'a' && after <= 'z');
        if (plain[i] == '-' && !word) put = "−";
        if (plain[i] == '*') put = "·";
        if (plain[i] == 'x' && digit(before) && digit(after)) put = "×";
        size_t length = strlen(put);
        if (used + length + 1 > capacity) break;
        memcpy(text + used, put, length);
        used += length;
    }
    text[used] = '\0';
}

double draw_words(draw_figure *figure, double x, double y, double width, draw_role role, const char *plain)
{
    const draw_text_style style = {.size = 11, .paint = DRAW_PAINT(role)};
    char text[6144]; /* DRAW_PRODUCTS products are a third of it */
    draw_typeset(plain, text, sizeof text);
    return draw_paragraph(figure, (draw_point){x, y}, width, &style, text);
}

double draw_heading(draw_figure *figure, double x, double y, double width, const char *title,
                    const char *subtitle)
{
    const draw_text_style big = {.size = 15, .face = DRAW_SANS_BOLD};
    char text[3 * DRAW_WORDS];
    draw_typeset(title, text, sizeof text);
    y = draw_paragraph(figure, (draw_point){x, y}, width, &big, text);
    if (subtitle[0] == '\0') return y;
    return draw_words(figure, x, y, width, DRAW_FAINT, subtitle);
}

double draw_legend(draw_figure *figure, double x, double y, double width, const draw_key *keys, int count)
{
    const draw_text_style small = {.size = 10, .centred = true, .paint = DRAW_PAINT(DRAW_FAINT)};
    const double side = 14, line = 22, space = 18;
    double at = x;
    for (int i = 0; i < count; i++) {
        char text[DRAW_WORDS];
        draw_typeset(keys[i].text, text, sizeof text);
        double wide = side + 5 + draw_text_width(&small, text);
        if (at > x && at + wide > x + width) {
            at = x;
            y += line;
        }
        draw_rect(figure, (draw_box){at, y - side / 2, side, side}, &keys[i].style);
        draw_text(figure, at + side + 5, y, &small, text);
        at += wide + space;
    }
    return y + line;
}

/* ---- Styles ------------------------------------------------------------------------------------- */

draw_style draw_style_plain(draw_role role)
{
    return (draw_style){.fill = DRAW_TINT(role, 0.22),
                        .hatch = DRAW_HATCH_NONE,
                        .stroke = DRAW_PAINT(DRAW_BORDER),
                        .width = 0.8};
}

draw_style draw_style_tap(draw_role role)
{
    return (draw_style){.fill = DRAW_TINT(role, 0.85), .stroke = DRAW_PAINT(DRAW_INK), .width = 1.6};
}

draw_style draw_style_focus(void)
{
    return (draw_style){.fill = DRAW_TINT(DRAW_ACCENT, 0.3),
                        .hatch = DRAW_HATCH_NONE,
                        .stroke = DRAW_PAINT(DRAW_ACCENT),
                        .width = 3};
}

draw_style draw_style_window(void)
{
    return (draw_style){.stroke = DRAW_PAINT(DRAW_ACCENT), .width = 2.6};
}

draw_style draw_style_ring(void)
{
    return (draw_style){
        .fill = DRAW_PAINT(DRAW_GHOST), .stroke = DRAW_PAINT(DRAW_FAINT), .width = 0.8, .dash = DRAW_DASHED};
}

draw_style draw_style_between(void)
{
    return (draw_style){
        .fill = DRAW_PAINT(DRAW_ZERO), .stroke = DRAW_PAINT(DRAW_FAINT), .width = 0.8, .dash = DRAW_DOTTED};
}
