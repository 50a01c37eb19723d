/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * test_figure.c: measures of text, bounds of figures, colours that can be told apart, and mistakes that are
 * remembered.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <string.h>

#include "draw/example.h"
#include "draw/items.h"

static void assert_near(double found, double expected)
{
    if (!(fabs(found - expected) <= 1e-9 * (1 + fabs(expected))))
        print_error("%g, not %g\n", found, expected);
    assert_true(fabs(found - expected) <= 1e-9 * (1 + fabs(expected)));
}

static void assert_box(draw_box found, double x, double y, double width, double height)
{
    assert_near(found.x, x);
    assert_near(found.y, y);
    assert_near(found.width, width);
    assert_near(found.height, height);
}

/* ---- Text ---- */

static void text_has_the_width_of_its_letters(void **unused)
{
    (void)unused;
    const draw_text_style mono = {.size = 10, .face = DRAW_MONO};
    assert_near(draw_text_width(&mono, ""), 0);
    assert_near(draw_text_width(&mono, "abc"), 3 * draw_text_width(&mono, "m"));
    assert_near(draw_text_width(&mono, "≤×"), 2 * draw_text_width(&mono, "m"));
    assert_near(draw_text_width(&(draw_text_style){.size = 20, .face = DRAW_MONO}, "m"),
                2 * draw_text_width(&mono, "m"));
    assert_near(draw_text_width(NULL, "Wi"), draw_text_width(NULL, "W") + draw_text_width(NULL, "i"));
    assert_true(draw_text_width(NULL, "W") > 2 * draw_text_width(NULL, "i"));
    assert_true(draw_text_width(&(draw_text_style){.face = DRAW_SANS_BOLD}, "W") >
                draw_text_width(NULL, "W"));
}

/* Codes rise, or the search would not find them; each has a shape or is a space. */
static void every_letter_is_found(void **unused)
{
    (void)unused;
    for (int face = 0; face < DRAW_FACES; face++) {
        for (uint32_t code = 33; code < 127; code++) {
            const draw_glyph *glyph = draw_glyph_find((draw_face)face, code);
            assert_int_equal(glyph->code, code);
            assert_true(glyph->advance > 0 && glyph->outline[0] == 'M');
        }
        assert_int_equal(draw_glyph_find((draw_face)face, 0x2264)->code, 0x2264);
        assert_int_equal(draw_glyph_find((draw_face)face, 0x10FFFF)->code, 0xFFFD);
        assert_int_equal(draw_glyph_find((draw_face)face, 1)->code, 0xFFFD);
    }
}

static void utf8_is_read_and_what_is_not_is_replaced(void **unused)
{
    (void)unused;
    static const struct {
        const char *text;
        uint32_t codes[5];
    } rows[] = {
        {"A\xC3\xA9\xE2\x89\xA4\xF0\x9F\x98\x80", {'A', 0xE9, 0x2264, 0x1F600}},
        {"\xC3", {0xFFFD}},
        {"\x80z", {0xFFFD, 'z'}},
        {"\xC0\xAF", {0xFFFD, 0xFFFD}},                         /* "/" in too many bytes */
        {"\xE0\x80\xAF", {0xFFFD, 0xFFFD, 0xFFFD}},             /* too */
        {"\xED\xA0\x80", {0xFFFD, 0xFFFD, 0xFFFD}},             /* a surrogate */
        {"\xF4\x90\x80\x80", {0xFFFD, 0xFFFD, 0xFFFD, 0xFFFD}}, /* beyond U+10FFFF */
        {"\xFF", {0xFFFD}},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const char *text = rows[i].text;
        for (int k = 0; rows[i].codes[k] != 0; k++) assert_int_equal(draw_utf8_next(&text), rows[i].codes[k]);
        assert_int_equal(draw_utf8_next(&text), 0);
        assert_int_equal(draw_utf8_next(&text), 0);
    }
}

static void paragraphs_keep_their_width_and_all_their_words(void **unused)
{
    (void)unused;
    const char text[] =
        "one two three four five six seven eight nine ten\n\neleven a-word-that-is-wider-than-all";
    draw_figure *figure = draw_figure_create(DRAW_LIGHT);
    char joined[256] = "";
    const double end = draw_paragraph(figure, (draw_point){3, 10}, 80, NULL, text);
    for (size_t i = 0; i < figure->item_count; i++) {
        const char *line = figure->characters + figure->items[i].text;
        assert_true(draw_text_width(NULL, line) <= 80 || strchr(line, ' ') == NULL);
        strcat(joined, joined[0] != '\0' && line[0] != '\0' ? " " : "");
        strcat(joined, line);
    }
    assert_string_equal(joined, "one two three four five six seven eight nine ten eleven "
                                "a-word-that-is-wider-than-all");
    assert_near(end, 10 + (double)figure->item_count * 1.35 * DRAW_TEXT_SIZE);
    draw_figure_free(figure);
}

/* ---- Bounds ---- */

static draw_box bounds_of(void (*add)(draw_figure *))
{
    draw_figure *figure = draw_figure_create(DRAW_LIGHT);
    add(figure);
    assert_int_equal(draw_figure_status(figure), FAL_OK);
    const draw_box box = draw_figure_bounds(figure);
    draw_figure_free(figure);
    return box;
}

static const draw_style filled = {.fill = {DRAW_INK, 0}};
static const draw_style stroked = {.stroke = {DRAW_INK, 0}, .width = 2};

static void add_nothing(draw_figure *figure)
{
    (void)figure;
}
static void add_rect(draw_figure *figure)
{
    draw_rect(figure, (draw_box){1, 2, 3, 4}, &filled);
}
static void add_frame(draw_figure *figure)
{
    draw_rect(figure, (draw_box){1, 2, 3, 4}, &stroked);
}
static void add_circle(draw_figure *figure)
{
    draw_circle(figure, (draw_point){5, 5}, 2, &filled);
}

static void add_clipped(draw_figure *figure)
{
    draw_group_begin(figure, 1, &(draw_box){0, 0, 10, 10}, NULL);
    draw_group_begin(figure, 1, &(draw_box){5, 5, 10, 10}, NULL);
    draw_rect(figure, (draw_box){-100, -100, 200, 200}, &filled);
    draw_group_end(figure);
    draw_group_end(figure);
}

static void add_text(draw_figure *figure)
{
    draw_text(figure, 0, 0, &(draw_text_style){.size = 10, .anchor = DRAW_END}, "mm");
}

static void add_turned(draw_figure *figure)
{
    draw_text(figure, 0, 0, &(draw_text_style){.size = 10, .turned = true}, "mm");
}

static void bounds_hold_everything(void **unused)
{
    (void)unused;
    const double wide = draw_text_width(&(draw_text_style){.size = 10}, "mm");
    assert_box(bounds_of(add_nothing), 0, 0, 0, 0);
    assert_box(bounds_of(add_rect), 1, 2, 3, 4);
    assert_box(bounds_of(add_frame), 0, 1, 5, 6);
    assert_box(bounds_of(add_circle), 3, 3, 4, 4);
    assert_box(bounds_of(add_clipped), 5, 5, 5, 5);
    assert_box(bounds_of(add_text), -wide, -10 * DRAW_ASCENT, wide, 10 * (DRAW_ASCENT + DRAW_DESCENT));
    assert_box(bounds_of(add_turned), -10 * DRAW_ASCENT, -wide, 10 * (DRAW_ASCENT + DRAW_DESCENT), wide);
}

static void an_arrow_head_reaches_its_tip_and_no_further(void **unused)
{
    (void)unused;
    draw_point corners[DRAW_HEAD];
    draw_arrow_head((draw_point){0, 0}, (draw_point){20, 0}, 1, corners);
    assert_near(corners[0].x, 20);
    assert_true(corners[1].x < 20 && corners[2].x < 20);
    assert_near(corners[1].y, -corners[2].y);
    assert_near(draw_arrow_neck((draw_point){0, 0}, (draw_point){20, 0}, 1).y, 0);
}

static void animations_show_every_frame(void **unused)
{
    (void)unused;
    draw_animation *animation = draw_animation_create(DRAW_DARK);
    draw_rect(draw_animation_background(animation), (draw_box){0, 0, 10, 10}, &filled);
    draw_figure *first = draw_animation_frame(animation, 1);
    for (int i = 0; i < 100; i++)
        draw_rect(draw_animation_frame(animation, -1), (draw_box){i, 5, 1, 1}, &filled);
    draw_rect(first, (draw_box){-7, 0, 1, 1}, &filled); /* it is still where it was */
    draw_animation_fit(animation, 1);
    assert_box(draw_figure_viewed(draw_animation_background(animation)), -8, -1, 109, 12);
    assert_int_equal(draw_animation_count(animation), 101);
    assert_int_equal(draw_animation_status(animation), FAL_OK);
    draw_line(first, (draw_point){0, 0}, (draw_point){(double)NAN, 0}, &stroked);
    assert_int_equal(draw_animation_status(animation), FAL_E_VALUE);
    draw_animation_free(animation);
    draw_animation_free(NULL);
}

/* ---- Mistakes ---- */

static void add_infinite(draw_figure *figure)
{
    draw_rect(figure, (draw_box){INFINITY, 0, 1, 1}, &filled);
}
static void add_wide(draw_figure *figure)
{
    draw_rect(figure, (draw_box){0, 0, 1, 1}, &(draw_style){.width = (double)NAN});
}
static void add_huge_text(draw_figure *figure)
{
    draw_text(figure, 0, 0, &(draw_text_style){.size = INFINITY}, "x");
}
static void end_nothing(draw_figure *figure)
{
    draw_group_end(figure);
}
static void begin_too_often(draw_figure *figure)
{
    for (int i = 0; i <= DRAW_DEPTH; i++) draw_group_begin(figure, 1, NULL, NULL);
}
static void begin_wrongly(draw_figure *figure)
{
    draw_group_begin(figure, 2, NULL, NULL);
}
static void view_nothing(draw_figure *figure)
{
    draw_figure_view(figure, (draw_box){0, 0, -1, 5});
}

static void a_mistake_is_remembered(void **unused)
{
    (void)unused;
    void (*const mistakes[])(draw_figure *) = {add_infinite,    add_wide,      add_huge_text, end_nothing,
                                               begin_too_often, begin_wrongly, view_nothing};
    for (size_t i = 0; i < sizeof mistakes / sizeof mistakes[0]; i++) {
        draw_figure *figure = draw_figure_create(DRAW_LIGHT);
        mistakes[i](figure);
        assert_int_equal(draw_figure_status(figure), FAL_E_VALUE);
        const size_t count = figure->item_count;
        add_rect(figure);
        assert_int_equal(figure->item_count, count);
        draw_bytes bytes = {0};
        fal_error error = {0};
        assert_int_equal(draw_still(figure, DRAW_SVG, NULL, &bytes, &error), FAL_E_VALUE);
        assert_int_equal(error.status, FAL_E_VALUE);
        assert_int_equal(bytes.count, 0);
        draw_figure_free(figure);
    }
    assert_int_equal(draw_figure_status(NULL), FAL_E_NOMEM);
    assert_int_equal(draw_animation_status(NULL), FAL_E_NOMEM);
    draw_figure_free(NULL);
}

/* ---- Colours ---- */

static void text_can_be_read_on_every_fill(void **unused)
{
    (void)unused;
    for (int theme = 0; theme < DRAW_THEMES; theme++)
        for (int role = DRAW_PAPER; role < DRAW_ROLES; role++)
            for (int step = 1; step <= 10; step++) {
                const double level = role == DRAW_DIVERGING ? step / 5.0 - 1 : step / 10.0;
                const draw_paint fill = DRAW_TINT((draw_role)role, level);
                const draw_paint ink = draw_theme_text_on((draw_theme)theme, fill);
                const double contrast = draw_rgb_contrast(draw_theme_rgb((draw_theme)theme, ink),
                                                          draw_theme_rgb((draw_theme)theme, fill));
                if (contrast < 4)
                    print_error("theme %d role %d level %g: %g\n", theme, role, level, contrast);
                assert_true(contrast >= 4);
            }
}

static double luma(draw_rgb c)
{
    return 0.299 * c.r + 0.587 * c.g + 0.114 * c.b;
}

static void the_heat_scale_rises(void **unused)
{
    (void)unused;
    for (int step = 0; step < 20; step++) {
        const double low = luma(draw_theme_rgb(DRAW_LIGHT, DRAW_TINT(DRAW_HEAT, step / 20.0)));
        const double high = luma(draw_theme_rgb(DRAW_LIGHT, DRAW_TINT(DRAW_HEAT, (step + 1) / 20.0)));
        assert_true(high > low);
    }
    const draw_rgb beyond = draw_theme_rgb(DRAW_LIGHT, DRAW_TINT(DRAW_HEAT, 7));
    const draw_rgb top = draw_theme_rgb(DRAW_LIGHT, DRAW_TINT(DRAW_HEAT, 1));
    assert_memory_equal(&beyond, &top, sizeof top);
}

/* In print every two of input, kernel, output differ in grey or hatch. */
static void print_needs_no_colour(void **unused)
{
    (void)unused;
    for (int role = DRAW_PAPER; role < DRAW_ROLES; role++) {
        const draw_rgb c = draw_theme_rgb(DRAW_PRINT, DRAW_TINT((draw_role)role, 0.7));
        assert_true(c.r == c.g && c.g == c.b);
    }
    const draw_role roles[] = {DRAW_INPUT, DRAW_KERNEL, DRAW_OUTPUT};
    for (int i = 0; i < 3; i++)
        for (int j = 0; j < i; j++)
            assert_int_not_equal(draw_theme_hatch(DRAW_PRINT, DRAW_PAINT(roles[i])),
                                 draw_theme_hatch(DRAW_PRINT, DRAW_PAINT(roles[j])));
    assert_int_not_equal(draw_theme_hatch(DRAW_PRINT, DRAW_TINT(DRAW_DIVERGING, -1)),
                         draw_theme_hatch(DRAW_PRINT, DRAW_TINT(DRAW_DIVERGING, 1)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_has_the_width_of_its_letters),
        cmocka_unit_test(every_letter_is_found),
        cmocka_unit_test(utf8_is_read_and_what_is_not_is_replaced),
        cmocka_unit_test(paragraphs_keep_their_width_and_all_their_words),
        cmocka_unit_test(bounds_hold_everything),
        cmocka_unit_test(an_arrow_head_reaches_its_tip_and_no_further),
        cmocka_unit_test(animations_show_every_frame),
        cmocka_unit_test(a_mistake_is_remembered),
        cmocka_unit_test(text_can_be_read_on_every_fill),
        cmocka_unit_test(the_heat_scale_rises),
        cmocka_unit_test(print_needs_no_colour),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
