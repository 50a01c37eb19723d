/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * svg_animated.c: an animation as one SVG, with style sheets and links instead of scripts, so that it also
 * moves as an image in a page.
 *
 * Every frame is a group that a CSS animation makes visible for its time. All of them run with the period of
 * the whole and start in the past (a negative delay), so that each moment has one visible frame. Where
 * nothing moves (reduced motion is asked for, the page is printed, the viewer knows no animations) the still
 * is what remains visible.
 *
 * Opened by itself or embedded as an object, it has controls, for mouse, touch and keyboard: links to
 * fragments. The element that a fragment names comes before the frames, so a rule for what follows the
 * :target can pause them all (#stop) or show one frame and no other (#s3). As an image in a page the row
 * still shows how far the animation is.
 */
#include "draw/svg.h"

#define BAR_HEIGHT 22.0 /* of the row of controls below the picture */
#define BAR_INDENT 26.0 /* where its steps begin */
#define STEP_GAP   2.0
#define STEP_LEAST 5.0 /* narrower steps are no links: they could not be hit */

/* The timing of an animation. */
typedef struct timing {
    const draw_animation *animation;
    double total;
} timing;

/* Text in which $ stands for the prefix. */
static void put(draw_svg *svg, const char *text)
{
    for (const char *from = text; *from != '\0'; text = from + 1) {
        for (from = text; *from != '\0' && *from != '$';) from++;
        draw_bytes_add(svg->out, text, (size_t)(from - text));
        if (*from == '\0') return;
        draw_bytes_text(svg->out, svg->prefix);
    }
}

static void put_number(draw_svg *svg, const char *before, double number, const char *after)
{
    put(svg, before);
    draw_bytes_number(svg->out, number);
    put(svg, after);
}

static double seconds_of(const timing *time, size_t i)
{
    return time->animation->frames[i].seconds;
}

/* The first frame that stays as long as frame i: they share their keyframes. */
static size_t twin_of(const timing *time, size_t i)
{
    size_t first = 0;
    while (seconds_of(time, first) < seconds_of(time, i) || seconds_of(time, first) > seconds_of(time, i))
        first++;
    return first;
}

/* ---- The style sheet ------------------------------------------------------------------------- */

static void add_keyframes(draw_svg *svg, const timing *time, size_t i)
{
    put_number(svg, "@keyframes $k", (double)i, "{0%{visibility:visible}");
    if (time->animation->count > 1)
        put_number(svg, "", 100 * seconds_of(time, i) / time->total, "%,100%{visibility:hidden}");
    put_number(svg, "}\n.$k", (double)i, "");
    put_number(svg, "{animation:$k", (double)i, " ");
    put_number(svg, "", time->total, "s step-end infinite}\n");
}

static void add_style(draw_svg *svg, const timing *time, bool steps)
{
    put(svg, "<style>\n");
    draw_svg_sheet(svg);
    put(svg, ".$f,.$play{visibility:hidden}\n.$still{visibility:visible}\n");
    for (size_t i = 0; i < time->animation->count; i++)
        if (twin_of(time, i) == i) add_keyframes(svg, time, i);
    put(svg, "#$stop:target~.$f{animation-play-state:paused}\n"
             "#$stop:target~.$play,.$s:target~.$play{visibility:visible}\n"
             "#$stop:target~.$pause,.$s:target~.$pause{visibility:hidden}\n");
    if (steps) {
        put(svg, ".$s:target~.$f{animation:none;visibility:hidden}\n");
        for (size_t i = 0; i < time->animation->count; i++) {
            put_number(svg, "#$s", (double)i + 1, ":target~#$f");
            put_number(svg, "", (double)i + 1, i + 1 < time->animation->count ? ",\n" : "");
        }
        put(svg, "{visibility:visible}\n");
    }
    put(svg, "@media print,(prefers-reduced-motion:reduce){.$f.$f{animation:none}"
             ".$pause.$pause,.$play.$play{display:none}}\n</style>\n");
}

/* ---- The row of controls --------------------------------------------------------------------- */

/* Where the steps of the row are. */
typedef struct bar {
    double x, y, step;
    bool links;
} bar;

static bar bar_of(const draw_animation *animation, draw_box view)
{
    const double count = (double)animation->count;
    const double step = (view.width - BAR_INDENT - 8) / (count > 0 ? count : 1);
    return (bar){view.x + BAR_INDENT, view.y + view.height, step < 16 ? step : 16, step >= STEP_LEAST};
}

static void add_rect(draw_svg *svg, draw_box box, draw_paint paint)
{
    draw_bytes_text(svg->out, "<rect");
    draw_svg_attribute(svg, "x", box.x);
    draw_svg_attribute(svg, "y", box.y);
    draw_svg_attribute(svg, "width", box.width);
    draw_svg_attribute(svg, "height", box.height);
    draw_bytes_text(svg->out, " fill=\"");
    draw_bytes_colour(svg->out, draw_theme_rgb(svg->theme, paint));
    draw_bytes_text(svg->out, "\"/>");
}

/* The part of a step that is seen; without gaps where steps are too narrow for them. */
static draw_box step_box(const bar *row, size_t i)
{
    const double gap = row->links ? STEP_GAP : 0;
    return (draw_box){row->x + row->step * (double)i, row->y + 6, row->step - gap, 8};
}

static void add_title(draw_svg *svg, const draw_animation *animation, size_t i)
{
    const char *title = animation->frames[i].figure->title;
    put(svg, "<title>");
    if (title != NULL) {
        draw_bytes_xml(svg->out, title);
    } else {
        put_number(svg, "step ", (double)i + 1, " of ");
        put_number(svg, "", (double)animation->count, "");
    }
    put(svg, "</title>");
}

static void add_steps(draw_svg *svg, const draw_animation *animation, const bar *row)
{
    for (size_t i = 0; i < animation->count; i++) {
        if (row->links) {
            put_number(svg, "<a href=\"#$s", (double)i + 1, "\">");
            add_title(svg, animation, i);
        }
        add_rect(svg, step_box(row, i), DRAW_TINT(DRAW_FAINT, 0.35));
        put(svg, row->links ? "</a>\n" : "\n");
    }
}

/* Pause is two bars, play a triangle; each has a square of paper under it that can be hit. */
static void add_buttons(draw_svg *svg, const bar *row)
{
    const double x = row->x - BAR_INDENT + 6, y = row->y + 2;
    const draw_box square = {x, y, 16, 16};
    put(svg, "<a class=\"$pause\" href=\"#$stop\"><title>pause</title>");
    add_rect(svg, square, DRAW_PAINT(DRAW_PAPER));
    add_rect(svg, (draw_box){x + 4, y + 3, 3, 10}, DRAW_PAINT(DRAW_INK));
    add_rect(svg, (draw_box){x + 9, y + 3, 3, 10}, DRAW_PAINT(DRAW_INK));
    put(svg, "</a>\n<a class=\"$play\" href=\"#$go\"><title>play</title>");
    add_rect(svg, square, DRAW_PAINT(DRAW_PAPER));
    put_number(svg, "<path d=\"M", x + 4, " ");
    put_number(svg, "", y + 2, "v12l10 -6Z\"/></a>\n");
}

/* ---- The whole ------------------------------------------------------------------------------- */

static void add_targets(draw_svg *svg, const draw_animation *animation, const bar *row)
{
    put(svg, "<g id=\"$go\"/><g id=\"$stop\"/>");
    for (size_t i = 0; i < animation->count && row->links; i++)
        put_number(svg, "<g class=\"$s\" id=\"$s", (double)i + 1, "\"/>");
    put(svg, "\n");
}

static void add_frame(draw_svg *svg, const timing *time, size_t i, double start)
{
    const draw_animation *animation = time->animation;
    const size_t still = animation->still < animation->count ? animation->still : 0;
    put_number(svg, "<g class=\"$f $k", (double)twin_of(time, i), i == still ? " $still\"" : "\"");
    put_number(svg, " id=\"$f", (double)i + 1, "\"");
    put_number(svg, " style=\"animation-delay:", start - time->total, "s\">\n");
    if (animation->frames[i].figure->title != NULL) add_title(svg, animation, i);
    draw_svg_items(svg, animation->frames[i].figure);
}

void draw_svg_moving(const draw_animation *animation, const draw_output *options, draw_bytes *bytes)
{
    const draw_figure *background = animation->background;
    const char *prefix = options->prefix ? options->prefix : "";
    draw_svg svg = {.out = bytes, .theme = background->theme, .prefix = prefix, .controls = true};
    const draw_box view = draw_figure_viewed(background);
    const draw_box whole = {view.x, view.y, view.width, view.height + BAR_HEIGHT};
    const bar row = bar_of(animation, view);
    timing time = {animation, 0};
    double start = 0;
    if (animation->count == 0) {
        draw_svg_still(background, NULL, options, bytes);
        return;
    }
    for (size_t i = 0; i < animation->count; i++) time.total += animation->frames[i].seconds;
    draw_svg_collect(&svg, background);
    for (size_t i = 0; i < animation->count; i++) draw_svg_collect(&svg, animation->frames[i].figure);
    draw_svg_head(&svg, background, whole, options);
    add_style(&svg, &time, row.links);
    draw_svg_hatches(&svg, background);
    for (size_t i = 0; i < animation->count; i++) draw_svg_hatches(&svg, animation->frames[i].figure);
    draw_svg_paper(&svg, whole, options);
    draw_svg_items(&svg, background);
    add_targets(&svg, animation, &row);
    add_steps(&svg, animation, &row);
    add_buttons(&svg, &row);
    for (size_t i = 0; i < animation->count; i++) {
        add_frame(&svg, &time, i, start);
        add_rect(&svg, step_box(&row, i), DRAW_PAINT(DRAW_ACCENT));
        put(&svg, "</g>\n");
        start += animation->frames[i].seconds;
    }
    draw_bytes_text(bytes, "</svg>\n");
    draw_svg_close(&svg);
}
