"""Clips as Qwen2-VL and its descendants take them: frames resized alike, and patches of two frames at a time."""

from __future__ import annotations

import math
from copy import copy
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from vi.inference.errors import PromptError
from vi.inference.preprocess.clip_families import CLIP_FAMILIES, ClipFamily
from vi.inference.preprocess.picture_settings import Settings, read_settings, resize
from vi.inference.preprocess.pixel_budget import PixelBudget
from vi.inference.preprocess.pixels import media_key
from vi.inference.preprocess.qwen_pixels import LONGEST_RATIO, QwenPixels, smart_resize

if TYPE_CHECKING:
    from vi.inference.media.clip import Clip

_FLOOR = 1.05  # of the least pixels; below it a budget does not push a frame


@dataclass(frozen=True)
class EncodedClip:
    """A clip as a model takes it.

    arrays: ``pixel_values_videos`` float32 [patches, 3 * frames * side * side] and ``video_grid_thw`` int64 [1, 3],
    numpy, C-contiguous. key: SHA-256 over what they were made of. grid: (time, height, width) in patches. seen_size:
    (width, height) in pixels of the resized frames. seconds_per_grid: how long a temporal patch lasts
    (``second_per_grid_ts``). times: one a temporal patch, in seconds: half way from its first frame to its last.
    """

    arrays: dict[str, np.ndarray]
    key: bytes
    grid: tuple[int, int, int]
    seen_size: tuple[int, int]
    seconds_per_grid: float
    times: tuple[float, ...]


class ClipEncoder:
    """``Qwen2VLVideoProcessor`` and ``Qwen3VLVideoProcessor`` without torchvision; any number of threads at once.

    Frames are resized by Pillow, as the picture processors of these checkpoints do; torchvision's own resizing
    rounds differently: by at most 2 of 255, in a few values of a thousand. Which frames there are is up to
    ``load_clip``, which resizes them on the way when given ``fit``.
    """

    def __init__(self, settings: Settings, family: ClipFamily) -> None:
        """settings: of the checkpoint's video processor (``read_settings``)."""
        self._settings: dict[str, Any] = {**family.defaults, **settings}
        self._settings["size"] = {**family.defaults["size"], **settings.get("size", {})}
        self._family = family
        self._pixels = QwenPixels(self._settings)
        self._budget = PixelBudget()
        self.temporal_patch_size, self.merge_size = self._pixels.temporal_patch_size, self._pixels.merge_size

    def within(self, budget: PixelBudget) -> ClipEncoder:
        """The same with a caller's bounds on the pixels of each frame."""
        bounded = copy(self)
        bounded._budget = budget
        if not self._family.shares_pixels:
            bounded._pixels = self._pixels.within(budget)
        return bounded

    def fit(self, num_frames: int, width: int, height: int) -> tuple[int, int]:
        """(width, height) in pixels that frames are resized to. Raises PromptError for a shape that is too long."""
        if not self._pixels.resizes:
            return width, height
        pixels = self._pixels
        factor = pixels.patch_size * pixels.merge_size
        num_frames = max(num_frames, self.temporal_patch_size)
        try:
            if self._family.shares_pixels:
                most = self._most_together(num_frames, factor)
                bounds = self._shared(num_frames, most)
                height, width = resize_together(num_frames, height, width, self.temporal_patch_size, factor, *bounds)
            else:
                most = self._most_each(num_frames, factor)
                height, width = smart_resize(height, width, factor, pixels.min_pixels, most)
        except ValueError as error:
            raise PromptError(f"Frames of {width}x{height} cannot be prepared for this model: {error}.") from error
        return width, height

    def encode(self, clip: Clip) -> EncodedClip:
        """Resize, cut and normalise the frames of a clip; the last is repeated where temporal patches are not full."""
        span = self.temporal_patch_size
        width, height = self.fit(len(clip.frames), *clip.original_size)
        patches = []
        for frame in clip.frames:
            right = frame if frame.size == (width, height) else resize(frame, height, width, self._pixels.resample)
            cut, rows, columns = self._pixels.patches(right)
            patches.append(cut)
        numbers = [min(number, len(patches) - 1) for number in range(-(-len(patches) // span) * span)]
        grid = (len(numbers) // span, rows, columns)
        side = self._pixels.patch_size
        values = np.empty((grid[0], rows * columns, 3, span, side, side), np.float32)
        for number, of in enumerate(numbers):
            values[number // span, :, :, number % span] = self._pixels.scale(patches[of])
        grids = np.array([grid], dtype=np.int64)
        arrays: dict[str, np.ndarray] = {
            "pixel_values_videos": values.reshape(-1, 3 * span * side * side),
            "video_grid_thw": grids,
        }
        key = media_key({"clip": np.stack(patches), "grids": grids})
        seen = [clip.timestamps[number] for number in numbers]
        times = tuple((seen[at] + seen[at + span - 1]) / 2 for at in range(0, len(seen), span))
        return EncodedClip(arrays, key, grid, (width, height), span / clip.effective_fps, times)

    def text(self, encoded: EncodedClip, start: str, place: str, end: str) -> str:
        """What stands in the prompt where the chat template writes ``start place end`` for a clip.

        start, place, end: the tokens ``<|vision_start|>``, ``<|video_pad|>`` and ``<|vision_end|>``.
        """
        frames, rows, columns = encoded.grid
        places = place * (rows * columns // self.merge_size**2)
        if not self._family.says_times:
            return start + places * frames + end
        return "".join(f"<{time:.1f} seconds>{start}{places}{end}" for time in encoded.times)

    def runs(self, encoded: EncodedClip) -> list[tuple[int, int, int]]:
        """Grids of the places that stand together in ``text``, for ``clip_positions``."""
        frames, rows, columns = encoded.grid
        return [(1, rows, columns)] * frames if self._family.says_times else [encoded.grid]

    def interval(self, encoded: EncodedClip, tokens_per_second: float) -> float:
        """Positions from one temporal patch to the next, for ``clip_positions``.

        tokens_per_second: ``config.json``'s, of its ``vision_config``.
        """
        return tokens_per_second * encoded.seconds_per_grid if self._family.counts_seconds else 1.0

    def _shared(self, num_frames: int, most: int) -> tuple[int, int]:
        """(least, most) pixels of all frames together."""
        each = PixelBudget(
            *(bound and bound * num_frames for bound in (self._budget.min_pixels, self._budget.max_pixels))
        )
        return each.over(self._pixels.min_pixels, most)

    def _most_each(self, num_frames: int, factor: int) -> int:
        """Pixels of one frame at most."""
        most = self._pixels.max_pixels
        if not self._settings.get("cap_pixels_per_frame"):
            return most
        budget = int(self._settings["max_video_tokens"] * factor * factor * 0.9)
        share = budget * self.temporal_patch_size // num_frames
        return max(min(most, share), int(self._pixels.min_pixels * _FLOOR))

    def _most_together(self, num_frames: int, factor: int) -> int:
        """Pixels of all frames at most."""
        most = self._pixels.max_pixels
        if not self._settings.get("cap_pixels_per_frame"):
            return most
        cap = self._settings["max_video_tokens"] * factor * factor
        return num_frames * max(min(cap, most // num_frames), int(self._pixels.min_pixels * _FLOOR))


def read_clips(folder: Path, family: str) -> ClipEncoder | None:
    """The clip encoder of a checkpoint or bundle, None where its family (``model_type``) takes frames as pictures.

    Raises LoadError for a file that cannot be read.
    """
    kind = CLIP_FAMILIES.get(family)
    return ClipEncoder(read_settings(folder, "video_processor"), kind) if kind is not None else None


def resize_together(
    num_frames: int, height: int, width: int, span: int, factor: int, min_pixels: int, max_pixels: int
) -> tuple[int, int]:
    """(height, width) as multiples of ``factor``, so that all frames together keep within the bounds.

    From Qwen3-VL's ``smart_resize``. span: frames of a temporal patch. Raises ValueError for frames 200 times longer
    than wide.
    """
    if height < factor or width < factor:
        grow = max(factor / height, factor / width)
        height, width = int(height * grow), int(width * grow)
    if (ratio := max(height, width) / min(height, width)) > LONGEST_RATIO:
        raise ValueError(f"absolute aspect ratio must be smaller than {LONGEST_RATIO}, got {ratio}")
    rows, columns = round(height / factor), round(width / factor)
    pixels = round(num_frames / span) * span * rows * columns * factor**2
    if pixels > max_pixels:
        shrink = math.sqrt(num_frames * height * width / max_pixels)
        rows, columns = (max(1, math.floor(side / shrink / factor)) for side in (height, width))
    elif pixels < min_pixels:
        grow = math.sqrt(min_pixels / (num_frames * height * width))
        rows, columns = (math.ceil(side * grow / factor) for side in (height, width))
    return rows * factor, columns * factor
