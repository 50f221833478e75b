"""Patterns of paths: ``shots/**/*.png``."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from fnmatch import fnmatchcase
from pathlib import Path

_MAGIC = re.compile(r"[*?\[]")
_ANY_DEPTH = 10_000


def is_pattern(text: str) -> bool:
    """Whether a path has a part that stands for several names."""
    return _MAGIC.search(text) is not None


def split_pattern(pattern: Path) -> tuple[Path, tuple[str, ...]]:
    """The folder to begin at, and the parts below it, the first of which is no plain name."""
    first = next(i for i, part in enumerate(pattern.parts) if is_pattern(part))
    return Path(*pattern.parts[:first]), pattern.parts[first:]


def depth_of(parts: Sequence[str]) -> int:
    """How many levels of folders a file that matches can lie below the folder to begin at."""
    return _ANY_DEPTH if "**" in parts else len(parts)


def names_a_suffix(parts: Sequence[str]) -> bool:
    """Whether the last part ends in a suffix of its own, so that whoever wrote it knows what the files are."""
    suffix = Path(parts[-1]).suffix
    return bool(suffix) and not is_pattern(suffix)


def matcher(base: Path, parts: Sequence[str]) -> Callable[[Path], bool]:
    """Whether a file below ``base`` matches; ``**`` is any number of folders, none included."""
    whole = [part for i, part in enumerate(parts) if part != "**" or i == 0 or parts[i - 1] != "**"]
    if whole[-1] == "**":
        whole.append("*")

    def matches(names: Sequence[str], patterns: Sequence[str]) -> bool:
        if not patterns:
            return not names
        if patterns[0] == "**":
            return any(matches(names[i:], patterns[1:]) for i in range(len(names)))
        return bool(names) and fnmatchcase(names[0], patterns[0]) and matches(names[1:], patterns[1:])

    return lambda path: matches(path.relative_to(base).parts, whole)
