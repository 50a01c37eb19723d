/* SPDX-License-Identifier: BSD-3-Clause */
/* report.c: see report.h. */
#include "io/report.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

const char *io_escape(char out[IO_TEXT], const void *text, size_t count)
{
    static const char hex[] = "0123456789abcdef";
    const unsigned char *bytes = text;
    const size_t most = 64;
    size_t used = 0;
    for (size_t i = 0; i < count; i++) {
        bool plain = bytes[i] >= 0x20 && bytes[i] < 0x7f && bytes[i] != '\\';
        /* Whatever follows must leave room for the mark that says so. */
        size_t room = i + 1 == count ? most : most - 3;
        if (used + (plain ? 1 : 4) > room) {
            memcpy(out + used, "...", 3);
            used += 3;
            break;
        }
        if (plain) {
            out[used++] = (char)bytes[i];
        } else {
            out[used++] = '\\';
            out[used++] = 'x';
            out[used++] = hex[bytes[i] >> 4];
            out[used++] = hex[bytes[i] & 15];
        }
    }
    out[used] = 0;
    return out;
}

/* The name loses its beginning, so that the file's own name, the member and the offset stay:
 * "...models/resnet.npz:conv1@128". */
static void write_place(char field[64], const io_place *place, uint64_t offset)
{
    char member[IO_TEXT] = "", name[IO_TEXT], at[24] = "", tail[64];
    if (place->member != NULL) io_escape(member, place->member, strlen(place->member));
    if (offset != IO_NOWHERE) snprintf(at, sizeof at, "@%" PRIu64, offset);
    /* At most 30 characters of the member: the rest of the field belongs to the name. */
    snprintf(tail, sizeof tail, "%s%.30s%.23s", member[0] ? ":" : "", member, at);
    size_t room = 63 - strlen(tail);
    const char *start = place->name;
    io_escape(name, start, strlen(start));
    while (strlen(name) > room) {
        start++;
        room = 60 - strlen(tail);
        io_escape(name, start, strlen(start));
    }
    field[0] = 0;
    if (start != place->name) strcpy(field, "...");
    strcat(field, name);
    strcat(field, tail);
}

fal_status io_fail(fal_error *error, fal_status status, const io_place *place, uint64_t offset,
                   const char *found, ...)
{
    if (error == NULL) return status;
    memset(error, 0, sizeof *error);
    error->status = status;
    write_place(error->field, place, offset);
    va_list values;
    va_start(values, found);
    vsnprintf(error->found, sizeof error->found, found, values);
    va_end(values);
    return status;
}

fal_status io_allowed(fal_error *error, fal_status status, const char *allowed, ...)
{
    if (error == NULL) return status;
    va_list values;
    va_start(values, allowed);
    vsnprintf(error->allowed, sizeof error->allowed, allowed, values);
    va_end(values);
    return status;
}

fal_status io_hint(fal_error *error, fal_status status, const char *hint, ...)
{
    if (error == NULL) return status;
    va_list values;
    va_start(values, hint);
    vsnprintf(error->hint, sizeof error->hint, hint, values);
    va_end(values);
    return status;
}

fal_status io_raise(fal_error *error, const char *limit, uint64_t value)
{
    if (error == NULL || value > INT64_MAX) return FAL_E_LIMIT; /* no such file can be */
    snprintf(error->fix_field, sizeof error->fix_field, "limits");
    snprintf(error->fix_value, sizeof error->fix_value, "%s=%" PRIu64, limit, value);
    return FAL_E_LIMIT;
}

/* The errors a person meets, in our words: the system's own texts depend on its language. */
static const char *system_text(int number)
{
    switch (number) {
    case ENOENT: return "no such file or folder";
    case EACCES:
    case EPERM: return "permission denied";
    case EISDIR: return "it is a folder";
    case ENOTDIR: return "a part of the path is not a folder";
    case ENOSPC: return "no space left on the device";
    case EROFS: return "the file system is read-only";
    case EIO: return "the device failed";
    case EMFILE:
    case ENFILE: return "too many open files";
    case EFBIG: return "the file would be too large for the file system";
    case ENAMETOOLONG: return "the name is too long";
    case ELOOP: return "too many symbolic links";
    case EPIPE: return "nobody reads the other end of the pipe";
    case ENOMEM: return "out of memory";
    case EBADF: return "it is not open";
    default: return NULL;
    }
}

fal_status io_fail_system(fal_error *error, const io_place *place, const char *action, int number)
{
    fal_status status = number == ENOENT ? FAL_E_NOTFOUND : number == ENOMEM ? FAL_E_NOMEM : FAL_E_IO;
    const char *text = system_text(number);
    if (text == NULL) return io_fail(error, status, place, IO_NOWHERE, "cannot %s: error %d", action, number);
    return io_fail(error, status, place, IO_NOWHERE, "cannot %s: %s", action, text);
}

fal_status io_fail_memory(fal_error *error, const io_place *place, const char *what, uint64_t bytes)
{
    char size[IO_SIZE_TEXT];
    if (bytes == 0)
        return io_fail(error, FAL_E_NOMEM, place, IO_NOWHERE, "cannot allocate memory for %s", what);
    return io_fail(error, FAL_E_NOMEM, place, IO_NOWHERE, "cannot allocate %s for %s",
                   io_size_text(size, bytes), what);
}

const char *io_size_text(char out[IO_SIZE_TEXT], uint64_t bytes)
{
    static const char *const units[] = {"KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
    if (bytes < 1024) {
        snprintf(out, IO_SIZE_TEXT, "%" PRIu64 " byte%s", bytes, bytes == 1 ? "" : "s");
        return out;
    }
    size_t unit = 0;
    double value = (double)bytes / 1024;
    for (; value >= 1024 && unit < 5; unit++) value /= 1024;
    snprintf(out, IO_SIZE_TEXT, "%.1f %s", value, units[unit]);
    return out;
}
