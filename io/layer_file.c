/* SPDX-License-Identifier: BSD-3-Clause */
/* layer_file.c: see layer_file.h. */
#include "io/layer_file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "io/report.h"

/* A parameter on its way: its name in the file, and the layer's memory in PyTorch's order of axes. */
typedef struct parameter {
    char *name;
    fal_tensor value;
    io_array array; /* what a file holds of it */
} parameter;

typedef struct parameters {
    io_place place;
    const char *prefix;
    int32_t count;
    parameter *list;
} parameters;

static void release(parameters *all)
{
    for (int32_t i = 0; i < all->count; i++) {
        free(all->list[i].name);
        io_array_free(&all->list[i].array);
    }
    free(all->list);
}

/* left + right in new memory, or NULL. */
static char *joined(const char *left, const char *right)
{
    size_t first = strlen(left), second = strlen(right);
    char *text = malloc(first + second + 1);
    if (text == NULL) return NULL;
    memcpy(text, left, first);
    memcpy(text + first, right, second + 1);
    return text;
}

/* (k..., second, first) as (first, second, k...); a bias as it is. */
static fal_status as_torch(const fal_tensor *value, fal_layout layout, fal_tensor *out, fal_error *error)
{
    int32_t axes[FAL_MAX_RANK];
    *out = *value;
    if (layout != FAL_NHWC || value->rank < 3) return FAL_OK;
    axes[0] = value->rank - 1;
    axes[1] = value->rank - 2;
    for (int32_t a = 2; a < value->rank; a++) axes[a] = a - 2;
    return fal_tensor_permute(value, axes, out, error);
}

/* Lists the layer's parameters. To be released also after a failure. */
static fal_status gather(const char *path, const fal_conv_layer *layer, const io_layer_options *options,
                         parameters *all, fal_error *error)
{
    *all = (parameters){.place = {.name = path}, .prefix = ""};
    if (options != NULL && options->prefix != NULL) all->prefix = options->prefix;
    int32_t count = fal_conv_layer_parameter_count(layer);
    if (count == 0) return io_fail(error, FAL_E_NULL, &all->place, IO_NOWHERE, "the layer is NULL");
    all->list = calloc((size_t)count, sizeof *all->list);
    if (all->list == NULL) return io_fail_memory(error, &all->place, "the list of parameters", 0);
    for (all->count = 0; all->count < count; all->count++) {
        parameter *p = all->list + all->count;
        const char *name = NULL;
        fal_tensor value;
        IO_TRY(fal_conv_layer_parameter(layer, all->count, &name, &value, NULL, error));
        IO_TRY(as_torch(&value, options != NULL ? options->layout : FAL_NCHW, &p->value, error));
        p->name = joined(all->prefix, name);
        if (p->name == NULL) return io_fail_memory(error, &all->place, "a name", strlen(name));
    }
    return FAL_OK;
}

static fal_status save(const parameters *all, bool overwrite, fal_error *error)
{
    const io_write_options how = {.overwrite = overwrite};
    io_named *items = calloc((size_t)all->count, sizeof *items);
    if (items == NULL) return io_fail_memory(error, &all->place, "the list of parameters", 0);
    for (int32_t i = 0; i < all->count; i++)
        items[i] = (io_named){.name = all->list[i].name, .tensor = &all->list[i].value};
    fal_status status = io_write_all(all->place.name, "safetensors", items, (size_t)all->count, &how, error);
    free(items);
    return status;
}

fal_status io_layer_save(const char *path, const fal_conv_layer *layer, const io_layer_options *options,
                         fal_error *error)
{
    parameters all;
    fal_status status = gather(path, layer, options, &all, error);
    if (status == FAL_OK) status = save(&all, options != NULL && options->overwrite, error);
    release(&all);
    return status;
}

enum { SHAPE_TEXT = 72 };
/* "f32 (16, 3, 3, 3)" */
static const char *describe(char out[SHAPE_TEXT], const fal_tensor *t)
{
    size_t used = (size_t)snprintf(out, SHAPE_TEXT, "%s (", fal_dtype_name(t->dtype));
    for (int32_t a = 0; a < t->rank && used + 26 < SHAPE_TEXT; a++)
        used += (size_t)snprintf(out + used, SHAPE_TEXT - used, "%s%" PRId64, a > 0 ? ", " : "", t->shape[a]);
    snprintf(out + used, SHAPE_TEXT - used, ")");
    return out;
}

static fal_status check(const parameters *all, const parameter *p, fal_error *error)
{
    const fal_tensor *found = &p->array.tensor, *wanted = &p->value;
    const io_place place = {.name = all->place.name, .member = p->name};
    char text[SHAPE_TEXT];
    bool same = found->rank == wanted->rank;
    for (int32_t a = 0; same && a < found->rank; a++) same = found->shape[a] == wanted->shape[a];
    if (same && found->dtype == wanted->dtype) return FAL_OK;
    fal_status status = same ? FAL_E_DTYPE : FAL_E_SHAPE;
    io_fail(error, status, &place, IO_NOWHERE, "the file has %s", describe(text, found));
    return io_allowed(error, status, "the layer needs %s", describe(text, wanted));
}

static fal_status read_one(const parameters *all, parameter *p, fal_error *error)
{
    char *file = joined(all->place.name, ":");
    char *spec = file != NULL ? joined(file, p->name) : NULL;
    free(file);
    if (spec == NULL) return io_fail_memory(error, &all->place, "a name", strlen(p->name));
    fal_status status = io_read(spec, NULL, &p->array, error);
    free(spec);
    return status == FAL_OK ? check(all, p, error) : status;
}

/* Is this name of the file one that a layer of some kind would have read, and this one does not? */
static bool left_over(const parameters *all, const char *name)
{
    static const char *const biases[] = {"bias", "depthwise.bias", "pointwise.bias"};
    size_t length = strlen(all->prefix);
    if (strncmp(name, all->prefix, length) != 0) return false;
    for (int32_t i = 0; i < all->count; i++)
        if (strcmp(all->list[i].name, name) == 0) return false;
    for (size_t i = 0; i < sizeof biases / sizeof *biases; i++)
        if (strcmp(name + length, biases[i]) == 0) return true;
    return false;
}

/* A bias that is silently dropped would give wrong results. */
static fal_status check_left_over(const parameters *all, fal_error *error)
{
    io_listing list;
    fal_status status = FAL_OK;
    IO_TRY(io_list(all->place.name, NULL, &list, error));
    for (size_t i = 0; i < list.count && status == FAL_OK; i++) {
        if (!left_over(all, list.entries[i].name)) continue;
        const io_place place = {.name = all->place.name, .member = list.entries[i].name};
        status = io_fail(error, FAL_E_NAME, &place, IO_NOWHERE, "the file has a bias, the layer has none");
    }
    io_listing_free(&list);
    return status;
}

static fal_status load(parameters *all, fal_error *error)
{
    if (strcmp(all->place.name, "-") == 0)
        return io_fail(error, FAL_E_USAGE, &all->place, IO_NOWHERE, "a layer cannot be read from a stream");
    for (int32_t i = 0; i < all->count; i++) IO_TRY(read_one(all, all->list + i, error));
    IO_TRY(check_left_over(all, error));
    for (int32_t i = 0; i < all->count; i++)
        IO_TRY(fal_tensor_copy(&all->list[i].array.tensor, &all->list[i].value, error));
    return FAL_OK;
}

fal_status io_layer_load(const char *path, fal_conv_layer *layer, const io_layer_options *options,
                         fal_error *error)
{
    parameters all;
    fal_status status = gather(path, layer, options, &all, error);
    if (status == FAL_OK) status = load(&all, error);
    release(&all);
    return status;
}
