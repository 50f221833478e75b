"""A clip's file, opened for FFmpeg so that it reads nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from typing import Any, BinaryIO

import av
import av.error

from ..errors import SourceError
from .deadline import Deadline
from .frame_index import DAMAGED, HIDDEN, KEY, PacketList
from .kinds import HEAD_BYTES, sniff
from .limits import MAX_PIXELS, check_pixels

_STATES_DURATION = ("mov,", "matroska", "avi", "flv", "asf")  # names of formats whose files say how long they are

FFMPEG_ERRORS = (av.error.FFmpegError, OSError, ValueError)
"""What PyAV raises; the plain ones for error numbers that FFmpeg has no name for, and for frames of no known kind."""

_COVER = av.stream.Disposition.attached_pic  # the picture of a song

_TICKS = 1_000_000  # of a container's own clock, a second (AV_TIME_BASE)


class ClipFile:
    """The video of one open file, which is read from the start as often as need be.

    size: (width, height) in pixels as stored. time_base: seconds a tick. rate: frames a second, as far as is stated.
    """

    def __init__(self, file: BinaryIO, label: str, deadline: Deadline, most_pixels: int = MAX_PIXELS) -> None:
        """Raises SourceError where the file has nothing that FFmpeg can show, or more than ``most_pixels`` a frame."""
        self.label, self.deadline = label, deadline
        self._file, self._most_pixels = file, most_pixels
        self._bound = {"max_pixels": str(2 * most_pixels + 2**16)}  # decoders count their margins too
        with self.opened() as (_, stream):
            self.size = (stream.codec_context.width, stream.codec_context.height)
            self.time_base: Fraction = stream.time_base
            self.rate = float(stream.average_rate or stream.guessed_rate or 25)

    @contextmanager
    def opened(self) -> Iterator[tuple[Any, Any]]:
        """(container, video stream), at the start. What FFmpeg raises inside becomes a SourceError."""
        self._file.seek(0)
        options = {"protocol_whitelist": "none", **self._bound}
        try:
            with av.open(self._file, "r", options=options, metadata_errors="replace") as container:
                yield container, self._video(container)
        except FFMPEG_ERRORS as error:
            self.deadline.check()
            raise self.damaged(_words(error)) from error

    def packets(self) -> PacketList:
        """Every packet of the video, read but not decoded. Raises SourceError where the file ends before its clip."""
        packets = PacketList()
        end, is_cut = 0.0, False
        with self.opened() as (container, stream):
            for packet in self.read(container):
                if packet.stream_index == stream.index:
                    flags = KEY * packet.is_keyframe | HIDDEN * packet.is_discard | DAMAGED * packet.is_corrupt
                    packets.add(packet.pts, packet.dts, packet.duration, flags)
                if packet.pts is not None:
                    end = max(end, float((packet.pts + (packet.duration or 0)) * packet.time_base))
                is_cut = packet.is_corrupt
            self._check_length(container, end - (container.start_time or 0) / _TICKS, is_cut)
        if not len(packets):
            raise self.damaged("it has no frames")
        return packets

    def read(self, container: Any, *streams: Any) -> Iterator[Any]:
        """The packets of ``streams`` (all if none) in file order, without the empty ones that PyAV puts at the end."""
        try:
            for packet in container.demux(*streams):
                self.deadline.check()
                if packet.size:
                    yield packet
        except IndexError:  # PyAV's, at the end, where streams came up that the head of the file did not name
            return

    def damaged(self, why: str) -> SourceError:
        """The error for content that cannot be read; ``why`` is a few words."""
        self._file.seek(0)
        head = self._file.read(HEAD_BYTES)
        if not head:
            return SourceError(f"{self.label} is empty (0 bytes).")
        kind = sniff(head)
        what = f"{kind.name}, " if kind is not None and kind.family == "clip" else ""
        return SourceError(f"{self.label} is not a clip that can be read ({what}{why}).")

    def _video(self, container: Any) -> Any:
        """The stream that a player would show, ready to decode."""
        streams = [stream for stream in container.streams.video if not stream.disposition & _COVER]
        if not streams:
            has = "only sound" if container.streams.audio else "no video"
            raise SourceError(
                f"{self.label} has {has}, and so nothing to look at.", "Pass a clip with a picture track."
            )
        stream = container.streams.best("video")
        stream = stream if stream in streams else streams[0]
        context = stream.codec_context
        if context is None:
            raise SourceError(f"{self.label} has video of a kind that FFmpeg cannot decode.", "Convert it to H.264.")
        check_pixels(context.width, context.height, self.label, self._most_pixels)
        context.options = self._bound
        context.thread_type = "AUTO"
        return stream

    def _check_length(self, container: Any, found: float, is_cut: bool) -> None:
        """Raises SourceError where the file has ``found`` seconds of those that it says, or its last packet in part."""
        if container.duration is None or not container.format.name.startswith(_STATES_DURATION):
            return
        stated = container.duration / _TICKS
        if is_cut or stated > found * 1.02 + 0.5:
            raise SourceError(
                f"{self.label} says that it is {stated:.1f} s long, but ends after {max(found, 0.0):.1f} s: "
                "it is cut off or damaged.",
                "Fetch or export it again.",
            )


def _words(error: Exception) -> str:
    """What FFmpeg says, in a few words; its own for damage of any kind says little."""
    if isinstance(error, (av.error.InvalidDataError, av.error.EOFError)):
        return "cut off or damaged, or of a kind that FFmpeg does not know"
    return str(getattr(error, "strerror", None) or type(error).__name__).lower()
