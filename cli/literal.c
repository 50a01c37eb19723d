/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * literal.c: tensors written on the command line.
 *
 *     tensor  = '[' [item {[','] item}] ']'      item = tensor | number
 *
 * Commas may be left out between items, so that what NumPy prints can be pasted. All brackets of one
 * depth must hold equally many items: the first one met at each depth decides.
 */
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "cli/tensors.h"

typedef struct reader {
    cli_command *command;
    const char *text, *at;
    int32_t rank;    /* depth of the numbers; -1 until the first is met */
    int32_t deepest; /* depths whose size is known */
    int64_t shape[FAL_MAX_RANK];
    float *numbers; /* with room for every character of the text */
    int64_t count;
} reader;

static void skip_space(reader *r)
{
    while (isspace((unsigned char)*r->at)) r->at++;
}

static fal_status bad(reader *r, const char *what)
{
    return cli_fail(r->command, FAL_E_USAGE, NULL, "literal tensor '%.60s': %s at character %td", r->text,
                    what, r->at - r->text + 1);
}

static fal_status read_number(reader *r, int32_t depth)
{
    char part[64], *end;
    size_t length = strcspn(r->at, ",[] \t\n\r");
    if (length == 0 || length >= sizeof part) return bad(r, "a number is missing");
    if (r->rank >= 0 && r->rank != depth) return bad(r, "a number stands at another depth than those before");
    memcpy(part, r->at, length);
    part[length] = '\0';
    errno = 0;
    float value = strtof(part, &end);
    if (strcmp(part, "...") == 0) return bad(r, "numbers were left out");
    if (*end != '\0') return bad(r, "that is not a number");
    if (errno == ERANGE && isinf(value)) return bad(r, "that number does not fit float32");
    r->rank = depth;
    r->numbers[r->count++] = value;
    r->at += length;
    return FAL_OK;
}

static fal_status close_bracket(reader *r, int32_t depth, int64_t items)
{
    r->at++;
    if (r->deepest < depth + 1) r->deepest = depth + 1;
    if (r->shape[depth] < 0) r->shape[depth] = items;
    if (r->shape[depth] == items) return FAL_OK;
    return cli_fail(r->command, FAL_E_SHAPE, NULL,
                    "literal tensor '%.40s' is ragged: axis %" PRId32 " has %" PRId64 " items here, %" PRId64
                    " before",
                    r->text, depth, items, r->shape[depth]);
}

/* One bracket; r->at stands on its '['. Recursion is at most FAL_MAX_RANK deep. */
static fal_status read_bracket(reader *r, int32_t depth)
{
    int64_t items = 0;
    if (depth == FAL_MAX_RANK) return bad(r, "more than 12 brackets deep");
    if (r->rank >= 0 && depth >= r->rank) return bad(r, "a bracket stands where numbers stood before");
    r->at++;
    skip_space(r);
    for (; *r->at != ']'; items++) {
        if (items > 0 && *r->at == ',') {
            r->at++;
            skip_space(r);
        }
        if (*r->at == '\0') return bad(r, "a closing bracket is missing");
        CLI_TRY(*r->at == '[' ? read_bracket(r, depth + 1) : read_number(r, depth + 1));
        skip_space(r);
    }
    return close_bracket(r, depth, items);
}

bool cli_is_literal(const char *text)
{
    return text[0] == '[';
}

fal_status cli_literal(cli_command *command, const char *text, fal_tensor *tensor)
{
    reader r = {.command = command, .text = text, .at = text, .rank = -1};
    for (int32_t a = 0; a < FAL_MAX_RANK; a++) r.shape[a] = -1;
    CLI_TRY(cli_alloc(command, (int64_t)strlen(text), sizeof *r.numbers, (void **)&r.numbers));
    CLI_TRY(read_bracket(&r, 0));
    skip_space(&r);
    if (*r.at != '\0') return bad(&r, "there is more after the last bracket");
    *tensor = fal_tensor_of(r.numbers, FAL_F32, r.deepest, r.shape);
    return FAL_OK;
}

/* Inserts `count` axes of size 1 in front of axis `at`. */
static void insert_ones(fal_tensor *tensor, int32_t at, int32_t count)
{
    int64_t shape[FAL_MAX_RANK];
    for (int32_t a = 0; a < tensor->rank + count; a++)
        shape[a] = a < at ? tensor->shape[a] : a < at + count ? 1 : tensor->shape[a - count];
    *tensor = fal_tensor_of(tensor->data, tensor->dtype, tensor->rank + count, shape);
}

void cli_lead_axes(const char *text, fal_layout layout, int32_t rank, fal_tensor *tensor)
{
    if (!cli_is_literal(text) || tensor->rank >= rank || rank > FAL_MAX_RANK) return;
    bool has_channel = tensor->rank == rank - 1;
    if (layout == FAL_NHWC && !has_channel) insert_ones(tensor, tensor->rank, 1);
    insert_ones(tensor, 0, rank - tensor->rank);
}

void cli_lead_weight_axes(const char *text, fal_layout layout, int32_t spatial, fal_tensor *tensor)
{
    int32_t missing = spatial + 2 - tensor->rank;
    if (!cli_is_literal(text) || missing <= 0 || spatial > FAL_MAX_SPATIAL) return;
    if (layout == FAL_NCHW || missing > 2) insert_ones(tensor, 0, layout == FAL_NCHW ? missing : missing - 2);
    insert_ones(tensor, tensor->rank, spatial + 2 - tensor->rank);
}
