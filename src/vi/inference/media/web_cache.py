"""Fetched files kept on disk, to be asked for again only where they have changed (ETag, RFC 9110, section 8.8.3)."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, BinaryIO

_CHUNK = 2**20
_LONGEST_HEAD = 2**16


@dataclass(frozen=True, eq=False)
class Entry:
    """What is kept of one URL, open until ``close()``, whoever removes it meanwhile.

    final: key of the URL where its redirects ended, which is who may say that it has not changed. size: of the body.
    """

    file: BinaryIO  # stands where the body begins
    etag: str
    final: str
    size: int

    def copy_to(self, into: IO[bytes]) -> None:
        """Write the body, once."""
        with contextlib.suppress(OSError):
            os.utime(self.file.name)  # the least recently used go first
        shutil.copyfileobj(self.file, into, _CHUNK)

    def close(self) -> None:
        self.file.close()


class WebCache:
    """Bodies by URL in one folder, at most ``max_bytes`` together. URLs are kept as SHA-256 only.

    Any number of threads and processes may share the folder. What cannot be written is not kept, silently.
    """

    def __init__(self, folder: Path, max_bytes: int) -> None:
        self._folder = folder
        self._max_bytes = max_bytes

    def find(self, url: str) -> Entry | None:
        """What is kept of ``url``, if anything."""
        try:
            file = self._path(url).open("rb")
        except OSError:
            return None
        try:
            head = json.loads(file.readline(_LONGEST_HEAD))
            entry = Entry(file, str(head["etag"]), str(head["final"]), int(head["size"]))
            if os.fstat(file.fileno()).st_size - file.tell() == entry.size:
                return entry
        except (OSError, ValueError, KeyError, TypeError):  # damaged, or written by something else
            pass
        file.close()
        return None

    def keep(self, url: str, final: str, etag: str, body: BinaryIO, size: int) -> None:
        """Keep ``size`` bytes of ``body``, from where it stands; entries not used for longest make room."""
        head = json.dumps({"etag": etag, "final": final, "size": size}).encode() + b"\n"
        if len(head) + size > self._max_bytes:
            return
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._write(self._path(url), head, body)
            self._make_room()
        except OSError:
            return

    def _write(self, path: Path, head: bytes, body: BinaryIO) -> None:
        with tempfile.NamedTemporaryFile(dir=self._folder, prefix=".", delete=False) as file:
            try:
                file.write(head)
                shutil.copyfileobj(body, file, _CHUNK)
                file.close()
                Path(file.name).replace(path)
            except BaseException:
                Path(file.name).unlink(missing_ok=True)
                raise

    def _path(self, url: str) -> Path:
        return self._folder / key(url)

    def _make_room(self) -> None:
        files = sorted(self._files(), key=lambda file: file[0])
        total = sum(size for _, size, _ in files)
        for _, size, path in files:
            if total <= self._max_bytes:
                return
            path.unlink(missing_ok=True)
            total -= size

    def _files(self) -> Iterator[tuple[float, int, Path]]:
        for path in self._folder.iterdir():
            with contextlib.suppress(FileNotFoundError):
                if path.is_file():
                    status = path.stat()
                    yield status.st_mtime, status.st_size, path


def key(url: str) -> str:
    """SHA-256 of a URL without its fragment, in hexadecimal."""
    return hashlib.sha256(url.partition("#")[0].encode("utf-8", "surrogatepass")).hexdigest()
