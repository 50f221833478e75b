"""Frames made smaller while the next ones are decoded."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor

from PIL import Image

_THREADS = 2  # resizing leaves Python's lock, and takes a few times as long as the decoding of a frame
_AHEAD = 4  # frames of full size in memory


def resized(frames: Iterable[Image.Image], target: Callable[[Image.Image], tuple[int, int]]) -> list[Image.Image]:
    """The frames at the size (width, height) that ``target`` tells of the first, bicubic, in their order."""
    done: list[Image.Image] = []
    ahead: deque[Future[Image.Image]] = deque()
    size: tuple[int, int] | None = None
    with ThreadPoolExecutor(_THREADS, thread_name_prefix="vi-resizer") as pool:
        for frame in frames:
            size = size or target(frame)
            if frame.size == size:
                done += (future.result() for future in ahead)
                ahead.clear()
                done.append(frame)
                continue
            ahead.append(pool.submit(frame.resize, size, Image.Resampling.BICUBIC))
            if len(ahead) >= _AHEAD:
                done.append(ahead.popleft().result())
    return [*done, *(future.result() for future in ahead)]
