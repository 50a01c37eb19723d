/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * verb_grad.c: the gradients of every operator.
 *
 * Which gradients: those that have a file; all of them, printed, when none has. An operator takes here the
 * options of its own verb; what it does not take is refused, because nobody would notice that it is ignored.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cli/grad.h"
#include "cli/params.h"
#include "cli/parts.h"
#include "cli/tensors.h"

static const struct {
    const char *name, *operands;
    cli_grad_run *run;
    int gradients;
    cli_option_id gradient[CLI_MAX_GRADIENTS];
} operators[] = {
    {"conv", "X W GY", cli_grad_conv, 3, {CLI_GRAD_INPUT, CLI_GRAD_WEIGHT, CLI_GRAD_BIAS}},
    {"conv-transpose",
     "X W GY",
     cli_grad_conv_transpose,
     3,
     {CLI_GRAD_INPUT, CLI_GRAD_WEIGHT, CLI_GRAD_BIAS}},
    {"deform-conv",
     "X OFFSET W GY",
     cli_grad_deform_conv,
     5,
     {CLI_GRAD_INPUT, CLI_GRAD_OFFSET, CLI_GRAD_MASK, CLI_GRAD_WEIGHT, CLI_GRAD_BIAS}},
    {"separable",
     "X DEPTHWISE POINTWISE GY",
     cli_grad_separable,
     5,
     {CLI_GRAD_INPUT, CLI_GRAD_DEPTHWISE, CLI_GRAD_DEPTHWISE_BIAS, CLI_GRAD_POINTWISE,
      CLI_GRAD_POINTWISE_BIAS}},
    {"max-pool", "X GY", cli_grad_max_pool, 1, {CLI_GRAD_INPUT}},
    {"avg-pool", "X GY", cli_grad_avg_pool, 1, {CLI_GRAD_INPUT}},
    {"lp-pool", "X GY", cli_grad_lp_pool, 1, {CLI_GRAD_INPUT}},
    {"adaptive-avg-pool", "X GY", cli_grad_adaptive_avg_pool, 1, {CLI_GRAD_INPUT}},
    {"adaptive-max-pool", "X GY", cli_grad_adaptive_max_pool, 1, {CLI_GRAD_INPUT}},
    {"global-avg-pool", "X GY", cli_grad_global_avg_pool, 1, {CLI_GRAD_INPUT}},
    {"global-max-pool", "X GY", cli_grad_global_max_pool, 1, {CLI_GRAD_INPUT}},
    {"max-unpool", "X INDICES GY", cli_grad_max_unpool, 1, {CLI_GRAD_INPUT}},
    {"unfold", "X GY", cli_grad_unfold, 1, {CLI_GRAD_INPUT}},
    {"fold", "COLS GY", cli_grad_fold, 1, {CLI_GRAD_INPUT}},
    {"pad", "X GY", cli_grad_pad, 1, {CLI_GRAD_INPUT}},
    {"upsample", "X GY", cli_grad_upsample, 1, {CLI_GRAD_INPUT}},
};

/* ---- For the operators ---- */

fal_status cli_gradient_alloc(cli_command *command, cli_gradient *gradient, const fal_tensor *of)
{
    if (!gradient->wanted) return FAL_OK;
    gradient->tensor = *of;
    return cli_tensor_alloc(command, &gradient->tensor);
}

fal_status cli_arriving(cli_command *command, int i, const fal_tensor *x, const fal_tensor *y, fal_tensor *gy)
{
    const cli_operand_name name = {cli_operand(command, i), "gy", "the gradient that arrives"};
    CLI_TRY(cli_load_like(command, x, &name, gy));
    cli_lead_axes(name.text, cli_layout(command), y->rank, gy);
    return FAL_OK;
}

/* "(1,16,6,6)", as the library writes it. */
static void write_shape(char *text, size_t capacity, const fal_tensor *t)
{
    char *to = text;
    cli_format_shape(text, capacity, t);
    for (const char *from = text; *from != '\0'; from++)
        if (*from != ' ') *to++ = *from;
    *to = '\0';
}

fal_status cli_arriving_shape(cli_command *command, const fal_tensor *y, const fal_tensor *gy)
{
    char found[320], wanted[320];
    bool equal = gy->rank == y->rank;
    for (int32_t a = 0; equal && a < y->rank; a++) equal = gy->shape[a] == y->shape[a];
    if (equal) return FAL_OK;
    write_shape(found, sizeof found, gy);
    write_shape(wanted, sizeof wanted, y);
    cli_fail(command, FAL_E_SHAPE, "gy", "gy is %s", found);
    return cli_allow(command, FAL_E_SHAPE, "must be %s", wanted);
}

/* ---- The command line ---- */

static bool has_gradient(int op, int id)
{
    for (int i = 0; i < operators[op].gradients; i++)
        if ((int)operators[op].gradient[i] == id) return true;
    return false;
}

static fal_status check_options(cli_command *command, int op)
{
    const cli_verb *verb = cli_verb_find(operators[op].name);
    for (int id = 0; id < CLI_OPTION_COUNT; id++) {
        if (!cli_given(command, (cli_option_id)id) || cli_verb_takes(verb, (cli_option_id)id) ||
            has_gradient(op, id))
            continue;
        char where[48];
        snprintf(where, sizeof where, "--%s", cli_options[id].name);
        return cli_fail(command, FAL_E_USAGE, NULL, "%s is no option of grad %s", where, operators[op].name);
    }
    return FAL_OK;
}

static fal_status check_operands(cli_command *command, int op)
{
    int wanted = 2; /* the operator's name and the first */
    for (const char *at = operators[op].operands; *at != '\0'; at++) wanted += *at == ' ';
    if (command->operand_count == wanted) return FAL_OK;
    cli_fail(command, FAL_E_USAGE, NULL, "grad %s with %d operand%s", operators[op].name,
             command->operand_count - 1, command->operand_count == 2 ? "" : "s");
    return cli_allow(command, FAL_E_USAGE, "must be %s", operators[op].operands);
}

static fal_status find_operator(cli_command *command, int *op)
{
    const int count = (int)(sizeof operators / sizeof operators[0]);
    for (*op = 0; *op < count; ++*op)
        if (cli_word_index(operators[*op].name, cli_operand(command, 0)) == 0) return FAL_OK;
    const char *word = cli_operand(command, 0), *guess = cli_verb_guess(word);
    cli_fail(command, FAL_E_USAGE, NULL, "'%s' is no operator with a gradient", word);
    if (guess != NULL && cli_word_index(command->verb->words, guess) >= 0)
        return cli_hint(command, FAL_E_USAGE, "did you mean '%s'?", guess);
    return cli_hint(command, FAL_E_USAGE, "faltung help grad lists them");
}

/* ---- Output ---- */

/* "depthwise_bias" or, with a blank between, "depthwise bias" */
static void name_of(cli_option_id option, char between, char *text, size_t capacity)
{
    snprintf(text, capacity, "%s", cli_options[option].name + strlen("grad-"));
    for (char *at = text; *at != '\0'; at++)
        if (*at == '-') *at = between;
}

static fal_status print_json(cli_command *command, const cli_gradients *g, bool to_files)
{
    json_t *json = json_pack("{s:s}", "operator", g->name);
    if (json != NULL && g->facts != NULL) json_object_update_missing(json, g->facts);
    json_decref(g->facts);
    for (int i = 0; i < g->count; i++) {
        char key[48] = "grad_";
        if (!g->entry[i].wanted) continue;
        json_t *gradient = cli_json_tensor(&g->entry[i].tensor);
        if (!to_files) json_object_set_new(gradient, "values", cli_json_values(&g->entry[i].tensor));
        name_of(g->entry[i].option, '_', key + strlen(key), sizeof key - strlen(key));
        json_object_set_new(json, key, gradient);
    }
    return cli_json_print(command, json);
}

static void print_text(cli_command *command, const cli_gradients *g)
{
    bool first = true;
    for (int i = 0; i < g->count; i++) {
        char shape[320], name[32];
        bool half = g->entry[i].option == CLI_GRAD_DEPTHWISE || g->entry[i].option == CLI_GRAD_POINTWISE;
        if (!g->entry[i].wanted) continue;
        name_of(g->entry[i].option, ' ', name, sizeof name);
        cli_format_shape(shape, sizeof shape, &g->entry[i].tensor);
        fprintf(cli_out(command), "%sgradient of the %s%s %s\n", first ? "" : "\n", name,
                half ? " weight" : "", shape);
        cli_print_tensor(cli_out(command), &g->entry[i].tensor);
        first = false;
    }
}

static fal_status write_files(cli_command *command, const cli_gradients *g)
{
    for (int i = 0; i < g->count; i++)
        if (g->entry[i].wanted)
            CLI_TRY(cli_write(command, &g->entry[i].tensor, cli_text(command, g->entry[i].option, NULL)));
    return FAL_OK;
}

fal_status cli_run_grad(cli_command *command)
{
    int op;
    bool to_files = false;
    CLI_TRY(find_operator(command, &op));
    CLI_TRY(check_operands(command, op));
    CLI_TRY(check_options(command, op));
    cli_gradients g = {.count = operators[op].gradients, .name = operators[op].name};
    for (int i = 0; i < g.count; i++) {
        g.entry[i].option = operators[op].gradient[i];
        to_files |= cli_given(command, g.entry[i].option) != 0;
    }
    for (int i = 0; i < g.count; i++) g.entry[i].wanted = !to_files || cli_given(command, g.entry[i].option);
    CLI_TRY(operators[op].run(command, &g));
    if (to_files) {
        fal_status status = write_files(command, &g);
        if (status != FAL_OK) json_decref(g.facts);
        CLI_TRY(status);
    }
    if (command->json) return print_json(command, &g, to_files);
    if (!to_files) print_text(command, &g);
    return FAL_OK;
}
