/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * dialect_compare.c: one operator as several frameworks mean it, a column each.
 *
 *                   torch                 tf
 *     output        (1, 64, 112, 112)     (1, 64, 112, 112)
 *     padding       3:3,3:3               2:3,2:3
 *     pixel shift   0,0                   +1,+1
 *
 * A framework that refuses says so in its column. Long texts are wrapped at words.
 */
#include <stdio.h>
#include <string.h>

#include "cli/dialect.h"
#include "cli/layer.h"
#include "cli/tensors.h"

enum { MOST_COLUMNS = 16, LABEL = 16, LINE = 100, NARROWEST = 22, WIDEST = 40, CELL = 640 };

typedef struct {
    cli_dialect dialect;
    fal_status status;
    fal_error error; /* when it refuses */
    fal_dialect_answer answers[FAL_MAX_SPATIAL];
} column;

/* ---- Reading ---- */

static fal_status read_columns(cli_command *command, const cli_subject *subject, column *columns, int *count)
{
    const char *rest = cli_text(command, CLI_COMPARE, "");
    for (*count = 0; *rest != '\0'; ++*count) {
        size_t length = strcspn(rest, ",");
        if (*count == MOST_COLUMNS) {
            cli_fail(command, FAL_E_LIMIT, "--compare", "more than %d dialects", MOST_COLUMNS);
            return FAL_E_LIMIT;
        }
        column *c = &columns[*count];
        CLI_TRY(cli_dialect_read(command, "--compare", rest, length, &c->dialect));
        c->error = (fal_error){0};
        c->status = cli_dialect_resolve(&c->dialect, subject, c->answers, &c->error);
        rest += length + (rest[length] == ',');
    }
    return FAL_OK;
}

/* ---- A table with wrapped cells ---- */

typedef char cell[CELL];

static int column_width(int count)
{
    int width = (LINE - LABEL) / count;
    return width < NARROWEST ? NARROWEST : width > WIDEST ? WIDEST : width;
}

/* How many characters of a text that is longer than `width` go on the line: up to a space, else up to a dot
 * within a name, else all that fit. */
static int break_at(const char *text, int width)
{
    int space = width, dot = width;
    while (space > 0 && text[space] != ' ') space--;
    while (dot > 0 && text[dot - 1] != '.') dot--;
    return space > 0 ? space : dot > 0 ? dot : width;
}

/* Moves the part of *text that fits `width` to `line`. */
static void take_line(const char **text, int width, char *line)
{
    int length = (int)strlen(*text), fit = length > width ? break_at(*text, width) : length;
    memcpy(line, *text, (size_t)fit);
    *text += fit;
    while (**text == ' ') ++*text;
}

static bool any_left(const char *const *texts, int count)
{
    for (int c = 0; c < count; c++)
        if (texts[c][0] != '\0') return true;
    return false;
}

/* One row of the table, as many lines as its longest cell needs; nothing when all cells are empty. */
static void print_row(FILE *out, const char *label, cell *cells, int count)
{
    const char *texts[MOST_COLUMNS];
    int width = column_width(count);
    for (int c = 0; c < count; c++) texts[c] = cells[c];
    while (any_left(texts, count)) {
        char line[LABEL + MOST_COLUMNS * WIDEST + 1];
        memset(line, ' ', sizeof line);
        memcpy(line, label, strlen(label));
        for (int c = 0; c < count; c++) take_line(&texts[c], width - 2, line + LABEL + c * width);
        size_t end = sizeof line;
        while (end > 0 && line[end - 1] == ' ') end--;
        fprintf(out, "%.*s\n", (int)end, line);
        label = "";
    }
}

/* ---- The rows ---- */

static void format_output(char *text, const cli_subject *subject, const column *c)
{
    fal_tensor y = cli_dialect_output(subject, c->answers);
    cli_format_shape(text, CELL, &y);
}

static void format_padding(char *text, const cli_subject *subject, const column *c)
{
    fal_axis axis[FAL_MAX_SPATIAL];
    char formatted[CLI_FORMULA_TEXT];
    for (int32_t a = 0; a < subject->spatial; a++) axis[a] = c->answers[a].axis;
    cli_format_padding(formatted, subject->spatial, axis);
    snprintf(text, CELL, "%s", formatted);
}

/* Stride or output padding: one number an axis. */
static void format_numbers(char *text, int32_t spatial, const fal_dialect_answer *answers, size_t offset)
{
    size_t used = 0;
    for (int32_t a = 0; a < spatial; a++) {
        int64_t number;
        memcpy(&number, (const char *)&answers[a].axis + offset, sizeof number);
        used += (size_t)snprintf(text + used, CELL - used, "%s%lld", a ? "," : "", (long long)number);
    }
}

typedef enum {
    ROW_OUTPUT,
    ROW_STRIDE,
    ROW_PADDING,
    ROW_OUTPUT_PADDING,
    ROW_SHIFT,
    ROW_BORDER,
    ROW_KERNEL,
    ROW_NOTE,
    ROWS
} row;

static const char *const labels[ROWS] = {"output",      "stride", "padding", "output padding",
                                         "pixel shift", "border", "kernel",  "note"};

/* Does this row say something about this operator? */
static bool row_applies(const cli_subject *subject, row r)
{
    if (r == ROW_STRIDE) return subject->pooling; /* its default differs */
    if (r == ROW_OUTPUT_PADDING) return subject->transposed;
    if (r == ROW_BORDER) return !subject->pooling && !subject->transposed;
    return r != ROW_KERNEL || !subject->pooling;
}

static void format_cell(char *text, const cli_subject *subject, const column *c, row r)
{
    text[0] = '\0';
    if (c->status != FAL_OK) {
        char message[400];
        fal_error_message(&c->error, message, sizeof message);
        if (r == ROW_OUTPUT) snprintf(text, CELL, "refused: %s", message);
        return;
    }
    switch (r) {
    case ROW_OUTPUT: format_output(text, subject, c); break;
    case ROW_STRIDE: format_numbers(text, subject->spatial, c->answers, offsetof(fal_axis, stride)); break;
    case ROW_PADDING: format_padding(text, subject, c); break;
    case ROW_OUTPUT_PADDING:
        format_numbers(text, subject->spatial, c->answers, offsetof(fal_axis, output_padding));
        break;
    case ROW_SHIFT: cli_format_shift(text, subject->spatial, c->answers); break;
    case ROW_BORDER: cli_format_border(text, c->answers[0].border); break;
    case ROW_KERNEL: snprintf(text, CELL, c->answers[0].flip_kernel ? "flipped" : "as it stands"); break;
    case ROW_NOTE: cli_format_notes(text, subject->spatial, c->answers); break;
    case ROWS: break;
    }
}

static void print_columns(FILE *out, const cli_subject *subject, const column *columns, int count)
{
    cell cells[MOST_COLUMNS];
    char text[320];
    cli_format_shape(text, sizeof text, &subject->x);
    fprintf(out, "%-*s%s\n", LABEL, "input", text);
    cli_format_shape(text, sizeof text, &subject->w);
    if (!subject->pooling) fprintf(out, "%-*s%s\n", LABEL, "weight", text);
    fputc('\n', out);
    for (int c = 0; c < count; c++) snprintf(cells[c], CELL, "%s", columns[c].dialect.name);
    print_row(out, "", cells, count);
    for (int r = 0; r < ROWS; r++) {
        if (!row_applies(subject, (row)r)) continue;
        for (int c = 0; c < count; c++) format_cell(cells[c], subject, &columns[c], (row)r);
        print_row(out, labels[r], cells, count);
    }
}

static json_t *json_column(const cli_subject *subject, const column *c)
{
    if (c->status == FAL_OK) return cli_json_dialect(&c->dialect, subject, c->answers);
    char message[400];
    fal_error_message(&c->error, message, sizeof message);
    return json_pack("{s:s, s:{s:s, s:s}}", "dialect", c->dialect.name, "refused", "code",
                     fal_status_name(c->status), "message", message);
}

static fal_status print_json(cli_command *command, const cli_subject *subject, const column *columns,
                             int count)
{
    json_t *list = json_array();
    for (int c = 0; c < count; c++) json_array_append_new(list, json_column(subject, &columns[c]));
    const char *what = subject->pooling ? "pool" : subject->transposed ? "conv-transpose" : "conv";
    json_t *json = json_pack("{s:s, s:o, s:o}", "operator", what, "input", cli_json_tensor(&subject->x),
                             "dialects", list);
    if (json != NULL && !subject->pooling) json_object_set_new(json, "weight", cli_json_tensor(&subject->w));
    return cli_json_print(command, json);
}

fal_status cli_compare(cli_command *command, const cli_subject *subject)
{
    column *columns;
    int count;
    CLI_TRY(cli_alloc(command, MOST_COLUMNS, sizeof *columns, (void **)&columns));
    CLI_TRY(read_columns(command, subject, columns, &count));
    if (command->json) return print_json(command, subject, columns, count);
    print_columns(cli_out(command), subject, columns, count);
    return FAL_OK;
}
