/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * json_out.c: facts as one line of JSON.
 */
#include "cli/json_out.h"

#include <stdlib.h>

#include "io/io.h"

/* Whom to report for. */
static cli_command *ending;

static void *allocate(size_t bytes)
{
    void *block = malloc(bytes);
    if (block != NULL) return block;
    cli_fail(ending, FAL_E_NOMEM, NULL, "out of memory");
    io_cleanup_temporaries();
    cli_report(ending);
    exit(cli_exit_code(ending, FAL_E_NOMEM));
}

void cli_json_begin(cli_command *command)
{
    ending = command;
    json_set_alloc_funcs(allocate, free);
}

fal_status cli_json_print(cli_command *command, json_t *facts)
{
    json_t *whole = json_pack("{s:i}", "schema", 1);
    char *line = NULL;
    if (facts != NULL && whole != NULL && json_object_update(whole, facts) == 0)
        line = json_dumps(whole, JSON_COMPACT);
    json_decref(facts);
    json_decref(whole);
    if (line == NULL) return cli_fail(command, FAL_E_NOMEM, NULL, "out of memory");
    fprintf(cli_out(command), "%s\n", line);
    free(line);
    return FAL_OK;
}

json_t *cli_json_ints(const int64_t *values, int32_t count)
{
    json_t *list = json_array();
    for (int32_t i = 0; list != NULL && i < count; i++) json_array_append_new(list, json_integer(values[i]));
    return list;
}

json_t *cli_json_tensor(const fal_tensor *tensor)
{
    return json_pack("{s:s, s:o}", "dtype", fal_dtype_name(tensor->dtype), "shape",
                     cli_json_ints(tensor->shape, tensor->rank));
}
