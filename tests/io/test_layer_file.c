/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * test_layer_file.c: layers of every kind, type and layout go to a file and come back; the file is what
 * PyTorch would read; what does not fit changes nothing.
 */
#define _XOPEN_SOURCE 700
#include "files.h"

#include "io/layer_file.h"

typedef fal_status creator(const fal_context *context, const fal_conv_layer_options *options,
                           fal_conv_layer **layer);

static const struct {
    creator *create;
    const char *names[4];
} kinds[] = {
    {fal_conv_layer_create, {"weight", "bias"}},
    {fal_conv_transpose_layer_create, {"weight", "bias"}},
    {fal_separable_layer_create,
     {"depthwise.weight", "depthwise.bias", "pointwise.weight", "pointwise.bias"}},
};

static fal_conv_layer *make(creator *create, const fal_conv_layer_options *options)
{
    fal_conv_layer *layer = NULL;
    assert_int_equal(create(NULL, options, &layer), FAL_OK);
    return layer;
}

static fal_tensor value_of(const fal_conv_layer *layer, int32_t number)
{
    fal_tensor value;
    assert_int_equal(fal_conv_layer_parameter(layer, number, NULL, &value, NULL, NULL), FAL_OK);
    return value;
}

static bool same_values(const fal_conv_layer *a, const fal_conv_layer *b)
{
    for (int32_t i = 0; i < fal_conv_layer_parameter_count(a); i++) {
        fal_tensor left = value_of(a, i), right = value_of(b, i);
        size_t bytes_held = (size_t)fal_tensor_count(&left) * fal_dtype_bytes(left.dtype);
        if (memcmp(left.data, right.data, bytes_held) != 0) return false;
    }
    return true;
}

/* The n-th combination of what a layer can be. */
static fal_conv_layer_options combination(int n, fal_layout *layout)
{
    *layout = (n & 1) != 0 ? FAL_NHWC : FAL_NCHW;
    return (fal_conv_layer_options){.in_channels = 4,
                                    .out_channels = 6,
                                    .spatial = 1 + n / 8,
                                    .kernel = {2, 3, 1},
                                    .params = {.layout = *layout, .groups = 2},
                                    .no_bias = (n & 2) != 0,
                                    .dtype = (n & 4) != 0 ? FAL_F64 : FAL_F32,
                                    .seed = 7};
}

static void round_trips(void **state)
{
    fal_error error = {0};
    (void)state;
    for (size_t k = 0; k < 3; k++) {
        for (int n = 0; n < 24; n++) {
            io_layer_options how = {.overwrite = true, .prefix = n % 3 == 0 ? NULL : "features.0."};
            fal_conv_layer_options options = combination(n, &how.layout);
            fal_conv_layer *saved = make(kinds[k].create, &options);
            options.seed = 8;
            fal_conv_layer *loaded = make(kinds[k].create, &options);
            assert_false(same_values(saved, loaded));
            if (io_layer_save(at("l.safetensors"), saved, &how, &error) != FAL_OK)
                fail_msg("%s", error.found);
            if (io_layer_load(at("l.safetensors"), loaded, &how, &error) != FAL_OK)
                fail_msg("%s [%s]", error.found, error.field);
            assert_true(same_values(saved, loaded));
            fal_conv_layer_destroy(saved);
            fal_conv_layer_destroy(loaded);
        }
    }
}

/* Names, and PyTorch's order of axes in both layouts: element (o, i, y, x). */
static void files_are_pytorchs(void **state)
{
    (void)state;
    for (size_t k = 0; k < 3; k++) {
        for (int last = 0; last < 2; last++) {
            io_layer_options how = {.overwrite = true, .prefix = "m.", .layout = last ? FAL_NHWC : FAL_NCHW};
            fal_conv_layer_options options = {.in_channels = 2,
                                              .out_channels = 3,
                                              .spatial = 2,
                                              .kernel = {4, 5},
                                              .params = {.layout = how.layout}};
            fal_conv_layer *layer = make(kinds[k].create, &options);
            assert_int_equal(io_layer_save(at("t.safetensors"), layer, &how, NULL), FAL_OK);
            for (int32_t i = 0; i < fal_conv_layer_parameter_count(layer); i++) {
                char spec[256];
                snprintf(spec, sizeof spec, "%s:m.%s", at("t.safetensors"), kinds[k].names[i]);
                io_array array = read_ok(spec, NULL);
                fal_tensor value = value_of(layer, i);
                int64_t in[FAL_MAX_RANK] = {0};
                assert_int_equal(array.tensor.rank, value.rank);
                do {
                    int64_t swapped[] = {in[2], in[3], in[1], in[0]};
                    bool swap = last && value.rank == 4;
                    assert_true(fal_tensor_get(&array.tensor, in) ==
                                fal_tensor_get(&value, swap ? swapped : in));
                } while (next_index(&array.tensor, in));
                io_array_free(&array);
            }
            fal_conv_layer_destroy(layer);
        }
    }
}

/* Loading must fail so, and leave the layer as it is. */
static void refused(const char *name, creator *create, const fal_conv_layer_options *options,
                    const io_layer_options *how, fal_status expected, const char *word)
{
    fal_error error = {0};
    fal_conv_layer *layer = make(create, options), *untouched = make(create, options);
    assert_int_equal(io_layer_load(at(name), layer, how, &error), expected);
    assert_true(same_values(layer, untouched));
    if (strstr(error.found, word) == NULL && strstr(error.allowed, word) == NULL)
        fail_msg("'%s; %s' does not say '%s'", error.found, error.allowed, word);
    fal_conv_layer_destroy(layer);
    fal_conv_layer_destroy(untouched);
}

static void refusals(void **state)
{
    const io_layer_options first = {.prefix = "first."}, second = {.prefix = "second."};
    const fal_conv_layer_options good = {
        .in_channels = 2, .out_channels = 3, .spatial = 2, .kernel = {3, 3}, .seed = 5};
    fal_conv_layer *layer = make(fal_conv_layer_create, &good);
    fal_error error = {0};
    (void)state;
    assert_int_equal(io_layer_save(at("r.safetensors"), layer, &first, NULL), FAL_OK);
    assert_int_equal(io_layer_save(at("r.safetensors"), layer, &first, &error), FAL_E_EXISTS);
    fal_conv_layer_options other = good;
    other.seed = 6;
    refused("r.safetensors", fal_conv_layer_create, &other, &second, FAL_E_NOTFOUND, "second.weight");
    refused("r.safetensors", fal_conv_layer_create, &other, NULL, FAL_E_NOTFOUND, "first.weight");
    refused("missing.safetensors", fal_conv_layer_create, &other, NULL, FAL_E_NOTFOUND, "no such file");
    refused("r.safetensors", fal_separable_layer_create, &other, &first, FAL_E_NOTFOUND, "depthwise.weight");
    other.kernel[1] = 4;
    refused("r.safetensors", fal_conv_layer_create, &other, &first, FAL_E_SHAPE, "f32 (3, 2, 3, 4)");
    other.kernel[1] = 3;
    other.dtype = FAL_F64;
    refused("r.safetensors", fal_conv_layer_create, &other, &first, FAL_E_DTYPE, "f64 (3, 2, 3, 3)");
    other.dtype = FAL_F32;
    other.no_bias = true;
    refused("r.safetensors", fal_conv_layer_create, &other, &first, FAL_E_NAME, "has a bias");
    assert_int_equal(io_layer_load(at("r.safetensors"), NULL, &first, &error), FAL_E_NULL);
    fal_conv_layer_destroy(layer);
}

/* The weight fits, the bias is missing: the weight must not be taken. */
static void half_a_layer(void **state)
{
    fal_conv_layer_options options = {
        .in_channels = 2, .out_channels = 3, .spatial = 1, .kernel = {3}, .no_bias = true, .seed = 5};
    fal_conv_layer *layer = make(fal_conv_layer_create, &options);
    (void)state;
    assert_int_equal(io_layer_save(at("half.safetensors"), layer, NULL, NULL), FAL_OK);
    fal_conv_layer_destroy(layer);
    options.no_bias = false;
    options.seed = 6;
    refused("half.safetensors", fal_conv_layer_create, &options, NULL, FAL_E_NOTFOUND, "'bias'");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(round_trips), cmocka_unit_test(files_are_pytorchs),
                                       cmocka_unit_test(refusals), cmocka_unit_test(half_a_layer)};
    return cmocka_run_group_tests(tests, make_scratch, remove_scratch);
}
