/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * svg.c: the head of an SVG, its hatches, and stills.
 *
 * Plain SVG 1.1 with one style sheet; no scripts, nothing from outside.
 */
#include "draw/svg.h"

#include "draw/hatch.h"

void draw_svg_head(draw_svg *svg, const draw_figure *figure, draw_box view, const draw_output *options)
{
    static const char *const names[4] = {"", " ", " ", " "};
    const double box[4] = {view.x, view.y, view.width, view.height};
    draw_bytes_text(svg->out, "<svg xmlns=\"http://www.w3.org/2000/svg\"");
    draw_svg_attribute(svg, "width", view.width * options->scale);
    draw_svg_attribute(svg, "height", view.height * options->scale);
    draw_bytes_text(svg->out, " viewBox=\"");
    for (int i = 0; i < 4; i++) {
        draw_bytes_text(svg->out, names[i]);
        draw_bytes_number(svg->out, box[i]);
    }
    draw_bytes_text(svg->out, "\" font-family=\"DejaVu Sans,Verdana,sans-serif\"");
    draw_svg_attribute(svg, "font-size", DRAW_TEXT_SIZE);
    draw_bytes_text(svg->out, " fill=\"");
    draw_bytes_colour(svg->out, draw_theme_rgb(svg->theme, DRAW_PAINT(DRAW_INK)));
    /* What is in an image is hidden from screen readers; controls must not be. */
    draw_bytes_text(svg->out, svg->controls ? "\" role=\"group\"" : "\" role=\"img\"");
    if (figure->title != NULL || figure->description != NULL) {
        draw_bytes_text(svg->out, " aria-labelledby=\"");
        if (figure->title != NULL) DRAW_TEXTS(svg->out, svg->prefix, "title");
        if (figure->title != NULL && figure->description != NULL) draw_bytes_text(svg->out, " ");
        if (figure->description != NULL) DRAW_TEXTS(svg->out, svg->prefix, "desc");
        draw_bytes_text(svg->out, "\"");
    }
    draw_bytes_text(svg->out, ">\n");
    if (figure->title != NULL) {
        DRAW_TEXTS(svg->out, "<title id=\"", svg->prefix, "title\">");
        draw_bytes_xml(svg->out, figure->title);
        draw_bytes_text(svg->out, "</title>\n");
    }
    if (figure->description != NULL) {
        DRAW_TEXTS(svg->out, "<desc id=\"", svg->prefix, "desc\">");
        draw_bytes_xml(svg->out, figure->description);
        draw_bytes_text(svg->out, "</desc>\n");
    }
}

void draw_svg_paper(draw_svg *svg, draw_box view, const draw_output *options)
{
    if (options->transparent) return;
    /* Beyond the edges, so that a pixel which they cross is paper to its end. */
    draw_bytes_text(svg->out, "<rect");
    draw_svg_attribute(svg, "x", view.x - 2);
    draw_svg_attribute(svg, "y", view.y - 2);
    draw_svg_attribute(svg, "width", view.width + 4);
    draw_svg_attribute(svg, "height", view.height + 4);
    draw_bytes_text(svg->out, " fill=\"");
    draw_bytes_colour(svg->out, draw_theme_rgb(svg->theme, DRAW_PAINT(DRAW_PAPER)));
    draw_bytes_text(svg->out, "\"/>\n");
}

/* A tile shows what crosses it; diagonals reach beyond its corners so that their ends do not show. */
static void add_pattern(draw_svg *svg, draw_hatch hatch)
{
    const draw_hatch_lines lines = draw_hatch_of(hatch);
    DRAW_TEXTS(svg->out, "<pattern id=\"", svg->prefix, "h");
    draw_bytes_number(svg->out, (double)hatch);
    draw_bytes_text(svg->out, "\" patternUnits=\"userSpaceOnUse\"");
    draw_svg_attribute(svg, "width", DRAW_HATCH_PERIOD);
    draw_svg_attribute(svg, "height", DRAW_HATCH_PERIOD);
    draw_bytes_text(svg->out, ">");
    if (lines.dots) {
        draw_bytes_text(svg->out, "<circle");
        draw_svg_attribute(svg, "cx", DRAW_HATCH_PERIOD / 2);
        draw_svg_attribute(svg, "cy", DRAW_HATCH_PERIOD / 2);
        draw_svg_attribute(svg, "r", DRAW_HATCH_DOT);
        draw_svg_attribute(svg, "fill-opacity", DRAW_HATCH_OPACITY);
    } else {
        draw_bytes_text(svg->out, "<path d=\"");
        if (lines.rising) draw_bytes_text(svg->out, "M-1 1L1 -1M-1 7L7 -1M5 7L7 5");
        if (lines.falling) draw_bytes_text(svg->out, "M-1 5L1 7M-1 -1L7 7M5 -1L7 1");
        if (lines.level) draw_bytes_text(svg->out, "M0 3H6");
        if (lines.upright) draw_bytes_text(svg->out, "M3 0V6");
        draw_bytes_text(svg->out, "\" stroke=\"");
        draw_bytes_colour(svg->out, draw_theme_rgb(svg->theme, DRAW_PAINT(DRAW_INK)));
        draw_bytes_text(svg->out, "\"");
        draw_svg_attribute(svg, "stroke-width", DRAW_HATCH_WIDTH);
        draw_svg_attribute(svg, "stroke-opacity", DRAW_HATCH_OPACITY);
    }
    draw_bytes_text(svg->out, "/></pattern>\n");
}

void draw_svg_hatches(draw_svg *svg, const draw_figure *figure)
{
    for (size_t i = 0; i < figure->item_count; i++) {
        const draw_style *style = &figure->items[i].style;
        const unsigned bit = 1u << style->hatch;
        if (style->fill.role == DRAW_NOTHING || style->hatch <= DRAW_HATCH_NONE || svg->hatches & bit)
            continue;
        svg->hatches |= bit;
        add_pattern(svg, style->hatch);
    }
}

void draw_svg_still(const draw_figure *below, const draw_figure *above, const draw_output *options,
                    draw_bytes *bytes)
{
    draw_svg svg = {.out = bytes, .theme = below->theme, .prefix = options->prefix ? options->prefix : ""};
    const draw_box view = draw_figure_viewed(below);
    draw_svg_head(&svg, below, view, options);
    draw_svg_collect(&svg, below);
    if (above != NULL) draw_svg_collect(&svg, above);
    draw_bytes_text(bytes, "<style>\n");
    draw_svg_sheet(&svg);
    draw_bytes_text(bytes, "</style>\n");
    draw_svg_hatches(&svg, below);
    if (above != NULL) draw_svg_hatches(&svg, above);
    draw_svg_paper(&svg, view, options);
    draw_svg_items(&svg, below);
    if (above != NULL) draw_svg_items(&svg, above);
    draw_bytes_text(bytes, "</svg>\n");
    draw_svg_close(&svg);
}
