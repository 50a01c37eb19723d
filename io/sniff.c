/* SPDX-License-Identifier: BSD-3-Clause */
/* sniff.c: the kind of a file from its first bytes, and of an output from its name. */
#include "io/sniff.h"

#include <string.h>

#include "io/bytes.h"

static const struct {
    io_kind kind;
    const char *name;
} names[] = {{IO_NPY, "npy"}, {IO_NPZ, "npz"},   {IO_SAFETENSORS, "safetensors"},
             {IO_PNG, "png"}, {IO_JPEG, "jpeg"}, {IO_WAV, "wav"}};

const char *io_kind_name(io_kind kind)
{
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (names[i].kind == kind) return names[i].name;
    return "unknown";
}

static bool same_word(const char *left, const char *right)
{
    for (; *left != 0 && *right != 0; left++, right++) {
        int a = *left >= 'A' && *left <= 'Z' ? *left + 32 : *left;
        if (a != *right) return false;
    }
    return *left == *right;
}

io_kind io_kind_of_name(const char *name)
{
    const char *slash = strrchr(name, '/'), *dot = strrchr(slash != NULL ? slash : name, '.');
    const char *word = dot != NULL ? dot + 1 : name;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (same_word(word, names[i].name)) return names[i].kind;
    return same_word(word, "jpg") ? IO_JPEG : IO_UNKNOWN;
}

static bool starts(const unsigned char *bytes, size_t count, const char *magic, size_t length)
{
    return count >= length && memcmp(bytes, magic, length) == 0;
}

/* .safetensors has no magic: a header length that is not absurd, then a JSON object, of which every
 * writer leaves out leading blanks, though they are legal. */
static bool is_safetensors(const unsigned char *bytes, size_t count)
{
    if (count < 9 || io_le64(bytes) > UINT64_C(1) << 40) return false;
    for (size_t i = 8; i < count; i++) {
        if (bytes[i] == '{') return true;
        if (memchr(" \t\r\n", bytes[i], 4) == NULL) return false;
    }
    return false;
}

/* A RIFF may be something else, a WebP; one that was cut before it says so is taken for a WAV. */
static bool is_wav(const unsigned char *bytes, size_t count)
{
    if (!starts(bytes, count, "RIFF", 4) && !starts(bytes, count, "RF64", 4)) return false;
    return count < 12 || memcmp(bytes + 8, "WAVE", 4) == 0;
}

io_kind io_sniff(const void *bytes, size_t count)
{
    if (starts(bytes, count, "\x93NUMPY", 6)) return IO_NPY;
    if (starts(bytes, count, "PK\3\4", 4) || starts(bytes, count, "PK\5\6", 4)) return IO_NPZ;
    /* The first four bytes decide, so that damage by a text-mode transfer is named as such. */
    if (starts(bytes, count, "\x89PNG", 4)) return IO_PNG;
    if (starts(bytes, count, "\xff\xd8\xff", 3)) return IO_JPEG;
    if (is_wav(bytes, count)) return IO_WAV;
    if (is_safetensors(bytes, count)) return IO_SAFETENSORS;
    return IO_UNKNOWN;
}

fal_status io_refuse_kind(const void *bytes, size_t count, const io_place *place, fal_error *error)
{
    static const struct {
        const char *magic;
        size_t length;
        const char *name, *hint;
    } foreign[] = {
        {"GIF8", 4, "a GIF image", "convert it to PNG"},
        {"RIFF", 4, "a RIFF file but no WAV (a WebP?)", ""},
        {"BM", 2, "a BMP image", "convert it to PNG"},
        {"II*\0", 4, "a TIFF image", "convert it to PNG"},
        {"MM\0*", 4, "a TIFF image", "convert it to PNG"},
        {"\x8aMNG", 4, "an MNG animation", "convert it to PNG"},
        {"\x8bJNG", 4, "a JNG image", "convert it to PNG"},
        {"\x89HDF", 4, "an HDF5 file", "save its arrays as .npy with h5py"},
        {"\x80\2", 2, "a Python pickle, which runs code when it is loaded", "save it as .safetensors"},
        {"\x80\3", 2, "a Python pickle, which runs code when it is loaded", "save it as .safetensors"},
        {"\x80\4", 2, "a Python pickle, which runs code when it is loaded", "save it as .safetensors"},
        {"GGUF", 4, "a GGUF model", ""},
        {"\x1f\x8b", 2, "compressed with gzip", "unpack it first"},
        {"MATLAB", 6, "a MATLAB file", ""},
    };
    char text[IO_TEXT];
    if (count == 0) return io_fail(error, FAL_E_TRUNCATED, place, 0, "the file is empty");
    for (size_t i = 0; i < sizeof foreign / sizeof *foreign; i++) {
        if (!starts(bytes, count, foreign[i].magic, foreign[i].length)) continue;
        io_fail(error, FAL_E_MAGIC, place, 0, "this is %s", foreign[i].name);
        io_allowed(error, FAL_E_MAGIC, ".npy, .npz, .safetensors, PNG, JPEG and WAV are read");
        return io_hint(error, FAL_E_MAGIC, "%s", foreign[i].hint);
    }
    /* The beginning of a magic is a file that was cut. */
    if (count < 8 && (starts((const unsigned char *)"\x93NUMPY", 6, bytes, count < 6 ? count : 6) ||
                      starts((const unsigned char *)"\x89PNG", 4, bytes, count < 4 ? count : 4) ||
                      starts((const unsigned char *)"RIFF", 4, bytes, count < 4 ? count : 4) || count < 3)) {
        return io_fail(error, FAL_E_TRUNCATED, place, count, "the file has only %zu byte%s", count,
                       count == 1 ? "" : "s");
    }
    io_fail(error, FAL_E_MAGIC, place, 0, "unknown kind of file; it starts with '%s'",
            io_escape(text, bytes, count < 16 ? count : 16));
    return io_allowed(error, FAL_E_MAGIC, ".npy, .npz, .safetensors, PNG, JPEG and WAV are read");
}
