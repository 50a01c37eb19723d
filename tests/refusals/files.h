/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * files.h: what the tables of file formats share: a file made of bytes goes in, and either a tensor or
 * a refusal that deserves the name comes out.
 *
 * A refused file must not have made the reader ask for memory that its bytes cannot justify. While a
 * row is read, the address space may grow by a few times the file and 4 MiB; who asks for more gets
 * FAL_E_NOMEM instead of the status that the row expects. (Sanitizers reserve address space at will;
 * there the limit is not set.)
 */
#ifndef TESTS_REFUSALS_FILES_H
#define TESTS_REFUSALS_FILES_H

/* The including file defines _XOPEN_SOURCE 700 first. */
#include "../io/files.h"

#include <fcntl.h>
#include <sys/resource.h>

#if defined(__SANITIZE_ADDRESS__)
#define REFUSALS_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define REFUSALS_SANITIZED 1
#endif
#endif
#ifndef REFUSALS_SANITIZED
#define REFUSALS_SANITIZED 0
#endif

/* The address space in use, in bytes; 0 when the system does not tell. */
static inline uint64_t address_space(void)
{
    unsigned long pages = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    if (file == NULL) return 0;
    if (fscanf(file, "%lu", &pages) != 1) pages = 0;
    fclose(file);
    return (uint64_t)pages * (uint64_t)sysconf(_SC_PAGESIZE);
}

/* io_read while no more than `room` bytes can be had. */
static inline fal_status read_within(size_t room, const char *spec, const io_read_options *options,
                                     io_array *out, fal_error *error)
{
    struct rlimit old, limit;
    uint64_t used = REFUSALS_SANITIZED ? 0 : address_space();
    assert_int_equal(getrlimit(RLIMIT_AS, &old), 0);
    limit = old;
    if (used != 0) limit.rlim_cur = (rlim_t)(used + room);
    assert_int_equal(setrlimit(RLIMIT_AS, &limit), 0);
    fal_status status = io_read(spec, options, out, error);
    assert_int_equal(setrlimit(RLIMIT_AS, &old), 0);
    return status;
}

/* What must be refused: the bytes, which member is asked for, and under which options. */
typedef struct attempt {
    bytes file;
    const char *member;
    const char *name; /* of the file; default "file" */
    const io_read_options *options;
} attempt;

/* Stores the bytes, in a folder that holds nothing else, and names what is to be read; valid until the
 * next call. */
static inline const char *spec_of(const attempt *a)
{
    static char spec[256];
    scratch_files(true);
    const void *data = a->file.data != NULL ? (const void *)a->file.data : "";
    const char *path = store(a->name != NULL ? a->name : "file", data, a->file.count);
    const char *colon = a->member != NULL ? ":" : "", *member = a->member != NULL ? a->member : "";
    snprintf(spec, sizeof spec, "%s%s%s", path, colon, member);
    return spec;
}

/* The attempt fails with this status and one printable line in which `key` stands. Frees the bytes. */
static inline void refuse(attempt a, fal_status expected, const char *key)
{
    char line[800];
    io_array out;
    fal_error error = {0};
    const char *spec = spec_of(&a);
    size_t room = ((size_t)4 << 20) + 4 * a.file.count;
    fal_status status = read_within(room, spec, a.options, &out, &error);
    snprintf(line, sizeof line, "%s; %s; %s [%s]", error.found, error.allowed, error.hint, error.field);
    if (status != expected || strstr(line, key) == NULL) {
        fail_msg("%s instead of %s with '%s': %s", fal_status_name(status), fal_status_name(expected), key,
                 line);
    }
    check_refusal(&out, &error, status);
    assert_int_equal(scratch_files(false), 1); /* the file itself: a reader leaves nothing */
    free(a.file.data);
}

static inline void refuse_bytes(const void *data, size_t count, fal_status expected, const char *key)
{
    bytes b = {0};
    append(&b, data, count);
    refuse((attempt){.file = b}, expected, key);
}

/* The attempt succeeds; the caller frees the array. Frees the bytes. */
static inline io_array accept(attempt a)
{
    io_array out = read_ok(spec_of(&a), a.options);
    free(a.file.data);
    return out;
}

/* Succeeds and gives a tensor of one axis with these numbers. */
static inline void accept_numbers(attempt a, int64_t count, const double *numbers)
{
    io_array got = accept(a);
    assert_int_equal(fal_tensor_count(&got.tensor), count);
    fal_tensor flat;
    assert_int_equal(fal_tensor_reshape(&got.tensor, 1, &count, &flat, NULL), FAL_OK);
    for (int64_t i = 0; i < count; i++) assert_true(fal_tensor_get(&flat, &i) == numbers[i]);
    io_array_free(&got);
}

#endif
