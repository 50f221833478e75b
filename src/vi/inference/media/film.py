"""A clip that FFmpeg decodes: its frames by number."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from PIL import Image

from .clip_decoder import decode_wanted, index_by_decoding
from .clip_file import FFMPEG_ERRORS, ClipFile
from .frame_index import FrameIndex
from .video_frame import upright_rgb


class Film:
    """The frames of one open file, when they are shown, and how to come by them."""

    def __init__(self, file: ClipFile, index: FrameIndex) -> None:
        self._file, self._index = file, index
        self.times, self.duration = index.times, index.duration
        self.size = file.size

    @classmethod
    def open(cls, file: ClipFile) -> Film:
        """Reads all packets, and decodes all frames where packets do not tell when frames are shown. SourceError."""
        packets = file.packets()
        index = packets.index(file.time_base)
        return cls(file, index if index is not None else index_by_decoding(file))

    @property
    def warnings(self) -> list[str]:
        """What is wrong with the file, though frames come."""
        count = self._index.num_damaged
        if not count:
            return []
        return [
            f"{count} of its {count + len(self.times)} frames {'is' if count == 1 else 'are'} damaged and left out."
        ]

    def frames(self, wanted: np.ndarray) -> Iterator[Image.Image]:
        """The frames numbered ``wanted`` (ascending), RGB, upright; fewer where the index was wrong."""
        for frame in decode_wanted(self._file, self._index, wanted):
            try:
                picture = upright_rgb(frame)
            except FFMPEG_ERRORS as error:
                raise self._file.damaged(f"its frames, {frame.format.name}, cannot be made RGB") from error
            yield picture

    def remeasured(self) -> Film | None:
        """The same clip by what its decoded frames say; None where that is how it was measured."""
        return Film(self._file, index_by_decoding(self._file)) if len(self._index.packets) else None
