/* SPDX-License-Identifier: BSD-3-Clause */
/* test_npy.c: .npy as NumPy writes it and as nobody should: byte orders, versions, hostile headers. */
#define _XOPEN_SOURCE 700
#include "files.h"

/* An .npy file from its parts. `length` of the header text; UINT32_MAX: the true one. */
static bytes make_npy(int version, const void *text, size_t text_length, uint32_t length, size_t data)
{
    bytes b = {0};
    append(&b, "\x93NUMPY", 6);
    append_number(&b, (uint64_t)version, 1, false);
    append_number(&b, 0, 1, false);
    append_number(&b, length == UINT32_MAX ? text_length : length, version == 1 ? 2 : 4, false);
    append(&b, text, text_length);
    for (size_t i = 0; i < data; i++) append_number(&b, i & 1, 1, false);
    return b;
}

static const char *store_header(const char *text, size_t data)
{
    bytes b = make_npy(1, text, strlen(text), UINT32_MAX, data);
    const char *path = store("h.npy", b.data, b.count);
    free(b.data);
    return path;
}

static void golden_forms(void **state)
{
    _Alignas(8) unsigned char memory[512];
    static const struct {
        const char *name;
        fal_dtype dtype;
        int32_t rank;
        int64_t shape[3];
        bool fortran;
    } forms[] = {
        {"fortran.npy", FAL_F32, 3, {2, 3, 4}, true},     {"big_f4.npy", FAL_F32, 2, {2, 3}, false},
        {"big_i2_fortran.npy", FAL_I16, 2, {2, 3}, true}, {"big_i8.npy", FAL_I64, 1, {3}, false},
        {"version2.npy", FAL_F32, 2, {2, 3}, false},      {"version3.npy", FAL_F32, 2, {2, 3}, false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        char path[96];
        snprintf(path, sizeof path, DATA "%s", forms[i].name);
        fal_tensor expected = ramp(memory, forms[i].dtype, forms[i].rank, forms[i].shape);
        io_array got = read_ok(path, NULL);
        same_tensor(&got.tensor, &expected);
        assert_int_equal(got.tensor.strides[0] == 1, forms[i].fortran || forms[i].rank == 1);
        size_t size = got.bytes;
        io_array_free(&got);
        io_listing list;
        assert_int_equal(io_list(path, NULL, &list, NULL), FAL_OK);
        assert_int_equal(list.kind, IO_NPY);
        assert_int_equal(list.count, 1);
        assert_int_equal(list.entries->fortran, forms[i].fortran);
        assert_int_equal(list.entries->bytes, size);
        assert_int_equal(list.entries->stored_bytes, size);
        io_listing_free(&list);
    }
}

static void special_types(void **state)
{
    const io_read_options bf16 = {.void_dtype = FAL_BF16};
    fal_error error = {0};
    io_array got = read_ok(DATA "bool.npy", NULL);
    (void)state;
    assert_int_equal(got.tensor.dtype, FAL_U8);
    assert_memory_equal(got.memory, "\1\0\0\1", 4);
    io_array_free(&got);
    refused_as("void", DATA "bfloat16.npy", NULL, FAL_E_UNSUPPORTED);
    got = read_ok(DATA "bfloat16.npy", &bf16);
    assert_int_equal(got.tensor.dtype, FAL_BF16);
    assert_true(fal_tensor_get(&got.tensor, (int64_t[]){0}) == 1.0);
    assert_true(fal_tensor_get(&got.tensor, (int64_t[]){1}) == -2.0);
    io_array_free(&got);
    refused_as("object", DATA "object.npy", NULL, FAL_E_UNSUPPORTED);
    assert_int_equal(io_read(DATA "object.npy", NULL, &got, &error), FAL_E_UNSUPPORTED);
    assert_non_null(strstr(error.found, "pickle"));
    static const char *const refused[] = {"structured", "uint16", "complex64", "text", "date"};
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        char path[96];
        snprintf(path, sizeof path, DATA "%s.npy", refused[i]);
        refused_as(refused[i], path, NULL, FAL_E_UNSUPPORTED);
    }
}

#define D "'descr': '<f4', "
#define F "'fortran_order': False, "
#define S "'shape': (2,), "

static void accepted_headers(void **state)
{
    static const struct {
        const char *text;
        size_t data;
        int64_t count;
    } rows[] = {
        {"{" D F S "}", 8, 2},
        {"{" S F D "}\n", 8, 2},
        {"{\"descr\":\"<f4\",u'fortran_order':False,'shape':(2,)}", 8, 2},
        {"{" D F "'shape': (3L, 4L)}", 48, 12},
        {"{" D F "'shape': ()}", 4, 1},
        {"{" D F "'shape': (0,)}", 0, 0},
        {"{" D F "'shape': (1, 2, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1)}", 8, 2},
        {"{'descr': '<u1', " F S "}  \n", 2, 2},
        {"{'descr': '=f4', " F S "}", 8, 2},
        {"{" D F S "}", 9, 2},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        io_array got = read_ok(store_header(rows[i].text, rows[i].data), NULL);
        assert_int_equal(fal_tensor_count(&got.tensor), rows[i].count);
        io_array_free(&got);
    }
}

static const struct {
    const char *text;
    size_t data;
    fal_status status;
} broken[] = {
    {"[1]", 8, FAL_E_HEADER},
    {"42", 8, FAL_E_HEADER},
    {"None", 8, FAL_E_HEADER},
    {"{" D F "}", 8, FAL_E_HEADER},
    {"{" D F S "'foo': 1}", 8, FAL_E_HEADER},
    {"{" D F S S "}", 8, FAL_E_DUPLICATE},
    {"{" D F S "} x", 8, FAL_E_HEADER},
    {"{" D F S, 8, FAL_E_HEADER},
    {"{" D F "'shape': (2,", 8, FAL_E_HEADER},
    {"{" D F "'shape': [2]}", 8, FAL_E_HEADER},
    {"{" D F "'shape': 2}", 8, FAL_E_HEADER},
    {"{" D F "'shape': '2'}", 8, FAL_E_HEADER},
    {"{" D F "'shape': (2)}", 8, FAL_E_HEADER},
    {"{" D F "'shape': (-1,)}", 8, FAL_E_DIM},
    {"{" D F "'shape': (True,)}", 8, FAL_E_HEADER},
    {"{" D F "'shape': (1.0,)}", 8, FAL_E_HEADER},
    {"{" D F "'shape': (0x10,)}", 8, FAL_E_HEADER},
    {"{" D F "'shape': (1_0,)}", 8, FAL_E_HEADER},
    {"{" D F "'shape': (007,)}", 8, FAL_E_HEADER},
    {"{" D F "'shape': (2*3,)}", 8, FAL_E_HEADER},
    {"{" D F "'shape': (123456789012345678901234567890,)}", 8, FAL_E_DIM},
    {"{" D F "'shape': (9223372036854775808,)}", 8, FAL_E_DIM},
    {"{" D F "'shape': (4611686018427387904,)}", 10, FAL_E_LIMIT},
    {"{" D F "'shape': (0, 4611686018427387904)}", 0, FAL_E_LIMIT},
    {"{" D F "'shape': (2147483647, 2147483647, 2147483647)}", 8, FAL_E_OVERFLOW},
    {"{" D F "'shape': (2147483647, 2147483647)}", 8, FAL_E_OVERFLOW},
    {"{" D F "'shape': (2147483647, 2147483647, 0, 2)}", 0, FAL_E_OVERFLOW},
    {"{" D F "'shape': (2147483647,)}", 8, FAL_E_TRUNCATED},
    {"{" D F "'shape': (1,1,1,1,1,1,1,1,1,1,1,1,1)}", 4, FAL_E_RANK},
    {"{" D F "'shape': (2,,)}", 8, FAL_E_HEADER},
    {"{" D "'fortran_order': 1, " S "}", 8, FAL_E_HEADER},
    {"{" D "'fortran_order': 'no', " S "}", 8, FAL_E_HEADER},
    {"{'descr': '|O', " F S "}", 8, FAL_E_UNSUPPORTED},
    {"{'descr': [('a', '<f4')], " F S "}", 8, FAL_E_UNSUPPORTED},
    {"{'descr': ('<f4', (2,)), " F S "}", 8, FAL_E_UNSUPPORTED},
    {"{'descr': '<f3', " F S "}", 8, FAL_E_DTYPE},
    {"{'descr': '<ixy', " F S "}", 8, FAL_E_DTYPE},
    {"{'descr': '', " F S "}", 8, FAL_E_DTYPE},
    {"{'descr': '<', " F S "}", 8, FAL_E_DTYPE},
    {"{'descr': 'f', " F S "}", 8, FAL_E_DTYPE},
    {"{'descr': 'f4', " F S "}", 8, FAL_E_DTYPE},
    {"{'descr': '|f4', " F S "}", 8, FAL_E_DTYPE},
    {"{'descr': '<U8', " F S "}", 64, FAL_E_UNSUPPORTED},
    {"{'descr': '|S4', " F S "}", 8, FAL_E_UNSUPPORTED},
    {"{'descr': '<M8[s]', " F S "}", 16, FAL_E_UNSUPPORTED},
    {"{'descr': '<c8', " F S "}", 16, FAL_E_UNSUPPORTED},
    {"{'descr': '<f16', " F S "}", 32, FAL_E_UNSUPPORTED},
    {"{'descr': '<u4', " F S "}", 8, FAL_E_UNSUPPORTED},
    {"{b'descr': '<f4', " F S "}", 8, FAL_E_HEADER},
    {"{'descr': '\\x3cf4', " F S "}", 8, FAL_E_HEADER},
    {"{" D F S "} # comment", 8, FAL_E_HEADER},
    {"{'descr': __import__('os'), " F S "}", 8, FAL_E_HEADER},
    {"{" D F S "}\xe9", 8, FAL_E_ENCODING},
    {"{" D F S "}", 7, FAL_E_TRUNCATED},
};

static void refused_headers(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof broken / sizeof *broken; i++)
        refused_as(broken[i].text, store_header(broken[i].text, broken[i].data), NULL, broken[i].status);
}

static void refused_bytes(void **state)
{
    static const struct {
        const char *data;
        size_t count;
        fal_status status;
    } rows[] = {
        {"", 0, FAL_E_TRUNCATED},
        {"\x93NUMP", 5, FAL_E_TRUNCATED},
        {"NUMPY\x93\1\0", 8, FAL_E_MAGIC},
        {"\x93NUMPY", 6, FAL_E_TRUNCATED},
        {"\x93NUMPY\0\0\0\0", 10, FAL_E_VERSION},
        {"\x93NUMPY\1\1\0\0", 10, FAL_E_VERSION},
        {"\x93NUMPY\4\0\0\0", 10, FAL_E_VERSION},
        {"\x93NUMPY\1\0\5", 9, FAL_E_TRUNCATED},
        {"\x93NUMPY\1\0\0\0", 10, FAL_E_HEADER},
        {"\x93NUMPY\1\0\xf4\1{'descr': '<f4'", 25, FAL_E_TRUNCATED},
        {"\x93NUMPY\2\0\xf0\xff\xff\xff", 12, FAL_E_LIMIT},
        {"\x93NUMPY\2\0\x70\x11\1\0", 12, FAL_E_LIMIT},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        refused_as("bytes", store("b.npy", rows[i].data, rows[i].count), NULL, rows[i].status);
    /* A zero byte, ten thousand brackets, UTF-8 in version 3. */
    static const char zero[] = "{" D F "\0" S "}";
    bytes b = make_npy(1, zero, sizeof zero - 1, UINT32_MAX, 8);
    refused_as("zero byte", store("b.npy", b.data, b.count), NULL, FAL_E_HEADER);
    free(b.data);
    char *deep = malloc(10001);
    memset(deep, '(', 10000);
    deep[10000] = 0;
    refused_as("deep", store_header(deep, 8), NULL, FAL_E_HEADER);
    free(deep);
    static const char latin[] = "{'d\xc3\xa9': 1}";
    b = make_npy(3, latin, sizeof latin - 1, UINT32_MAX, 8);
    refused_as("not ASCII", store("b.npy", b.data, b.count), NULL, FAL_E_ENCODING);
    free(b.data);
    static const char truth[] = "{'descr': '|b1', " F "'shape': (3,)}";
    b = make_npy(1, truth, sizeof truth - 1, UINT32_MAX, 0);
    append(&b, "\1\0\2", 3);
    refused_as("bool of 2", store("b.npy", b.data, b.count), NULL, FAL_E_HEADER);
    free(b.data);
}

static void messages(void **state)
{
    io_array out;
    fal_error error = {0};
    char text[400];
    (void)state;
    io_read(store_header("{" D F "'shape': (-7,)}", 8), NULL, &out, &error);
    assert_string_equal(error.found, "shape[0] is -7");
    assert_non_null(strstr(error.field, "/h.npy@61"));
    io_read(store_header("{'descr': '\x01\x1b[31m', " F S "}", 8), NULL, &out, &error);
    assert_string_equal(error.found, "element type '\\x01\\x1b[31m' is unknown");
    io_read(store_header("{" D F S "}", 7), NULL, &out, &error);
    fal_error_message(&error, text, sizeof text);
    assert_string_equal(text, "the array needs 8 bytes, 7 present");
}

static void options(void **state)
{
    const io_read_options small = {.limits = {.npy_header = 20}};
    const io_read_options axis = {.limits = {.axis = INT64_MAX}};
    (void)state;
    refused_as("small limit", store_header("{" D F S "}", 8), &small, FAL_E_LIMIT);
    refused_as("wide", store_header("{" D F "'shape': (4294967296, 4294967296)}", 8), &axis, FAL_E_OVERFLOW);
    refused_as("wide", store_header("{" D F "'shape': (0, 4611686018427387904)}", 0), &axis, FAL_E_OVERFLOW);
    refused_as("wide", store_header("{" D F "'shape': (1099511627776,)}", 8), &axis, FAL_E_TRUNCATED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(golden_forms),     cmocka_unit_test(special_types),
        cmocka_unit_test(accepted_headers), cmocka_unit_test(refused_headers),
        cmocka_unit_test(refused_bytes),    cmocka_unit_test(messages),
        cmocka_unit_test(options),
    };
    return cmocka_run_group_tests(tests, make_scratch, remove_scratch);
}
