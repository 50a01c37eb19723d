/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * test_tables.c: the option and verb tables keep the promises that the parser and the help rely on.
 *
 * The tables are compiled in here, without the verbs' code.
 */
#include <ctype.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define CLI_RUN(id) NULL
#include "cli/guess.c"
#include "cli/tables.c"

/* A line of help: lower case, no full stop, short enough to stand beside its option. */
static void check_line(const char *of, const char *text)
{
    size_t length = strlen(text);
    bool stop = length > 1 && text[length - 1] == '.' && text[length - 2] != '.'; /* "..." is none */
    if (length == 0 || length > 88 || stop)
        fail_msg("help of %s is empty, long or ends in a full stop: %s", of, text);
    if (isupper((unsigned char)text[0]) && islower((unsigned char)text[1]) && strncmp(text, "Python", 6) != 0)
        fail_msg("help of %s begins with a capital: %s", of, text);
}

static void options_are_well_formed(void **state)
{
    (void)state;
    for (int id = 0; id < CLI_OPTION_COUNT; id++) {
        const cli_option *option = &cli_options[id];
        assert_non_null(option->name);
        assert_true(strlen(option->name) < 24);
        check_line(option->name, option->help);
        if ((option->kind == CLI_KIND_FLAG) != (option->value == NULL))
            fail_msg("--%s: a flag has no value name, everything else has one", option->name);
        if (option->kind == CLI_KIND_CHOICE && option->choices == NULL)
            fail_msg("--%s lists no choices", option->name);
        if (option->low > option->high) fail_msg("--%s: low is above high", option->name);
    }
}

/* The place of the verb is found before it is known which row a name means. */
static void options_of_one_name_agree_on_a_value(void **state)
{
    (void)state;
    for (int a = 0; a < CLI_OPTION_COUNT; a++)
        for (int b = 0; b < a; b++) {
            bool name = strcmp(cli_options[a].name, cli_options[b].name) == 0;
            bool letter = cli_options[a].letter != 0 && cli_options[a].letter == cli_options[b].letter;
            if (!name && !letter) continue;
            if ((cli_options[a].kind == CLI_KIND_FLAG) != (cli_options[b].kind == CLI_KIND_FLAG))
                fail_msg("the rows of --%s and --%s disagree on a value", cli_options[a].name,
                         cli_options[b].name);
        }
}

static void a_verb_means_one_option_by_a_name(void **state)
{
    (void)state;
    for (int i = 0; i < cli_verb_count; i++)
        for (int a = 0; a < CLI_OPTION_COUNT; a++) {
            if (!cli_verb_takes(&cli_verbs[i], (cli_option_id)a)) continue;
            if ((int)cli_option_named(&cli_verbs[i], cli_options[a].name) != a)
                fail_msg("%s has two options --%s", cli_verbs[i].name, cli_options[a].name);
            char letter = cli_options[a].letter;
            if (letter != 0 && (int)cli_option_lettered(&cli_verbs[i], letter) != a)
                fail_msg("%s has two options -%c", cli_verbs[i].name, letter);
        }
}

static void every_option_belongs_to_a_verb(void **state)
{
    (void)state;
    for (int id = 0; id < CLI_OPTION_COUNT; id++) {
        bool used = false;
        for (int i = 0; i < cli_verb_count; i++) used |= cli_verb_takes(&cli_verbs[i], (cli_option_id)id);
        if (!used) fail_msg("no verb takes --%s", cli_options[id].name);
    }
}

static void verbs_are_well_formed(void **state)
{
    (void)state;
    for (int i = 0; i < cli_verb_count; i++) {
        const cli_verb *verb = &cli_verbs[i];
        check_line(verb->name, verb->summary);
        assert_ptr_equal(cli_verb_find(verb->name), verb);
        assert_true(verb->least_operands <= verb->most_operands);
        assert_true(verb->least_operands == 0 || verb->operands[0] != '\0');
        assert_int_equal(verb->description[strlen(verb->description) - 1], '.');
        if (verb->examples[0].line == NULL) fail_msg("%s has no example", verb->name);
        for (int e = 0; e < CLI_MAX_EXAMPLES && verb->examples[e].line != NULL; e++) {
            if (strncmp(verb->examples[e].line, "faltung ", 8) != 0)
                fail_msg("%s: an example is no command", verb->name);
            check_line(verb->name, verb->examples[e].what);
        }
    }
}

static void words_have_aliases(void **state)
{
    static const char words[] = "zeros replicate=edge=nearest same-lower";
    char word[16];
    (void)state;
    assert_int_equal(cli_word_index(words, "zeros"), 0);
    assert_int_equal(cli_word_index(words, "edge"), 1);
    assert_int_equal(cli_word_index(words, "nearest"), 1);
    assert_int_equal(cli_word_index(words, "same_lower"), 2);
    assert_int_equal(cli_word_index(words, "zero"), -1);
    assert_int_equal(cli_word_index(words, "zeross"), -1);
    assert_int_equal(cli_word_index(words, "edge=nearest"), -1);
    assert_int_equal(cli_word_index(words, ""), -1);
    assert_true(cli_word_at(words, 1, word, sizeof word));
    assert_string_equal(word, "replicate");
    assert_true(cli_word_at(words, 2, word, sizeof word));
    assert_string_equal(word, "same-lower");
    assert_false(cli_word_at(words, 3, word, sizeof word));
}

static void guesses_are_near_or_none(void **state)
{
    (void)state;
    assert_int_equal(distance("stride", "strdie"), 1); /* swapped neighbours */
    assert_int_equal(distance("stride", "strid"), 1);
    assert_int_equal(distance("", "abc"), 3);
    assert_int_equal(distance("kitten", "sitting"), 3);
    assert_string_equal(cli_verb_guess("convv"), "conv");
    assert_string_equal(cli_verb_guess("receptive_field"), "receptive-field");
    assert_null(cli_verb_guess("xyzzy"));
    assert_string_equal(cli_option_guess(cli_verb_find("conv"), "padding_mode"), "padding-mode");
    assert_null(cli_option_guess(cli_verb_find("cpu"), "stride"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(options_are_well_formed),
        cmocka_unit_test(options_of_one_name_agree_on_a_value),
        cmocka_unit_test(a_verb_means_one_option_by_a_name),
        cmocka_unit_test(every_option_belongs_to_a_verb),
        cmocka_unit_test(verbs_are_well_formed),
        cmocka_unit_test(words_have_aliases),
        cmocka_unit_test(guesses_are_near_or_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
