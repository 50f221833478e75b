"""Clips made with PyAV, and the plain way to choose their frames: decode all, pick by time."""

from __future__ import annotations

import io
import tempfile
from collections.abc import Iterable, Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

SIZE = (96, 64)


def drawing(number: int, size: tuple[int, int] = SIZE) -> np.ndarray:
    """uint8 [H, W, 3]: a bar that moves over a slope, so that frames differ and refer to each other."""
    width, height = size
    x, y = np.arange(width), np.arange(height)[:, None]
    red = np.broadcast_to(255 * ((x - 3 * number) % width < 8), (height, width))
    green = np.broadcast_to((y * 200 // height + 7 * number) % 256, (height, width))
    blue = np.full((height, width), (number * 37) % 256)
    return np.stack([red, green, blue], axis=2).astype(np.uint8)


def film(
    pts: Iterable[int] = range(30),
    *,
    rate: int = 30,
    time_base: Fraction | None = None,
    codec: str = "libx264",
    container: str = "mp4",
    size: tuple[int, int] = SIZE,
    pixels: str = "yuv420p",
    options: dict[str, str] | None = None,
    muxing: dict[str, str] | None = None,
    start: int = 0,
    sound: bool = False,
) -> bytes:
    """A clip with a drawing at each of ``pts``, in units of ``time_base`` (1 / ``rate`` if None).

    options: the encoder's; muxing: the container's. start: added to what the container says of times.
    """
    base = time_base or Fraction(1, rate)
    with (
        tempfile.NamedTemporaryFile() as file,  # by name, as some containers are read again to be finished
        av.open(file.name, "w", format=container, options=muxing or {}) as output,
    ):
        stream = output.add_stream(codec, rate=rate, options={"threads": "1", **(options or {})})
        stream.width, stream.height, stream.pix_fmt = *size, pixels
        stream.time_base = stream.codec_context.time_base = base
        if sound:
            _add_sound(output)
        for number, time in enumerate(pts):
            frame = av.VideoFrame.from_ndarray(drawing(number, size), "rgb24")
            frame.pts, frame.time_base = time + start, base
            output.mux(stream.encode(frame))
        output.mux(stream.encode(None))
        output.close()
        return Path(file.name).read_bytes()


def melody(container: str = "mp3", codec: str = "mp3") -> bytes:
    """Sound without a picture."""
    buffer = io.BytesIO()
    with av.open(buffer, "w", format=container) as output:
        _add_sound(output, codec)
    return buffer.getvalue()


def _add_sound(output: av.container.OutputContainer, codec: str = "aac") -> None:
    stream = output.add_stream(codec, rate=44100, layout="mono")
    for number in range(20):
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), format="fltp", layout="mono")
        frame.sample_rate, frame.pts, frame.time_base = 44100, 1024 * number, Fraction(1, 44100)
        output.mux(stream.encode(frame))
    output.mux(stream.encode(None))


def pick(times: Sequence[Fraction], duration: Fraction, fps: Fraction) -> list[int]:
    """Frame choice as its page words it: at 0, 1 / fps, ... the last frame shown by then, a millisecond of slack."""
    slack = Fraction(1, 1000)
    chosen: list[int] = []
    number = on_screen = 0
    while not chosen or number / fps < duration - slack:
        while on_screen + 1 < len(times) and times[on_screen + 1] <= number / fps + slack:
            on_screen += 1
        if on_screen not in chosen[-1:]:
            chosen.append(on_screen)
        number += 1
    return chosen


def decode_all(content: bytes) -> tuple[list[Fraction], list[np.ndarray]]:
    """(seconds from the first frame, uint8 [H, W, 3]) of every frame, as FFmpeg gives them."""
    with av.open(io.BytesIO(content)) as container:
        frames = [
            (frame.pts * frame.time_base, frame.to_ndarray(format="rgb24")) for frame in container.decode(video=0)
        ]
    return [time - frames[0][0] for time, _ in frames], [pixels for _, pixels in frames]
