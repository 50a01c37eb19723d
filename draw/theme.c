/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * theme.c: three tables of colours.
 *
 * Light and dark are the palette of M. Okabe and K. Ito, "Color Universal Design" (2008). The heat scale is
 * cividis (J. R. Nunez, C. R. Anderton, R. S. Renslow, 2018) at nine places, whose lightness rises evenly
 * and which looks the same to people who do not tell red from green. The diverging scale runs from Okabe and
 * Ito's blue over paper to their vermillion.
 */
#include "draw/theme.h"

#include <math.h>

static const draw_rgb colours[DRAW_THEMES][DRAW_ROLES] = {
    [DRAW_LIGHT] = {[DRAW_PAPER] = {255, 255, 255},
                    [DRAW_INK] = {26, 26, 26},
                    [DRAW_FAINT] = {95, 95, 95},
                    [DRAW_BORDER] = {70, 70, 70},
                    [DRAW_INPUT] = {86, 180, 233},
                    [DRAW_KERNEL] = {230, 159, 0},
                    [DRAW_OUTPUT] = {0, 158, 115},
                    [DRAW_GHOST] = {240, 240, 240},
                    [DRAW_ZERO] = {250, 250, 250},
                    [DRAW_ACCENT] = {213, 94, 0},
                    [DRAW_GROUP + 0] = {86, 180, 233},
                    [DRAW_GROUP + 1] = {230, 159, 0},
                    [DRAW_GROUP + 2] = {0, 158, 115},
                    [DRAW_GROUP + 3] = {204, 121, 167},
                    [DRAW_GROUP + 4] = {240, 228, 66},
                    [DRAW_GROUP + 5] = {0, 114, 178},
                    [DRAW_GROUP + 6] = {213, 94, 0},
                    [DRAW_GROUP + 7] = {153, 153, 153}},
    [DRAW_DARK] = {[DRAW_PAPER] = {24, 26, 30},
                   [DRAW_INK] = {236, 236, 236},
                   [DRAW_FAINT] = {168, 168, 168},
                   [DRAW_BORDER] = {190, 190, 190},
                   [DRAW_INPUT] = {34, 110, 160},
                   [DRAW_KERNEL] = {190, 124, 0},
                   [DRAW_OUTPUT] = {0, 124, 90},
                   [DRAW_GHOST] = {46, 49, 54},
                   [DRAW_ZERO] = {34, 36, 41},
                   [DRAW_ACCENT] = {255, 138, 60},
                   [DRAW_GROUP + 0] = {34, 110, 160},
                   [DRAW_GROUP + 1] = {190, 124, 0},
                   [DRAW_GROUP + 2] = {0, 124, 90},
                   [DRAW_GROUP + 3] = {168, 88, 132},
                   [DRAW_GROUP + 4] = {150, 140, 20},
                   [DRAW_GROUP + 5] = {20, 80, 130},
                   [DRAW_GROUP + 6] = {170, 72, 0},
                   [DRAW_GROUP + 7] = {105, 105, 105}},
    [DRAW_PRINT] = {[DRAW_PAPER] = {255, 255, 255},
                    [DRAW_INK] = {0, 0, 0},
                    [DRAW_FAINT] = {80, 80, 80},
                    [DRAW_BORDER] = {0, 0, 0},
                    [DRAW_INPUT] = {232, 232, 232},
                    [DRAW_KERNEL] = {178, 178, 178},
                    [DRAW_OUTPUT] = {208, 208, 208},
                    [DRAW_GHOST] = {255, 255, 255},
                    [DRAW_ZERO] = {255, 255, 255},
                    [DRAW_ACCENT] = {0, 0, 0},
                    [DRAW_GROUP + 0] = {240, 240, 240},
                    [DRAW_GROUP + 1] = {190, 190, 190},
                    [DRAW_GROUP + 2] = {220, 220, 220},
                    [DRAW_GROUP + 3] = {165, 165, 165},
                    [DRAW_GROUP + 4] = {248, 248, 248},
                    [DRAW_GROUP + 5] = {205, 205, 205},
                    [DRAW_GROUP + 6] = {230, 230, 230},
                    [DRAW_GROUP + 7] = {178, 178, 178}},
};

/* Print tells roles apart without a second colour. Light and dark leave the hatch to the view. */
static const draw_hatch print_hatches[DRAW_ROLES] = {
    [DRAW_KERNEL] = DRAW_HATCH_RISING,     [DRAW_OUTPUT] = DRAW_HATCH_DOTS,
    [DRAW_GROUP + 1] = DRAW_HATCH_RISING,  [DRAW_GROUP + 2] = DRAW_HATCH_DOTS,
    [DRAW_GROUP + 3] = DRAW_HATCH_FALLING, [DRAW_GROUP + 4] = DRAW_HATCH_LEVEL,
    [DRAW_GROUP + 5] = DRAW_HATCH_UPRIGHT, [DRAW_GROUP + 6] = DRAW_HATCH_GRID,
    [DRAW_GROUP + 7] = DRAW_HATCH_CROSSED,
};

enum { HEAT_PLACES = 9 };
static const draw_rgb heat[HEAT_PLACES] = {
    {0, 32, 76},     {0, 48, 111},    {57, 71, 109},   {87, 92, 109},  {112, 113, 115},
    {138, 134, 120}, {166, 157, 117}, {196, 181, 108}, {255, 233, 69},
};

static draw_rgb mix(draw_rgb a, draw_rgb b, double share)
{
    return (draw_rgb){(uint8_t)lround(a.r + share * (b.r - a.r)), (uint8_t)lround(a.g + share * (b.g - a.g)),
                      (uint8_t)lround(a.b + share * (b.b - a.b))};
}

static double clip(double x, double low, double high)
{
    return x > low ? (x < high ? x : high) : low; /* low for what is not a number */
}

static draw_rgb heat_at(draw_theme theme, double level)
{
    level = clip(level, 0, 1);
    if (theme == DRAW_PRINT) return mix((draw_rgb){250, 250, 250}, (draw_rgb){60, 60, 60}, level);
    const double place = level * (HEAT_PLACES - 1);
    const int below = place >= HEAT_PLACES - 1 ? HEAT_PLACES - 2 : (int)place;
    return mix(heat[below], heat[below + 1], place - below);
}

static draw_rgb diverging_at(draw_theme theme, double level)
{
    const draw_rgb paper = colours[theme][DRAW_PAPER];
    level = clip(level, -1, 1);
    if (theme == DRAW_PRINT) return mix((draw_rgb){250, 250, 250}, (draw_rgb){90, 90, 90}, fabs(level));
    return level < 0 ? mix(paper, (draw_rgb){0, 114, 178}, -level)
                     : mix(paper, (draw_rgb){213, 94, 0}, level);
}

draw_rgb draw_theme_rgb(draw_theme theme, draw_paint paint)
{
    if (paint.role == DRAW_NOTHING) return (draw_rgb){0, 0, 0};
    if (paint.role == DRAW_HEAT) return heat_at(theme, paint.level);
    if (paint.role == DRAW_DIVERGING) return diverging_at(theme, paint.level);
    const double share = paint.level == 0 ? 1 : clip(paint.level, 0, 1);
    return mix(colours[theme][DRAW_PAPER], colours[theme][paint.role], share);
}

draw_hatch draw_theme_hatch(draw_theme theme, draw_paint fill)
{
    if (theme == DRAW_PRINT && fill.role == DRAW_DIVERGING && fill.level < 0) return DRAW_HATCH_FALLING;
    const draw_hatch hatch = theme == DRAW_PRINT ? print_hatches[fill.role] : DRAW_HATCH_NONE;
    return hatch == DRAW_HATCH_ROLE ? DRAW_HATCH_NONE : hatch;
}

/* Relative luminance as WCAG 2 defines it. */
static double luminance(draw_rgb colour)
{
    const double parts[3] = {colour.r / 255.0, colour.g / 255.0, colour.b / 255.0};
    const double weights[3] = {0.2126, 0.7152, 0.0722};
    double sum = 0;
    for (int i = 0; i < 3; i++)
        sum += weights[i] * (parts[i] <= 0.03928 ? parts[i] / 12.92 : pow((parts[i] + 0.055) / 1.055, 2.4));
    return sum;
}

double draw_rgb_contrast(draw_rgb a, draw_rgb b)
{
    const double x = luminance(a), y = luminance(b);
    return (fmax(x, y) + 0.05) / (fmin(x, y) + 0.05);
}

draw_paint draw_theme_text_on(draw_theme theme, draw_paint fill)
{
    if (fill.role == DRAW_NOTHING) return DRAW_PAINT(DRAW_INK);
    const draw_rgb under = draw_theme_rgb(theme, fill);
    const double ink = draw_rgb_contrast(under, colours[theme][DRAW_INK]);
    const double paper = draw_rgb_contrast(under, colours[theme][DRAW_PAPER]);
    return DRAW_PAINT(ink >= paper ? DRAW_INK : DRAW_PAPER);
}
