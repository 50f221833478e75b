"""A file that is read until a moment and no longer, so that what decodes it comes to an end."""

from __future__ import annotations

import io
from typing import BinaryIO, cast

from .deadline import Deadline

_BUFFER = 2**16


def patient(file: BinaryIO, deadline: Deadline) -> BinaryIO:
    """``file``, whose reads raise SourceError once ``deadline`` has passed; to close it leaves ``file`` open."""
    return cast(BinaryIO, _Modest(_Patient(file, deadline), _BUFFER))


class _Modest(io.BufferedReader):
    """Reads that ask for more than there is, as damaged files make decoders do, take no memory for it."""

    def __init__(self, raw: io.RawIOBase, buffer_size: int) -> None:
        super().__init__(raw, buffer_size)
        self._end = self.seek(0, io.SEEK_END)
        self.seek(0)

    def read(self, size: int | None = -1, /) -> bytes:
        if size is not None and size > _BUFFER:
            size = min(size, max(0, self._end - self.tell()))
        return super().read(size)


class _Patient(io.RawIOBase):
    def __init__(self, file: BinaryIO, deadline: Deadline) -> None:
        self._file = file
        self._deadline = deadline

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = 0, /) -> int:
        return self._file.seek(offset, whence)

    def readinto(self, buffer: memoryview, /) -> int:  # type: ignore[override]
        self._deadline.check()
        content = self._file.read(len(buffer))
        buffer[: len(content)] = content
        return len(content)
