/* SPDX-License-Identifier: BSD-3-Clause */
#include <faltung.h>
#include <stdio.h>

int main(void)
{
    float x[] = {1, 2, 3, 4}, w[] = {1, 0, 0, -1}, y[16];
    fal_error error = {0};
    fal_context context = {.error = &error};
    fal_conv_params params = {.stride = {2, 2}};
    fal_tensor tx = FAL_TENSOR(x, FAL_F32, 1, 1, 2, 2), tw = FAL_TENSOR(w, FAL_F32, 1, 1, 2, 2);
    fal_tensor ty = FAL_TENSOR(y, FAL_F32, 1, 1, 4, 4);
    if (fal_conv_transpose(&context, &tx, &tw, NULL, &params, &ty) != FAL_OK)
        return fprintf(stderr, "%s\n", error.found), 1;
    for (int i = 0; i < 16; i++) printf("%g%c", y[i], i % 4 == 3 ? '\n' : ' ');
    return 0;
}
