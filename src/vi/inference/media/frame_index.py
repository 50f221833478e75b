"""When each frame of a clip is shown, and where decoding has to begin to see it."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from .frame_choice import STILL_SECONDS

KEY, HIDDEN, DAMAGED = 1, 2, 4
"""Flags of a packet: decoding can begin there; it is decoded but not shown (edit lists); it is not whole."""


@dataclass(frozen=True, eq=False)
class FrameIndex:
    """The frames of a clip in order of showing.

    pts: int64 [N] when each is shown, ascending, in units of ``time_base`` seconds. duration: seconds from the first to
    the end of the last. packets: int64 [N] the number of each frame's packet in the file, and starts: int64 [N] that of
    the packet at which decoding has to begin for it; empty where only decoding everything tells. num_damaged: packets
    that are known to be damaged, whose frames are left out.
    """

    pts: np.ndarray
    time_base: Fraction
    duration: float
    packets: np.ndarray
    starts: np.ndarray
    num_damaged: int = 0

    @property
    def times(self) -> np.ndarray:
        """float64 [N]: seconds from the first frame."""
        return (self.pts - self.pts[0]) * float(self.time_base)

    @property
    def fps(self) -> float:
        """Frames a second, on average."""
        return len(self.pts) / self.duration


class PacketList:
    """What a container says of the packets of its video, in file order; 9 bytes a packet."""

    def __init__(self) -> None:
        self._pts = array("q")
        self._flags = bytearray()
        self._dts: int | None = None  # of the packet before
        self._latest: int | None = None  # pts of the packet shown last, and how long it is shown
        self._duration = 0
        self._is_telling = True  # every packet says when it is shown, and they stand in the order of decoding

    def __len__(self) -> int:
        return len(self._pts)

    def add(self, pts: int | None, dts: int | None, duration: int | None, flags: int) -> None:
        """One more packet; times in ticks."""
        if pts is None or (dts is not None and self._dts is not None and dts < self._dts):
            self._is_telling = False
        if pts is not None and not flags & HIDDEN and (self._latest is None or pts >= self._latest):
            self._latest, self._duration = pts, duration or 0
        self._pts.append(0 if pts is None else pts)
        self._flags.append(flags)
        self._dts = self._dts if dts is None else dts

    def index(self, time_base: Fraction) -> FrameIndex | None:
        """Frames by what their packets say; None where that does not tell.

        A frame is decoded from the last keyframe that is neither stored nor shown after it: what is stored after a
        keyframe but shown before it may refer to frames from before. Frames that have no such keyframe cannot be
        decoded, and players do not show them either.
        """
        pts = np.frombuffer(self._pts, np.int64)
        flags = np.frombuffer(self._flags, np.uint8)
        keys = np.flatnonzero(flags & KEY)
        if not self._is_telling or not len(keys):
            return None
        packets = np.arange(len(pts))
        key = np.searchsorted(keys, packets, side="right") - 1  # [packets]: the last of ``keys`` stored before
        key -= pts < pts[keys[np.maximum(key, 0)]]
        shown = (key >= 0) & (flags & (HIDDEN | DAMAGED) == 0)
        order = packets[shown][np.argsort(pts[shown], kind="stable")]
        if not len(order) or (np.diff(pts[order]) <= 0).any():
            return None
        duration = span(pts[order], time_base, self._duration)
        num_damaged = int(np.count_nonzero(flags & DAMAGED))
        return FrameIndex(pts[order], time_base, duration, order, keys[key[order]], num_damaged)


def decoded_index(pts: Sequence[int | None], time_base: Fraction, rate: float) -> FrameIndex:
    """Frames by what the decoder gave, in its order; where a time does not rise above the one before, the usual gap is
    put, and where times are missing, ``rate`` frames a second. ``pts`` is not empty."""
    usual = max(1, round(1 / (Fraction(rate) * time_base)))
    if any(time is None for time in pts):
        ticks = np.arange(len(pts), dtype=np.int64) * usual
    else:
        steps = np.diff(np.array(pts, np.int64))
        if (steps > 0).any():
            usual = round(float(np.median(steps[steps > 0])))
        ticks = np.concatenate([[0], np.cumsum(np.where(steps > 0, steps, usual))])
    nothing = np.empty(0, np.int64)
    return FrameIndex(ticks, time_base, span(ticks, time_base, usual), nothing, nothing)


def span(pts: np.ndarray, time_base: Fraction, last_duration: int) -> float:
    """Seconds from the first frame to the end of the last, which stays as long as is usual where nothing says so."""
    if last_duration <= 0:
        last_duration = round(float(np.median(np.diff(pts)))) if len(pts) > 1 else round(STILL_SECONDS / time_base)
    return float(int(pts[-1] - pts[0]) + last_duration) * float(time_base)
