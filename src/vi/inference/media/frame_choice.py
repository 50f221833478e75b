"""Which frames of a clip are looked at: a pure function of when its frames are shown.

The convention, which every kind of clip follows:

* Time 0 is when the first frame is shown; a frame stays on screen until the next one is shown.
* The clip is looked at at the instants 0, 1 / fps, 2 / fps, ... before its end, and what is on screen then is taken:
  the last frame shown at or before the instant. Of frames shown at the same time it is the last.
* Containers round times, many to a millisecond, so a frame that comes up to ``SLACK`` late is still in time.
* A frame is taken once, however many instants it stays on screen; a clip is never padded with copies.
* Where that is more than ``max_frames``, the instants are spread evenly over the whole clip instead:
  0, d / max_frames, 2 d / max_frames, ... for a duration d.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

SLACK = 0.001
"""Seconds. Matroska and FLV round times to milliseconds."""

STILL_SECONDS = 0.1
"""How long a lone frame is shown where nothing says so, as browsers do."""

_ROUNDING = 1e-9  # of products of floats, so that an instant that falls on a frame's very time finds that frame


def choose_frames(times: Sequence[float] | np.ndarray, duration: float, fps: float, max_frames: int) -> np.ndarray:
    """Indices of the frames to take, ascending, at least one and at most ``max_frames``.

    times: [N] seconds from the first frame at which each is shown, ascending; N > 0. duration: seconds from the first
    frame to the end of the last. fps: instants a second, above 0. Returns int64 [K].
    """
    times = np.asarray(times, dtype=np.float64)
    chosen = _on_screen(times, duration, fps)
    return chosen if len(chosen) <= max_frames else _on_screen(times, duration, max_frames / duration)


def _on_screen(times: np.ndarray, duration: float, fps: float) -> np.ndarray:
    """A frame is taken when an instant lies between its time and the next one's, whatever the number of instants."""
    first = np.ceil((times - SLACK) * fps - _ROUNDING)  # [N]: number of the first instant at which a frame can be seen
    end = max(1.0, np.ceil((duration - SLACK) * fps - _ROUNDING))
    first = np.clip(first, 0.0, end)
    return np.flatnonzero(first < np.append(first[1:], end))
