"""What was done to a picture between its file and the model."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict

if TYPE_CHECKING:
    from vi.inference.media.image import Picture


class PictureTransform(BaseModel):
    """How a picture led to what the model saw of it.

    orientation: the EXIF orientation (1 to 8) that was undone first; 1 is none, 5 to 8 swap the sides. original_size:
    (width, height) in pixels, upright; what boxes are relative to. seen_size: the same after resizing, None where the
    architecture cuts pictures into tiles. scale: seen by original, for x and for y. Nothing is cropped or padded where
    there is a ``seen_size``: a point (x, y) of the upright original is seen at (x * scale[0], y * scale[1]).
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    original_size: tuple[int, int]
    orientation: int = 1
    seen_size: tuple[int, int] | None = None
    scale: tuple[float, float] | None = None

    @classmethod
    def of(cls, picture: Picture, seen_size: tuple[int, int] | None) -> PictureTransform:
        original = picture.original_size
        scale = None if seen_size is None else (seen_size[0] / original[0], seen_size[1] / original[1])
        return cls(original_size=original, orientation=picture.orientation, seen_size=seen_size, scale=scale)
