/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * report.c: one failure, for people or for programs.
 *
 *     faltung conv: error: input has 6 channels, weight expects 8 (groups 2 x 4) (x: photo.npy)
 *     hint: is the input NHWC? try --layout nhwc
 *
 * The library speaks of its own arguments ("x", "stride[1]"); here they become the files and options
 * that the user typed.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "cli/parts.h"

/* Texts of fal_error are printable ASCII; file names and arguments need not be. */
static void keep_printable(char *text)
{
    for (; *text != '\0'; text++)
        if (*text < ' ' || *text > '~') *text = '?';
}

fal_status cli_fail(cli_command *command, fal_status status, const char *where, const char *found, ...)
{
    va_list values;
    memset(&command->error, 0, sizeof command->error);
    command->error.status = status;
    if (where != NULL) snprintf(command->error.field, sizeof command->error.field, "%s", where);
    va_start(values, found);
    vsnprintf(command->error.found, sizeof command->error.found, found, values);
    va_end(values);
    keep_printable(command->error.field);
    keep_printable(command->error.found);
    return status;
}

fal_status cli_allow(cli_command *command, fal_status status, const char *allowed, ...)
{
    va_list values;
    va_start(values, allowed);
    vsnprintf(command->error.allowed, sizeof command->error.allowed, allowed, values);
    va_end(values);
    keep_printable(command->error.allowed);
    return status;
}

fal_status cli_hint(cli_command *command, fal_status status, const char *hint, ...)
{
    va_list values;
    va_start(values, hint);
    vsnprintf(command->error.hint, sizeof command->error.hint, hint, values);
    va_end(values);
    keep_printable(command->error.hint);
    return status;
}

/* "padding_begin[1]" is set by --padding, "activation_low" by --activation. */
static const char *option_name(const char *field, char *name, size_t capacity)
{
    size_t length = strcspn(field, "[");
    snprintf(name, capacity, "%.*s", (int)length, field);
    for (char *at = name; *at != '\0'; at++)
        if (*at == '_') *at = '-';
    if (strcmp(name, "padding-begin") == 0 || strcmp(name, "padding-end") == 0)
        name[strlen("padding")] = '\0';
    if (strncmp(name, "activation-", strlen("activation-")) == 0) name[strlen("activation")] = '\0';
    return name;
}

/* Where it went wrong, in the user's terms; empty when nothing is known. */
static void place(const cli_command *command, char *text, size_t capacity)
{
    const char *field = command->error.field;
    char name[64];
    snprintf(text, capacity, "%s", field);
    for (int i = 0; i < command->source_count; i++)
        if (strcmp(command->sources[i].name, field) == 0 && command->sources[i].text[0] != '[') {
            snprintf(text, capacity, "%s: %s", field, command->sources[i].text);
            keep_printable(text);
            return;
        }
    if (field[0] == '-' || command->verb == NULL) return;
    cli_option_id id = cli_option_named(command->verb, option_name(field, name, sizeof name));
    /* The library's "output" is a size and not the file of --output. */
    if (id != CLI_OPTION_COUNT && cli_options[id].kind != CLI_KIND_OUTPUT)
        snprintf(text, capacity, "--%s", name);
}

/* "is the input NHWC? try --layout nhwc" */
static void advice(const cli_command *command, char *text, size_t capacity)
{
    const fal_error *error = &command->error;
    char name[64];
    snprintf(text, capacity, "%s", error->hint);
    if (error->fix_field[0] == '\0' || strstr(error->hint, "--") != NULL) return;
    option_name(error->fix_field, name, sizeof name);
    if (cli_option_named(command->verb, name) == CLI_OPTION_COUNT) return;
    size_t used = strlen(text);
    const char *joint = used == 0 ? "" : text[used - 1] == '?' ? " " : "; ";
    snprintf(text + used, capacity - used, "%stry --%s %s", joint, name, error->fix_value);
}

/* "key":"text". Without jansson, because there may be no memory. */
static void put_member(const char *key, const char *text)
{
    fprintf(stderr, "\"%s\":\"", key);
    for (; *text != '\0'; text++) fprintf(stderr, *text == '"' || *text == '\\' ? "\\%c" : "%c", *text);
    fputc('"', stderr);
}

static void report_json(const char *code, const char *message, const char *where, const char *hint)
{
    fputs("{\"error\":{", stderr);
    put_member("code", code);
    fputc(',', stderr);
    put_member("message", message);
    fputc(',', stderr);
    put_member("where", where);
    fputc(',', stderr);
    put_member("hint", hint);
    fputs("}}\n", stderr);
}

void cli_report(const cli_command *command)
{
    const fal_error *error = &command->error;
    char message[640], where[256], hint[256];
    const char *found = error->found[0] ? error->found : fal_status_string(error->status);
    cli_progress_end();
    snprintf(message, sizeof message, "%s%s%s", found, error->allowed[0] ? "; " : "", error->allowed);
    place(command, where, sizeof where);
    advice(command, hint, sizeof hint);
    if (command->json) {
        report_json(fal_status_name(error->status), message, where, hint);
        return;
    }
    fprintf(stderr, "faltung%s%s: error: %s", command->verb ? " " : "",
            command->verb ? command->verb->name : "", message);
    if (where[0] != '\0') fprintf(stderr, " (%s)", where);
    fprintf(stderr, "\n");
    if (hint[0] != '\0') fprintf(stderr, "hint: %s\n", hint);
}

int cli_exit_code(const cli_command *command, fal_status status)
{
    switch (status) {
    case FAL_OK: return command->answer_is_no ? CLI_EXIT_NO : CLI_EXIT_DONE;
    case FAL_E_NOMEM:
    case FAL_E_NULL:
    case FAL_E_HANDLE:
    case FAL_E_ALIAS:
    case FAL_E_ALIGN:
    case FAL_E_BUFSIZE:
    case FAL_E_WORKSPACE:
    case FAL_E_INTERNAL: return CLI_EXIT_INTERNAL;
    case FAL_E_USAGE: return CLI_EXIT_USAGE;
    default: break;
    }
    /* Of what a file may ask for, its bytes are memory; the rest is about its form. */
    if (status == FAL_E_LIMIT && strncmp(command->error.fix_value, "bytes=", 6) == 0)
        return CLI_EXIT_INTERNAL;
    if (command->in_file || (status >= FAL_E_IO && status < FAL_E_USAGE)) return CLI_EXIT_FILE;
    return CLI_EXIT_USAGE;
}
