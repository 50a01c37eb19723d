/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * animation.c: a background and its frames.
 */
#include <math.h>
#include <stdlib.h>

#include "draw/items.h"

draw_animation *draw_animation_create(draw_theme theme)
{
    draw_animation *animation = calloc(1, sizeof *animation);
    if (animation == NULL) return NULL;
    animation->swallower.theme = theme;
    animation->swallower.status = FAL_E_NOMEM;
    animation->background = draw_figure_create(theme);
    if (animation->background == NULL) {
        free(animation);
        return NULL;
    }
    return animation;
}

void draw_animation_free(draw_animation *animation)
{
    if (animation == NULL) return;
    draw_figure_free(animation->background);
    for (size_t i = 0; i < animation->count; i++) draw_figure_free(animation->frames[i].figure);
    free(animation->frames);
    free(animation->swallower.title); /* it may have been described */
    free(animation->swallower.description);
    free(animation);
}

draw_figure *draw_animation_background(draw_animation *animation)
{
    return animation->background;
}

draw_figure *draw_animation_frame(draw_animation *animation, double seconds)
{
    draw_figure *figure = NULL;
    if (!(seconds > 0) || !isfinite(seconds)) seconds = 1;
    if (draw_grow((void **)&animation->frames, &animation->capacity, animation->count + 1,
                  sizeof *animation->frames))
        figure = draw_figure_create(animation->background->theme);
    if (figure == NULL) {
        animation->status = FAL_E_NOMEM;
        return &animation->swallower;
    }
    animation->frames[animation->count++] = (draw_frame){figure, seconds};
    return figure;
}

void draw_animation_still(draw_animation *animation, size_t frame)
{
    animation->still = frame;
}

static draw_box join(draw_box a, draw_box b)
{
    if (a.width <= 0 && a.height <= 0) return b;
    if (b.width <= 0 && b.height <= 0) return a;
    double left = fmin(a.x, b.x), top = fmin(a.y, b.y);
    return (draw_box){left, top, fmax(a.x + a.width, b.x + b.width) - left,
                      fmax(a.y + a.height, b.y + b.height) - top};
}

void draw_animation_fit(draw_animation *animation, double margin)
{
    draw_box box = draw_figure_bounds(animation->background);
    for (size_t i = 0; i < animation->count; i++)
        box = join(box, draw_figure_bounds(animation->frames[i].figure));
    draw_figure_view(animation->background, (draw_box){box.x - margin, box.y - margin, box.width + 2 * margin,
                                                       box.height + 2 * margin});
}

fal_status draw_animation_status(const draw_animation *animation)
{
    if (animation == NULL) return FAL_E_NOMEM;
    fal_status status = animation->status;
    if (status == FAL_OK) status = animation->background->status;
    for (size_t i = 0; i < animation->count && status == FAL_OK; i++)
        status = animation->frames[i].figure->status;
    return status;
}

size_t draw_animation_count(const draw_animation *animation)
{
    return animation->count;
}
