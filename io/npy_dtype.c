/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * npy_dtype.c: element types of .npy, in both directions, and the header that is written.
 *
 * A type is written as byte order, kind letter and bytes: "<f4". One byte has no order ("|u1").
 */
#include <stdio.h>
#include <string.h>

#include "io/bytes.h"
#include "io/npy_header.h"

static const struct {
    char name[3];
    fal_dtype dtype;
} types[] = {
    {"f4", FAL_F32}, {"f8", FAL_F64}, {"f2", FAL_F16}, {"i1", FAL_I8}, {"u1", FAL_U8},
    {"i2", FAL_I16}, {"i4", FAL_I32}, {"i8", FAL_I64}, {"b1", FAL_U8},
};

static const char supported[] =
    "float16, float32, float64, int8, int16, int32, int64, uint8 and bool can be read";

/* What NumPy calls the kinds that have no counterpart here; NULL when it is no kind of NumPy's. */
static const char *foreign_kind(const char *type)
{
    static const struct {
        const char *name, *text;
    } exact[] = {{"u2", "uint16"},      {"u4", "uint32"},      {"u8", "uint64"},      {"c8", "complex64"},
                 {"c16", "complex128"}, {"c32", "complex256"}, {"f16", "long double"}};
    for (size_t i = 0; i < sizeof exact / sizeof *exact; i++)
        if (strcmp(type, exact[i].name) == 0) return exact[i].text;
    if (type[0] == 0 || strchr("USaMmV", type[0]) == NULL) return NULL;
    size_t digits = strspn(type + 1, "0123456789");
    if (type[0] == 'M' || type[0] == 'm') {
        bool unit = type[1 + digits] == 0 || type[1 + digits] == '[';
        return digits == 1 && type[1] == '8' && unit ? "date or time" : NULL;
    }
    if (digits == 0 || type[1 + digits] != 0) return NULL;
    return type[0] == 'V' ? "raw bytes" : "text";
}

static fal_status refuse_type(const io_npy_header *header, const io_place *place, fal_error *error)
{
    const char *type = header->descr + 1, *kind = foreign_kind(type);
    char text[IO_TEXT];
    io_escape(text, header->descr, strlen(header->descr));
    if (kind == NULL) {
        io_fail(error, FAL_E_DTYPE, place, IO_NOWHERE, "element type '%s' is unknown", text);
        return io_allowed(error, FAL_E_DTYPE, "%s", supported);
    }
    io_fail(error, FAL_E_UNSUPPORTED, place, IO_NOWHERE, "elements are %s ('%s')", kind, text);
    io_allowed(error, FAL_E_UNSUPPORTED, "%s", supported);
    if (strcmp(type, "V2") == 0) {
        return io_hint(error, FAL_E_UNSUPPORTED, "if they are bfloat16, say so with --dtype bf16");
    }
    if (type[0] == 'u' || type[0] == 'f' || type[0] == 'c') {
        return io_hint(error, FAL_E_UNSUPPORTED, "convert in NumPy: a.astype('%s')",
                       type[0] != 'u'   ? "float64"
                       : type[1] == '2' ? "int32"
                                        : "int64");
    }
    return FAL_E_UNSUPPORTED;
}

/* Objects are stored as a pickle, a program that runs when it is loaded. */
static fal_status refuse_objects(const io_place *place, fal_error *error)
{
    io_fail(error, FAL_E_UNSUPPORTED, place, IO_NOWHERE, "the array holds Python objects (a pickle)");
    io_allowed(error, FAL_E_UNSUPPORTED, "reading a pickle runs code from the file, so it is never done");
    return io_hint(error, FAL_E_UNSUPPORTED, "save numbers: np.save(f, a.astype('float32'))");
}

static fal_status find_type(io_npy_header *header, fal_dtype void_dtype, const io_place *place,
                            fal_error *error)
{
    char order = header->descr[0];
    const char *type = header->descr + 1;
    if (strcmp(header->descr, "O") == 0 || (order != 0 && strcmp(type, "O") == 0) ||
        (order != 0 && strcmp(type, "O8") == 0)) {
        return refuse_objects(place, error);
    }
    if (order == '=') order = io_host_is_big() ? '>' : '<'; /* this machine's */
    bool ordered = order == '<' || order == '>', unstated = order == '|';
    for (size_t i = 0; i < sizeof types / sizeof *types && order != 0; i++) {
        if (strcmp(header->descr, types[i].name) == 0) unstated = true;
        if (strcmp(type, types[i].name) == 0) header->dtype = types[i].dtype;
    }
    if (void_dtype != FAL_DTYPE_NONE && fal_dtype_bytes(void_dtype) == 2 &&
        strcmp(header->descr, "|V2") == 0) {
        /* NumPy has no order for void; what writes them runs on little-endian machines. */
        header->dtype = void_dtype;
        header->swap = io_host_is_big();
        return FAL_OK;
    }
    size_t width = fal_dtype_bytes(header->dtype);
    if (unstated && (order != '|' || width > 1)) {
        io_fail(error, FAL_E_DTYPE, place, IO_NOWHERE, "the byte order of '%s' is not stated", header->descr);
        return io_allowed(error, FAL_E_DTYPE, "'<' little endian, '>' big endian or '=' this machine's");
    }
    if (header->dtype == FAL_DTYPE_NONE || (!ordered && order != '|')) {
        header->dtype = FAL_DTYPE_NONE;
        return refuse_type(header, place, error);
    }
    header->boolean = type[0] == 'b';
    header->swap = width > 1 && (order == '>') != io_host_is_big();
    return FAL_OK;
}

fal_status io_npy_resolve(io_npy_header *header, fal_dtype void_dtype, const io_place *place,
                          fal_error *error)
{
    IO_TRY(find_type(header, void_dtype, place, error));
    /* A size 0 does not excuse sizes whose product overflows: strides are products, too. */
    uint64_t product = fal_dtype_bytes(header->dtype);
    bool empty = false, fits = true;
    for (int32_t a = 0; a < header->rank; a++) {
        if (header->shape[a] == 0) empty = true;
        if (header->shape[a] > 0) fits = fits && io_multiply(product, (uint64_t)header->shape[a], &product);
    }
    if (!fits || product > INT64_MAX) {
        io_fail(error, FAL_E_OVERFLOW, place, IO_NOWHERE,
                "the sizes of the shape multiply to over 2^63 bytes");
        return FAL_E_OVERFLOW;
    }
    header->bytes = empty ? 0 : product;
    header->count = header->bytes / fal_dtype_bytes(header->dtype);
    return FAL_OK;
}

/* NumPy's own layout to the byte: sorted keys, room for axis 0 to grow to 21 digits, blanks up to a
 * multiple of 64, a newline. */
size_t io_npy_format_header(const fal_tensor *t, unsigned char out[IO_NPY_HEADER_BYTES])
{
    char *text = (char *)out + 10;
    const size_t room = IO_NPY_HEADER_BYTES - 10;
    const char *type = "??";
    for (size_t i = sizeof types / sizeof *types; i-- > 0;)
        if (types[i].dtype == t->dtype) type = types[i].name;
    size_t used = (size_t)snprintf(text, room, "{'descr': '%c%s', 'fortran_order': False, 'shape': (",
                                   type[1] == '1' ? '|' : '<', type);
    size_t digits = 21;
    for (int32_t a = 0; a < t->rank; a++) {
        size_t start = used;
        used += (size_t)snprintf(text + used, room - used, "%" PRId64, t->shape[a]);
        if (a == 0) digits = used - start;
        if (a + 1 < t->rank || a == 0) text[used++] = ',';
        if (a + 1 < t->rank) text[used++] = ' ';
    }
    used += (size_t)snprintf(text + used, room - used, "), }");
    size_t growth = digits < 21 ? 21 - digits : 0;
    size_t blanks = growth + 64 - (10 + used + growth + 1) % 64;
    memset(text + used, ' ', blanks);
    used += blanks;
    text[used++] = '\n';
    memcpy(out, "\x93NUMPY\x01\x00", 8);
    out[8] = (unsigned char)(used & 255);
    out[9] = (unsigned char)(used >> 8);
    return 10 + used;
}
