/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * main.c: parse, prepare, run the verb, report, end.
 */
#define _POSIX_C_SOURCE 200809L
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/json_out.h"
#include "cli/parts.h"
#include "cli/tensors.h"

/* No file of the user's may become standard output because that was closed. What takes its place can be
 * used in no direction that a program tries, so that the error is the same. */
static void hold_standard_streams(void)
{
    for (int fd = 0; fd <= 2; fd++)
        if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", fd == 0 ? O_WRONLY : O_RDONLY) < 0) return;
}

/* FALTUNG_THREADS and --threads; FALTUNG_CPU. */
static fal_status prepare_context(cli_command *command)
{
    const char *threads = getenv("FALTUNG_THREADS"), *cpu = getenv("FALTUNG_CPU");
    int64_t count = 0;
    command->context.error = &command->error;
    command->context.executor = cli_executor();
    if (threads != NULL && *threads != '\0' &&
        (!cli_parse_int(threads, &count) || count < 1 || count > 1024)) {
        cli_fail(command, FAL_E_THREADS, "FALTUNG_THREADS", "'%s' is not a number of threads", threads);
        return cli_allow(command, FAL_E_THREADS, "must be 1..1024");
    }
    command->context.threads = (int32_t)cli_int(command, CLI_THREADS, count);
    if (cpu == NULL || *cpu == '\0') return FAL_OK;
    int level = cli_word_index("auto generic=neon avx2 avx512", cpu);
    if (level < 0) {
        cli_fail(command, FAL_E_VALUE, "FALTUNG_CPU", "'%s' is not an instruction set", cpu);
        return cli_allow(command, FAL_E_VALUE, "must be one of generic, avx2, avx512");
    }
    command->context.cpu = (fal_cpu_level)level;
    return FAL_OK;
}

/* A full disk shows only when the last bytes leave. */
static fal_status finish_output(cli_command *command)
{
    if (fflush(stdout) == 0 && !ferror(stdout)) return FAL_OK;
    return cli_fail(command, FAL_E_IO, NULL, "cannot write to standard output: %s", strerror(errno));
}

static fal_status run(cli_command *command)
{
    CLI_TRY(prepare_context(command));
    CLI_TRY(cli_check_outputs(command));
    cli_catch_signals();
    cli_progress_begin(command);
    fal_status status = command->verb->run(command);
    cli_progress_end();
    if (status == FAL_OK) status = finish_output(command);
    if (status == FAL_OK) status = cli_commit_outputs(command);
    if (status != FAL_OK) cli_abort_outputs(command);
    return status;
}

/* --help and --version need no operands and no verb. */
static bool answer_about_itself(cli_command *command)
{
    const cli_value *help = &command->values[CLI_HELP];
    if (help->given)
        cli_help(stdout, command->verb, help->full);
    else if (cli_given(command, CLI_VERSION))
        cli_version(stdout);
    return help->given || cli_given(command, CLI_VERSION);
}

int main(int argc, char **argv)
{
    static cli_command command; /* zeroed; too large to be comfortable on the stack */
    hold_standard_streams();
    cli_json_begin(&command);
    fal_status status = cli_parse(&command, argc, argv);
    if (status == FAL_OK) status = answer_about_itself(&command) ? finish_output(&command) : run(&command);
    if (status != FAL_OK) {
        if (command.bare && !command.json)
            cli_help(stderr, command.verb, false);
        else
            cli_report(&command);
    }
    int code = cli_exit_code(&command, status);
    cli_release_all(&command);
    return code;
}
