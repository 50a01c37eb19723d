/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * filters.c: the kernels that have a name.
 *
 * They are applied as they stand here (cross-correlation): sobel-x answers to light that grows to the
 * right, sobel-y to light that grows downwards. The help of `faltung filter` defines them in words.
 */
#include "cli/filters.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "cli/tensors.h"

static const struct {
    const char *name;
    float taps[9];
} fixed[] = {
    {"identity", {0, 0, 0, 0, 1, 0, 0, 0, 0}},      {"sobel-x", {-1, 0, 1, -2, 0, 2, -1, 0, 1}},
    {"sobel-y", {-1, -2, -1, 0, 0, 0, 1, 2, 1}},    {"prewitt-x", {-1, 0, 1, -1, 0, 1, -1, 0, 1}},
    {"prewitt-y", {-1, -1, -1, 0, 0, 0, 1, 1, 1}},  {"scharr-x", {-3, 0, 3, -10, 0, 10, -3, 0, 3}},
    {"scharr-y", {-3, -10, -3, 0, 0, 0, 3, 10, 3}}, {"laplacian", {0, 1, 0, 1, -4, 1, 0, 1, 0}},
    {"sharpen", {0, -1, 0, -1, 5, -1, 0, -1, 0}},   {"emboss", {-2, -1, 0, -1, 1, 1, 0, 1, 2}},
};
enum { FIXED = sizeof fixed / sizeof fixed[0] };

static const char words[] =
    "gaussian box identity sobel-x sobel-y prewitt-x prewitt-y scharr-x scharr-y laplacian "
    "sharpen emboss";

static fal_status make_square(cli_command *command, int64_t size, fal_tensor *kernel)
{
    *kernel = fal_tensor_of(NULL, FAL_F32, 2, (const int64_t[]){size, size});
    return cli_tensor_alloc(command, kernel);
}

/* Size and sigma follow from each other when one is missing: radius = ceil(2 sigma), sigma = size/5. The
 * defaults 5 and 1 are such a pair. */
static fal_status read_size(cli_command *command, int64_t *size, double *sigma)
{
    *sigma = cli_number(command, CLI_SIGMA, (double)cli_int(command, CLI_SIZE, 5) / 5);
    if (!(*sigma >= 0.01) || *sigma > 255) {
        cli_fail(command, FAL_E_VALUE, "--sigma", "sigma is %g", *sigma);
        return cli_allow(command, FAL_E_VALUE, "must be 0.01..255");
    }
    *size = cli_int(command, CLI_SIZE, 2 * (int64_t)ceil(2 * *sigma) + 1);
    if (*size % 2 == 1) return FAL_OK;
    cli_fail(command, FAL_E_KERNEL, "--size", "size is %" PRId64, *size);
    return cli_allow(command, FAL_E_KERNEL, "must be odd, so that the image does not move");
}

/* exp(-(x^2 + y^2) / (2 sigma^2)) at whole x and y, divided by its sum. */
static fal_status gaussian(cli_command *command, fal_tensor *kernel)
{
    int64_t size;
    double sigma, sum = 0;
    CLI_TRY(read_size(command, &size, &sigma));
    CLI_TRY(make_square(command, size, kernel));
    for (int64_t i = 0; i < size; i++)
        sum += exp(-(double)((i - size / 2) * (i - size / 2)) / (2 * sigma * sigma));
    for (int64_t y = 0; y < size; y++)
        for (int64_t x = 0; x < size; x++) {
            int64_t dy = y - size / 2, dx = x - size / 2;
            double tap = exp(-(double)(dy * dy + dx * dx) / (2 * sigma * sigma)) / (sum * sum);
            fal_tensor_set(kernel, (const int64_t[]){y, x}, tap);
        }
    return FAL_OK;
}

static fal_status box(cli_command *command, fal_tensor *kernel)
{
    int64_t size;
    double sigma;
    CLI_TRY(read_size(command, &size, &sigma));
    CLI_TRY(make_square(command, size, kernel));
    return fal_tensor_fill(kernel, 1 / ((double)size * (double)size), &command->error);
}

/* A file or literal: one kernel, leading axes of size 1 allowed. */
static fal_status own(cli_command *command, const char *text, fal_tensor *kernel)
{
    fal_tensor given;
    CLI_TRY(cli_load(command, text, "kernel", &given));
    bool one = given.rank >= 2;
    for (int32_t a = 0; a < given.rank - 2; a++) one = one && given.shape[a] == 1;
    if (!one) {
        char shape[160];
        cli_format_shape(shape, sizeof shape, &given);
        cli_fail(command, FAL_E_SHAPE, "--kernel", "the kernel is %s", shape);
        return cli_allow(command, FAL_E_SHAPE, "must be one matrix");
    }
    *kernel = fal_tensor_of(NULL, FAL_F32, 2, &given.shape[given.rank - 2]);
    CLI_TRY(cli_tensor_alloc(command, kernel));
    while (given.rank > 2) { /* drop the leading axes */
        given.rank--;
        memmove(given.shape, given.shape + 1, (size_t)given.rank * sizeof given.shape[0]);
        memmove(given.strides, given.strides + 1, (size_t)given.rank * sizeof given.strides[0]);
    }
    return fal_tensor_copy(&given, kernel, &command->error);
}

/* A mistyped name would only be "no such file"; without a dot or slash it was meant as a name. */
static bool looks_like_name(const char *text)
{
    return strpbrk(text, "./:[") == NULL && strcmp(text, "-") != 0;
}

fal_status cli_filter_kernel(cli_command *command, fal_tensor *kernel)
{
    const char *text = cli_text(command, CLI_FILTER_KERNEL, NULL);
    if (text == NULL) {
        cli_fail(command, FAL_E_USAGE, "--kernel", "no kernel is given");
        return cli_allow(command, FAL_E_USAGE,
                         "give --kernel NAME, FILE or a literal such as '[[0,1],[1,0]]'");
    }
    int word = cli_word_index(words, text);
    bool sized = word == 0 || word == 1;
    if (!sized && (cli_given(command, CLI_SIZE) || cli_given(command, CLI_SIGMA))) {
        const char *option = cli_given(command, CLI_SIZE) ? "--size" : "--sigma";
        cli_fail(command, FAL_E_USAGE, option, "%s has no effect on this kernel", option);
        return cli_allow(command, FAL_E_USAGE, "it shapes gaussian and box");
    }
    if (word == 0) return gaussian(command, kernel);
    if (word == 1) return box(command, kernel);
    for (int i = 0; i < FIXED && word > 1; i++) {
        if (cli_word_index(fixed[i].name, text) != 0) continue;
        CLI_TRY(make_square(command, 3, kernel));
        memcpy(kernel->data, fixed[i].taps, sizeof fixed[i].taps);
        return FAL_OK;
    }
    if (!looks_like_name(text)) return own(command, text, kernel);
    cli_fail(command, FAL_E_USAGE, "--kernel", "'%.60s' is not a named kernel", text);
    return cli_allow(command, FAL_E_USAGE, "must be one of %s, a file or a literal", words);
}
