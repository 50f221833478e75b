"""The frames of a clip that are wanted, and as little else as may be."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from .clip_file import ClipFile
from .frame_index import FrameIndex, decoded_index

_CAN_SKIP = frozenset({"h264", "mpeg1video", "mpeg2video", "mpeg4"})
"""Decoders that leave out frames which no frame refers to. (HEVC's may be referred to from higher temporal layers.)"""

_WORTH_A_JUMP = 8  # packets; emptying the decoder costs about as much as a few frames


class Run(NamedTuple):
    """Packets to decode one after the other, numbered in the file: ``first`` is a keyframe, ``last`` is wanted."""

    first: int
    last: int


def plan_runs(starts: Sequence[int], packets: Sequence[int]) -> list[Run]:
    """The least decoding from which every wanted frame comes.

    starts, packets: [K] the packet at which decoding begins for each wanted frame, and its own. Where a run ends less
    than ``_WORTH_A_JUMP`` packets before the next, decoding goes on through the gap instead.
    """
    runs: list[Run] = []
    for first, last in sorted(zip(map(int, starts), map(int, packets), strict=True)):
        if runs and first - runs[-1].last <= _WORTH_A_JUMP:
            runs[-1] = Run(runs[-1].first, max(runs[-1].last, last))
        else:
            runs.append(Run(first, last))
    return runs


def decode_wanted(file: ClipFile, index: FrameIndex, wanted: np.ndarray) -> Iterator[Any]:
    """The frames numbered ``wanted`` (ascending) as ``av.VideoFrame``, in order of showing.

    One that does not come, or comes out of order, because packets did not tell the truth about frames, is left out:
    count them.
    """
    if not len(index.packets):
        yield from _by_number(file, wanted)
        return
    times = [int(pts) for pts in index.pts[wanted]]
    expected, latest = frozenset(times), times[0] - 1
    runs = plan_runs(index.starts[wanted], index.packets[wanted])
    for frame in _decode_runs(file, runs, frozenset(int(packet) for packet in index.packets[wanted])):
        if frame.pts in expected and frame.pts > latest:
            latest = frame.pts
            yield frame


def index_by_decoding(file: ClipFile) -> FrameIndex:
    """The index of a clip whose packets do not tell, from its frames. Costs decoding all of them."""
    with file.opened() as (container, stream):
        pts = [frame.pts for frame in _frames(file, container, stream)]
    if not pts:
        raise file.damaged("none of its frames can be decoded")
    return decoded_index(pts, file.time_base, file.rate)


def _by_number(file: ClipFile, wanted: np.ndarray) -> Iterator[Any]:
    last = int(wanted[-1])
    numbers = {int(number) for number in wanted}
    with file.opened() as (container, stream):
        for number, frame in enumerate(_frames(file, container, stream)):
            if number in numbers:
                yield frame
            if number >= last:
                return


def _frames(file: ClipFile, container: Any, stream: Any) -> Iterator[Any]:
    for packet in file.read(container, stream):
        yield from packet.decode()
    yield from stream.codec_context.decode(None)  # what the decoder holds back


def _decode_runs(file: ClipFile, runs: list[Run], wanted: frozenset[int]) -> Iterator[Any]:
    """Every frame that the runs give. wanted: numbers of packets whose frames must not be skipped."""
    with file.opened() as (container, stream):
        context = stream.codec_context
        can_skip = context.name in _CAN_SKIP
        remaining = iter(runs)
        run = next(remaining)
        for number, packet in enumerate(file.read(container, stream)):
            if number < run.first:
                continue
            if can_skip:
                context.skip_frame = "DEFAULT" if number in wanted else "NONREF"
            yield from context.decode(packet)
            if number < run.last:
                continue
            yield from context.decode(None)
            following = next(remaining, None)
            if following is None:
                return
            run = following
            context.flush_buffers()
