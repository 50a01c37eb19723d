/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * load.c: a tensor argument into memory.
 */
#include <stdlib.h>
#include <string.h>

#include "cli/limits.h"
#include "cli/params.h"
#include "cli/tensors.h"
#include "io/io.h"

static void free_array(void *memory)
{
    io_array *array = memory;
    io_array_free(array);
    free(array);
}

void cli_name_source(cli_command *command, const char *name, const char *text)
{
    if (command->source_count == CLI_MAX_SOURCES) return;
    command->sources[command->source_count++] = (cli_source){.name = name, .text = text};
}

/* Standard input can be read once: "-" or a member of it, "-:conv1". */
static fal_status take_stdin(cli_command *command, const char *text)
{
    if (text[0] != '-' || (text[1] != '\0' && text[1] != ':')) return FAL_OK;
    if (command->stdin_taken)
        return cli_fail(command, FAL_E_USAGE, "-", "standard input can be read only once");
    command->stdin_taken = true;
    return FAL_OK;
}

static fal_status load_file(cli_command *command, const char *text, fal_tensor *tensor)
{
    cli_limits limits;
    CLI_TRY(cli_read_limits(command, &limits));
    io_read_options options = {.layout = cli_layout(command), .limits = limits.file};
    io_array *array = calloc(1, sizeof *array);
    if (array == NULL) return cli_fail(command, FAL_E_NOMEM, NULL, "out of memory");
    CLI_TRY(cli_adopt(command, array, free_array));
    fal_status status = io_read(text, &options, array, &command->error);
    command->in_file = status != FAL_OK;
    *tensor = array->tensor;
    if (command->rate == 0) command->rate = array->rate;
    return status;
}

fal_status cli_load(cli_command *command, const char *text, const char *name, fal_tensor *tensor)
{
    *tensor = (fal_tensor){0};
    cli_name_source(command, name, text);
    if (cli_is_literal(text)) return cli_literal(command, text, tensor);
    CLI_TRY(take_stdin(command, text));
    return load_file(command, text, tensor);
}

fal_status cli_tensor_alloc(cli_command *command, fal_tensor *tensor)
{
    char shape[320];
    int64_t count = fal_tensor_count(tensor);
    void *data;
    if (count < 0) {
        cli_format_shape(shape, sizeof shape, tensor);
        return cli_fail(command, FAL_E_OVERFLOW, NULL, "the number of elements of %s does not fit 64 bits",
                        shape);
    }
    CLI_TRY(cli_alloc(command, count, fal_dtype_bytes(tensor->dtype), &data));
    *tensor = fal_tensor_of(data, tensor->dtype, tensor->rank, tensor->shape);
    return FAL_OK;
}
