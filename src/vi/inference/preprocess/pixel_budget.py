"""How large a caller wants a model to see pictures."""

from __future__ import annotations

from dataclasses import dataclass

from vi.inference.errors import ConfigError


@dataclass(frozen=True)
class PixelBudget:
    """Bounds on width times height in pixels of a picture, or of each frame of a clip, as a model sees it.

    None is the checkpoint's own. Raises ConfigError for what is not allowed.
    """

    min_pixels: int | None = None
    max_pixels: int | None = None

    def __post_init__(self) -> None:
        for name, value in (("min_pixels", self.min_pixels), ("max_pixels", self.max_pixels)):
            if value is not None and (isinstance(value, bool) or not isinstance(value, int) or value < 1):
                raise ConfigError(f"{name}={value!r} is not allowed.", "It takes a whole number above 0, or None.")
        if self.min_pixels is not None and self.max_pixels is not None and self.min_pixels > self.max_pixels:
            message = f"min_pixels={self.min_pixels} is above max_pixels={self.max_pixels}."
            raise ConfigError(message, "Swap them, or leave one out.")

    def __bool__(self) -> bool:
        """Whether it says anything."""
        return self.min_pixels is not None or self.max_pixels is not None

    def over(self, min_pixels: int, max_pixels: int) -> tuple[int, int]:
        """(least, most) pixels where the checkpoint's own are these; one that is given alone moves the other along."""
        least = min_pixels if self.min_pixels is None else self.min_pixels
        most = max_pixels if self.max_pixels is None else self.max_pixels
        return (least, max(least, most)) if self.max_pixels is None else (min(least, most), most)
