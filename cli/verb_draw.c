/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * verb_draw.c: one picture of an operator at work.
 */
#include <inttypes.h>

#include "cli/drawing.h"

static void free_figure(void *figure)
{
    draw_figure_free(figure);
}

fal_status cli_run_draw(cli_command *command)
{
    draw_view *view;
    draw_figure *figure;
    draw_output options;
    draw_bytes bytes = {0};
    const char *path = cli_text(command, CLI_FIGURE, NULL);
    if (path == NULL) {
        cli_fail(command, FAL_E_USAGE, "-o", "no picture is named");
        return cli_allow(command, FAL_E_USAGE, "give -o NAME.svg, .png, .pdf or .gif, or -o - for SVG");
    }
    const draw_format format = cli_drawing_format(path);
    CLI_TRY(cli_drawing_output(command, format, &options));
    CLI_TRY(cli_drawing_view(command, &view));
    CLI_TRY(draw_view_still(view, cli_int(command, CLI_STEP, draw_view_usual_step(view)), &figure,
                            &command->error));
    CLI_TRY(cli_adopt(command, figure, free_figure));
    fal_status status = draw_still(figure, format, &options, &bytes, &command->error);
    if (status == FAL_OK) status = cli_drawing_write(command, path, &bytes);
    draw_bytes_free(&bytes);
    return status;
}
