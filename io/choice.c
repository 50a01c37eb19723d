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

void io_choice_add(io_choice *choice, const char *name, size_t length)
{
    char text[IO_TEXT];
    choice->count++;
    if (choice->full) return;
    io_escape(text, name, length);
    /* ", ..." must still fit behind. */
    choice->full = choice->used + 2 + strlen(text) + 5 >= sizeof choice->names;
    if (choice->used > 0) append(choice, ", ");
    append(choice, choice->full ? "..." : text);
}

fal_status io_choice_fail(const io_choice *choice, const char *member, const io_place *place,
                          fal_error *error)
{
    char text[IO_TEXT];
    fal_status status = member != NULL ? FAL_E_NOTFOUND : FAL_E_NAME;
    if (choice->count == 0) {
        status = member != NULL ? FAL_E_NOTFOUND : FAL_E_HEADER;
        return io_fail(error, status, place, IO_NOWHERE, "the file contains no tensors");
    }
    if (member != NULL) {
        io_fail(error, status, place, IO_NOWHERE, "no tensor is named '%s'",
                io_escape(text, member, strlen(member)));
    } else {
        io_fail(error, status, place, IO_NOWHERE, "the file holds %zu tensors and none was named",
                choice->count);
    }
    io_allowed(error, status, "it holds %s", choice->names);
    return member != NULL ? status : io_hint(error, status, "write FILE:NAME");
}
