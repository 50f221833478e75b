"""The grid of cells that a picture becomes."""

from __future__ import annotations

import math

PATCH, MERGE = 16, 2
CELL = PATCH * MERGE  # pixels a language token covers, each way
PIXELS = 224 * 224  # the picture's area as the model sees it (min_pixels = max_pixels)


def grid_for(width: int, height: int) -> tuple[int, int]:
    """(rows, columns) of cells that the picture is resized to: transformers' ``smart_resize`` at the fixed area."""
    rows, columns = round(height / CELL) * CELL, round(width / CELL) * CELL
    scale = math.sqrt(height * width / PIXELS)
    if rows * columns > PIXELS:
        rows = max(CELL, math.floor(height / scale / CELL) * CELL)
        columns = max(CELL, math.floor(width / scale / CELL) * CELL)
    elif rows * columns < PIXELS:
        rows = math.ceil(height / scale / CELL) * CELL
        columns = math.ceil(width / scale / CELL) * CELL
    return rows // CELL, columns // CELL
