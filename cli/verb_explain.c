/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * verb_explain.c: one output element, product by product.
 *
 * The library's index map says which input cell meets which tap; the numbers come from the operands,
 * and without operands only the names are printed. At the end the sum is compared with what the library
 * computes, so that the explanation cannot be about something else.
 */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "cli/layer.h"
#include "cli/tensors.h"

enum { TERMS_MOST = 1 << 24, NAME = 160, NUMBER = 40 };

typedef struct explanation {
    cli_layer layer;
    int64_t at[FAL_MAX_RANK];          /* index into y */
    int64_t n, oc, o[FAL_MAX_SPATIAL]; /* the same by meaning */
    fal_term *terms;
    int64_t count;
    bool numbers;     /* operands were given */
    double magnitude; /* sum of |x w| + |bias| */
    double sum;       /* of everything */
    double result;    /* the sum, activated */
} explanation;

/* What one product looks like. */
typedef struct product_row {
    char x_name[NAME], w_name[NAME], x[NUMBER], w[NUMBER], product[NUMBER], sum[NUMBER], note[NAME];
} product_row;

/* ---- indices ---- */

/* The index of (n, c, space) in a tensor of the layer's layout. */
static void data_index(const fal_conv_geometry *g, int64_t n, int64_t c, const int64_t *space, int64_t *index)
{
    int32_t first = g->batched ? 1 : 0;
    bool nhwc = g->layout == FAL_NHWC;
    if (g->batched) index[0] = n;
    index[nhwc ? first + g->spatial : first] = c;
    memcpy(&index[nhwc ? first : first + 1], space, (size_t)g->spatial * sizeof space[0]);
}

/* The index of a term's weight. One of its channel axes counts within the group. */
static void weight_index(const explanation *e, const fal_term *term, int64_t *index)
{
    const fal_conv_geometry *g = &e->layer.geometry;
    int64_t own_in = g->in_channels / g->groups, own_out = g->out_channels / g->groups;
    int64_t first = g->transposed ? term->ic : e->oc;
    int64_t second = g->transposed ? e->oc % own_out : term->ic % own_in;
    if (g->layout == FAL_NHWC) {
        index[g->spatial] = second;
        index[g->spatial + 1] = first;
        memcpy(index, term->tap, (size_t)g->spatial * sizeof index[0]);
    } else {
        index[0] = first;
        index[1] = second;
        memcpy(&index[2], term->tap, (size_t)g->spatial * sizeof index[0]);
    }
}

static void format_name(char text[NAME], const char *name, int32_t rank, const int64_t *index)
{
    size_t used = (size_t)snprintf(text, NAME, "%s[", name);
    for (int32_t a = 0; a < rank && used < NAME; a++)
        used += (size_t)snprintf(text + used, NAME - used, "%s%" PRId64, a ? "," : "", index[a]);
    if (used < NAME) snprintf(text + used, NAME - used, "]");
}

static fal_status read_at(cli_command *command, explanation *e)
{
    const int64_t *given;
    const fal_tensor *y = &e->layer.y;
    const fal_conv_geometry *g = &e->layer.geometry;
    int32_t count = cli_ints(command, CLI_AT, &given);
    if (count != 0 && count != y->rank) {
        cli_fail(command, FAL_E_RANK, "--at", "at has %" PRId32 " entries, the result has %" PRId32 " axes",
                 count, y->rank);
        const char *space = &"z,y,x"[2 * (FAL_MAX_SPATIAL - g->spatial)];
        bool nhwc = g->layout == FAL_NHWC;
        return cli_allow(command, FAL_E_RANK, "name one element: %s%s%s%s", g->batched ? "n," : "",
                         nhwc ? "" : "c,", space, nhwc ? ",c" : "");
    }
    for (int32_t a = 0; a < y->rank; a++) {
        e->at[a] = count ? given[a] : 0;
        if (e->at[a] < y->shape[a]) continue;
        cli_fail(command, FAL_E_DIM, "--at",
                 "at[%" PRId32 "] is %" PRId64 ", the result has %" PRId64 " there", a, e->at[a],
                 y->shape[a]);
        return y->shape[a] == 0 ? FAL_E_DIM
                                : cli_allow(command, FAL_E_DIM, "must be 0..%" PRId64, y->shape[a] - 1);
    }
    int32_t first = g->batched ? 1 : 0;
    bool nhwc = g->layout == FAL_NHWC;
    e->n = g->batched ? e->at[0] : 0;
    e->oc = e->at[nhwc ? first + g->spatial : first];
    memcpy(e->o, &e->at[nhwc ? first : first + 1], (size_t)g->spatial * sizeof e->o[0]);
    return FAL_OK;
}

static fal_status find_terms(cli_command *command, explanation *e)
{
    const fal_conv_geometry *g = &e->layer.geometry;
    int64_t capacity = g->in_channels / g->groups;
    for (int32_t a = 0; a < g->spatial; a++) {
        if (capacity > TERMS_MOST / g->axis[a].kernel) {
            cli_fail(command, FAL_E_LIMIT, NULL, "one output is the sum of too many products to list");
            return cli_allow(command, FAL_E_LIMIT, "must be at most %d", TERMS_MOST);
        }
        capacity *= g->axis[a].kernel;
    }
    CLI_TRY(cli_alloc(command, capacity, sizeof *e->terms, (void **)&e->terms));
    return fal_conv_terms(g, e->oc, e->o, e->terms, capacity, &e->count, &command->error);
}

/* ---- numbers ---- */

/* Where a term's input stands when that is not simply its index. */
static void border_note(const explanation *e, const fal_term *term, char note[NAME])
{
    const fal_conv_geometry *g = &e->layer.geometry;
    char position[NAME];
    note[0] = '\0';
    bool elsewhere = memcmp(term->input, term->position, (size_t)g->spatial * sizeof term->input[0]) != 0;
    if (g->transposed || (term->inside && !elsewhere)) return;
    format_name(position, "", g->spatial, term->position);
    if (term->inside)
        snprintf(note, NAME, "border: stands at %.100s", position);
    else
        snprintf(note, NAME, "border at %.100s%s", position,
                 g->padding_mode == FAL_PAD_CONSTANT ? "" : ": no product");
}

static bool exists(const explanation *e, const fal_term *term)
{
    return term->inside || e->layer.geometry.padding_mode == FAL_PAD_CONSTANT;
}

static double input_of(const explanation *e, const fal_term *term)
{
    int64_t index[FAL_MAX_RANK];
    if (!term->inside) return e->layer.params.padding_value;
    data_index(&e->layer.geometry, e->n, term->ic, term->input, index);
    return fal_tensor_get(&e->layer.x, index);
}

static double weight_of(const explanation *e, const fal_term *term)
{
    int64_t index[FAL_MAX_RANK];
    weight_index(e, term, index);
    return fal_tensor_get(&e->layer.w, index);
}

/* The row of a term; the running sum is carried in *sum. */
static void make_row(const explanation *e, const fal_term *term, double *sum, product_row *row)
{
    const fal_conv_geometry *g = &e->layer.geometry;
    int64_t index[FAL_MAX_RANK];
    memset(row, 0, sizeof *row);
    if (term->inside) {
        data_index(g, e->n, term->ic, term->input, index);
        format_name(row->x_name, "x", e->layer.x.rank, index);
    } else {
        snprintf(row->x_name, NAME, "-");
    }
    weight_index(e, term, index);
    format_name(row->w_name, "w", e->layer.w.rank, index);
    border_note(e, term, row->note);
    if (!e->numbers || !exists(e, term)) return;
    double x = input_of(e, term), w = weight_of(e, term);
    *sum += x * w;
    cli_format_number(row->x, NUMBER, e->layer.x.dtype, x);
    cli_format_number(row->w, NUMBER, e->layer.w.dtype, w);
    cli_format_number(row->product, NUMBER, FAL_F64, x * w);
    cli_format_number(row->sum, NUMBER, FAL_F64, *sum);
}

static void add_up(explanation *e)
{
    for (int64_t i = 0; i < e->count; i++) {
        if (!exists(e, &e->terms[i])) continue;
        double product = input_of(e, &e->terms[i]) * weight_of(e, &e->terms[i]);
        e->sum += product;
        e->magnitude += fabs(product);
    }
    if (e->layer.bias.rank == 0) return;
    double bias = fal_tensor_get(&e->layer.bias, &e->oc);
    e->sum += bias;
    e->magnitude += fabs(bias);
}

/* The element as the library computes it, from the one image it belongs to. */
static fal_status ask_library(cli_command *command, const explanation *e, double *value)
{
    fal_tensor x = e->layer.x, y = e->layer.y;
    int64_t at[FAL_MAX_RANK];
    memcpy(at, e->at, sizeof at);
    if (e->layer.geometry.batched) {
        CLI_TRY(fal_tensor_slice(&x, 0, e->n, e->n + 1, 1, &x, &command->error));
        y.shape[0] = 1;
        at[0] = 0;
    }
    CLI_TRY(cli_tensor_alloc(command, &y));
    CLI_TRY((e->layer.transposed ? fal_conv_transpose : fal_conv)(&command->context, &x, &e->layer.w,
                                                                  e->layer.bias.rank ? &e->layer.bias : NULL,
                                                                  &e->layer.params, &y));
    *value = fal_tensor_get(&y, at);
    return FAL_OK;
}

/* Rounding of a sum of this many products, with room for every algorithm. */
static double tolerance(const explanation *e)
{
    static const double unit[] = {
        [FAL_F32] = 0x1p-24, [FAL_F64] = 0x1p-53, [FAL_F16] = 0x1p-11, [FAL_BF16] = 0x1p-8};
    fal_dtype dtype = e->layer.x.dtype;
    double u = fal_dtype_is_integer(dtype) ? 0x1p-53 : unit[dtype];
    return 16 * (double)(e->count + 2) * u * e->magnitude;
}

/* ---- output ---- */

/* One line without blanks at its end. */
static void print_line(FILE *out, const product_row *row, bool numbers)
{
    char line[6 * NAME];
    if (numbers)
        snprintf(line, sizeof line, "%-16s %10s   %-16s %10s %14s %14s  %s", row->x_name, row->x, row->w_name,
                 row->w, row->product, row->sum, row->note);
    else
        snprintf(line, sizeof line, "%-16s   %-16s  %s", row->x_name, row->w_name, row->note);
    size_t length = strlen(line);
    while (length > 0 && line[length - 1] == ' ') length--;
    fprintf(out, "%.*s\n", (int)length, line);
}

static void print_rows(FILE *out, const explanation *e)
{
    static const product_row head = {
        .x_name = "input", .w_name = "weight", .product = "product", .sum = "sum"};
    double sum = 0;
    product_row row;
    print_line(out, &head, e->numbers);
    for (int64_t i = 0; i < e->count; i++) {
        make_row(e, &e->terms[i], &sum, &row);
        print_line(out, &row, e->numbers);
    }
}

static void print_text(cli_command *command, const explanation *e, double library)
{
    FILE *out = cli_out(command);
    const fal_conv_geometry *g = &e->layer.geometry;
    char name[NAME], text[CLI_FORMULA_TEXT], sum[NUMBER];
    int64_t real = 0;
    for (int64_t i = 0; i < e->count; i++) real += exists(e, &e->terms[i]);
    format_name(name, "y", e->layer.y.rank, e->at);
    fprintf(out, "%s, the sum of %" PRId64 " product%s%s\n", name, real, real == 1 ? "" : "s",
            e->layer.bias.rank ? " and the bias" : "");
    for (int32_t a = 0; a < g->spatial; a++) {
        cli_formula(text, &g->axis[a], g->transposed ? CLI_FORMULA_TRANSPOSE : CLI_FORMULA_CONV);
        fprintf(out, "%s %s\n", cli_axis_name(g->spatial, a), text);
    }
    print_rows(out, e);
    if (e->layer.bias.rank) {
        cli_format_number(text, NUMBER, e->layer.bias.dtype, fal_tensor_get(&e->layer.bias, &e->oc));
        fprintf(out, "bias[%" PRId64 "] = %s\n", e->oc, text);
    }
    if (!e->numbers) return;
    cli_format_number(sum, NUMBER, FAL_F64, e->sum);
    cli_format_number(text, NUMBER, e->layer.y.dtype, library);
    if (e->layer.params.activation != FAL_ACTIVATION_NONE) {
        fprintf(out, "the sum is %s\n", sum);
        cli_format_number(sum, NUMBER, FAL_F64, e->result);
        fprintf(out, "%s = %s of it = %s; the library gives %s\n", name,
                cli_activation_name(&e->layer.params), sum, text);
        return;
    }
    fprintf(out, "%s = %s; the library gives %s\n", name, sum, text);
}

static json_t *json_term(const explanation *e, const fal_term *term)
{
    const fal_conv_geometry *g = &e->layer.geometry;
    int64_t w[FAL_MAX_RANK], x[FAL_MAX_RANK];
    weight_index(e, term, w);
    data_index(g, e->n, term->ic, term->input, x);
    json_t *json = json_pack("{s:b, s:o, s:o}", "inside", term->inside, "position",
                             cli_json_ints(term->position, g->spatial), "weight_index",
                             cli_json_ints(w, e->layer.w.rank));
    if (term->inside) json_object_set_new(json, "input_index", cli_json_ints(x, e->layer.x.rank));
    if (!e->numbers || !exists(e, term)) return json;
    json_object_set_new(json, "input", json_real(input_of(e, term)));
    json_object_set_new(json, "weight", json_real(weight_of(e, term)));
    json_object_set_new(json, "product", json_real(input_of(e, term) * weight_of(e, term)));
    return json;
}

static fal_status print_json(cli_command *command, const explanation *e, double library)
{
    json_t *terms = json_array();
    for (int64_t i = 0; i < e->count; i++) json_array_append_new(terms, json_term(e, &e->terms[i]));
    json_t *json = json_pack(
        "{s:s, s:o, s:o, s:o}", "operator", e->layer.transposed ? "conv-transpose" : "conv", "at",
        cli_json_ints(e->at, e->layer.y.rank), "parameters", cli_json_parameters(&e->layer), "terms", terms);
    if (e->layer.bias.rank)
        json_object_set_new(json, "bias", json_real(fal_tensor_get(&e->layer.bias, &e->oc)));
    if (e->numbers) json_object_set_new(json, "sum", json_real(e->sum));
    if (e->numbers && e->layer.params.activation != FAL_ACTIVATION_NONE)
        json_object_set_new(json, "activated", json_real(e->result));
    if (e->numbers) json_object_set_new(json, "library", json_real(library));
    return cli_json_print(command, json);
}

fal_status cli_run_explain(cli_command *command)
{
    explanation *e;
    double library = 0;
    int word;
    CLI_TRY(cli_alloc(command, 1, sizeof *e, (void **)&e));
    CLI_TRY(cli_operand_word(command, 0, "operator", "conv conv-transpose", &word));
    CLI_TRY(cli_layer_read(command, word == 1, cli_operand(command, 1), cli_operand(command, 2), &e->layer));
    e->numbers = e->layer.x.data != NULL && e->layer.w.data != NULL;
    CLI_TRY(read_at(command, e));
    CLI_TRY(find_terms(command, e));
    if (e->numbers) {
        add_up(e);
        e->result = cli_activated(&e->layer.params, e->sum);
        CLI_TRY(ask_library(command, e, &library));
        if (fabs(library - e->result) > tolerance(e))
            return cli_fail(command, FAL_E_INTERNAL, NULL,
                            "the products add up to %.17g, but the library gives %.17g", e->result, library);
    }
    if (command->json) return print_json(command, e, library);
    print_text(command, e, library);
    return FAL_OK;
}
