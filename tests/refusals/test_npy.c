/* SPDX-License-Identifier: BSD-3-Clause */
/* test_npy.c: the rows of table npy in rows.inc, each a file made byte by byte. */
#define _XOPEN_SOURCE 700
#define ROW_npy       REFUSALS_ROW
#include "refusals/files.h"
#include "refusals/rows.h"

/* The three entries of a header; a row replaces one of them. */
#define TYPE  "'descr': '<f4', "
#define ORDER "'fortran_order': False, "
#define SHAPE "'shape': (2,), "

static const io_read_options wide = {.limits = {.axis = UINT64_MAX}};

/* Magic, version, length field and text. */
static bytes with_text(int version, const void *text, size_t count)
{
    bytes b = {0};
    append(&b, "\x93NUMPY", 6);
    append_number(&b, (uint64_t)version, 2, false);
    append_number(&b, count, version == 1 ? 2 : 4, false);
    append(&b, text, count);
    return b;
}

/* Version 1 with `data` bytes 0, 1, 0, 1, ... behind the header. */
static bytes with_data(const char *text, size_t data)
{
    bytes b = with_text(1, text, strlen(text));
    for (size_t i = 0; i < data; i++) append_number(&b, i & 1, 1, false);
    return b;
}

static void refuse_header(const char *text, fal_status status, const char *key)
{
    refuse((attempt){.file = with_data(text, 8)}, status, key);
}

static void refuse_type(const char *type, fal_status status, const char *key)
{
    char text[200];
    snprintf(text, sizeof text, "{'descr': %s, " ORDER SHAPE "}", type);
    refuse_header(text, status, key);
}

static bytes with_shape(const char *shape, size_t data)
{
    char text[400];
    snprintf(text, sizeof text, "{" TYPE ORDER "'shape': %s, }", shape);
    return with_data(text, data);
}

static void refuse_shape(const char *shape, fal_status status, const char *key)
{
    refuse((attempt){.file = with_shape(shape, 8)}, status, key);
}

/* By default because a size is above the limit; with the limit raised for what else is wrong. */
static void refuse_sizes(const char *shape, size_t data, fal_status status, const char *key)
{
    refuse((attempt){.file = with_shape(shape, data)}, FAL_E_LIMIT, "must be 0..2147483647");
    refuse((attempt){.file = with_shape(shape, data), .options = &wide}, status, key);
}

static void accept_count(const char *text, size_t data, int64_t count)
{
    io_array got = accept((attempt){.file = with_data(text, data)});
    assert_int_equal(fal_tensor_count(&got.tensor), count);
    io_array_free(&got);
}

/* ---- before the header's text ------------------------------------------------------------------ */

static void N01(void)
{
    refuse_bytes("", 0, FAL_E_TRUNCATED, "the file is empty");
}

static void N02(void)
{
    refuse_bytes("\x93NUMP", 5, FAL_E_TRUNCATED, "5 bytes");
}

static void N03(void)
{
    refuse_bytes("NUMPY\x93\1\0", 8, FAL_E_MAGIC, "NUMPY\\x93");
}

static void N04(void)
{
    refuse_bytes("\x93NUMPY", 6, FAL_E_TRUNCATED, "magic and version need 8");
}

static void N05(void)
{
    refuse_bytes("\x93NUMPY\0\0\0\0", 10, FAL_E_VERSION, "version 0.0");
    refuse_bytes("\x93NUMPY\1\1\0\0", 10, FAL_E_VERSION, "version 1.1");
    refuse_bytes("\x93NUMPY\4\0\0\0", 10, FAL_E_VERSION, "version 4.0; 1.0, 2.0 and 3.0");
}

static void N06(void)
{
    refuse_bytes("\x93NUMPY\1\0\5", 9, FAL_E_TRUNCATED, "needs 2 bytes, 1 present");
}

static void N07(void)
{
    refuse_bytes("\x93NUMPY\1\0\xf4\1{'descr': '<f4', 'fo", 30, FAL_E_TRUNCATED,
                 "needs 500 bytes, 20 present");
}

static void N08(void)
{
    refuse_bytes("\x93NUMPY\2\0\x70\x11\1\0", 12, FAL_E_LIMIT, "70000 bytes; at most 65536");
}

static void N09(void)
{
    refuse_bytes("\x93NUMPY\1\0\0\0", 10, FAL_E_HEADER, "the header is empty");
}

static void N10(void)
{
    refuse_bytes("\x93NUMPY\2\0\xf0\xff\xff\xff", 12, FAL_E_LIMIT, "4294967280 bytes; at most 65536");
}

/* ---- the header's text --------------------------------------------------------------------------- */

static void N11(void)
{
    accept_count("{" TYPE ORDER SHAPE "}", 8, 2);
}

static void N12(void)
{
    static const char text[] = "{" TYPE ORDER "\0" SHAPE "}";
    bytes b = with_text(1, text, sizeof text - 1);
    append(&b, "12345678", 8);
    refuse((attempt){.file = b}, FAL_E_HEADER, "zero byte");
}

static void N13(void)
{
    refuse_header("{" TYPE ORDER SHAPE "'caf\xe9': 1}", FAL_E_ENCODING, "0xe9");
}

static void N14(void)
{
    static const char text[] = "{" TYPE ORDER SHAPE "'\xc3(': 1}";
    refuse((attempt){.file = with_text(3, text, sizeof text - 1)}, FAL_E_ENCODING, "0xc3");
}

static void N15(void)
{
    static const char *const texts[] = {"[1]", "42", "None", "()", "'shape'"};
    for (size_t i = 0; i < 5; i++) refuse_header(texts[i], FAL_E_HEADER, "not a dictionary");
}

static void N16(void)
{
    refuse_header("{" TYPE ORDER "}", FAL_E_HEADER, "key 'shape' is missing");
}

static void N17(void)
{
    refuse_header("{" TYPE ORDER SHAPE "'foo': 1}", FAL_E_HEADER, "unknown key 'foo'");
}

static void N18(void)
{
    refuse_header("{" TYPE ORDER SHAPE SHAPE "}", FAL_E_DUPLICATE, "key 'shape' is given twice");
}

static void N19(void)
{
    refuse_header("{" TYPE ORDER SHAPE "} x", FAL_E_HEADER, "expected the end of the header, found 'x'");
}

static void N20(void)
{
    refuse_header("{" TYPE ORDER "'shape': (2,", FAL_E_HEADER, "ends where");
    refuse_header("{" TYPE ORDER "'shape': (2,}", FAL_E_HEADER, "found '}'");
    refuse_header("{" TYPE ORDER SHAPE, FAL_E_HEADER, "ends where");
}

static void N21(void)
{
    char *deep = malloc(10001);
    memset(deep, '(', 10000);
    deep[10000] = 0;
    refuse_header(deep, FAL_E_HEADER, "not a dictionary");
    memcpy(deep, "{'shape': ", 10);
    refuse_header(deep, FAL_E_HEADER, "found '('");
    free(deep);
}

/* ---- the shape ----------------------------------------------------------------------------------- */

static void N22(void)
{
    static const char *const shapes[] = {"[2]", "2", "'2'"};
    for (size_t i = 0; i < 3; i++) refuse_shape(shapes[i], FAL_E_HEADER, "expected a tuple for 'shape'");
}

static void N23(void)
{
    refuse_shape("(3)", FAL_E_HEADER, "written (3,)");
}

static void N24(void)
{
    refuse_shape("(-1,)", FAL_E_DIM, "shape[0] is -1; must be 0..");
}

static void N25(void)
{
    refuse_shape("(True,)", FAL_E_HEADER, "found 'T'");
}

static void N26(void)
{
    static const char *const shapes[] = {"(1.0,)", "(0x10,)", "(1_0,)", "(1e3,)", "(+2,)"};
    for (size_t i = 0; i < 5; i++) refuse_shape(shapes[i], FAL_E_HEADER, "expected");
    refuse_shape("(007,)", FAL_E_HEADER, "leading zeros");
}

static void N27(void)
{
    refuse_shape("(123456789012345678901234567890,)", FAL_E_DIM,
                 "shape[0] is 123456789012345678901234567890");
}

static void N28(void)
{
    accept_count("{" TYPE ORDER "'shape': (3L, 4L)}", 48, 12);
}

static void N29(void)
{
    refuse_sizes("(4294967296, 4294967296)", 8, FAL_E_OVERFLOW, "2^63");
}

static void N30(void)
{
    refuse_sizes("(2305843009213693952,)", 8, FAL_E_OVERFLOW, "2^63");
}

static void N31(void)
{
    refuse_sizes("(4611686018427387904,)", 10, FAL_E_OVERFLOW, "2^63");
    bytes b = with_data("{'descr': '|u1', " ORDER "'shape': (4611686018427387904,)}", 10);
    refuse((attempt){.file = b, .options = &wide}, FAL_E_TRUNCATED, "4611686018427387904 bytes, 10 present");
    refuse_shape("(2147483647,)", FAL_E_TRUNCATED, "needs 8589934588 bytes, 8 present");
}

static void N32(void)
{
    refuse_sizes("(0, 4611686018427387904)", 0, FAL_E_OVERFLOW, "2^63");
}

static void N33(void)
{
    accept_count("{" TYPE ORDER "'shape': (1, 1, 1, 2, 1, 1, 1, 1, 1, 1, 1, 1)}", 8, 2);
    refuse_shape("(1, 1, 1, 2, 1, 1, 1, 1, 1, 1, 1, 1, 1)", FAL_E_RANK, "more than 12 axes");
}

static void N34(void)
{
    accept_count("{" TYPE ORDER "'shape': ()}", 4, 1);
    accept_count("{" TYPE ORDER "'shape': (0,)}", 0, 0);
    accept_count("{" TYPE ORDER "'shape': (3, 0, 5)}", 0, 0);
}

/* ---- order and type ------------------------------------------------------------------------------ */

static void N35(void)
{
    refuse_header("{" TYPE "'fortran_order': 1, " SHAPE "}", FAL_E_HEADER, "True or False");
    refuse_header("{" TYPE "'fortran_order': 'no', " SHAPE "}", FAL_E_HEADER, "True or False");
}

/* Element [a, b, c, d] lies at a + 2*(b + 3*(c + 2*d)). */
static void N36(void)
{
    bytes b = with_data("{'descr': '|u1', 'fortran_order': True, 'shape': (2, 3, 2, 2)}", 0);
    for (uint64_t i = 0; i < 24; i++) append_number(&b, i, 1, false);
    io_array got = accept((attempt){.file = b});
    int64_t i[4] = {0};
    do assert_true(fal_tensor_get(&got.tensor, i) == (double)(i[0] + 2 * (i[1] + 3 * (i[2] + 2 * i[3]))));
    while (next_index(&got.tensor, i));
    io_array_free(&got);
}

static void N37(void)
{
    refuse_type("'|O'", FAL_E_UNSUPPORTED, "pickle");
    refuse_type("'O'", FAL_E_UNSUPPORTED, "never done");
}

static void N38(void)
{
    refuse_type("[('a', '<f4')]", FAL_E_UNSUPPORTED, "structured arrays are not supported");
    refuse_type("('<f4', (2,))", FAL_E_UNSUPPORTED, "structured arrays are not supported");
}

static void N39(void)
{
    static const char *const types[] = {"'<f3'", "'<ixy'", "''", "'<'", "'f'", "'<f'", "'<f44'"};
    for (size_t i = 0; i < 7; i++) refuse_type(types[i], FAL_E_DTYPE, "is unknown; float16, float32");
}

static void N40(void)
{
    refuse_type("'<U8'", FAL_E_UNSUPPORTED, "elements are text ('<U8')");
    refuse_type("'|S4'", FAL_E_UNSUPPORTED, "elements are text ('|S4')");
    refuse_type("'<M8[s]'", FAL_E_UNSUPPORTED, "date or time");
}

static void N41(void)
{
    bytes b = with_data("{'descr': '>f4', " ORDER SHAPE "}", 0);
    append(&b, "\x3f\x80\0\0\xc0\x20\0\0", 8);
    accept_numbers((attempt){.file = b}, 2, (double[]){1, -2.5});
    b = with_data("{'descr': '>i2', " ORDER SHAPE "}", 0);
    append(&b, "\1\2\xff\xfe", 4);
    accept_numbers((attempt){.file = b}, 2, (double[]){258, -2});
}

/* NumPy writes `=` nowhere, but means this machine by it. */
static void N42(void)
{
    const float numbers[] = {1.5F, -3};
    bytes b = with_data("{'descr': '=f4', " ORDER SHAPE "}", 0);
    append(&b, numbers, sizeof numbers);
    accept_numbers((attempt){.file = b}, 2, (double[]){1.5, -3});
    refuse_type("'f4'", FAL_E_DTYPE, "byte order of 'f4' is not stated");
    refuse_type("'|f4'", FAL_E_DTYPE, "byte order of '|f4' is not stated");
}

static void N43(void)
{
    refuse_type("'<c8'", FAL_E_UNSUPPORTED, "complex64");
    refuse_type("'<f16'", FAL_E_UNSUPPORTED, "long double");
}

/* ---- the data ------------------------------------------------------------------------------------ */

static void N44(void)
{
    bytes b = with_data("{'descr': '|b1', " ORDER "'shape': (9,)}", 0);
    append(&b, "\0\1\0\1\0\1\1\2\0", 9);
    refuse((attempt){.file = b}, FAL_E_HEADER, "value 2 at element 7; a bool is 0 or 1");
}

static void N45(void)
{
    refuse((attempt){.file = with_shape("(10, 10)", 399)}, FAL_E_TRUNCATED, "needs 400 bytes, 399 present");
}

/* As NumPy reads: what follows may be the next array of a stream. */
static void N46(void)
{
    accept_count("{" TYPE ORDER SHAPE "}", 9, 2);
    bytes b = with_shape("(1,)", 4), second = with_shape("(2,)", 8);
    append(&b, second.data, second.count);
    free(second.data);
    io_array got = accept((attempt){.file = b});
    assert_int_equal(got.bytes, 4);
    io_array_free(&got);
}

static void N47(void)
{
    accept_count("{\"descr\": \"<f4\", u'fortran_order': False, 'shape': (2,)}", 8, 2);
}

static void N48(void)
{
    refuse_header("{b'descr': '<f4', " ORDER SHAPE "}", FAL_E_HEADER, "found 'b'");
    refuse_type("'\\x3cf4'", FAL_E_HEADER, "escapes");
    refuse_header("{" TYPE ORDER SHAPE "} # comment", FAL_E_HEADER, "found '#'");
}

static void N49(void)
{
    refuse_shape("(2*3,)", FAL_E_HEADER, "found '*'");
    refuse_type("__import__('os')", FAL_E_HEADER, "found '_'");
}

/* The file is cut after its size was asked for, while its data is being read: a pipe stands for what a
 * regular file cannot be made to do at a chosen moment, and a file that lost its end for the rest. */
static void N50(void)
{
    bytes b = with_shape("(1000000,)", 100);
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(write(ends[1], b.data, b.count), (ssize_t)b.count);
    close(ends[1]);
    char path[32];
    snprintf(path, sizeof path, "/dev/fd/%d", ends[0]);
    io_array out;
    fal_error error = {0};
    assert_int_equal(read_within((size_t)8 << 20, path, NULL, &out, &error), FAL_E_TRUNCATED);
    check_refusal(&out, &error, FAL_E_TRUNCATED);
    assert_non_null(strstr(error.found, "needs 4000000 bytes, 100 present"));
    close(ends[0]);
    refuse((attempt){.file = b}, FAL_E_TRUNCATED, "needs 4000000 bytes, 100 present");
}

static const refusals_row rows[] = {
#include "refusals/rows.inc"
};

int main(void)
{
    return refusals_main("npy", rows, sizeof rows / sizeof *rows, make_scratch, remove_scratch);
}
