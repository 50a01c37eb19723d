/* SPDX-License-Identifier: BSD-3-Clause */
/* choice.c: see choice.h. */
#include "io/choice.h"

#include <string.h>

static void append(io_choice *choice, const char *text)
{
    size_t length = strlen(text);
    memcpy(choice->names + choice->used, text, length + 1);
    choice->used += length;
}

static int least(int a, int b)
{
    return a < b ? a : b;
}

/* Characters to insert, remove or replace; both texts are shorter than IO_TEXT. */
static int distance(const char *a, const char *b)
{
    int row[IO_TEXT + 1];
    const int width = (int)strlen(b);
    for (int j = 0; j <= width; j++) row[j] = j;
    for (int i = 1; a[i - 1] != 0; i++) {
        int corner = row[0];
        row[0] = i;
        for (int j = 1; j <= width; j++) {
            int replaced = corner + (a[i - 1] != b[j - 1]);
            corner = row[j];
            row[j] = least(replaced, 1 + least(row[j - 1], row[j]));
        }
    }
    return row[width];
}

/* Keeps the nearest names in order; of equally near ones the earlier. */
static void consider(io_choice *choice, const char *name)
{
    char wanted[IO_TEXT];
    io_escape(wanted, choice->wanted, strlen(choice->wanted));
    size_t kept = choice->count - 1 < IO_NEAREST ? choice->count - 1 : IO_NEAREST, at = kept;
    int far = distance(wanted, name);
    while (at > 0 && choice->near[at - 1].distance > far) at--;
    if (at == IO_NEAREST) return;
    size_t moved = (kept == IO_NEAREST ? kept - 1 : kept) - at;
    memmove(choice->near + at + 1, choice->near + at, moved * sizeof *choice->near);
    memcpy(choice->near[at].name, name, strlen(name) + 1);
    choice->near[at].distance = far;
}

void io_choice_add(io_choice *choice, const char *name, size_t length)
{
    char text[IO_TEXT];
    choice->count++;
    io_escape(text, name, length);
    if (choice->wanted != NULL) consider(choice, text);
    if (choice->full) return;
    /* ", ..." must still fit behind. */
    choice->full = choice->used + 2 + strlen(text) + 5 >= sizeof choice->names;
    if (choice->used > 0) append(choice, ", ");
    append(choice, choice->full ? "..." : text);
}

/* "it holds 5000, the nearest a.weight, b.weight"; at least one name fits. */
static fal_status tell_nearest(const io_choice *choice, fal_status status, fal_error *error)
{
    char list[128] = "";
    for (int i = 0; i < IO_NEAREST; i++) {
        size_t used = strlen(list), length = strlen(choice->near[i].name);
        if (used + 2 + length >= sizeof list) break;
        if (used > 0) memcpy(list + used, ", ", 2), used += 2;
        memcpy(list + used, choice->near[i].name, length + 1);
    }
    return io_allowed(error, status, "it holds %zu, the nearest %s", choice->count, list);
}

fal_status io_choice_fail(const io_choice *choice, const io_place *place, fal_error *error)
{
    char text[IO_TEXT];
    const char *wanted = choice->wanted;
    if (choice->count == 0) {
        fal_status status = wanted != NULL ? FAL_E_NOTFOUND : FAL_E_HEADER;
        return io_fail(error, status, place, IO_NOWHERE, "the file contains no tensors");
    }
    if (wanted == NULL) {
        io_fail(error, FAL_E_USAGE, place, IO_NOWHERE, "the file holds %zu tensors and none was named",
                choice->count);
        io_allowed(error, FAL_E_USAGE, "it holds %s", choice->names);
        return io_hint(error, FAL_E_USAGE, "write FILE:NAME");
    }
    io_fail(error, FAL_E_NOTFOUND, place, IO_NOWHERE, "no tensor is named '%s'",
            io_escape(text, wanted, strlen(wanted)));
    if (choice->full && choice->count > IO_NEAREST) return tell_nearest(choice, FAL_E_NOTFOUND, error);
    return io_allowed(error, FAL_E_NOTFOUND, "it holds %s", choice->names);
}
