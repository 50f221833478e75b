"""From a clip's file to the frames that are looked at."""

from __future__ import annotations

import io
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO

import numpy as np
from PIL import Image

from ..errors import SourceError
from .animation import Animation
from .clip import Clip
from .clip_budget import ClipBudget, Fit
from .clip_file import ClipFile
from .content import open_content
from .damage import unreadable
from .deadline import Deadline
from .film import Film
from .items import SourceItem
from .kinds import HEAD_BYTES, sniff
from .labels import byte_size, printable
from .opening import open_file
from .patience import patient
from .policy import MediaPolicy
from .resizing import resized

FPS = 4.0
MAX_CLIP_PIXELS = 768 * 768 * 28 * 28
"""Width times height times frames: 1.4 GB as RGB, as much as Qwen2-VL's video processor can make of one clip."""

ClipSource = SourceItem | str | os.PathLike[str] | bytes | BinaryIO
Footage = Film | Animation


def load_clip(
    source: ClipSource,
    *,
    fps: float = FPS,
    max_frames: int | None = None,
    max_pixels: int = MAX_CLIP_PIXELS,
    fit: Fit | None = None,
    policy: MediaPolicy | None = None,
) -> Clip:
    """The frames that are on screen at 0, 1 / fps, 2 / fps, ... seconds; ``frame_choice`` has the convention.

    source: an item of ``expand``, a path, the content, or an open binary file that can be sought in (it is read from
    its beginning and stays open). Everything FFmpeg opens is a clip, and so are GIF, WebP, APNG and AVIF; a still
    picture is a clip of one frame. Nothing but ``source`` is read, whatever a playlist in it says.

    Only the frames taken are kept, and decoding begins at the nearest keyframe where that is cheaper than decoding
    what lies between. Where ``max_frames`` (None: the policy's, which is also the most) or ``max_pixels`` (width *
    height * frames, after ``fit``) is less than ``fps`` asks for, the frames are spread evenly over the clip and
    ``warnings`` says so. fit: what frames are resized to (bicubic) as they come, such as ``ClipEncoder.fit``, so that
    only small ones are in memory.

    Raises SourceError for what has no picture track, is empty, cut off, damaged, too large or too slow, for a clip that
    ends long before it says, and for what the policy does not allow; ConfigError for a limit that is not allowed.
    """
    policy = MediaPolicy.coerce(policy)
    budget = ClipBudget(fps, policy.max_frames if max_frames is None else max_frames, max_pixels, fit)
    budget = replace(budget, max_frames=min(budget.max_frames, policy.max_frames))
    label = source.label if isinstance(source, SourceItem) else _label(source)
    hint = "Lower fps or max_frames, allow more time, or pass a shorter clip."
    with _opened(source, label, policy) as file:
        deadline = Deadline(policy.clip_decode_timeout, label, hint)
        return _take(_footage(patient(file, deadline), label, deadline, policy), budget, label)


def _take(footage: Footage, budget: ClipBudget, label: str) -> Clip:
    chosen, warnings = budget.choose(footage.times, footage.duration, footage.size)
    size = footage.size

    def target(frame: Image.Image) -> tuple[int, int]:
        nonlocal size
        size = frame.size  # of the first, should the clip change its size
        return budget.target(len(chosen), size)

    frames = resized(footage.frames(chosen), target)
    if len(frames) == len(chosen):
        return _clip(footage, chosen, frames, size, [*footage.warnings, *warnings], label)
    remeasured = footage.remeasured()
    if remeasured is None:
        raise SourceError(f"{label} is damaged: some of its frames cannot be decoded.", "Fetch or export it again.")
    return _take(remeasured, budget, label)


def _clip(
    footage: Footage,
    chosen: np.ndarray,
    frames: list[Image.Image],
    size: tuple[int, int],
    warnings: list[str],
    label: str,
) -> Clip:
    return Clip(
        frames=frames,
        timestamps=[float(time) for time in footage.times[chosen]],
        frame_indices=[int(number) for number in chosen],
        duration=footage.duration,
        source_fps=len(footage.times) / footage.duration,
        effective_fps=len(frames) / footage.duration,
        original_size=size,
        label=label,
        warnings=warnings,
    )


@contextmanager
def _opened(source: ClipSource, label: str, policy: MediaPolicy) -> Iterator[BinaryIO]:
    if isinstance(source, SourceItem):
        with open_content(source, policy) as file:
            yield file
    elif isinstance(source, (bytes, bytearray, memoryview)):
        yield io.BytesIO(source)
    elif isinstance(source, (str, os.PathLike)):
        with open_file(Path(source), label, policy) as file:
            yield file
    else:
        if not source.seekable():
            raise SourceError(f"{label} cannot be sought in: it is a pipe.", "Pass its content: file.read().")
        yield source


def _footage(file: BinaryIO, label: str, deadline: Deadline, policy: MediaPolicy) -> Footage:
    file.seek(0)
    kind = sniff(file.read(HEAD_BYTES))
    if kind is not None and kind.family == "other":  # FFmpeg would take some texts for playlists or drawings
        raise SourceError(f"{label} is not a clip that can be read (its content is {kind.name}).")
    if kind is None or kind.family == "clip":
        return Film.open(ClipFile(file, label, deadline, policy.max_pixels))
    try:
        return Animation(file, label, deadline, policy.max_pixels)
    except SourceError:
        raise
    except Exception as error:  # a damaged file makes Pillow raise anything
        raise unreadable(file, label) from error


def _label(source: ClipSource) -> str:
    if isinstance(source, (bytes, bytearray, memoryview)):
        return f"bytes ({byte_size(len(source))})"
    if isinstance(source, (str, os.PathLike)):
        return printable(os.fspath(source))
    return printable(str(getattr(source, "name", "file")))
