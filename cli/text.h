/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * text.h: pieces of text that help and the manual pages share.
 */
#ifndef FALTUNG_CLI_TEXT_H
#define FALTUNG_CLI_TEXT_H

#include <stdio.h>

#include "cli/options.h"

/* What a tensor argument may be. */
extern const char cli_tensors_text[];
/* Fills lines to 80 columns behind an indent; "\n" begins a paragraph. */
void cli_wrap(FILE *out, const char *text, int indent);
/* "-o, --output FILE", with room for the letter when there is none. */
void cli_option_spelling(const cli_option *option, char *text, size_t capacity);
/* "nchw, nhwc"; empty without choices. */
void cli_option_choices(const cli_option *option, char *text, size_t capacity);

#endif
