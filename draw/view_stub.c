#include "draw/view_parts.h"
fal_status draw_view_im2col(const draw_problem *problem, const draw_look *look, draw_view **view,
                            fal_error *error)
{
    return draw_view_slide(problem, look, view, error);
}
fal_status draw_view_coverage(const draw_problem *problem, const draw_look *look, draw_view **view,
                              fal_error *error)
{
    return draw_view_slide(problem, look, view, error);
}
fal_status draw_view_stack(const fal_layer *layers, int32_t count, int64_t input, int64_t output,
                           const draw_look *look, draw_view **view, fal_error *error)
{
    (void)layers;
    (void)count;
    (void)input;
    (void)output;
    (void)look;
    (void)view;
    (void)error;
    return FAL_E_UNSUPPORTED;
}
fal_status draw_view_tile(const fal_tensor *x, const int64_t *tile, const draw_look *look, draw_view **view,
                          fal_error *error)
{
    (void)x;
    (void)tile;
    (void)look;
    (void)view;
    (void)error;
    return FAL_E_UNSUPPORTED;
}
