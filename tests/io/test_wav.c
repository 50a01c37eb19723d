/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * test_wav.c: sounds built byte by byte in every codec that is read, round trips through every form
 * that is written, refusals in our own words, and files cut and damaged everywhere.
 */
#define _XOPEN_SOURCE 700
#include "hostile.h"

#include <math.h>

#include "io/wav.h"

enum { PCM = 1, FLOAT = 3, ALAW = 6, ULAW = 7, EXTENSIBLE = 0xfffe };

/* What a file is made of; what is 0 takes the usual value. */
typedef struct recipe {
    uint32_t codec, channels, bits, rate;
    bool extensible, wide;    /* wide: RF64 */
    const char *before;       /* a chunk of this name and 3 bytes before the samples */
    const char *after;        /* the same behind them */
    uint64_t claimed;         /* size of "data" that the file tells */
    uint32_t frame, fmt_size; /* as the file tells them */
    uint32_t riff;
} recipe;

static void append_chunk(bytes *b, const char *name)
{
    if (name == NULL) return;
    append(b, name, 4);
    append_number(b, 3, 4, false);
    append(b, "abc", 4); /* and its padding */
}

static uint64_t or_else(uint64_t given, uint64_t usual)
{
    return given != 0 ? given : usual;
}

static void append_format(bytes *b, const recipe *r)
{
    uint32_t frame = r->channels * r->bits / 8;
    append(b, "fmt ", 4);
    append_number(b, or_else(r->fmt_size, r->extensible ? 40 : 16), 4, false);
    append_number(b, r->extensible ? EXTENSIBLE : r->codec, 2, false);
    append_number(b, r->channels, 2, false);
    append_number(b, r->rate, 4, false);
    append_number(b, (uint64_t)r->rate * frame, 4, false);
    append_number(b, or_else(r->frame, frame), 2, false);
    append_number(b, r->bits, 2, false);
    if (!r->extensible) return;
    append_number(b, 22, 2, false);
    append_number(b, r->bits, 2, false);
    append_number(b, 0, 4, false);
    append_number(b, r->codec, 2, false);
    append(b, "\0\0\0\0\x10\0\x80\0\0\xaa\0\x38\x9b\x71", 14);
}

/* The chunks, in which the samples are `count` bytes. */
static bytes make(const recipe *r, const void *samples, size_t count)
{
    bytes body = {0}, b = {0};
    append_chunk(&body, r->before);
    append_format(&body, r);
    append(&body, "data", 4);
    append_number(&body, r->wide ? UINT32_MAX : or_else(r->claimed, count), 4, false);
    append(&body, samples, count);
    append(&body, "", count & 1);
    append_chunk(&body, r->after);
    size_t riff = 4 + body.count + (r->wide ? 36 : 0);
    append(&b, r->wide ? "RF64" : "RIFF", 4);
    append_number(&b, r->wide ? UINT32_MAX : or_else(r->riff, riff), 4, false);
    append(&b, "WAVE", 4);
    if (r->wide) {
        append(&b, "ds64", 4);
        append_number(&b, 28, 4, false);
        append_number(&b, riff, 8, false);
        append_number(&b, or_else(r->claimed, count), 8, false);
        append_number(&b, 0, 8, false);
        append_number(&b, 0, 4, false);
    }
    append(&b, body.data, body.count);
    free(body.data);
    return b;
}

static const char *stored(const char *name, const recipe *r, const void *samples, size_t count)
{
    bytes b = make(r, samples, count);
    const char *path = store(name, b.data, b.count);
    free(b.data);
    return path;
}

/* Two frames of two channels: left 0, 1/2; right -1, 1/4, in every codec that can say so. */
static void every_codec(void **state)
{
    static const struct {
        const char *what;
        uint32_t codec, bits;
        unsigned char samples[32];
    } cases[] = {
        {"8-bit PCM 8000 Hz", PCM, 8, {128, 0, 192, 160}},
        {"16-bit PCM 8000 Hz", PCM, 16, {0, 0, 0, 0x80, 0, 0x40, 0, 0x20}},
        {"24-bit PCM 8000 Hz", PCM, 24, {0, 0, 0, 0, 0, 0x80, 0, 0, 0x40, 0, 0, 0x20}},
        {"32-bit PCM 8000 Hz", PCM, 32, {0, 0, 0, 0, 0, 0, 0, 0x80, 0, 0, 0, 0x40, 0, 0, 0, 0x20}},
        {"32-bit float 8000 Hz", FLOAT, 32, {0, 0, 0, 0, 0, 0, 0x80, 0xbf, 0, 0, 0, 0x3f, 0, 0, 0x80, 0x3e}},
        {"64-bit float 8000 Hz", FLOAT, 64, {[14] = 0xf0, 0xbf, [22] = 0xe0, 0x3f, [30] = 0xd0, 0x3f}},
    };
    static const double expected[2][2] = {{0, 0.5}, {-1, 0.25}};
    (void)state;
    for (size_t i = 0; i < 8 * sizeof cases / sizeof *cases; i++) {
        bool last = (i & 1) != 0;
        const io_read_options how = {.layout = last ? FAL_NHWC : FAL_NCHW};
        size_t k = i / 8;
        const recipe r = {.codec = cases[k].codec,
                          .bits = cases[k].bits,
                          .channels = 2,
                          .rate = 8000,
                          .extensible = (i & 2) != 0,
                          .wide = (i & 4) != 0,
                          .before = last ? "LIST" : NULL,
                          .after = last ? NULL : "bext"};
        const char *path = stored("c.wav", &r, cases[k].samples, r.bits / 2);
        io_array got = read_ok(path, &how);
        assert_int_equal(got.rate, 8000);
        assert_int_equal(got.tensor.rank, 3);
        assert_int_equal(got.tensor.dtype, FAL_F32);
        for (int64_t c = 0; c < 2; c++) {
            for (int64_t f = 0; f < 2; f++) {
                int64_t index[] = {0, last ? f : c, last ? c : f};
                assert_true(fal_tensor_get(&got.tensor, index) == expected[c][f]);
            }
        }
        io_array_free(&got);
        io_listing list;
        assert_int_equal(io_list(path, NULL, &list, NULL), FAL_OK);
        assert_int_equal(list.kind, IO_WAV);
        assert_string_equal(list.entries->stored, cases[k].what);
        assert_int_equal(list.entries->stored_bytes, r.bits / 2);
        assert_true(list.entries->shape[1] == 2 && list.entries->shape[2] == 2);
        io_listing_free(&list);
    }
}

/* Telephone codecs: 13-bit and 14-bit levels of the standard's tables. */
static void telephone(void **state)
{
    static const unsigned char alaw[] = {0xd5, 0x55, 0xaa, 0x2a}, ulaw[] = {0xff, 0x80, 0x00, 0xf0};
    static const double alaw_levels[] = {8, -8, 32256, -32256}, ulaw_levels[] = {0, 32124, -32124, 120};
    const recipe a = {.codec = ALAW, .bits = 8, .channels = 1, .rate = 8000};
    recipe u = a;
    u.codec = ULAW;
    (void)state;
    for (int i = 0; i < 2; i++) {
        io_array got = read_ok(stored("t.wav", i == 0 ? &a : &u, i == 0 ? alaw : ulaw, 4), NULL);
        for (int f = 0; f < 4; f++) {
            double expected = (i == 0 ? alaw_levels : ulaw_levels)[f] / 32768;
            assert_true((double)((float *)got.memory)[f] == expected);
        }
        io_array_free(&got);
    }
}

static void long_and_empty(void **state)
{
    enum { FRAMES = 7001, CHANNELS = 3 };
    const recipe r = {.codec = PCM, .bits = 16, .channels = CHANNELS, .rate = 96000};
    bytes samples = {0};
    (void)state;
    for (int i = 0; i < FRAMES * CHANNELS; i++) append_number(&samples, (uint64_t)i, 2, false);
    io_array got = read_ok(stored("l.wav", &r, samples.data, samples.count), NULL);
    for (int i = 0; i < FRAMES * CHANNELS; i++) {
        int64_t index[] = {0, i % CHANNELS, i / CHANNELS};
        assert_true(fal_tensor_get(&got.tensor, index) == (double)(int16_t)(uint16_t)i / 32768);
    }
    io_array_free(&got);
    free(samples.data);
    got = read_ok(stored("e.wav", &r, "", 0), NULL);
    assert_true(got.tensor.shape[2] == 0 && got.bytes == 0);
    io_array_free(&got);
}

static void refusals(void **state)
{
    static const unsigned char samples[16] = {1, 2, 3};
    static const struct {
        const char *what;
        recipe r;
        fal_status status;
    } cases[] = {
        {"channels", {.codec = PCM, .bits = 16, .rate = 8000, .frame = 2}, FAL_E_DIM},
        {"many", {.codec = PCM, .bits = 16, .channels = 2000, .rate = 8000}, FAL_E_DIM},
        {"rate", {.codec = PCM, .bits = 16, .channels = 1}, FAL_E_HEADER},
        {"frame", {.codec = PCM, .bits = 16, .channels = 1, .rate = 1, .frame = 4}, FAL_E_HEADER},
        {"frame 0", {.codec = PCM, .bits = 16, .channels = 1, .rate = 1, .frame = 1}, FAL_E_HEADER},
        {"bits", {.codec = PCM, .bits = 12, .channels = 1, .rate = 1, .frame = 2}, FAL_E_UNSUPPORTED},
        {"half", {.codec = FLOAT, .bits = 16, .channels = 1, .rate = 1}, FAL_E_UNSUPPORTED},
        {"ADPCM", {.codec = 17, .bits = 4, .channels = 1, .rate = 1, .frame = 2}, FAL_E_UNSUPPORTED},
        {"codec", {.codec = 999, .bits = 16, .channels = 1, .rate = 1}, FAL_E_UNSUPPORTED},
        {"uneven", {.codec = PCM, .bits = 24, .channels = 1, .rate = 1}, FAL_E_HEADER},
        {"fmt", {.codec = PCM, .bits = 16, .channels = 1, .rate = 1, .fmt_size = 14}, FAL_E_HEADER},
        {"fmt 2", {.codec = PCM, .bits = 16, .channels = 1, .rate = 1, .fmt_size = 4000}, FAL_E_TRUNCATED},
        {"cut", {.codec = PCM, .bits = 16, .channels = 1, .rate = 1, .claimed = 18}, FAL_E_TRUNCATED},
        {"absurd",
         {.codec = PCM, .bits = 16, .channels = 1, .rate = 1, .claimed = 1u << 31},
         FAL_E_TRUNCATED},
        {"absurd 64",
         {.codec = PCM, .bits = 16, .channels = 1, .rate = 1, .wide = true, .claimed = UINT64_MAX - 1},
         FAL_E_TRUNCATED},
        {"pipe", {.codec = PCM, .bits = 16, .channels = 1, .rate = 1, .claimed = UINT32_MAX}, FAL_E_HEADER},
        {"pipe 2", {.codec = PCM, .bits = 16, .channels = 1, .rate = 1, .riff = UINT32_MAX}, FAL_E_HEADER},
        {"riff", {.codec = PCM, .bits = 16, .channels = 1, .rate = 1, .riff = 4000}, FAL_E_TRUNCATED},
        {"trailing",
         {.codec = PCM, .bits = 16, .channels = 1, .rate = 1, .riff = 44, .claimed = 8},
         FAL_E_TRAILING},
        {"two", {.codec = PCM, .bits = 16, .channels = 1, .rate = 1, .before = "fmt "}, FAL_E_HEADER},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        refused_as(cases[i].what, stored("r.wav", &cases[i].r, samples, sizeof samples), NULL,
                   cases[i].status);
    refused_as("WebP", store("w.wav", "RIFF\4\0\0\0WEBP", 12), NULL, FAL_E_MAGIC);
    refused_as("nothing", store("n.wav", "RIFF\4\0\0\0WAVE", 12), NULL, FAL_E_HEADER);
    const recipe good = {.codec = PCM, .bits = 16, .channels = 1, .rate = 8000};
    const io_read_options few = {.limits = {.axis = 7}};
    refused_as("axis", stored("a.wav", &good, samples, sizeof samples), &few, FAL_E_LIMIT);
    bytes b = make(&good, samples, sizeof samples);
    append(&b, "tail", 4);
    const io_read_options lenient = {.allow_trailing = true};
    refused_as("tail", store("t.wav", b.data, b.count), NULL, FAL_E_TRAILING);
    io_array got = read_ok(at("t.wav"), &lenient);
    io_array_free(&got);
    free(b.data);
}

/* Compares a written file with the tensor, which lies between -1 and 1. */
static void compare(const char *path, const fal_tensor *t, int32_t bits, bool last, int64_t rate)
{
    const io_read_options how = {.layout = last ? FAL_NHWC : FAL_NCHW};
    io_array got = read_ok(path, &how);
    double step = bits == 16 ? 1.0 / 32768 : bits == 24 ? 1.0 / 8388608 : 0;
    int64_t index[FAL_MAX_RANK] = {0};
    assert_int_equal(got.rate, rate);
    assert_int_equal(fal_tensor_count(&got.tensor), fal_tensor_count(t));
    do {
        int64_t in[3] = {0};
        int32_t missing = 3 - t->rank;
        for (int32_t a = 0; a < t->rank; a++) in[a + missing] = index[a];
        if (t->rank == 1 && last) in[1] = in[2], in[2] = 0;
        double difference = fal_tensor_get(&got.tensor, in) - fal_tensor_get(t, index);
        assert_true(difference <= step / 2 && difference >= -step / 2);
    } while (next_index(t, index));
    io_array_free(&got);
}

static void round_trips(void **state)
{
    static const int64_t shapes[][3] = {{37}, {2, 9}, {1, 3, 11}, {1, 1, 4}};
    static const int32_t ranks[] = {1, 2, 3, 3};
    float data[64];
    (void)state;
    for (int i = 0; i < 64; i++) data[i] = (float)((i * 37) % 64 - 32) / 33;
    for (size_t s = 0; s < 4; s++) {
        for (int32_t bits = 16; bits <= 32; bits += 8) {
            for (int last = 0; last < 2; last++) {
                const io_write_options how = {.overwrite = true,
                                              .layout = last ? FAL_NHWC : FAL_NCHW,
                                              .bits = bits,
                                              .rate = 8000 + bits};
                fal_tensor t = fal_tensor_of(data, FAL_F32, ranks[s], shapes[s]);
                assert_int_equal(io_write(at("y.wav"), NULL, &t, &how, NULL), FAL_OK);
                compare(at("y.wav"), &t, bits, last != 0, how.rate);
            }
        }
    }
}

/* The inverse of reading: every level of 16 bits comes back, whatever its type was. */
static void levels(void **state)
{
    static int16_t all[65536];
    const int64_t shape[] = {65536};
    const io_write_options over = {.overwrite = true};
    (void)state;
    for (int i = 0; i < 65536; i++) all[i] = (int16_t)(i - 32768);
    fal_tensor t = fal_tensor_of(all, FAL_I16, 1, shape);
    assert_int_equal(io_write(at("all.wav"), NULL, &t, &over, NULL), FAL_OK);
    io_array got = read_ok(at("all.wav"), NULL);
    for (int i = 0; i < 65536; i++) assert_true(((float *)got.memory)[i] == (float)all[i] / 32768);
    assert_int_equal(io_write(at("again.wav"), NULL, &got.tensor, NULL, NULL), FAL_OK);
    bytes first = load(at("all.wav")), second = load(at("again.wav"));
    assert_int_equal(first.count, 44 + 2 * 65536);
    assert_int_equal(first.count, second.count);
    assert_memory_equal(first.data, second.data, first.count);
    free(first.data);
    free(second.data);
    io_array_free(&got);
}

static void clipping(void **state)
{
    float data[] = {2, -2, 1, -1, NAN, INFINITY, -INFINITY, 1.5F / 32768};
    static const int16_t expected[] = {32767, -32768, 32767, -32768, 0, 32767, -32768, 2};
    const int64_t shape[] = {8}, wide[] = {2, 1, 4}, tall[] = {2000, 1};
    const io_write_options real = {.overwrite = true, .bits = 32}, odd = {.overwrite = true, .bits = 20};
    fal_tensor t = fal_tensor_of(data, FAL_F32, 1, shape);
    fal_error error = {0};
    (void)state;
    assert_int_equal(io_write(at("c.wav"), NULL, &t, &odd, &error), FAL_E_VALUE);
    assert_int_equal(io_write(at("c.wav"), NULL, &t, &(io_write_options){.overwrite = true}, NULL), FAL_OK);
    bytes b = load(at("c.wav"));
    assert_memory_equal(b.data + 44, expected, sizeof expected);
    free(b.data);
    assert_int_equal(io_write(at("c.wav"), NULL, &t, &real, NULL), FAL_OK);
    io_array got = read_ok(at("c.wav"), NULL);
    assert_memory_equal(got.memory, data, sizeof data);
    io_array_free(&got);
    t = fal_tensor_of(data, FAL_F32, 3, wide);
    assert_int_equal(io_write(at("d.wav"), NULL, &t, NULL, &error), FAL_E_RANK);
    t = fal_tensor_of(data, FAL_I32, 1, shape);
    assert_int_equal(io_write(at("d.wav"), NULL, &t, NULL, &error), FAL_E_DTYPE);
    static float zeros[2000];
    t = fal_tensor_of(zeros, FAL_F32, 2, tall);
    assert_int_equal(io_write(at("d.wav"), NULL, &t, NULL, &error), FAL_E_SHAPE);
    assert_non_null(strstr(error.hint, "nhwc"));
    assert_int_not_equal(access(at("d.wav"), F_OK), 0);
}

/* The header of a sound that 32 bits cannot measure, without its 6 GB. */
static void wide_header(void **state)
{
    const io_wav wav = {.codec = IO_WAV_PCM,
                        .channels = 1,
                        .bits = 24,
                        .rate = 48000,
                        .frame = 3,
                        .frames = UINT64_C(2000000001)};
    unsigned char header[IO_WAV_HEADER];
    size_t count = io_wav_header(&wav, header);
    uint64_t data = 3 * wav.frames, riff = count - 8 + data + 1;
    bytes sizes = {0};
    (void)state;
    append(&sizes, "RF64\xff\xff\xff\xffWAVEds64\x1c\0\0\0", 20);
    append_number(&sizes, riff, 8, false);
    append_number(&sizes, data, 8, false);
    append_number(&sizes, wav.frames, 8, false);
    assert_memory_equal(header, sizes.data, sizes.count);
    assert_memory_equal(header + count - 8, "data\xff\xff\xff\xff", 8);
    refused_as("without its samples", store("w.wav", header, count), NULL, FAL_E_TRUNCATED);
    free(sizes.data);
}

static void hostile(void **state)
{
    static const unsigned char samples[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};
    const recipe recipes[] = {
        {.codec = PCM, .bits = 16, .channels = 2, .rate = 8000},
        {.codec = PCM, .bits = 24, .channels = 1, .rate = 8000, .extensible = true, .before = "LIST"},
        {.codec = FLOAT, .bits = 32, .channels = 1, .rate = 8000, .wide = true, .after = "bext"},
        {.codec = ULAW, .bits = 8, .channels = 3, .rate = 8000, .after = "LIST"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof recipes / sizeof *recipes; i++) {
        bytes b = make(&recipes[i], samples, sizeof samples);
        cut_everywhere(&b, "");
        damage_everywhere(&b, "", b.count);
        free(b.data);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_codec), cmocka_unit_test(telephone),   cmocka_unit_test(long_and_empty),
        cmocka_unit_test(refusals),    cmocka_unit_test(round_trips), cmocka_unit_test(levels),
        cmocka_unit_test(clipping),    cmocka_unit_test(wide_header), cmocka_unit_test(hostile),
    };
    return cmocka_run_group_tests(tests, limit_memory, remove_scratch);
}
