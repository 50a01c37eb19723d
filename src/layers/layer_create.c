/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * layer_create.c: layers are made, taken apart and destroyed; see layer.h.
 *
 * What can be known without an input is refused here: channels, groups, kernel, stride, dilation. Whether
 * the padding suits an input is said when there is one.
 */
#include <string.h>

#include "base/alloc.h"
#include "base/checked.h"
#include "base/error.h"
#include "geometry/geometry.h"
#include "layers/layer.h"

/* ---- Checks ---- */

static fal_status check_axis(const fal_conv_layer_options *o, int32_t a, fal_error *error)
{
    fal_axis axis = {
        .input = 1, .kernel = o->kernel[a], .stride = o->params.stride[a], .dilation = o->params.dilation[a]};
    const fal_status status = fal__axis_check(&axis, error);
    return status == FAL_OK ? FAL_OK : fal__name_axis(error, status, a);
}

static fal_status check_groups(const fal_conv_layer_options *o, int64_t groups, fal_error *error)
{
    FAL__TRY(fal__at_least(groups, 1, FAL_E_GROUPS, "groups", error));
    if (o->in_channels % groups == 0 && o->out_channels % groups == 0) return FAL_OK;
    return fal__fail(error, FAL_E_GROUPS, "groups",
                     "%" PRId64 " input and %" PRId64
                     " output channels are not both divisible by groups %" PRId64,
                     o->in_channels, o->out_channels, groups);
}

static fal_status check(const fal_conv_layer_options *o, int64_t groups, fal_error *error)
{
    if (o->spatial < 1 || o->spatial > FAL_MAX_SPATIAL) {
        fal__fail(error, FAL_E_RANK, "spatial", "spatial is %" PRId32, o->spatial);
        return fal__allowed(error, FAL_E_RANK, "must be 1..%d", FAL_MAX_SPATIAL);
    }
    FAL__TRY(fal__at_least(o->in_channels, 1, FAL_E_DIM, "in_channels", error));
    FAL__TRY(fal__at_least(o->out_channels, 1, FAL_E_DIM, "out_channels", error));
    FAL__TRY(check_groups(o, groups, error));
    for (int32_t a = 0; a < o->spatial; a++) FAL__TRY(check_axis(o, a, error));
    if (o->params.layout != FAL_NCHW && o->params.layout != FAL_NHWC) {
        fal__fail(error, FAL_E_VALUE, "layout", "layout is %d", (int)o->params.layout);
        return fal__allowed(error, FAL_E_VALUE, "must be one of fal_layout, 0..1");
    }
    if (o->params.beta != 0) {
        fal__fail(error, FAL_E_VALUE, "beta", "beta is %g", o->params.beta);
        return fal__allowed(error, FAL_E_VALUE, "must be 0: a layer overwrites its output");
    }
    if (o->dtype == FAL_DTYPE_NONE || o->dtype == FAL_F32 || o->dtype == FAL_F64) return FAL_OK;
    fal__fail(error, FAL_E_DTYPE, "dtype", "dtype is %s", fal_dtype_name(o->dtype));
    return fal__allowed(error, FAL_E_DTYPE, "must be f32 or f64");
}

/* ---- Parameters ---- */

/* What a weight looks like: PyTorch's order of the two channel axes, and the kernel (NULL: 1s). */
typedef struct weight {
    const char *weight_name, *bias_name;
    int64_t first, second;
    const int64_t *kernel;
    int64_t fan_channels; /* fan_in = these * taps */
    int64_t outputs;      /* elements of the bias */
} weight;

/* Adds the weight, and the bias unless the layer has none, without data. */
static fal_status add_weight(fal_conv_layer *layer, const fal_conv_layer_options *o, const weight *w,
                             fal_error *error)
{
    const fal_dtype dtype = o->dtype == FAL_DTYPE_NONE ? FAL_F32 : o->dtype;
    const bool last = o->params.layout == FAL_NHWC;
    int64_t shape[FAL_MAX_RANK], fan_in = w->fan_channels;
    shape[last ? o->spatial + 1 : 0] = w->first;
    shape[last ? o->spatial : 1] = w->second;
    bool fits = true;
    for (int32_t a = 0; a < o->spatial; a++) {
        const int64_t k = w->kernel != NULL ? w->kernel[a] : 1;
        shape[last ? a : a + 2] = k;
        fits = fits && fal__mul(fan_in, k, &fan_in);
    }
    const fal_tensor value = fal_tensor_of(NULL, dtype, o->spatial + 2, shape);
    if (!fits || value.dtype != dtype)
        return fal__fail(error, FAL_E_OVERFLOW, "kernel", "the size of %s overflows 64 bits", w->weight_name);
    layer->parameter[layer->count++] =
        (fal__parameter){.name = w->weight_name, .fan_in = fan_in, .value = value, .gradient = value};
    if (o->no_bias) return FAL_OK;
    const fal_tensor bias = fal_tensor_of(NULL, dtype, 1, &w->outputs);
    layer->parameter[layer->count++] =
        (fal__parameter){.name = w->bias_name, .fan_in = fan_in, .value = bias, .gradient = bias};
    return FAL_OK;
}

static fal_status add_parameters(fal_conv_layer *layer, const fal_conv_layer_options *o, int64_t groups,
                                 fal_error *error)
{
    const int64_t ic = o->in_channels, oc = o->out_channels;
    if (layer->kind == FAL__LAYER_SEPARABLE) {
        const weight depthwise = {"depthwise.weight", "depthwise.bias", ic, 1, o->kernel, 1, ic};
        const weight pointwise = {"pointwise.weight", "pointwise.bias", oc, ic, NULL, ic, oc};
        FAL__TRY(add_weight(layer, o, &depthwise, error));
        return add_weight(layer, o, &pointwise, error);
    }
    /* PyTorch takes the second axis for the inputs, in the transposed layer too. */
    const bool transposed = layer->kind == FAL__LAYER_CONV_TRANSPOSE;
    const weight one = {"weight",
                        "bias",
                        transposed ? ic : oc,
                        transposed ? oc / groups : ic / groups,
                        o->kernel,
                        transposed ? oc / groups : ic / groups,
                        oc};
    return add_weight(layer, o, &one, error);
}

/* The place of every parameter behind the struct; false when the sum overflows. */
static bool place_parameters(fal_conv_layer *layer, size_t at[2 * FAL__PARAMETERS_MAX])
{
    int64_t total = (sizeof(fal_conv_layer) + 63) / 64 * 64;
    for (int32_t i = 0; i < 2 * layer->count; i++) {
        const fal_tensor *t = &layer->parameter[i % layer->count].value;
        const int64_t bytes = fal_tensor_count(t) * (int64_t)fal_dtype_bytes(t->dtype);
        int64_t end;
        if (!fal__add(bytes, 63, &end) || !fal__add(total, end / 64 * 64, &end)) return false;
        at[i] = (size_t)total;
        total = end;
    }
    layer->bytes = (size_t)total;
    return true;
}

static fal_status create(const fal_context *context, fal__layer_kind kind,
                         const fal_conv_layer_options *options, fal_conv_layer **out)
{
    fal_error *error = context != NULL ? context->error : NULL;
    if (out == NULL) return fal__fail(error, FAL_E_NULL, "layer", "layer is NULL");
    *out = NULL;
    if (options == NULL) return fal__fail(error, FAL_E_NULL, "options", "options is NULL");
    const bool grouped = kind != FAL__LAYER_SEPARABLE && options->params.groups != 0;
    const int64_t groups = grouped ? options->params.groups : 1;
    FAL__TRY(check(options, groups, error));
    if (options->params.algorithm != NULL && strlen(options->params.algorithm) >= FAL__ALGORITHM_NAME) {
        fal__fail(error, FAL_E_LIMIT, "algorithm", "algorithm has %zu characters",
                  strlen(options->params.algorithm));
        return fal__allowed(error, FAL_E_LIMIT, "at most %d", FAL__ALGORITHM_NAME - 1);
    }
    fal_conv_layer made = {.kind = kind, .params = options->params, .has_bias = !options->no_bias};
    if (context != NULL) made.allocator = context->allocator;
    FAL__TRY(fal__allocator_check(&made.allocator, error));
    made.params.groups = groups;
    FAL__TRY(add_parameters(&made, options, groups, error));
    size_t at[2 * FAL__PARAMETERS_MAX];
    void *block;
    if (!place_parameters(&made, at))
        return fal__fail(error, FAL_E_OVERFLOW, "layer", "the size of the layer overflows 64 bits");
    FAL__TRY(fal__allocate(&made.allocator, made.bytes, "layer", &block, error));
    for (int32_t i = 0; i < made.count; i++) {
        made.parameter[i].value.data = (char *)block + at[i];
        made.parameter[i].gradient.data = (char *)block + at[i + made.count];
    }
    fal_conv_layer *layer = block;
    *layer = made;
    if (options->params.algorithm != NULL) {
        memcpy(layer->algorithm, options->params.algorithm, strlen(options->params.algorithm) + 1);
        layer->params.algorithm = layer->algorithm;
    }
    fal__layer_init(layer, options->seed);
    *out = layer;
    return FAL_OK;
}

fal_status fal_conv_layer_create(const fal_context *context, const fal_conv_layer_options *options,
                                 fal_conv_layer **layer)
{
    return create(context, FAL__LAYER_CONV, options, layer);
}

fal_status fal_conv_transpose_layer_create(const fal_context *context, const fal_conv_layer_options *options,
                                           fal_conv_layer **layer)
{
    return create(context, FAL__LAYER_CONV_TRANSPOSE, options, layer);
}

fal_status fal_separable_layer_create(const fal_context *context, const fal_conv_layer_options *options,
                                      fal_conv_layer **layer)
{
    return create(context, FAL__LAYER_SEPARABLE, options, layer);
}

void fal_conv_layer_destroy(fal_conv_layer *layer)
{
    if (layer == NULL) return;
    const fal_allocator allocator = layer->allocator;
    fal__release(&allocator, layer, layer->bytes);
}

/* ---- Parameters by number ---- */

int32_t fal_conv_layer_parameter_count(const fal_conv_layer *layer)
{
    return layer != NULL ? layer->count : 0;
}

fal_status fal_conv_layer_parameter(const fal_conv_layer *layer, int32_t number, const char **name,
                                    fal_tensor *value, fal_tensor *gradient, fal_error *error)
{
    if (layer == NULL) return fal__fail(error, FAL_E_NULL, "layer", "layer is NULL");
    if (number < 0 || number >= layer->count) {
        fal__fail(error, FAL_E_VALUE, "number", "number is %" PRId32, number);
        return fal__allowed(error, FAL_E_VALUE, "must be 0..%" PRId32, layer->count - 1);
    }
    if (name != NULL) *name = layer->parameter[number].name;
    if (value != NULL) *value = layer->parameter[number].value;
    if (gradient != NULL) *gradient = layer->parameter[number].gradient;
    return FAL_OK;
}

void fal_conv_layer_zero_grad(fal_conv_layer *layer)
{
    for (int32_t i = 0; layer != NULL && i < layer->count; i++)
        fal_tensor_fill(&layer->parameter[i].gradient, 0, NULL);
}
