"""The words around the frames of a clip, for models that take them as pictures."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from vi.inference.media.clip import Clip


@dataclass(frozen=True)
class FrameTexts:
    """intro: before the first frame. times: [K] right before each frame. outro: after the last."""

    intro: str
    times: list[str]
    outro: str


def frame_texts(clip: Clip) -> FrameTexts:
    """What says when each frame is shown, in the words that SmolVLM2 was trained with; tenths of a second where frames
    are less than a second apart."""
    count = len(clip.frames)
    hours, seconds = divmod(int(clip.duration), 3600)
    length = f"{hours}:{seconds // 60:02}:{seconds % 60:02}"
    pairs = zip(clip.timestamps, clip.timestamps[1:], strict=False)
    is_dense = any(int(later) == int(earlier) for earlier, later in pairs)
    frames = f"{count} frame{'s' * (count != 1)}"
    return FrameTexts(
        f"You are provided the following series of {frames} from a {length} [H:MM:SS] video.\n",
        [f"\nFrame from {_clock(time, is_dense)}:" for time in clip.timestamps],
        "\n\n",
    )


def _clock(seconds: float, has_tenths: bool) -> str:
    """``01:05`` or ``01:05.2``."""
    minutes = int(seconds // 60)
    rest = seconds - 60 * minutes
    return f"{minutes:02}:{int(rest * 10) / 10:04.1f}" if has_tenths else f"{minutes:02}:{int(rest):02}"
