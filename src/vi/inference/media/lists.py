"""Lists of sources in a text file: ``@list.txt``, one path, URL, folder or pattern a line."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from pathlib import Path

from ..errors import SourceError
from .labels import printable
from .opening import open_file
from .policy import MediaPolicy

_LONGEST_LINE = 2**16
_URL = re.compile(r"(data|file|https?):|[a-z][a-z0-9+.-]+://", re.IGNORECASE)


def read_list(path: Path, policy: MediaPolicy) -> Iterator[str]:
    """The entries of a list, in order; blank lines and those that begin with # are left out.

    A relative path counts from the list's own folder. Raises SourceError where the file cannot be read, is not UTF-8
    text, or names another list.
    """
    label = printable(str(path))
    with io.TextIOWrapper(open_file(path, label, policy), "utf-8-sig") as file:
        try:
            for number, line in enumerate(iter(lambda: file.readline(_LONGEST_LINE), ""), 1):
                entry = line.strip()
                if len(line) >= _LONGEST_LINE or "\0" in line:
                    raise SourceError(f"{label} is not a list of sources (line {number} is no path and no URL).")
                if entry.startswith("@"):
                    raise SourceError(f"{label} names another list in line {number}.", "Write its lines there.")
                if entry and not entry.startswith("#"):
                    yield beside(path, entry)
        except UnicodeDecodeError:
            raise SourceError(f"{label} is not a list of sources (it is not UTF-8 text).") from None


def beside(file: Path, source: str) -> str:
    """A source as ``file`` names it: a URL as it is, a relative path from the file's own folder."""
    return source if _URL.match(source) else str(file.parent / source)
