/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * layer_init.c: the first values of a layer's parameters.
 *
 * PyTorch's modules use Kaiming-uniform with a = sqrt(5) for weights, whose bound sqrt(6/((1+a^2)*fan_in)) is
 * 1/sqrt(fan_in), and the same bound for biases. Element i of parameter p is
 *
 *     bound * ((2*m + 1) / 2^24 - 1),   m = the upper 24 bits of mix(mix(seed + p*G) + i*G)
 *
 * symmetric around 0 and strictly inside the bound, with mix and G of SplitMix64 (Steele, Lea and Flood,
 * "Fast splittable pseudorandom number generators", 2014). It depends on seed, p and i alone; i counts in
 * channels-first order, so that a layer is the same function in both layouts. Every step is exact or
 * correctly rounded: the values are the same on every machine.
 */
#include <math.h>

#include "layers/layer.h"
#include "tensor/tensor.h"

#define G UINT64_C(0x9E3779B97F4A7C15) /* 2^64 divided by the golden ratio, odd */

static uint64_t mix(uint64_t z)
{
    z = (z ^ z >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ z >> 27) * UINT64_C(0x94D049BB133111EB);
    return z ^ z >> 31;
}

/* The tensor with its axes in channels-first order. */
static fal_tensor channels_first(const fal_tensor *t, fal_layout layout)
{
    fal_tensor first = *t;
    if (layout != FAL_NHWC || t->rank < 3) return first;
    int32_t axes[FAL_MAX_RANK] = {t->rank - 1, t->rank - 2};
    for (int32_t a = 2; a < t->rank; a++) axes[a] = a - 2;
    fal_tensor_permute(t, axes, &first, NULL);
    return first;
}

static void fill(const fal_tensor *t, int64_t fan_in, uint64_t key)
{
    const double bound = 1 / sqrt((double)fan_in);
    const int64_t count = fal_tensor_count(t);
    int64_t index[FAL_MAX_RANK] = {0};
    for (int64_t i = 0; i < count; i++) {
        const uint64_t m = mix(key + (uint64_t)i * G) >> 40;
        fal_tensor_set(t, index, bound * ((double)(2 * m + 1) * 0x1p-24 - 1));
        for (int32_t a = t->rank - 1; a >= 0 && ++index[a] == t->shape[a]; a--) index[a] = 0;
    }
}

void fal__layer_init(fal_conv_layer *layer, uint64_t seed)
{
    for (int32_t p = 0; p < layer->count; p++) {
        const fal__parameter *parameter = &layer->parameter[p];
        const fal_tensor value = channels_first(&parameter->value, layer->params.layout);
        fill(&value, parameter->fan_in, mix(seed + (uint64_t)p * G));
    }
    fal_conv_layer_zero_grad(layer);
}
