"""How much of a clip is looked at."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from numbers import Real

import numpy as np

from ..errors import ConfigError
from .frame_choice import choose_frames

Fit = Callable[[int, int, int], tuple[int, int]]
"""(frames, width, height) of a clip, in pixels, to the (width, height) that its frames are resized to."""


@dataclass(frozen=True)
class ClipBudget:
    """fps: instants a second at which a clip is looked at. max_frames: how many frames at most. max_pixels: width times
    height of all frames together at most, after ``fit`` has resized them (None: they keep their size). Raises
    ConfigError for what is not allowed."""

    fps: float
    max_frames: int
    max_pixels: int
    fit: Fit | None = None

    def __post_init__(self) -> None:
        if isinstance(self.fps, bool) or not isinstance(self.fps, Real) or not 0 < float(self.fps) < float("inf"):
            raise ConfigError(f"fps={self.fps!r} is not allowed.", "It takes a number above 0, in frames per second.")
        for name, value in (("max_frames", self.max_frames), ("max_pixels", self.max_pixels)):
            if isinstance(value, bool) or not isinstance(value, int) or value < 1:
                raise ConfigError(f"{name}={value!r} is not allowed.", "It takes a whole number above 0.")

    def choose(self, times: np.ndarray, duration: float, size: tuple[int, int]) -> tuple[np.ndarray, list[str]]:
        """(numbers of the frames to take, what to tell the caller). times, duration: as ``choose_frames`` takes them.

        size: (width, height) in pixels of the frames. One frame is always taken.
        """
        asked = choose_frames(times, duration, self.fps, len(times))
        chosen, reason = asked, ""
        if len(chosen) > self.max_frames:
            chosen, reason = choose_frames(times, duration, self.fps, self.max_frames), f"max_frames={self.max_frames}"
        while len(chosen) > 1 and len(chosen) * self._pixels(len(chosen), size) > self.max_pixels:
            room = max(1, self.max_pixels // self._pixels(len(chosen), size))
            chosen = choose_frames(times, duration, self.fps, min(room, len(chosen) - 1))
            reason = f"max_pixels={self.max_pixels}"
        if len(chosen) == len(asked):
            return chosen, []
        return chosen, [
            f"fps={self.fps:g} asks for {len(asked):,} frames of this clip of {duration:.1f} s; {reason} leaves "
            f"{len(chosen):,}, spread evenly over it ({len(chosen) / duration:.3g} a second)."
        ]

    def target(self, num_frames: int, size: tuple[int, int]) -> tuple[int, int]:
        """(width, height) that frames of ``size`` are resized to where ``num_frames`` are taken."""
        return size if self.fit is None else self.fit(num_frames, *size)

    def _pixels(self, num_frames: int, size: tuple[int, int]) -> int:
        width, height = self.target(num_frames, size)
        return width * height
