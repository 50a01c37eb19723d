/* SPDX-License-Identifier: BSD-3-Clause */
/* text_file.c: see text_file.h. */
#include "cli/text_file.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

fal_status cli_read_text(cli_command *command, const char *path, int64_t most, const char *what, char **text)
{
    FILE *file = strcmp(path, "-") == 0 ? stdin : fopen(path, "rb");
    command->in_file = true;
    if (file == NULL)
        return cli_fail(command, errno == ENOMEM ? FAL_E_NOMEM : FAL_E_NOTFOUND, path, "cannot open %.120s",
                        path);
    const fal_status status = cli_alloc(command, most + 1, 1, (void **)text);
    const size_t length = status == FAL_OK ? fread(*text, 1, (size_t)most, file) : 0;
    const bool failed = ferror(file) != 0;
    if (file != stdin) fclose(file);
    CLI_TRY(status);
    if (failed) return cli_fail(command, FAL_E_IO, path, "cannot read %.120s", path);
    if (length == (size_t)most)
        return cli_fail(command, FAL_E_LIMIT, path, "the file is longer than %" PRId64 " bytes", most - 1);
    if (memchr(*text, 0, length) != NULL)
        return cli_fail(command, FAL_E_HEADER, path, "no %s: it holds a zero byte", what);
    return FAL_OK;
}
