"""Several pictures on one."""

from __future__ import annotations

from collections.abc import Sequence

from PIL import Image

GAP = 16  # pixels between pictures and around them
_GROUND = (222, 222, 216)


def contact_sheet(pictures: Sequence[Image.Image], columns: int = 2) -> Image.Image:
    """``pictures``, at least one, in ``columns`` of equal width; each goes below the column that is shortest.

    Pictures keep their size: give them one width.
    """
    columns = min(columns, len(pictures))
    width = max(picture.width for picture in pictures)
    bottoms = [GAP] * columns
    places = []
    for picture in pictures:
        column = bottoms.index(min(bottoms))
        places.append((GAP + column * (width + GAP), bottoms[column]))
        bottoms[column] += picture.height + GAP
    sheet = Image.new("RGB", (GAP + columns * (width + GAP), max(bottoms)), _GROUND)
    for picture, place in zip(pictures, places, strict=True):
        sheet.paste(picture, place)
    return sheet
