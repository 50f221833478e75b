"""The pictures in a folder, in the order a person expects."""

from __future__ import annotations

import itertools
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from ..errors import did_you_mean
from .kinds import PICTURE_SUFFIXES, is_clip_name

_MOST_NAMES = 5000  # names compared when looking for the nearest one


class Entry(NamedTuple):
    """A picture in a folder, or a sub-folder that could not be read (``problem`` says why)."""

    path: Path
    problem: str = ""


class Listing(NamedTuple):
    """A folder's pictures; how many clips and how many other visible files were passed over."""

    entries: list[Entry]
    num_clips: int
    num_others: int


def list_pictures(folder: Path, recursive: bool = False) -> Listing:
    """The pictures of ``folder``, by name and in natural order; hidden and unknown files are skipped.

    With ``recursive`` those of its sub-folders too, each real folder once, so that loops of symbolic links end.
    Raises OSError where ``folder`` itself cannot be listed.
    """
    entries: list[Entry] = []
    num_clips = num_others = 0
    for path, problem in _walk(folder, recursive, set()):
        if problem or path.suffix.lower() in PICTURE_SUFFIXES:
            entries.append(Entry(path, problem))
        elif is_clip_name(path.name):
            num_clips += 1
        else:
            num_others += 1
    return Listing(entries, num_clips, num_others)


def natural_key(name: str) -> tuple:
    """Sorts ``img2`` before ``img10``, without regard to case."""
    pieces = re.split(r"([0-9]+)", name.casefold())
    # digits stand at the odd places, so keys compare text with text and number with number
    return tuple(int(piece) if i % 2 else piece for i, piece in enumerate(pieces)), name


def nearest_name(path: Path) -> str:
    """What to say of a path that leads nowhere: its first missing part, and the nearest name that does exist."""
    missing = path
    while missing.parent != missing and not os.path.lexists(missing.parent):
        missing = missing.parent
    try:
        with os.scandir(missing.parent) as found:
            names = [entry.name for entry in itertools.islice(found, _MOST_NAMES)]
    except OSError:
        names = []
    near = did_you_mean(missing.name, sorted(names))
    if missing == path:
        return near
    return f"The folder {missing} does not exist. {near}".rstrip()


def _walk(folder: Path, recursive: bool, seen: set[tuple[int, int]]) -> Iterator[Entry]:
    status = folder.stat()
    if (status.st_dev, status.st_ino) in seen:
        return
    seen.add((status.st_dev, status.st_ino))
    for path in sorted(folder.iterdir(), key=lambda child: natural_key(child.name)):
        if path.name.startswith("."):
            continue
        if not _is_folder(path):
            yield Entry(path)
        elif recursive:
            try:
                yield from _walk(path, recursive, seen)
            except OSError as error:
                yield Entry(path, error.strerror or type(error).__name__)


def _is_folder(path: Path) -> bool:
    try:
        return path.is_dir()
    except OSError:  # a link to itself, before Python 3.12
        return False
