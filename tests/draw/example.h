/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * example.h: a figure with every kind of item and an animation, for the tests of draw/.
 */
#ifndef TESTS_DRAW_EXAMPLE_H
#define TESTS_DRAW_EXAMPLE_H

#include "draw/figure.h"
#include "draw/output.h"

enum { FRAMES = 5, STILL = 3 };

/* 100 x 60 with a margin; every role, hatch, dash, anchor and face. */
static inline void fill_example(draw_figure *figure)
{
    const draw_box clip = {0, 0, 30, 30};
    for (int role = DRAW_PAPER; role < DRAW_ROLES; role++)
        draw_rect(figure, (draw_box){5 * role, 40, 5, 10},
                  &(draw_style){.fill = DRAW_TINT(role, 0.8), .stroke = DRAW_PAINT(DRAW_BORDER)});
    for (int hatch = DRAW_HATCH_ROLE; hatch < DRAW_HATCHES; hatch++)
        draw_rect(figure, (draw_box){10 * hatch, 50, 10, 10},
                  &(draw_style){.fill = DRAW_PAINT(DRAW_INPUT), .hatch = (draw_hatch)hatch, .radius = 2});
    draw_group_begin(figure, 0.5, &clip, "a \"group\"");
    draw_circle(figure, (draw_point){20, 20}, 15, &(draw_style){.fill = DRAW_PAINT(DRAW_KERNEL)});
    draw_group_end(figure);
    draw_line(figure, (draw_point){30, 5}, (draw_point){60, 5},
              &(draw_style){.stroke = DRAW_PAINT(DRAW_INK), .arrow_head = true, .arrow_tail = true});
    draw_curve(figure, (const draw_point[]){{30, 10}, {40, 30}, {50, 0}, {60, 20}},
               &(draw_style){.stroke = DRAW_PAINT(DRAW_ACCENT), .dash = DRAW_DASHED, .arrow_head = true});
    draw_polygon(figure, (const draw_point[]){{70, 5}, {80, 25}, {65, 25}}, 3,
                 &(draw_style){.fill = DRAW_PAINT(DRAW_OUTPUT), .opacity = 0.5, .dash = DRAW_DOTTED});
    draw_text(figure, 30, 35, &(draw_text_style){.size = 9, .face = DRAW_MONO}, "a<b & \"c\"");
    draw_text(figure, 95, 30, &(draw_text_style){.size = 8, .turned = true, .anchor = DRAW_MIDDLE}, "Σ ≤ ∂");
    draw_text(figure, 75, 20,
              &(draw_text_style){.size = 6,
                                 .face = DRAW_SANS_BOLD,
                                 .centred = true,
                                 .anchor = DRAW_END,
                                 .halo = DRAW_PAINT(DRAW_PAPER)},
              "7");
    draw_figure_describe(figure, "Every <kind>", "All items & themes.");
    draw_figure_view(figure, (draw_box){-2, -2, 134, 66});
}

static inline draw_figure *make_example(draw_theme theme)
{
    draw_figure *figure = draw_figure_create(theme);
    if (figure != NULL) fill_example(figure);
    return figure;
}

/* A cell moves over a row; frame i stays i + 1 tenths of a second. */
static inline draw_animation *make_animation(draw_theme theme)
{
    draw_animation *animation = draw_animation_create(theme);
    if (animation == NULL) return NULL;
    for (int i = 0; i < FRAMES; i++)
        draw_rect(draw_animation_background(animation), (draw_box){10 * i, 0, 10, 10},
                  &(draw_style){.fill = DRAW_PAINT(DRAW_INPUT), .stroke = DRAW_PAINT(DRAW_BORDER)});
    for (int i = 0; i < FRAMES; i++) {
        draw_figure *frame = draw_animation_frame(animation, (i + 1) * 0.1);
        draw_rect(frame, (draw_box){10 * i, 0, 10, 10}, &(draw_style){.fill = DRAW_PAINT(DRAW_KERNEL)});
        draw_textf(frame, 10 * i + 5, 5,
                   &(draw_text_style){.size = 8, .anchor = DRAW_MIDDLE, .centred = true}, "%d", i);
        draw_figure_describe(frame, "a <step>", NULL);
    }
    draw_figure_describe(draw_animation_background(animation), "A row", "A cell moves.");
    draw_animation_still(animation, STILL);
    draw_animation_fit(animation, 4);
    return animation;
}

#endif
