/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * print_tensor.c: a tensor as nested brackets.
 *
 *     [[ 1,  0,  2],        numbers right-aligned in one column width
 *      [-1, 10,  0]]        a blank line between matrices
 *
 * Up to 1,000 numbers everything is printed, and the text is itself a literal tensor. Beyond that the
 * middle of every long axis is left out and "..." stands in its place.
 */
#include <string.h>

#include "cli/tensors.h"

enum { FULL = 1000, EDGE = 3 };

typedef struct printer {
    FILE *out;
    const fal_tensor *tensor;
    bool elide, json;
    int width; /* of the longest number; 0: not aligned */
    int64_t index[FAL_MAX_RANK];
} printer;

/* The item that follows `i` on an axis, jumping over the middle; *gap tells a jump. */
static int64_t following(const printer *p, int32_t axis, int64_t i, bool *gap)
{
    int64_t size = p->tensor->shape[axis];
    *gap = p->elide && size > 2 * EDGE && i == EDGE - 1;
    return *gap ? size - EDGE : i + 1;
}

/* The width of the longest number that will be printed. */
static void measure(printer *p, int32_t axis)
{
    char text[40];
    bool gap;
    if (axis == p->tensor->rank) {
        cli_format_element(text, sizeof text, p->tensor, p->index);
        if ((int)strlen(text) > p->width) p->width = (int)strlen(text);
        return;
    }
    for (int64_t i = 0; i < p->tensor->shape[axis]; i = following(p, axis, i, &gap)) {
        p->index[axis] = i;
        measure(p, axis + 1);
    }
}

static void print_number(const printer *p)
{
    char text[40];
    cli_format_element(text, sizeof text, p->tensor, p->index);
    bool word = text[0] == 'n' || text[0] == 'i' || text[1] == 'i';
    if (p->json && word)
        fprintf(p->out, "\"%s\"", text);
    else
        fprintf(p->out, "%*s", p->width, text);
}

/* What stands between two items of an axis: a comma; between brackets also new lines, one more for
 * every axis inside, and the indent of the brackets that are open. */
static void separate(const printer *p, int32_t axis)
{
    fputc(',', p->out);
    if (p->json) return;
    if (axis == p->tensor->rank - 1) {
        fputc(' ', p->out);
        return;
    }
    for (int32_t a = axis + 1; a < p->tensor->rank; a++) fputc('\n', p->out);
    fprintf(p->out, "%*s", axis + 1, "");
}

static void print_axis(printer *p, int32_t axis)
{
    bool gap = false;
    if (axis == p->tensor->rank) {
        print_number(p);
        return;
    }
    fputc('[', p->out);
    for (int64_t i = 0; i < p->tensor->shape[axis];) {
        p->index[axis] = i;
        print_axis(p, axis + 1);
        i = following(p, axis, i, &gap);
        if (gap) {
            separate(p, axis);
            fputs("...", p->out);
        }
        if (i < p->tensor->shape[axis]) separate(p, axis);
    }
    fputc(']', p->out);
}

void cli_print_tensor(FILE *out, const fal_tensor *tensor)
{
    int64_t count = fal_tensor_count(tensor);
    /* An empty tensor may still have a million empty rows. */
    printer p = {.out = out, .tensor = tensor, .elide = count > FULL || count == 0};
    measure(&p, 0);
    print_axis(&p, 0);
    fputc('\n', out);
}

void cli_print_json_values(FILE *out, const fal_tensor *tensor)
{
    printer p = {.out = out, .tensor = tensor, .json = true};
    print_axis(&p, 0);
}
