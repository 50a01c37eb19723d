/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * layer_file.h: the parameters of a layer in a .safetensors file, under PyTorch's names and in PyTorch's
 * order of axes, so that either side reads what the other has written:
 *
 *     faltung                                  PyTorch
 *     io_layer_save("conv.safetensors", ...)   model.load_state_dict(load_file("conv.safetensors"))
 *     io_layer_load("vgg.safetensors", ...)    save_file(model.state_dict(), "vgg.safetensors")
 *       with the prefix "features.0."
 *
 * For programs that are built with this folder; why it is not in the library says
 * docs/adr/0016-layers-are-saved-outside-the-library.md.
 */
#ifndef IO_LAYER_FILE_H
#define IO_LAYER_FILE_H

#include "io/io.h"

typedef struct io_layer_options {
    const char *prefix; /* of every name: "features.0."; default none */
    fal_layout layout;  /* that the layer was created with; files are as if it were FAL_NCHW */
    bool overwrite;     /* replace an existing file; default: FAL_E_EXISTS */
} io_layer_options;

/* Writes every parameter of the layer. Options may be NULL (all defaults). */
fal_status io_layer_save(const char *path, const fal_conv_layer *layer, const io_layer_options *options,
                         fal_error *error);
/* Reads every parameter of the layer; other tensors of the file are left alone, but a bias that the layer
 * has no place for is refused. Each must have the layer's shape and type. The layer changes only when all
 * of them do. */
fal_status io_layer_load(const char *path, fal_conv_layer *layer, const io_layer_options *options,
                         fal_error *error);

#endif
