/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * verb_matrix.c: the kernel matrix F with vec(y) = F vec(x).
 *
 *     printed       a grid, when it has at most 1,000 numbers; without a weight the taps' names, w[0,1]
 *     -o M.npy      dense
 *     -o M.mtx      Matrix Market, sparse; places that border modes hit twice are added up
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cli/layer.h"
#include "cli/tensors.h"
#include "io/io.h"

enum { GRID_MOST = 1000, DENSE_MOST = 1 << 28, ENTRIES_MOST = 1 << 25, CELL_TEXT = 96 };

typedef struct kernel_matrix {
    int64_t rows, columns, count;
    fal_matrix_entry *entries; /* sorted by row, then column */
    fal_tensor w;              /* compact, with data; the taps' numbers from 1 when only a shape was given */
    bool named;                /* only a shape was given */
} kernel_matrix;

static fal_status too_large(cli_command *command, int64_t rows, int64_t columns, const char *kind,
                            int64_t most)
{
    cli_fail(command, FAL_E_LIMIT, NULL, "the kernel matrix is %" PRId64 " x %" PRId64, rows, columns);
    return cli_allow(command, FAL_E_LIMIT, "%s must be at most %" PRId64, kind, most);
}

static fal_status read_matrix(cli_command *command, cli_layer *layer, kernel_matrix *m)
{
    int64_t capacity;
    CLI_TRY(cli_layer_read(command, cli_given(command, CLI_TRANSPOSED) > 0, NULL, cli_operand(command, 0),
                           layer));
    CLI_TRY(fal_matrix_shape(&layer->geometry, &m->rows, &m->columns, &capacity, &command->error));
    if (capacity > ENTRIES_MOST)
        return too_large(command, m->rows, m->columns, "its non-zeros", ENTRIES_MOST);
    CLI_TRY(cli_alloc(command, capacity, sizeof *m->entries, (void **)&m->entries));
    CLI_TRY(fal_matrix_sparse(&layer->geometry, m->entries, capacity, &m->count, &command->error));
    m->named = layer->w.data == NULL;
    m->w = layer->w;
    CLI_TRY(cli_tensor_alloc(command, &m->w));
    if (!m->named) return fal_tensor_copy(&layer->w, &m->w, &command->error);
    int64_t index[FAL_MAX_RANK] = {0}, number = 0;
    bool more = fal_tensor_count(&m->w) > 0;
    for (; more; more = cli_next_index(&m->w, index)) fal_tensor_set(&m->w, index, (double)++number);
    return FAL_OK;
}

/* The weight's index of element `number`. */
static void weight_index(const fal_tensor *w, int64_t number, int64_t *index)
{
    for (int32_t a = w->rank - 1; a >= 0; a--) {
        index[a] = number % w->shape[a];
        number /= w->shape[a];
    }
}

/* "w[0,1]": only the axes that have more than one element. */
static void tap_name(const fal_tensor *w, int64_t number, char *text, size_t capacity)
{
    int64_t index[FAL_MAX_RANK];
    size_t used = (size_t)snprintf(text, capacity, "w[");
    const char *joint = "";
    weight_index(w, number, index);
    for (int32_t a = 0; a < w->rank && used < capacity; a++) {
        if (w->shape[a] == 1) continue;
        used += (size_t)snprintf(text + used, capacity - used, "%s%" PRId64, joint, index[a]);
        joint = ",";
    }
    if (used < capacity) snprintf(text + used, capacity - used, "]");
}

/* The entries from `at` on that share a row and a column. */
static int64_t same_place(const kernel_matrix *m, int64_t at)
{
    int64_t end = at + 1;
    while (end < m->count && m->entries[end].row == m->entries[at].row &&
           m->entries[end].column == m->entries[at].column)
        end++;
    return end;
}

/* The text of one place: a number, or the names that meet there joined by '+'. */
static void cell_text(const kernel_matrix *m, int64_t begin, int64_t end, char text[CELL_TEXT])
{
    int64_t index[FAL_MAX_RANK] = {0}, whole = 0;
    double sum = 0;
    size_t used = 0;
    for (int64_t e = begin; e < end; e++) {
        char name[48];
        weight_index(&m->w, m->entries[e].weight, index);
        sum += fal_tensor_get(&m->w, index);
        whole = (int64_t)((uint64_t)whole + (uint64_t)fal_tensor_get_int(&m->w, index));
        tap_name(&m->w, m->entries[e].weight, name, sizeof name);
        if (m->named && used < CELL_TEXT)
            used += (size_t)snprintf(text + used, CELL_TEXT - used, "%s%s", e > begin ? "+" : "", name);
    }
    if (m->named) return;
    if (fal_dtype_is_integer(m->w.dtype))
        snprintf(text, CELL_TEXT, "%" PRId64, whole);
    else
        cli_format_number(text, CELL_TEXT, m->w.dtype, sum);
}

static int widest_cell(const kernel_matrix *m)
{
    char text[CELL_TEXT];
    int width = 1;
    for (int64_t e = 0; e < m->count; e = same_place(m, e)) {
        cell_text(m, e, same_place(m, e), text);
        if ((int)strlen(text) > width) width = (int)strlen(text);
    }
    return width;
}

static void print_grid(FILE *out, const kernel_matrix *m)
{
    int width = widest_cell(m);
    int64_t at = 0;
    for (int64_t row = 0; row < m->rows; row++) {
        for (int64_t column = 0; column < m->columns; column++) {
            char text[CELL_TEXT] = "0";
            if (at < m->count && m->entries[at].row == row && m->entries[at].column == column) {
                cell_text(m, at, same_place(m, at), text);
                at = same_place(m, at);
            }
            fprintf(out, "%s%*s", column ? " " : "", width, text);
        }
        fputc('\n', out);
    }
}

static int64_t places(const kernel_matrix *m)
{
    int64_t count = 0;
    for (int64_t e = 0; e < m->count; e = same_place(m, e)) count++;
    return count;
}

/* Matrix Market counts rows and columns from 1. */
static fal_status write_market(cli_command *command, const kernel_matrix *m, const char *path)
{
    io_file *file = cli_next_output(command);
    fal_error *error = &command->error;
    char text[CELL_TEXT];
    bool integers = m->named || fal_dtype_is_integer(m->w.dtype);
    fal_status status = io_file_begin(file, path, cli_given(command, CLI_FORCE) > 0, error);
    kernel_matrix numbers = *m;
    numbers.named = false;
    if (status == FAL_OK)
        status = io_file_print(
            file, error,
            "%%%%MatrixMarket matrix coordinate %s general\n%% vec(y) = F vec(x), by faltung %s\n"
            "%" PRId64 " %" PRId64 " %" PRId64 "\n",
            integers ? "integer" : "real", fal_version(), m->rows, m->columns, places(m));
    for (int64_t e = 0; status == FAL_OK && e < m->count; e = same_place(m, e)) {
        cell_text(&numbers, e, same_place(m, e), text);
        status = io_file_print(file, error, "%" PRId64 " %" PRId64 " %s\n", m->entries[e].row + 1,
                               m->entries[e].column + 1, text);
    }
    if (status == FAL_OK) status = io_file_seal(file, error);
    if (status != FAL_OK) io_file_abort(file);
    command->in_file = status != FAL_OK;
    return status;
}

static fal_status dense(cli_command *command, const cli_layer *layer, const kernel_matrix *m,
                        fal_tensor *matrix)
{
    if (m->rows > DENSE_MOST / (m->columns ? m->columns : 1)) {
        too_large(command, m->rows, m->columns, "a dense one's elements", DENSE_MOST);
        return cli_hint(command, FAL_E_LIMIT, "-o FILE.mtx writes it sparse");
    }
    *matrix = fal_tensor_of(NULL, m->w.dtype, 2, (const int64_t[]){m->rows, m->columns});
    CLI_TRY(cli_tensor_alloc(command, matrix));
    return fal_matrix_dense(&layer->geometry, &m->w, matrix, &command->error);
}

fal_status cli_run_matrix(cli_command *command)
{
    cli_layer layer;
    kernel_matrix m = {0};
    fal_tensor matrix;
    const char *path = cli_text(command, CLI_OUTPUT, NULL), *dot = path ? strrchr(path, '.') : NULL;
    CLI_TRY(read_matrix(command, &layer, &m));
    bool small = m.rows <= GRID_MOST / (m.columns ? m.columns : 1);
    if (dot != NULL && strcmp(dot, ".mtx") == 0) {
        CLI_TRY(write_market(command, &m, path));
    } else if (path != NULL) {
        CLI_TRY(dense(command, &layer, &m, &matrix));
        CLI_TRY(cli_write(command, &matrix, path));
    }
    if (command->json && !(path && strcmp(path, "-") == 0)) {
        if (path == NULL) CLI_TRY(dense(command, &layer, &m, &matrix));
        json_t *json = json_pack("{s:I, s:I, s:I, s:o, s:o, s:o}", "rows", (json_int_t)m.rows, "columns",
                                 (json_int_t)m.columns, "nonzeros", (json_int_t)places(&m), "weight",
                                 cli_json_tensor(&m.w), "output", cli_json_tensor(&layer.y), "parameters",
                                 cli_json_parameters(&layer));
        if (path == NULL) json_object_set_new(json, "values", cli_json_values(&matrix));
        return cli_json_print(command, json);
    }
    if (path != NULL) return FAL_OK;
    fprintf(cli_out(command), "%" PRId64 " x %" PRId64 ", %" PRId64 " entries\n", m.rows, m.columns,
            places(&m));
    if (small) print_grid(cli_out(command), &m);
    if (!small) cli_note(command, true, "too large to print: -o FILE.mtx or -o FILE.npy writes it");
    return FAL_OK;
}
