/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * parse.c: the command line into a cli_command.
 *
 * GNU habits: options anywhere, also before the verb; `--name=value` and `--name value`; letters in
 * clusters (`-qf`, `-oFILE`); `--` ends the options; `-` alone is an operand. An option that takes a
 * value takes the next word whatever it looks like, so `--padding -1` works. No abbreviations: they
 * would forbid every future name. Values are read by value.c.
 */
#define _POSIX_C_SOURCE 200809L /* access */
#include <string.h>
#include <unistd.h>

#include "cli/parts.h"

static bool takes_value(cli_option_id id)
{
    return cli_options[id].kind != CLI_KIND_FLAG;
}

static bool is_option(const char *word)
{
    return word[0] == '-' && word[1] != '\0';
}

/* The option of a cluster's letter, whatever the verb. */
static cli_option_id lettered_anywhere(char letter)
{
    for (int id = 0; id < CLI_OPTION_COUNT; id++)
        if (cli_options[id].letter == letter) return (cli_option_id)id;
    return CLI_OPTION_COUNT;
}

/* Does this option word take the next word as its value? Asked before the verb is known. */
static bool reaches_on(const char *word)
{
    if (word[1] == '-') {
        if (strchr(word, '=') != NULL) return false;
        cli_option_id id = cli_option_anywhere(word + 2);
        return id != CLI_OPTION_COUNT && takes_value(id);
    }
    for (const char *letter = word + 1; *letter != '\0'; letter++) {
        cli_option_id id = lettered_anywhere(*letter);
        if (id != CLI_OPTION_COUNT && takes_value(id)) return letter[1] == '\0';
    }
    return false;
}

/* The place of the verb in argv: the first word that is neither option nor value; 0 when none. */
static int find_verb(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--") == 0) return i + 1 < argc ? i + 1 : 0;
        if (!is_option(argv[i])) return i;
        if (reaches_on(argv[i])) i++;
    }
    return 0;
}

/* Is --json there? Known before anything else, because it decides how errors are shown. */
static bool wants_json(int argc, char **argv)
{
    for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++)
        if (strcmp(argv[i], "--json") == 0) return true;
    return false;
}

static fal_status unknown_option(cli_command *command, const char *name)
{
    const char *of = command->verb ? command->verb->name : "faltung";
    if (cli_option_anywhere(name) != CLI_OPTION_COUNT && command->verb != NULL)
        return cli_fail(command, FAL_E_USAGE, NULL, "%s takes no option --%s", of, name);
    cli_fail(command, FAL_E_USAGE, NULL, "unknown option --%s", name);
    const char *guess = cli_option_guess(command->verb, name);
    if (guess != NULL) cli_hint(command, FAL_E_USAGE, "did you mean --%s?", guess);
    return FAL_E_USAGE;
}

/* `--name`, `--name=value`, `--name value`. *i moves on when the next word is taken. */
static fal_status parse_long(cli_command *command, int argc, char **argv, int *i)
{
    command->optioned = true;
    const char *word = argv[*i] + 2, *equals = strchr(word, '=');
    char name[64];
    size_t length = equals ? (size_t)(equals - word) : strlen(word);
    if (length >= sizeof name) return cli_fail(command, FAL_E_USAGE, NULL, "unknown option --%.40s...", word);
    memcpy(name, word, length);
    name[length] = '\0';
    cli_option_id id = cli_option_named(command->verb, name);
    if (id == CLI_OPTION_COUNT) return unknown_option(command, name);
    if (!takes_value(id)) {
        if (equals)
            return cli_fail(command, FAL_E_USAGE, NULL, "--%s takes no value, but got '%s'", name,
                            equals + 1);
        command->values[id].full = true;
        return cli_read_value(command, id, NULL);
    }
    if (equals) return cli_read_value(command, id, equals + 1);
    if (*i + 1 == argc)
        return cli_fail(command, FAL_E_USAGE, NULL, "--%s needs a value: --%s %s", name, name,
                        cli_options[id].value);
    return cli_read_value(command, id, argv[++*i]);
}

/* `-q`, `-qf`, `-o FILE`, `-oFILE`. */
static fal_status parse_letters(cli_command *command, int argc, char **argv, int *i)
{
    command->optioned = true;
    for (const char *letter = argv[*i] + 1; *letter != '\0'; letter++) {
        cli_option_id id = cli_option_lettered(command->verb, *letter);
        if (id == CLI_OPTION_COUNT) {
            const char *of = command->verb ? command->verb->name : "faltung";
            cli_fail(command, FAL_E_USAGE, NULL, "%s takes no option -%c", of, *letter);
            if (access(argv[*i], F_OK) != 0) return FAL_E_USAGE;
            return cli_hint(command, FAL_E_USAGE, "put -- before names of files that begin with '-'");
        }
        if (!takes_value(id)) {
            CLI_TRY(cli_read_value(command, id, NULL));
            continue;
        }
        if (letter[1] != '\0') return cli_read_value(command, id, letter + 1);
        if (*i + 1 == argc)
            return cli_fail(command, FAL_E_USAGE, NULL, "-%c needs a value: -%c %s", *letter, *letter,
                            cli_options[id].value);
        return cli_read_value(command, id, argv[++*i]);
    }
    return FAL_OK;
}

static fal_status name_verb(cli_command *command, const char *word)
{
    command->verb = cli_verb_find(word);
    if (command->verb != NULL) return FAL_OK;
    cli_fail(command, FAL_E_USAGE, NULL, "unknown verb '%s'", word);
    const char *guess = cli_verb_guess(word);
    if (guess != NULL) return cli_hint(command, FAL_E_USAGE, "did you mean '%s'?", guess);
    return cli_hint(command, FAL_E_USAGE, "faltung help lists the verbs");
}

/* Too few operands, or too many. A bare verb gets its short help instead of an error. */
static fal_status check_operands(cli_command *command)
{
    const cli_verb *verb = command->verb;
    int count = command->operand_count;
    if (verb == NULL || command->values[CLI_HELP].given || command->values[CLI_VERSION].given) return FAL_OK;
    if (count < verb->least_operands) {
        command->bare = count == 0 && !command->optioned;
        return cli_fail(command, FAL_E_USAGE, NULL, "%s needs %s, but %d operand%s given", verb->name,
                        verb->operands, count, count == 1 ? " was" : "s were");
    }
    if (count > verb->most_operands) {
        cli_fail(command, FAL_E_USAGE, NULL, "'%s' is one operand too many",
                 command->operands[verb->most_operands]);
        if (verb->most_operands == 0) return cli_allow(command, FAL_E_USAGE, "%s takes none", verb->name);
        return cli_allow(command, FAL_E_USAGE, "%s takes %s", verb->name, verb->operands);
    }
    return FAL_OK;
}

fal_status cli_parse(cli_command *command, int argc, char **argv)
{
    int verb = find_verb(argc, argv);
    bool options = true;
    command->json = wants_json(argc, argv);
    CLI_TRY(cli_alloc(command, argc, sizeof *command->operands, (void **)&command->operands));
    if (verb > 0) CLI_TRY(name_verb(command, argv[verb]));
    for (int i = 1; i < argc; i++) {
        if (i == verb) continue;
        if (options && strcmp(argv[i], "--") == 0)
            options = false;
        else if (options && strncmp(argv[i], "--", 2) == 0)
            CLI_TRY(parse_long(command, argc, argv, &i));
        else if (options && is_option(argv[i]))
            CLI_TRY(parse_letters(command, argc, argv, &i));
        else
            command->operands[command->operand_count++] = argv[i];
    }
    if (verb == 0 && !command->values[CLI_HELP].given && !command->values[CLI_VERSION].given) {
        command->bare = true;
        return cli_fail(command, FAL_E_USAGE, NULL, "a verb is missing");
    }
    return check_operands(command);
}

int cli_given(const cli_command *command, cli_option_id id)
{
    return command->values[id].given;
}

int64_t cli_int(const cli_command *command, cli_option_id id, int64_t otherwise)
{
    return cli_given(command, id) ? command->values[id].ints[0] : otherwise;
}

double cli_number(const cli_command *command, cli_option_id id, double otherwise)
{
    return cli_given(command, id) ? command->values[id].number : otherwise;
}

const char *cli_text(const cli_command *command, cli_option_id id, const char *otherwise)
{
    return cli_given(command, id) ? command->values[id].text : otherwise;
}

int cli_choice(const cli_command *command, cli_option_id id, int otherwise)
{
    return cli_given(command, id) ? command->values[id].choice : otherwise;
}

int32_t cli_ints(const cli_command *command, cli_option_id id, const int64_t **ints)
{
    *ints = command->values[id].ints;
    return cli_given(command, id) ? command->values[id].count : 0;
}

const char *cli_operand(const cli_command *command, int i)
{
    return i < command->operand_count ? command->operands[i] : NULL;
}
