/* SPDX-License-Identifier: BSD-3-Clause */
/* error.c: status texts and the parts of a fal_error. Formatting only; nothing is printed. */
#include "base/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const struct {
    fal_status status;
    const char *name, *text;
} statuses[] = {
    {FAL_OK, "OK", "no error"},
    {FAL_E_NULL, "E_NULL", "a required pointer is NULL"},
    {FAL_E_HANDLE, "E_HANDLE", "a handle or packed buffer belongs to something else"},
    {FAL_E_VALUE, "E_VALUE", "a value is out of its range"},
    {FAL_E_RANK, "E_RANK", "wrong number of axes"},
    {FAL_E_DIM, "E_DIM", "an axis has an impossible size"},
    {FAL_E_SHAPE, "E_SHAPE", "shapes do not fit together"},
    {FAL_E_STRIDE, "E_STRIDE", "impossible convolution stride"},
    {FAL_E_DILATION, "E_DILATION", "impossible dilation"},
    {FAL_E_PADDING, "E_PADDING", "impossible padding"},
    {FAL_E_GROUPS, "E_GROUPS", "groups do not divide the channels"},
    {FAL_E_KERNEL, "E_KERNEL", "the kernel does not fit"},
    {FAL_E_DTYPE, "E_DTYPE", "element type unknown, mixed or not supported here"},
    {FAL_E_LAYOUT, "E_LAYOUT", "tensor strides cannot serve here"},
    {FAL_E_OVERFLOW, "E_OVERFLOW", "a number does not fit its type"},
    {FAL_E_ALIAS, "E_ALIAS", "an output overlaps another operand"},
    {FAL_E_ALIGN, "E_ALIGN", "a pointer is not aligned"},
    {FAL_E_BUFSIZE, "E_BUFSIZE", "a buffer is too small"},
    {FAL_E_WORKSPACE, "E_WORKSPACE", "workspace missing or too small"},
    {FAL_E_LIMIT, "E_LIMIT", "above a limit"},
    {FAL_E_NOMEM, "E_NOMEM", "out of memory"},
    {FAL_E_UNSUPPORTED, "E_UNSUPPORTED", "not supported by this build"},
    {FAL_E_THREADS, "E_THREADS", "impossible number of threads"},
    {FAL_E_INTERNAL, "E_INTERNAL", "internal error"},
    {FAL_E_IO, "E_IO", "input or output failed"},
    {FAL_E_TRUNCATED, "E_TRUNCATED", "the file ends too early"},
    {FAL_E_MAGIC, "E_MAGIC", "not a file of this kind"},
    {FAL_E_VERSION, "E_VERSION", "unknown version of the format"},
    {FAL_E_HEADER, "E_HEADER", "the header breaks the format's rules"},
    {FAL_E_TRAILING, "E_TRAILING", "bytes after the end"},
    {FAL_E_DUPLICATE, "E_DUPLICATE", "a name is given twice"},
    {FAL_E_OVERLAP, "E_OVERLAP", "regions of the file overlap or leave holes"},
    {FAL_E_CHECKSUM, "E_CHECKSUM", "the checksum does not match"},
    {FAL_E_COMPRESSED, "E_COMPRESSED", "compressed data cannot be read"},
    {FAL_E_BOMB, "E_BOMB", "data expands beyond what is declared"},
    {FAL_E_NAME, "E_NAME", "a member name is not allowed"},
    {FAL_E_NOTFOUND, "E_NOTFOUND", "not found"},
    {FAL_E_ENCODING, "E_ENCODING", "text in a wrong character set"},
    {FAL_E_EXISTS, "E_EXISTS", "the output exists"},
    {FAL_E_USAGE, "E_USAGE", "the command line cannot be understood"},
};

const char *fal_status_string(fal_status status)
{
    for (size_t i = 0; i < sizeof statuses / sizeof *statuses; i++)
        if (statuses[i].status == status) return statuses[i].text;
    return "unknown status";
}

const char *fal_status_name(fal_status status)
{
    for (size_t i = 0; i < sizeof statuses / sizeof *statuses; i++)
        if (statuses[i].status == status) return statuses[i].name;
    return "E_UNKNOWN";
}

const char *fal_version(void)
{
    return FAL_VERSION_STRING;
}

fal_status fal__fail(fal_error *error, fal_status status, const char *field, const char *found, ...)
{
    if (error == NULL) return status;
    memset(error, 0, sizeof *error);
    error->status = status;
    snprintf(error->field, sizeof error->field, "%s", field);
    va_list values;
    va_start(values, found);
    vsnprintf(error->found, sizeof error->found, found, values);
    va_end(values);
    return status;
}

fal_status fal__allowed(fal_error *error, fal_status status, const char *allowed, ...)
{
    if (error == NULL) return status;
    va_list values;
    va_start(values, allowed);
    vsnprintf(error->allowed, sizeof error->allowed, allowed, values);
    va_end(values);
    return status;
}

fal_status fal__hint(fal_error *error, fal_status status, const char *hint, ...)
{
    if (error == NULL) return status;
    va_list values;
    va_start(values, hint);
    vsnprintf(error->hint, sizeof error->hint, hint, values);
    va_end(values);
    return status;
}

fal_status fal__fix(fal_error *error, fal_status status, const char *field, const char *value)
{
    if (error == NULL) return status;
    snprintf(error->fix_field, sizeof error->fix_field, "%s", field);
    snprintf(error->fix_value, sizeof error->fix_value, "%s", value);
    return status;
}

size_t fal_error_message(const fal_error *error, char *text, size_t capacity)
{
    char none = 0;
    if (text == NULL || capacity == 0) {
        text = &none;
        capacity = 1;
    }
    text[0] = 0;
    if (error == NULL) return 0;
    const char *found = error->found[0] ? error->found : fal_status_string(error->status);
    int length = snprintf(text, capacity, "%s%s%s%s%s", found, error->allowed[0] ? "; " : "", error->allowed,
                          error->hint[0] ? "; " : "", error->hint);
    return length < 0 ? 0 : (size_t)length;
}
