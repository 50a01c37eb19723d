/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * activation.c: --activation read, and done to numbers outside the library.
 *
 * The library activates what it computes; the ways that do not go through its solvers (--algorithm unfold
 * and matrix) and the sums that explain adds up for people are activated here.
 */
#include <string.h>

#include "cli/layer.h"
#include "cli/params.h"
#include "cli/parts.h"

static const char *const words[] = {"none", "relu", "clamp", "leaky-relu", "hard-swish"};

static fal_status refuse(cli_command *command, const char *text)
{
    cli_fail(command, FAL_E_USAGE, "--activation", "'%s' is not an activation", text);
    return cli_allow(command, FAL_E_USAGE, "must be relu, clamp:LOW,HIGH, leaky-relu[:SLOPE] or hard-swish");
}

/* Reads "LOW,HIGH". */
static bool read_bounds(const char *text, fal_conv_params *params)
{
    char low[64];
    const char *comma = strchr(text, ',');
    if (comma == NULL || (size_t)(comma - text) >= sizeof low) return false;
    snprintf(low, sizeof low, "%.*s", (int)(comma - text), text);
    return cli_parse_number(low, &params->activation_low) &&
           cli_parse_number(comma + 1, &params->activation_high);
}

fal_status cli_activation(cli_command *command, fal_conv_params *params)
{
    const char *text = cli_text(command, CLI_ACTIVATION, NULL);
    if (text == NULL) return FAL_OK;
    const char *colon = strchr(text, ':');
    char word[32];
    snprintf(word, sizeof word, "%.*s", (int)(colon != NULL ? colon - text : (ptrdiff_t)strlen(text)), text);
    for (int kind = FAL_ACTIVATION_RELU; kind <= FAL_ACTIVATION_HARD_SWISH; kind++)
        if (cli_word_index(words[kind], word) == 0) params->activation = (fal_activation)kind;
    switch (params->activation) {
    case FAL_ACTIVATION_NONE: return refuse(command, text);
    case FAL_ACTIVATION_CLAMP:
        return colon != NULL && read_bounds(colon + 1, params) ? FAL_OK : refuse(command, text);
    case FAL_ACTIVATION_LEAKY_RELU:
        if (colon == NULL) return FAL_OK;
        if (!cli_parse_number(colon + 1, &params->activation_slope)) return refuse(command, text);
        /* To the library a slope of 0 is the default one. */
        if (params->activation_slope == 0) params->activation = FAL_ACTIVATION_RELU;
        return FAL_OK;
    case FAL_ACTIVATION_RELU:
    case FAL_ACTIVATION_HARD_SWISH: break;
    }
    return colon == NULL ? FAL_OK : refuse(command, text);
}

static double clamp(double v, double low, double high)
{
    const double raised = v < low ? low : v;
    return high < raised ? high : raised;
}

double cli_activated(const fal_conv_params *params, double v)
{
    const double slope = params->activation_slope != 0 ? params->activation_slope : 0.01;
    switch (params->activation) {
    case FAL_ACTIVATION_RELU: return v < 0 ? 0 : v;
    case FAL_ACTIVATION_CLAMP: return clamp(v, params->activation_low, params->activation_high);
    case FAL_ACTIVATION_LEAKY_RELU: return v < 0 ? slope * v : v;
    case FAL_ACTIVATION_HARD_SWISH: return v * (clamp(v + 3, 0, 6) / 6);
    case FAL_ACTIVATION_NONE: break;
    }
    return v;
}

/* An integer between whole bounds that the library has accepted. */
static int64_t activated_int(const fal_conv_params *params, int64_t v)
{
    if (params->activation == FAL_ACTIVATION_RELU) return v < 0 ? 0 : v;
    const int64_t low = (int64_t)params->activation_low, high = (int64_t)params->activation_high;
    return v < low ? low : v > high ? high : v;
}

void cli_activate(const fal_conv_params *params, const fal_tensor *t)
{
    int64_t index[FAL_MAX_RANK] = {0};
    if (params->activation == FAL_ACTIVATION_NONE || fal_tensor_count(t) <= 0) return;
    do {
        if (t->dtype == FAL_I64)
            fal_tensor_set_int(t, index, activated_int(params, fal_tensor_get_int(t, index)));
        else
            fal_tensor_set(t, index, cli_activated(params, fal_tensor_get(t, index)));
    } while (cli_next_index(t, index));
}

const char *cli_activation_name(const fal_conv_params *params)
{
    return words[params->activation];
}
