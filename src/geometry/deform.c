/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * deform.c: see deform.h.
 *
 * Order as in operands.c: presence, each tensor by itself, types, the geometry, shapes against it, memory.
 */
#include "geometry/deform.h"

#include "base/checked.h"
#include "base/error.h"
#include "geometry/operands.h"
#include "tensor/tensor.h"

enum { PLACE_X, PLACE_OFFSET, PLACE_MASK, PLACE_W, PLACE_BIAS, PLACE_Y };

static const char *const gradient_names[] = {"gx", "goffset", "gmask", "gw", "gb", "gy"};

const fal_tensor *fal__deform_operand(const fal_deform_operands *operands, int place)
{
    const fal_tensor *const places[] = {&operands->x, &operands->offset, &operands->mask,
                                        &operands->w, &operands->bias,   &operands->y};
    return places[place];
}

/* What a call reads and what it writes, as one list of tensors with names. */
typedef struct operand {
    const fal_tensor *tensor; /* NULL: not given */
    const char *name;
    int place;
    bool written;
} operand;

typedef struct operand_list {
    operand entry[2 * FAL__DEFORM_PLACES];
    int count;
} operand_list;

static operand_list list_operands(const fal_deform_operands *operands, const fal_deform_operands *gradients)
{
    static const char *const names[] = {"x", "offset", "mask", "w", "bias", "y"};
    operand_list list = {.count = 0};
    for (int p = 0; p < FAL__DEFORM_PLACES; p++) {
        const fal_tensor *t = fal__deform_operand(operands, p);
        list.entry[list.count++] = (operand){.tensor = fal__operand_missing(t) ? NULL : t,
                                             .name = p == PLACE_Y && gradients != NULL ? "gy" : names[p],
                                             .place = p,
                                             .written = p == PLACE_Y && gradients == NULL};
    }
    for (int p = 0; gradients != NULL && p < PLACE_Y; p++) {
        const fal_tensor *t = fal__deform_operand(gradients, p);
        if (!fal__operand_missing(t)) list.entry[list.count++] = (operand){t, gradient_names[p], p, true};
    }
    return list;
}

static fal_status check_each(const operand_list *list, fal_error *error)
{
    for (int i = 0; i < list->count; i++) {
        const operand *o = &list->entry[i];
        if (o->tensor == NULL && (o->place == PLACE_MASK || o->place == PLACE_BIAS)) continue;
        if (o->tensor == NULL) return fal__fail(error, FAL_E_NULL, o->name, "%s is not given", o->name);
        FAL__TRY(o->written ? fal__tensor_check_output(o->tensor, o->name, error)
                            : fal_tensor_check(o->tensor, o->name, error));
        const fal_dtype first = list->entry[PLACE_X].tensor->dtype, dtype = o->tensor->dtype;
        if (fal_dtype_is_integer(dtype)) {
            fal__fail(error, FAL_E_DTYPE, o->name, "%s is %s", o->name, fal_dtype_name(dtype));
            return fal__allowed(error, FAL_E_DTYPE, "must be a floating type");
        }
        if (dtype != first) {
            fal__fail(error, FAL_E_DTYPE, o->name, "x is %s, %s is %s", fal_dtype_name(first), o->name,
                      fal_dtype_name(dtype));
            return fal__allowed(error, FAL_E_DTYPE, "types must be equal");
        }
    }
    return FAL_OK;
}

static fal_status check_modes(const fal_tensor *w, const fal_conv_params *p, fal_error *error)
{
    if (w->rank != 4) {
        fal__fail(error, FAL_E_RANK, "w", "w has %" PRId32 " axes", w->rank);
        return fal__allowed(error, FAL_E_RANK, "must be 4: a deformable convolution has two spatial axes");
    }
    if (p->padding_mode != FAL_PAD_ZEROS) {
        fal__fail(error, FAL_E_PADDING, "padding_mode", "padding_mode is %d in a deformable convolution",
                  (int)p->padding_mode);
        return fal__allowed(error, FAL_E_PADDING, "must be zeros");
    }
    if (!p->flip_kernel) return FAL_OK;
    fal__fail(error, FAL_E_VALUE, "flip_kernel", "flip_kernel is set in a deformable convolution");
    return fal__allowed(error, FAL_E_VALUE, "must be false: offsets belong to taps as they are stored");
}

static fal_status check_offset_groups(fal__deform *d, int64_t offset_groups, fal_error *error)
{
    d->offset_groups = offset_groups == 0 ? 1 : offset_groups;
    FAL__TRY(fal__at_least(d->offset_groups, 1, FAL_E_GROUPS, "offset_groups", error));
    d->group_channels = d->g.in_channels / d->offset_groups;
    if (d->g.in_channels % d->offset_groups == 0) return FAL_OK;
    return fal__fail(error, FAL_E_GROUPS, "offset_groups",
                     "input has %" PRId64 " channels, not divisible by offset_groups %" PRId64,
                     d->g.in_channels, d->offset_groups);
}

/* offset and mask have y's shape but for the channels. */
static fal_status check_moved(const fal__deform *d, const operand *o, fal_error *error)
{
    if (o->tensor == NULL) return FAL_OK;
    fal_conv_geometry like = d->g;
    if (!fal__mul(d->taps, o->place == PLACE_OFFSET ? 2 : 1, &like.out_channels) ||
        !fal__mul(like.out_channels, d->offset_groups, &like.out_channels))
        return fal__fail(error, FAL_E_OVERFLOW, "offset_groups", "the channels of %s overflow 64 bits",
                         o->name);
    return fal__expect_output(&like, o->tensor, o->name, error);
}

static fal_status check_shapes(const fal__deform *d, const operand_list *list, fal_error *error)
{
    for (int i = 0; i < list->count; i++) {
        const operand *o = &list->entry[i], *read = &list->entry[o->place];
        if (o->place == PLACE_OFFSET || o->place == PLACE_MASK) FAL__TRY(check_moved(d, o, error));
        if (o->place == PLACE_Y) FAL__TRY(fal__expect_output(&d->g, o->tensor, o->name, error));
        if (o->place == PLACE_BIAS && o->tensor != NULL)
            FAL__TRY(fal__expect_bias(&d->g, o->tensor, o->name, error));
        if (o == read) continue;
        if (o->place == PLACE_MASK && read->tensor == NULL)
            return fal__fail(error, FAL_E_NULL, "mask", "gmask is given, but there is no mask");
        if (o->place == PLACE_X || o->place == PLACE_W)
            FAL__TRY(fal__tensor_check_same_shape(read->tensor, read->name, o->tensor, o->name, error));
    }
    return FAL_OK;
}

static fal_status check_memory(const operand_list *list, fal_error *error)
{
    for (int i = 0; i < list->count; i++)
        if (list->entry[i].tensor != NULL)
            FAL__TRY(fal__tensor_check_align(list->entry[i].tensor, list->entry[i].name, error));
    for (int i = 0; i < list->count; i++)
        for (int j = 0; j < list->count; j++) {
            const operand *a = &list->entry[i], *b = &list->entry[j];
            if (i == j || !a->written || b->tensor == NULL) continue;
            FAL__TRY(fal__tensor_check_alias(a->tensor, a->name, b->tensor, b->name, error));
        }
    return FAL_OK;
}

fal_status fal__deform_check(const fal_deform_operands *operands, const fal_conv_params *params,
                             int64_t offset_groups, const fal_deform_operands *gradients, fal__deform *out,
                             fal_error *error)
{
    static const fal_conv_params defaults = {0};
    const fal_conv_params *p = params != NULL ? params : &defaults;
    if (operands == NULL) return fal__fail(error, FAL_E_NULL, "operands", "operands is NULL");
    const operand_list list = list_operands(operands, gradients);
    FAL__TRY(check_each(&list, error));
    FAL__TRY(check_modes(&operands->w, p, error));
    fal__deform d = {.dtype = operands->x.dtype, .beta = p->beta, .activation = fal__activation_of(p)};
    FAL__TRY(fal_conv_describe(false, &operands->x, &operands->w, p, &d.g, error));
    FAL__TRY(fal__check_activation(gradients == NULL, d.dtype, p, error));
    FAL__TRY(check_offset_groups(&d, offset_groups, error));
    if (!fal__mul(d.g.axis[0].kernel, d.g.axis[1].kernel, &d.taps))
        return fal__fail(error, FAL_E_OVERFLOW, "w", "the number of taps overflows 64 bits");
    FAL__TRY(check_shapes(&d, &list, error));
    FAL__TRY(check_memory(&list, error));
    d.has_mask = list.entry[PLACE_MASK].tensor != NULL;
    d.offset = fal__data_strides_of(&d.g, &operands->offset);
    if (d.has_mask) d.mask = fal__data_strides_of(&d.g, &operands->mask);
    *out = d;
    return FAL_OK;
}
