/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * memory.c: memory that lives as long as the command.
 *
 * A command does one thing and ends, so verbs free nothing: what they allocate hangs on the command
 * and goes with it. That leaves every early return of a verb without a leak.
 */
#include <inttypes.h>
#include <stdlib.h>

#include "cli/cli.h"

fal_status cli_adopt(cli_command *command, void *memory, void (*release)(void *memory))
{
    cli_block *block = malloc(sizeof *block);
    if (block == NULL) {
        release(memory);
        return cli_fail(command, FAL_E_NOMEM, NULL, "out of memory");
    }
    *block = (cli_block){.next = command->blocks, .release = release, .memory = memory};
    command->blocks = block;
    return FAL_OK;
}

fal_status cli_alloc(cli_command *command, int64_t count, size_t size, void **memory)
{
    *memory = NULL;
    if (count < 0 || (uint64_t)count > SIZE_MAX / (size ? size : 1))
        return cli_fail(command, FAL_E_OVERFLOW, NULL, "%" PRId64 " elements of %zu bytes do not fit memory",
                        count, size);
    void *block = calloc(count ? (size_t)count : 1, size ? size : 1);
    if (block == NULL)
        return cli_fail(command, FAL_E_NOMEM, NULL, "cannot allocate %" PRId64 " elements of %zu bytes",
                        count, size);
    *memory = block;
    return cli_adopt(command, block, free);
}

void cli_release_all(cli_command *command)
{
    while (command->blocks != NULL) {
        cli_block *block = command->blocks;
        command->blocks = block->next;
        block->release(block->memory);
        free(block);
    }
}
