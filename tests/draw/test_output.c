/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * test_output.c: what the back ends write is read again by other programs' readers: libpng's through io/,
 * giflib's. The same figure gives the same bytes; a picture that is too large is refused.
 */
#define _XOPEN_SOURCE 700
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <gif_lib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "draw/bytes.h"
#include "draw/example.h"
#include "io/io.h"

static const draw_format stills[] = {DRAW_SVG, DRAW_PNG, DRAW_PDF, DRAW_GIF};
enum { STILLS = sizeof stills / sizeof stills[0] };

static draw_bytes still_of(draw_theme theme, draw_format format, const draw_output *options)
{
    draw_bytes bytes = {0};
    fal_error error = {0};
    draw_figure *figure = make_example(theme);
    assert_int_equal(draw_still(figure, format, options, &bytes, &error), FAL_OK);
    draw_figure_free(figure);
    return bytes;
}

static draw_bytes moving_of(draw_format format, const draw_output *options)
{
    draw_bytes bytes = {0};
    fal_error error = {0};
    draw_animation *animation = make_animation(DRAW_LIGHT);
    assert_int_equal(draw_moving(animation, format, options, &bytes, &error), FAL_OK);
    draw_animation_free(animation);
    return bytes;
}

static int occurrences(const draw_bytes *bytes, const char *text)
{
    const size_t length = strlen(text);
    int count = 0;
    for (size_t i = 0; i + length <= bytes->count; i++) count += memcmp(bytes->data + i, text, length) == 0;
    return count;
}

/* ---- Bytes ---- */

static void numbers_are_short_and_know_no_locale(void **unused)
{
    (void)unused;
    static const struct {
        double number;
        const char *text;
    } rows[] = {{0, "0"},     {-0.001, "0"},   {12, "12"},       {0.5, "0.5"},     {-3.25, "-3.25"},
                {1.005, "1"}, {99.999, "100"}, {100.1, "100.1"}, {-0.07, "-0.07"}, {1234567, "1234567"}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        draw_bytes bytes = {0};
        draw_bytes_number(&bytes, rows[i].number);
        draw_bytes_add(&bytes, "", 1);
        assert_string_equal((char *)bytes.data, rows[i].text);
        draw_bytes_free(&bytes);
    }
}

static void text_is_escaped_for_xml(void **unused)
{
    (void)unused;
    draw_bytes bytes = {0};
    draw_bytes_xml(&bytes, "<a & \"b\">\x01\xFF\xE2\x89\xA4");
    draw_bytes_add(&bytes, "", 1);
    assert_string_equal((char *)bytes.data,
                        "&lt;a &amp; &quot;b&quot;&gt;\xEF\xBF\xBD\xEF\xBF\xBD\xE2\x89\xA4");
    draw_bytes_free(&bytes);
}

static void names_tell_the_format(void **unused)
{
    (void)unused;
    assert_int_equal(draw_format_of_name("a.svg"), DRAW_SVG);
    assert_int_equal(draw_format_of_name("dir.x/a.PnG"), DRAW_PNG);
    assert_int_equal(draw_format_of_name(".pdf"), DRAW_PDF);
    assert_int_equal(draw_format_of_name("a.gif"), DRAW_GIF);
    assert_int_equal(draw_format_of_name("a.svg.txt"), DRAW_FORMAT_NONE);
    assert_int_equal(draw_format_of_name("svg"), DRAW_FORMAT_NONE);
    assert_int_equal(draw_format_of_name(""), DRAW_FORMAT_NONE);
}

static void the_same_figure_is_the_same_bytes(void **unused)
{
    (void)unused;
    for (int theme = 0; theme < DRAW_THEMES; theme++)
        for (int i = 0; i < STILLS; i++) {
            draw_bytes a = still_of((draw_theme)theme, stills[i], NULL);
            if (stills[i] == DRAW_PDF && theme == 0) sleep(1); /* a date would show */
            draw_bytes b = still_of((draw_theme)theme, stills[i], NULL);
            assert_int_equal(a.count, b.count);
            assert_memory_equal(a.data, b.data, a.count);
            draw_bytes_free(&a);
            draw_bytes_free(&b);
        }
    const draw_format moving[] = {DRAW_SVG, DRAW_PDF, DRAW_GIF};
    for (int i = 0; i < 3; i++) {
        draw_bytes a = moving_of(moving[i], NULL), b = moving_of(moving[i], NULL);
        assert_int_equal(a.count, b.count);
        assert_memory_equal(a.data, b.data, a.count);
        draw_bytes_free(&a);
        draw_bytes_free(&b);
    }
}

/* ---- PNG ---- */

static char path[64];

static void read_png(const draw_bytes *bytes, io_array *image)
{
    fal_error error = {0};
    strcpy(path, "/tmp/faltung-draw-XXXXXX");
    const int file = mkstemp(path);
    assert_true(file >= 0 && write(file, bytes->data, bytes->count) == (ssize_t)bytes->count);
    close(file);
    assert_int_equal(io_read(path, NULL, image, &error), FAL_OK);
    unlink(path);
}

static int level(const io_array *image, int64_t channel, int64_t y, int64_t x)
{
    const int64_t index[4] = {0, channel, y, x};
    return (int)(255 * fal_tensor_get(&image->tensor, index) + 0.5);
}

/* Counted in example.h: role r fills x from 5r to 5r + 5, y from 40 to 50, behind a margin of 2. */
static void a_png_has_the_size_and_the_colours(void **unused)
{
    (void)unused;
    const draw_rgb input = draw_theme_rgb(DRAW_LIGHT, DRAW_TINT(DRAW_INPUT, 0.8));
    draw_bytes bytes = still_of(DRAW_LIGHT, DRAW_PNG, &(draw_output){.scale = 4});
    io_array image = {0};
    read_png(&bytes, &image);
    assert_int_equal(image.tensor.shape[1], 3);
    assert_int_equal(image.tensor.shape[2], 4 * 66);
    assert_int_equal(image.tensor.shape[3], 4 * 134);
    const int64_t x = 4 * (2 + 5 * DRAW_INPUT) + 10, y = 4 * (2 + 45);
    assert_int_equal(level(&image, 0, y, x), input.r);
    assert_int_equal(level(&image, 1, y, x), input.g);
    assert_int_equal(level(&image, 2, y, x), input.b);
    assert_int_equal(level(&image, 0, 0, 0), 255);
    io_array_free(&image);
    draw_bytes_free(&bytes);
}

static void without_paper_a_png_is_transparent(void **unused)
{
    (void)unused;
    draw_bytes bytes = still_of(DRAW_LIGHT, DRAW_PNG, &(draw_output){.scale = 1, .transparent = true});
    io_array image = {0};
    read_png(&bytes, &image);
    assert_int_equal(image.tensor.shape[1], 4);
    assert_int_equal(level(&image, 3, 0, 0), 0);
    assert_int_equal(level(&image, 3, 47, 2 + 5 * DRAW_INPUT + 2), 255);
    io_array_free(&image);
    draw_bytes_free(&bytes);
}

/* ---- GIF ---- */

typedef struct stream {
    const draw_bytes *bytes;
    size_t at;
} stream;

static int read_bytes(GifFileType *file, GifByteType *to, int count)
{
    stream *s = file->UserData;
    const size_t left = s->bytes->count - s->at;
    const size_t take = (size_t)count < left ? (size_t)count : left;
    memcpy(to, s->bytes->data + s->at, take);
    s->at += take;
    return (int)take;
}

static GifFileType *open_gif(stream *s)
{
    int error = 0;
    GifFileType *gif = DGifOpen(s, read_bytes, &error);
    assert_non_null(gif);
    assert_int_equal(DGifSlurp(gif), GIF_OK);
    assert_int_equal(s->at, s->bytes->count);
    return gif;
}

/* Lays frame i over what is on the canvas, as a viewer does. */
static void compose(const GifFileType *gif, int i, draw_rgb *canvas)
{
    const SavedImage *image = &gif->SavedImages[i];
    const GifImageDesc *place = &image->ImageDesc;
    GraphicsControlBlock control = {.TransparentColor = NO_TRANSPARENT_COLOR};
    DGifSavedExtensionToGCB((GifFileType *)(uintptr_t)gif, i, &control);
    for (int y = 0; y < place->Height; y++)
        for (int x = 0; x < place->Width; x++) {
            const int index = image->RasterBits[y * place->Width + x];
            if (index == control.TransparentColor) continue;
            const GifColorType c = gif->SColorMap->Colors[index];
            canvas[(y + place->Top) * gif->SWidth + x + place->Left] = (draw_rgb){c.Red, c.Green, c.Blue};
        }
}

/* Every frame, composed, is the picture that the same frame is as a PNG. */
static void a_gif_plays_every_frame(void **unused)
{
    (void)unused;
    const draw_output options = {.scale = 3};
    draw_bytes bytes = moving_of(DRAW_GIF, &options);
    draw_animation *animation = make_animation(DRAW_LIGHT);
    stream s = {&bytes, 0};
    GifFileType *gif = open_gif(&s);
    assert_int_equal(gif->ImageCount, FRAMES);
    assert_int_equal(occurrences(&bytes, "NETSCAPE2.0"), 1);
    draw_rgb *canvas = calloc((size_t)gif->SWidth * (size_t)gif->SHeight, sizeof *canvas);
    for (int i = 0; i < FRAMES; i++) {
        GraphicsControlBlock control;
        assert_int_equal(DGifSavedExtensionToGCB(gif, i, &control), GIF_OK);
        assert_int_equal(control.DelayTime, 10 * (i + 1));
        compose(gif, i, canvas);
        draw_bytes png = {0};
        fal_error error = {0};
        io_array image = {0};
        assert_int_equal(draw_frame_still(animation, (size_t)i, DRAW_PNG, &options, &png, &error), FAL_OK);
        read_png(&png, &image);
        assert_int_equal(image.tensor.shape[2], gif->SHeight);
        assert_int_equal(image.tensor.shape[3], gif->SWidth);
        for (int y = 0; y < gif->SHeight; y++)
            for (int x = 0; x < gif->SWidth; x++) {
                const draw_rgb c = canvas[y * gif->SWidth + x];
                assert_true(abs(c.r - level(&image, 0, y, x)) <= 12);
                assert_true(abs(c.g - level(&image, 1, y, x)) <= 12);
                assert_true(abs(c.b - level(&image, 2, y, x)) <= 12);
            }
        io_array_free(&image);
        draw_bytes_free(&png);
    }
    free(canvas);
    DGifCloseFile(gif, NULL);
    draw_animation_free(animation);
    draw_bytes_free(&bytes);
}

static void without_paper_a_gif_is_transparent(void **unused)
{
    (void)unused;
    draw_bytes bytes = moving_of(DRAW_GIF, &(draw_output){.scale = 3, .transparent = true});
    stream s = {&bytes, 0};
    GifFileType *gif = open_gif(&s);
    for (int i = 0; i < FRAMES; i++) {
        GraphicsControlBlock control;
        assert_int_equal(DGifSavedExtensionToGCB(gif, i, &control), GIF_OK);
        assert_int_equal(control.DisposalMode, i + 1 < FRAMES ? DISPOSE_DO_NOT : DISPOSE_BACKGROUND);
        if (i == 0) assert_int_equal(gif->SavedImages[i].RasterBits[0], control.TransparentColor);
    }
    DGifCloseFile(gif, NULL);
    draw_bytes_free(&bytes);
}

/* A square that moves over nothing: its old place must be cleared. */
static void a_place_that_becomes_transparent_is_cleared(void **unused)
{
    (void)unused;
    draw_animation *animation = draw_animation_create(DRAW_LIGHT);
    draw_bytes bytes = {0};
    fal_error error = {0};
    for (int i = 0; i < FRAMES; i++)
        draw_rect(draw_animation_frame(animation, 1), (draw_box){10 * i, 0, 10, 10},
                  &(draw_style){.fill = DRAW_PAINT(DRAW_KERNEL)});
    draw_animation_fit(animation, 0);
    assert_int_equal(draw_moving(animation, DRAW_GIF, &(draw_output){.transparent = true}, &bytes, &error),
                     FAL_OK);
    stream s = {&bytes, 0};
    GifFileType *gif = open_gif(&s);
    for (int i = 0; i < FRAMES; i++) {
        const SavedImage *image = &gif->SavedImages[i];
        GraphicsControlBlock control;
        assert_int_equal(DGifSavedExtensionToGCB(gif, i, &control), GIF_OK);
        assert_int_equal(control.DisposalMode, DISPOSE_BACKGROUND);
        assert_int_equal(image->ImageDesc.Width, 10 * FRAMES);
        for (int x = 0; x < 10 * FRAMES; x++)
            assert_true((image->RasterBits[x] == control.TransparentColor) == (x / 10 != i));
    }
    DGifCloseFile(gif, NULL);
    draw_bytes_free(&bytes);
    draw_animation_free(animation);
}

/* ---- SVG ---- */

static void an_svg_holds_title_text_and_ids(void **unused)
{
    (void)unused;
    draw_bytes bytes = still_of(DRAW_PRINT, DRAW_SVG, &(draw_output){.scale = 2, .prefix = "p-"});
    assert_int_equal(occurrences(&bytes, "<title id=\"p-title\">Every &lt;kind&gt;</title>"), 1);
    assert_int_equal(occurrences(&bytes, "<desc id=\"p-desc\">All items &amp; themes.</desc>"), 1);
    assert_int_equal(occurrences(&bytes, " width=\"268\" height=\"132\" viewBox=\"-2 -2 134 66\""), 1);
    assert_int_equal(occurrences(&bytes, ">a&lt;b &amp; &quot;c&quot;</text>"), 1);
    assert_int_equal(occurrences(&bytes, "<pattern id=\"p-h"), DRAW_HATCHES - 2);
    assert_int_equal(occurrences(&bytes, "id=\""), occurrences(&bytes, "id=\"p-"));
    assert_int_equal(occurrences(&bytes, "<g"), occurrences(&bytes, "</g>"));
    draw_bytes_free(&bytes);
}

static void a_moving_svg_has_a_still_and_controls(void **unused)
{
    (void)unused;
    draw_bytes bytes = moving_of(DRAW_SVG, NULL);
    assert_int_equal(occurrences(&bytes, "animation-delay:"), FRAMES);
    assert_int_equal(occurrences(&bytes, "style=\"animation-delay:-1.5s\""),
                     1); /* the first: it is its time */
    assert_int_equal(occurrences(&bytes, "style=\"animation-delay:-0.5s\""), 1); /* the last */
    assert_int_equal(occurrences(&bytes, " still\" id=\"f4\""), 1);
    assert_int_equal(occurrences(&bytes, "prefers-reduced-motion"), 1);
    assert_int_equal(occurrences(&bytes, "<a href=\"#s"), FRAMES);
    assert_int_equal(occurrences(&bytes, "<title>a &lt;step&gt;</title>"), 2 * FRAMES);
    assert_int_equal(occurrences(&bytes, "href=\"#stop\""), 1);
    assert_int_equal(occurrences(&bytes, "<script"), 0);
    draw_bytes_free(&bytes);
}

static void a_pdf_has_a_page_for_each_frame(void **unused)
{
    (void)unused;
    draw_bytes bytes = moving_of(DRAW_PDF, NULL);
    assert_memory_equal(bytes.data, "%PDF-1.5", 8);
    assert_int_equal(occurrences(&bytes, "/Type /Page "), FRAMES);
    draw_bytes_free(&bytes);
}

/* ---- Refusals ---- */

static void too_large_a_picture_is_refused(void **unused)
{
    (void)unused;
    const double scales[] = {1e3, 1e9, 400};
    for (int i = 0; i < 3; i++)
        for (int k = 1; k < STILLS; k++) {
            draw_figure *figure = make_example(DRAW_LIGHT);
            draw_bytes bytes = {0};
            fal_error error = {0};
            const draw_output options = {.scale = scales[i]};
            assert_int_equal(draw_still(figure, stills[k], &options, &bytes, &error), FAL_E_LIMIT);
            assert_non_null(strstr(error.found, "pixels"));
            assert_int_equal(bytes.count, 0);
            draw_figure_free(figure);
        }
}

static void a_png_does_not_move(void **unused)
{
    (void)unused;
    draw_animation *animation = make_animation(DRAW_LIGHT);
    draw_bytes bytes = {0};
    fal_error error = {0};
    assert_int_equal(draw_moving(animation, DRAW_PNG, NULL, &bytes, &error), FAL_E_UNSUPPORTED);
    assert_string_equal(error.found, "this format holds no animation");
    draw_animation_free(animation);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_are_short_and_know_no_locale),
        cmocka_unit_test(text_is_escaped_for_xml),
        cmocka_unit_test(names_tell_the_format),
        cmocka_unit_test(the_same_figure_is_the_same_bytes),
        cmocka_unit_test(a_png_has_the_size_and_the_colours),
        cmocka_unit_test(without_paper_a_png_is_transparent),
        cmocka_unit_test(a_gif_plays_every_frame),
        cmocka_unit_test(without_paper_a_gif_is_transparent),
        cmocka_unit_test(a_place_that_becomes_transparent_is_cleared),
        cmocka_unit_test(an_svg_holds_title_text_and_ids),
        cmocka_unit_test(a_moving_svg_has_a_still_and_controls),
        cmocka_unit_test(a_pdf_has_a_page_for_each_frame),
        cmocka_unit_test(too_large_a_picture_is_refused),
        cmocka_unit_test(a_png_does_not_move),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
