/* SPDX-License-Identifier: BSD-3-Clause */
/* test_safetensors.c: the rules of .safetensors, one row for each way to break them. */
#define _XOPEN_SOURCE 700
#include "files.h"

static bytes make(const char *header, size_t header_length, uint64_t length, size_t data)
{
    bytes b = {0};
    append_number(&b, length == UINT64_MAX ? header_length : length, 8, false);
    append(&b, header, header_length);
    for (size_t i = 0; i < data; i++) append_number(&b, i % 2, 1, false);
    return b;
}

static const char *store_header(const char *header, size_t data)
{
    bytes b = make(header, strlen(header), UINT64_MAX, data);
    const char *path = store("h.safetensors", b.data, b.count);
    free(b.data);
    return path;
}

#define T(name, dtype, shape, offsets) \
    "\"" name "\":{\"dtype\":\"" dtype "\",\"shape\":" shape ",\"data_offsets\":" offsets "}"

static void accepted(void **state)
{
    static const struct {
        const char *header;
        size_t data;
        fal_dtype dtype;
        int32_t rank;
        int64_t count;
    } rows[] = {
        {"{" T("a", "F32", "[2,3]", "[0,24]") "}", 24, FAL_F32, 2, 6},
        {" \n{" T("a", "F64", "[]", "[0,8]") "}   ", 8, FAL_F64, 0, 1},
        {"{" T("a", "F16", "[2,0]", "[0,0]") "}", 0, FAL_F16, 2, 0},
        {"{" T("a", "BF16", "[3]", "[0,6]") "}", 6, FAL_BF16, 1, 3},
        {"{" T("a", "I8", "[3]", "[0,3]") "}", 3, FAL_I8, 1, 3},
        {"{" T("a", "U8", "[3]", "[0,3]") "}", 3, FAL_U8, 1, 3},
        {"{" T("a", "BOOL", "[3]", "[0,3]") "}", 3, FAL_U8, 1, 3},
        {"{" T("a", "I16", "[1]", "[0,2]") "}", 2, FAL_I16, 1, 1},
        {"{" T("a", "I32", "[1]", "[0,4]") "}", 4, FAL_I32, 1, 1},
        {"{" T("a", "I64", "[1,1,1,1,1,1,1,1,1,1,1,1]", "[0,8]") "}", 8, FAL_I64, 12, 1},
        {"{\"__metadata__\":{\"k\":\"a \\u0000 b\"}," T("", "U8", "[1]", "[0,1]") "}", 1, FAL_U8, 1, 1},
        {"{" T("\\u00e9\\n", "U8", "[1]", "[0,1]") "}", 1, FAL_U8, 1, 1},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        io_array got = read_ok(store_header(rows[i].header, rows[i].data), NULL);
        assert_int_equal(got.tensor.dtype, rows[i].dtype);
        assert_int_equal(got.tensor.rank, rows[i].rank);
        assert_int_equal(fal_tensor_count(&got.tensor), rows[i].count);
        io_array_free(&got);
    }
}

static void several(void **state)
{
    /* The header's order is not the order of the data. */
    static const char header[] =
        "{" T("late", "U8", "[2]", "[4,6]") "," T("early", "F32", "[1]", "[0,4]") "," T(
            "none", "F32", "[0]", "[4,4]") "," T("odd", "C64", "[1]", "[6,14]") "}";
    char spec[256];
    io_array out;
    fal_error error = {0};
    (void)state;
    const char *path = store_header(header, 14);
    snprintf(spec, sizeof spec, "%s:late", path);
    io_array got = read_ok(spec, NULL);
    assert_memory_equal(got.memory, "\0\1", 2);
    io_array_free(&got);
    snprintf(spec, sizeof spec, "%s:odd", path);
    refused_as("complex", spec, NULL, FAL_E_UNSUPPORTED);
    refused_as("no name", path, NULL, FAL_E_USAGE);
    snprintf(spec, sizeof spec, "%s:nope", path);
    assert_int_equal(io_read(spec, NULL, &out, &error), FAL_E_NOTFOUND);
    assert_string_equal(error.allowed, "it holds late, early, none, odd");
    io_listing list;
    assert_int_equal(io_list(path, NULL, &list, &error), FAL_OK);
    assert_int_equal(list.count, 4);
    assert_string_equal(list.entries[1].name, "early");
    assert_int_equal(list.entries[1].bytes, 4);
    assert_string_equal(list.entries[3].stored, "C64");
    assert_int_equal(list.entries[3].dtype, FAL_DTYPE_NONE);
    io_listing_free(&list);
    refused_as("nothing", store_header("{}", 0), NULL, FAL_E_HEADER);
    assert_int_equal(io_list(store_header("{}", 0), NULL, &list, &error), FAL_OK);
    assert_int_equal(list.count, 0);
    io_listing_free(&list);
}

#define OK_A T("a", "U8", "[1]", "[0,1]")

static const struct {
    const char *header;
    size_t data;
    fal_status status;
} broken[] = {
    {"{", 1, FAL_E_HEADER},
    {"[]", 1, FAL_E_HEADER},
    {"\xef\xbb\xbf{" OK_A "}", 1, FAL_E_HEADER},
    {"{" OK_A "} x", 1, FAL_E_HEADER},
    {"{" OK_A ",}", 1, FAL_E_HEADER},
    {"{'a':1}", 1, FAL_E_HEADER},
    {"{" OK_A "}/**/", 1, FAL_E_HEADER},
    {"{\"\xff\":1}", 1, FAL_E_ENCODING},
    {"{\"\xc0\x80\":1}", 1, FAL_E_ENCODING},
    {"{\"a\\u0000b\":1}", 1, FAL_E_NAME},
    {"{" OK_A "," OK_A "}", 1, FAL_E_DUPLICATE},
    {"{" OK_A "," T("\\u0061", "U8", "[1]", "[0,1]") "}", 1, FAL_E_DUPLICATE},
    {"{\"a\":{\"dtype\":\"U8\",\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]}}", 1, FAL_E_DUPLICATE},
    {"{\"a\":{\"dtype\":\"U8\",\"x\":0,\"shape\":[1],\"data_offsets\":[0,1]}}", 1, FAL_E_HEADER},
    {"{\"a\":{\"shape\":[1],\"data_offsets\":[0,1]}}", 1, FAL_E_HEADER},
    {"{\"a\":{\"dtype\":\"U8\",\"data_offsets\":[0,1]}}", 1, FAL_E_HEADER},
    {"{\"a\":{\"dtype\":\"U8\",\"shape\":[1]}}", 1, FAL_E_HEADER},
    {"{\"a\":7}", 1, FAL_E_HEADER},
    {"{" T("a", "F33", "[1]", "[0,1]") "}", 1, FAL_E_DTYPE},
    {"{" T("a", "u8", "[1]", "[0,1]") "}", 1, FAL_E_DTYPE},
    {"{" T("a", "U8\\u0000", "[1]", "[0,1]") "}", 1, FAL_E_DTYPE},
    {"{\"a\":{\"dtype\":7,\"shape\":[1],\"data_offsets\":[0,1]}}", 1, FAL_E_DTYPE},
    {"{" T("a", "F4", "[3]", "[0,1]") "}", 1, FAL_E_UNSUPPORTED},
    {"{" T("a", "F8_E4M3", "[1]", "[0,1]") "}", 1, FAL_E_UNSUPPORTED},
    {"{" T("a", "U8", "null", "[0,1]") "}", 1, FAL_E_HEADER},
    {"{" T("a", "U8", "{}", "[0,1]") "}", 1, FAL_E_HEADER},
    {"{" T("a", "U8", "[-1]", "[0,1]") "}", 1, FAL_E_DIM},
    {"{" T("a", "U8", "[1.0]", "[0,1]") "}", 1, FAL_E_HEADER},
    {"{" T("a", "U8", "[\"1\"]", "[0,1]") "}", 1, FAL_E_HEADER},
    {"{" T("a", "U8", "[true]", "[0,1]") "}", 1, FAL_E_HEADER},
    {"{" T("a", "U8", "[007]", "[0,1]") "}", 1, FAL_E_HEADER},
    {"{" T("a", "U8", "[2,18446744073709551614]", "[0,1]") "}", 1, FAL_E_OVERFLOW},
    {"{" T("a", "I32", "[2,9223372036854775807]", "[0,1]") "}", 1, FAL_E_LIMIT},
    {"{" T("a", "I32", "[2147483647,2147483647,4]", "[0,1]") "}", 1, FAL_E_OVERFLOW},
    {"{" T("a", "I32", "[0,2147483647,2147483647,4]", "[0,0]") "}", 0, FAL_E_OVERFLOW},
    {"{" T("a", "U8", "[1,1,1,1,1,1,1,1,1,1,1,1,1]", "[0,1]") "}", 1, FAL_E_RANK},
    {"{" T("a", "U8", "[1]", "[0]") "}", 1, FAL_E_HEADER},
    {"{" T("a", "U8", "[1]", "[0,1,2]") "}", 1, FAL_E_HEADER},
    {"{" T("a", "U8", "[1]", "[1,0]") "}", 1, FAL_E_HEADER},
    {"{" T("a", "U8", "[1]", "[-1,0]") "}", 1, FAL_E_HEADER},
    {"{" T("a", "U8", "[1]", "[0.0,1]") "}", 1, FAL_E_HEADER},
    {"{" T("a", "U8", "[2]", "[0,2]") "}", 1, FAL_E_TRUNCATED},
    {"{" T("a", "U8", "[1]", "[9223372036854775806,9223372036854775807]") "}", 1, FAL_E_HEADER},
    {"{" OK_A "," T("b", "U8", "[1]", "[0,1]") "}", 1, FAL_E_OVERLAP},
    {"{" T("a", "U8", "[3]", "[0,3]") "," T("b", "U8", "[2]", "[2,4]") "}", 4, FAL_E_OVERLAP},
    {"{" OK_A "," T("b", "U8", "[1]", "[2,3]") "}", 3, FAL_E_HEADER},
    {"{" T("a", "U8", "[1]", "[1,2]") "}", 2, FAL_E_HEADER},
    {"{" OK_A "}", 2, FAL_E_TRAILING},
    {"{}", 1, FAL_E_TRAILING},
    {"{" T("a", "I32", "[2,2]", "[0,4]") "}", 4, FAL_E_SHAPE},
    {"{\"__metadata__\":{\"k\":1}," OK_A "}", 1, FAL_E_HEADER},
    {"{\"__metadata__\":[]," OK_A "}", 1, FAL_E_HEADER},
    {"{" T("a", "BOOL", "[2]", "[0,2]") "," T("b", "U8", "[1]", "[2,3]") "}", 3, FAL_E_USAGE},
};

static void refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof broken / sizeof *broken; i++)
        refused_as(broken[i].header, store_header(broken[i].header, broken[i].data), NULL, broken[i].status);
    bytes b = make("{" T("a", "BOOL", "[1]", "[0,1]") "}", strlen("{" T("a", "BOOL", "[1]", "[0,1]") "}"),
                   UINT64_MAX, 0);
    append(&b, "\2", 1);
    refused_as("bool of 2", store("b.safetensors", b.data, b.count), NULL, FAL_E_HEADER);
    free(b.data);
}

static void lengths(void **state)
{
    static const char header[] = "{" OK_A "}";
    static const struct {
        uint64_t length;
        fal_status status;
    } rows[] = {
        {0, FAL_E_HEADER},
        {1000, FAL_E_TRUNCATED},
        {sizeof header + 1, FAL_E_TRUNCATED},
        {25000001, FAL_E_LIMIT},
        {25000000, FAL_E_TRUNCATED},
        {UINT64_C(1) << 39, FAL_E_LIMIT},
        {UINT64_MAX - 1, FAL_E_LIMIT},
    };
    const io_read_options one = {.limits = {.members = 1}}, small = {.limits = {.json_header = 10}};
    const io_read_options name = {.limits = {.name_bytes = 2}};
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        bytes b = make(header, sizeof header - 1, rows[i].length, 1);
        refused_as("length", store("l.safetensors", b.data, b.count), NULL, rows[i].status);
        free(b.data);
    }
    refused_as("small", store_header(header, 1), &small, FAL_E_LIMIT);
    refused_as("name", store_header("{" T("abc", "U8", "[1]", "[0,1]") "}", 1), &name, FAL_E_LIMIT);
    static const char three[] =
        "{" OK_A "," T("b", "U8", "[1]", "[1,2]") "," T("c", "U8", "[1]", "[2,3]") "}";
    refused_as("members", store_header(three, 3), &one, FAL_E_LIMIT);
    bytes deep = {0};
    append(&deep, "{\"__metadata__\":", 16);
    for (int i = 0; i < 100000; i++) append(&deep, "[", 1);
    append(&deep, "\0", 1);
    refused_as("deep", store_header((char *)deep.data, 1), NULL, FAL_E_HEADER);
    free(deep.data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(accepted),
        cmocka_unit_test(several),
        cmocka_unit_test(refused),
        cmocka_unit_test(lengths),
    };
    return cmocka_run_group_tests(tests, make_scratch, remove_scratch);
}
