/* SPDX-License-Identifier: BSD-3-Clause */
/* limits.c: see limits.h. A number is decimal digits, then nothing or K, M, G or T, powers of 1024. */
#include "cli/limits.h"

#include <inttypes.h>
#include <stddef.h>
#include <string.h>

static const struct {
    const char *key;
    size_t offset; /* of its uint64_t in cli_limits */
} keys[] = {
    {"bytes", offsetof(cli_limits, file.stream_bytes)},
    {"npy-header", offsetof(cli_limits, file.npy_header)},
    {"json-header", offsetof(cli_limits, file.json_header)},
    {"members", offsetof(cli_limits, file.members)},
    {"name", offsetof(cli_limits, file.name_bytes)},
    {"axis", offsetof(cli_limits, file.axis)},
    {"side", offsetof(cli_limits, file.side)},
    {"pixels", offsetof(cli_limits, file.pixels)},
    {"work", offsetof(cli_limits, work)},
};

static bool read_size(const char *text, uint64_t *value)
{
    static const char units[] = "KMGT";
    char digits[24];
    size_t length = strspn(text, "0123456789");
    int64_t number;
    if (length == 0 || length >= sizeof digits) return false;
    memcpy(digits, text, length);
    digits[length] = '\0';
    if (!cli_parse_int(digits, &number) || number == 0) return false;
    *value = (uint64_t)number;
    if (text[length] == '\0') return true;
    const char *unit = strchr(units, text[length]);
    if (unit == NULL || text[length + 1] != '\0') return false;
    int shift = 10 * (int)(unit - units + 1);
    if (*value > (uint64_t)INT64_MAX >> shift) return false;
    *value <<= shift;
    return true;
}

/* "KEY=N" */
static fal_status read_limit(cli_command *command, const char *text, cli_limits *limits)
{
    const char *equals = strchr(text, '=');
    size_t length = equals != NULL ? (size_t)(equals - text) : strlen(text);
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        if (strlen(keys[i].key) != length || memcmp(keys[i].key, text, length) != 0) continue;
        uint64_t value;
        if (equals == NULL || !read_size(equals + 1, &value)) {
            cli_fail(command, FAL_E_USAGE, "--limits", "'%s' is not a limit", text);
            return cli_allow(command, FAL_E_USAGE,
                             "must be %s=N, N a whole number above 0, or one with K, M, G or T", keys[i].key);
        }
        memcpy((char *)limits + keys[i].offset, &value, sizeof value);
        return FAL_OK;
    }
    cli_fail(command, FAL_E_USAGE, "--limits", "there is no limit '%.*s'", (int)(length < 60 ? length : 60),
             text);
    return cli_allow(
        command, FAL_E_USAGE,
        "must be one of bytes, npy-header, json-header, members, name, axis, side, pixels, work");
}

fal_status cli_read_limits(cli_command *command, cli_limits *limits)
{
    const char *text = cli_text(command, CLI_LIMITS, "");
    *limits = (cli_limits){.work = UINT64_C(100000000000000)};
    while (*text != '\0') {
        char part[48];
        size_t length = strcspn(text, ",");
        size_t kept = length < sizeof part ? length : sizeof part - 1;
        memcpy(part, text, kept);
        part[kept] = '\0';
        CLI_TRY(read_limit(command, part, limits));
        text += length + (text[length] == ',');
    }
    return FAL_OK;
}

fal_status cli_check_work(cli_command *command, int64_t multiply_adds)
{
    cli_limits limits;
    CLI_TRY(cli_read_limits(command, &limits));
    if ((uint64_t)multiply_adds <= limits.work) return FAL_OK;
    cli_fail(command, FAL_E_LIMIT, NULL, "%" PRId64 " multiply-adds", multiply_adds);
    cli_allow(command, FAL_E_LIMIT, "at most %" PRIu64, limits.work);
    return cli_hint(command, FAL_E_LIMIT, "if it is meant, try --limits work=%" PRId64, multiply_adds);
}
