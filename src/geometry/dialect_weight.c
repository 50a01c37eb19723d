/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * dialect_weight.c: a weight of another framework seen in this library's order.
 *
 * Users: the command's `convert --weights`, importers. Three orders cover all frameworks, besides the
 * plain kernel of one array; in each, (a, b) is what this library puts first:
 *
 *     a b k...     PyTorch, ONNX, Caffe                            nothing to do
 *     k... b a     TensorFlow, and JAX's convolution
 *     k... a b     JAX's transposed convolution; TensorFlow's depthwise (c, multiplier)
 */
#include "base/error.h"
#include "geometry/dialect.h"

/* A depthwise (c, multiplier, k...) gets the channel axis of one input channel a group. */
static fal_status add_channel_axis(const fal_tensor *t, fal_tensor *out, fal_error *error)
{
    int64_t shape[FAL_MAX_RANK] = {t->shape[0], t->shape[1], 1};
    for (int32_t a = 2; a < t->rank; a++) shape[a + 1] = t->shape[a];
    fal_tensor result = *t;
    result.rank++;
    for (int32_t a = 0; a < result.rank; a++) {
        result.shape[a] = shape[a];
        result.strides[a] = a < 2 ? t->strides[a] : a == 2 ? 1 : t->strides[a - 1];
    }
    FAL__TRY(fal_tensor_check(&result, "weight", error));
    *out = result;
    return FAL_OK;
}

/* (k...) as (1, 1, k...) */
static fal_status lead_kernel(const fal_tensor *t, fal_tensor *out, fal_error *error)
{
    fal_tensor result = *t;
    result.rank += 2;
    for (int32_t a = 0; a < result.rank; a++) {
        result.shape[a] = a < 2 ? 1 : t->shape[a - 2];
        result.strides[a] = a < 2 ? 1 : t->strides[a - 2];
    }
    FAL__TRY(fal_tensor_check(&result, "weight", error));
    *out = result;
    return FAL_OK;
}

static fal_status check_rank(const fal_tensor *t, int32_t channels, fal_error *error)
{
    if (t->rank > channels && t->rank <= channels + FAL_MAX_SPATIAL) return FAL_OK;
    fal__fail(error, FAL_E_RANK, "weight", "weight has rank %" PRId32, t->rank);
    return fal__allowed(error, FAL_E_RANK, "must be %" PRId32 "..%" PRId32, channels + 1,
                        channels + FAL_MAX_SPATIAL);
}

/* The last two axes to the front: in their order, or exchanged. */
static fal_status channels_first(const fal_tensor *t, bool exchange, fal_tensor *out, fal_error *error)
{
    int32_t axes[FAL_MAX_RANK] = {t->rank - (exchange ? 1 : 2), t->rank - (exchange ? 2 : 1)};
    for (int32_t a = 2; a < t->rank; a++) axes[a] = a - 2;
    return fal_tensor_permute(t, axes, out, error);
}

fal_status fal_dialect_weight(fal_dialect dialect, bool transposed, bool depthwise, const fal_tensor *weight,
                              fal_tensor *out, fal_error *error)
{
    FAL__TRY(fal__dialect_check(dialect, error));
    FAL__TRY(fal_tensor_check(weight, "weight", error));
    if (out == NULL) return fal__fail(error, FAL_E_NULL, "out", "out is NULL");
    const fal__dialect_facts *facts = fal__dialect_facts_of(dialect);
    bool channels = facts->strides; /* of a neural network, not of one array and one kernel */
    if ((transposed && facts->transposed_words == NULL) || (depthwise && !channels))
        return fal__fail(error, FAL_E_UNSUPPORTED, "dialect", "%s has no %s convolution", facts->title,
                         transposed ? "transposed" : "depthwise");
    if (transposed && depthwise)
        return fal__fail(error, FAL_E_UNSUPPORTED, "depthwise",
                         "a depthwise weight of a transposed convolution has no order of its own");
    FAL__TRY(check_rank(weight, channels ? 2 : 0, error));
    if (!channels) return lead_kernel(weight, out, error);
    if (dialect == FAL_DIALECT_TENSORFLOW && depthwise) {
        fal_tensor split;
        FAL__TRY(channels_first(weight, false, &split, error));
        return add_channel_axis(&split, out, error);
    }
    if (dialect == FAL_DIALECT_TENSORFLOW || dialect == FAL_DIALECT_JAX)
        return channels_first(weight, dialect == FAL_DIALECT_TENSORFLOW || !transposed, out, error);
    *out = *weight;
    return FAL_OK;
}
