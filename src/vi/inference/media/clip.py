"""A clip: some frames of it, and when they are shown."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from PIL import Image

from ..errors import SourceError
from .clip_manifest import ClipManifest
from .frame_choice import STILL_SECONDS, choose_frames
from .image import load_picture
from .items import memory_item


@dataclass(frozen=True, eq=False)
class Clip:
    """Frames of a clip in order of time.

    frames: [K] RGB, upright. timestamps: [K] seconds from the clip's first frame, ascending. frame_indices: [K] each
    frame's number in the clip, in order of showing. duration: seconds from the first frame to the end of the last.
    source_fps: frames a second in the clip, on average; effective_fps: in ``frames``. original_size: (width, height) in
    pixels of the clip's frames seen upright, before any were made smaller. warnings: what a caller may not expect.
    """

    frames: list[Image.Image] = field(repr=False)
    timestamps: list[float]
    frame_indices: list[int]
    duration: float
    source_fps: float
    effective_fps: float
    original_size: tuple[int, int]
    label: str = "clip"
    warnings: list[str] = field(default_factory=list)

    @classmethod
    def of(cls, pictures: Iterable[Any], timestamps: Iterable[float]) -> Clip:
        """A clip of pictures in memory, each shown from its time on; all of them are frames of it.

        pictures: PIL images, arrays, tensors or encoded bytes, as ``ViModel`` takes them. timestamps: one a picture, in
        seconds, each above the one before; times are counted from the first. The last is shown as long as the others
        are on average. Raises SourceError for no pictures or one that is not any, for another count of times, and for
        times that do not rise.
        """
        frames = [load_picture(memory_item(picture)).pixels for picture in pictures]
        times = _rising(timestamps, len(frames))
        gap = times[-1] / (len(times) - 1) if len(times) > 1 else STILL_SECONDS
        duration = times[-1] + gap
        rate = len(frames) / duration
        label = f"clip of {len(frames)} picture{'s' * (len(frames) != 1)}"
        return cls(frames, times, list(range(len(frames))), duration, rate, rate, frames[0].size, label)

    def at_most(self, max_frames: int) -> Clip:
        """The same with as many frames, spread evenly over it, and a warning; itself where it has no more."""
        count = len(self.frames)
        if count <= max_frames:
            return self
        chosen = choose_frames(self.timestamps, self.duration, float(count) / STILL_SECONDS, max_frames).tolist()
        said = f"max_frames={max_frames} leaves {len(chosen):,} of the {count:,} frames, spread evenly over the clip."
        return replace(
            self,
            frames=[self.frames[number] for number in chosen],
            timestamps=[self.timestamps[number] for number in chosen],
            frame_indices=[self.frame_indices[number] for number in chosen],
            effective_fps=len(chosen) / self.duration,
            warnings=[*self.warnings, said],
        )

    @property
    def manifest(self) -> ClipManifest:
        """What an answer says of the clip it is about."""
        return ClipManifest(
            duration=self.duration,
            source_fps=self.source_fps,
            effective_fps=self.effective_fps,
            frame_indices=self.frame_indices,
            timestamps=self.timestamps,
        )


def _rising(timestamps: Iterable[float], count: int) -> list[float]:
    """Seconds from the first of ``timestamps``."""
    times = [float(time) for time in timestamps]
    if not count or len(times) != count:
        raise SourceError(
            f"A clip of {count} pictures with {len(times)} times cannot be looked at.", "Pass one time a picture."
        )
    if not np.isfinite(times).all() or (np.diff(times) <= 0).any():
        raise SourceError("The times of the clip's pictures do not rise.", "Pass seconds, each above the one before.")
    return [time - times[0] for time in times]
