/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * json_out.h: facts as JSON, for --json.
 *
 * A verb builds one object with jansson and hands it over; "schema": 1 comes first in what is
 * printed. Keys carry their unit (time_ns, bytes); shapes are arrays; 64-bit integers are exact.
 */
#ifndef FALTUNG_CLI_JSON_OUT_H
#define FALTUNG_CLI_JSON_OUT_H

#include <jansson.h>

#include "cli/cli.h"

/* From here on the command ends when jansson finds no memory: an object in which a member is missing because
 * of that looks like any other. */
void cli_json_begin(cli_command *command);
/* Prints one line and drops the reference; a NULL object is out of memory. */
fal_status cli_json_print(cli_command *command, json_t *facts);
/* [1, 3, 224, 224] */
json_t *cli_json_ints(const int64_t *values, int32_t count);
/* {"dtype": "f32", "shape": [...]} */
json_t *cli_json_tensor(const fal_tensor *tensor);

#endif
