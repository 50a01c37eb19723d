/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * direct_pixels_rows.tmpl.h: the tiles of one number of rows, for direct_pixels.tmpl.h.
 *
 * Parameters: PIXELS_TILE (name of the function), PIXELS_ROWS, PIXELS_VECTORS (at most).
 */
static void PIXELS_TILE(const fal__lane_tile *t, int32_t vectors)
{
    switch (vectors) {
    case 1: pixels_tile(t, PIXELS_ROWS, 1); break;
    case 2: pixels_tile(t, PIXELS_ROWS, 2); break;
#if PIXELS_VECTORS >= 3
    case 3: pixels_tile(t, PIXELS_ROWS, 3); break;
#endif
#if PIXELS_VECTORS >= 4
    case 4: pixels_tile(t, PIXELS_ROWS, 4); break;
#endif
#if PIXELS_VECTORS >= 5
    case 5: pixels_tile(t, PIXELS_ROWS, 5); break;
#endif
#if PIXELS_VECTORS >= 6
    case 6: pixels_tile(t, PIXELS_ROWS, 6); break;
#endif
#if PIXELS_VECTORS >= 8
    case 7: pixels_tile(t, PIXELS_ROWS, 7); break;
    case 8: pixels_tile(t, PIXELS_ROWS, 8); break;
#endif
    default: break;
    }
}
#undef PIXELS_TILE
#undef PIXELS_ROWS
#undef PIXELS_VECTORS
