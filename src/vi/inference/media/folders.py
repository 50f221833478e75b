"""The pictures and clips in a folder, in the order a person expects."""

from __future__ import annotations

import itertools
import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from ..errors import SourceError, did_you_mean
from .kinds import PICTURE_SUFFIXES, is_clip_name
from .labels import printable
from .opening import open_folder
from .policy import MediaPolicy

_MOST_NAMES = 5000  # names compared when looking for the nearest one
_DEEPEST = 200  # folders inside folders


class Entry(NamedTuple):
    """A file in a folder, or a sub-folder that could not be read (``error`` says why)."""

    path: Path
    error: SourceError | None = None


class Listing(NamedTuple):
    """A folder's pictures and, where asked for, clips; how many clips and other visible files were passed over."""

    entries: list[Entry]
    num_clips: int
    num_others: int


def list_media(
    folder: Path,
    policy: MediaPolicy,
    *,
    depth: int = 1,
    clips: bool = False,
    any_suffix: bool = False,
    wanted: Callable[[Path], bool] = lambda path: True,
) -> Listing:
    """The pictures of ``folder``, by name and in natural order; hidden and unknown files are skipped.

    depth: levels of folders looked into, each real folder once, so that loops of symbolic links end. clips: list
    them too. any_suffix: list files of unknown names too. wanted: of which files to take account at all.
    Raises SourceError where ``folder`` itself cannot be listed or the policy does not allow it.
    """
    entries: list[Entry] = []
    num_clips = num_others = 0
    for entry in _walk(folder, min(depth, _DEEPEST), policy, set()):
        if entry.error is None and not wanted(entry.path):
            continue
        is_clip = is_clip_name(entry.path.name)
        if entry.error is not None or (clips and is_clip) or entry.path.suffix.lower() in PICTURE_SUFFIXES:
            entries.append(entry)
        elif is_clip:
            num_clips += 1
        elif any_suffix:
            entries.append(entry)
        else:
            num_others += 1
    return Listing(entries, num_clips, num_others)


def natural_key(name: str) -> tuple:
    """Sorts ``img2`` before ``img10``, without regard to case."""
    pieces = re.split(r"([0-9]+)", name.casefold())
    # digits stand at the odd places, so keys compare text with text and number with number
    return tuple(_number(piece) if i % 2 else piece for i, piece in enumerate(pieces)), name


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


def _number(digits: str) -> tuple[int, str]:
    plain = digits.lstrip("0")
    return len(plain), plain  # as the numbers compare, however long they are


def _walk(folder: Path, depth: int, policy: MediaPolicy, seen: set[tuple[int, int]]) -> Iterator[Entry]:
    for name, is_folder in _children(folder, policy, seen):
        path = folder / name
        if not is_folder:
            yield Entry(path)
        elif depth > 1:
            try:
                yield from _walk(path, depth - 1, policy, seen)
            except SourceError as error:
                yield Entry(path, error)


def _children(folder: Path, policy: MediaPolicy, seen: set[tuple[int, int]]) -> list[tuple[str, bool]]:
    """Visible names, each with whether it is a folder; none where the folder was seen before."""
    label = printable(str(folder))
    try:
        with open_folder(folder, label, policy) as place:
            status = os.stat(place)  # noqa: PTH116 - a descriptor, not a path
            if (status.st_dev, status.st_ino) in seen:
                return []
            seen.add((status.st_dev, status.st_ino))
            with os.scandir(place) as found:
                children = [(entry.name, _is_folder(entry)) for entry in found if not entry.name.startswith(".")]
    except OSError as error:
        raise SourceError(f"{label} cannot be read ({error.strerror or error}).") from error
    return sorted(children, key=lambda child: natural_key(child[0]))


def _is_folder(entry: os.DirEntry) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link to itself
        return False
