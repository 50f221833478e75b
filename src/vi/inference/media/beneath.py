"""Opening what lies below a folder, whatever its links say (as RESOLVE_BENEATH of Linux has it)."""

from __future__ import annotations

import errno
import os
from pathlib import Path, PurePath

PLAIN = os.O_RDONLY | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
FOLDER = PLAIN | getattr(os, "O_DIRECTORY", 0)

_NO_LINK = getattr(os, "O_NOFOLLOW", 0)
_MOST_LINKS = 40  # as Linux counts them for one path
_BY_DESCRIPTOR = bool(_NO_LINK) and os.open in os.supports_dir_fd and os.readlink in os.supports_dir_fd


class LeadsOut(OSError):
    """A link, or dots, that lead out of the root."""


def open_beneath(root: Path, path: Path, flags: int) -> int:
    """A descriptor of ``path``, relative to ``root``.

    Every part is opened by itself, below the folder opened before it, and links are followed by hand: what is opened
    lies below the root, whoever moves or replaces parts meanwhile. A link to an absolute path counts from the root
    where it names something below it. Raises LeadsOut, or OSError as ``os.open`` does.
    """
    if not _BY_DESCRIPTOR:
        return _open_and_compare(root, path, flags)
    folders = [os.open(root, FOLDER)]
    todo = list(reversed(path.parts))
    links = 0
    try:
        while todo:
            name = todo.pop()
            if name == "..":
                if len(folders) == 1:
                    raise LeadsOut(errno.EXDEV, "leads out of the root")
                os.close(folders.pop())
                continue
            try:
                found = os.open(name, (FOLDER if todo else flags) | _NO_LINK, dir_fd=folders[-1])
            except OSError:
                target = _link(name, folders[-1])
                if target is None:
                    raise
                links += 1
                if links > _MOST_LINKS:
                    raise OSError(errno.ELOOP, os.strerror(errno.ELOOP)) from None
                todo.extend(reversed(_follow(target, root, folders)))
                continue
            if not todo:
                return found
            folders.append(found)
        return os.open(".", flags, dir_fd=folders[-1])
    finally:
        for folder in folders:
            os.close(folder)


def _link(name: str, folder: int) -> PurePath | None:
    try:
        return PurePath(os.readlink(name, dir_fd=folder))
    except OSError:
        return None


def _follow(target: PurePath, root: Path, folders: list[int]) -> tuple[str, ...]:
    """The parts to go on with; an absolute target starts from the root again."""
    if not target.is_absolute():
        return target.parts
    for base in (root, Path(os.path.realpath(root))):
        if target.is_relative_to(base):
            while len(folders) > 1:
                os.close(folders.pop())
            return target.relative_to(base).parts
    raise LeadsOut(errno.EXDEV, "leads out of the root")


def _open_and_compare(root: Path, path: Path, flags: int) -> int:
    """Where parts cannot be opened one by one: what was opened must be what the resolved path still names."""
    below = os.path.realpath(root)
    real = os.path.realpath(root / path)
    if not Path(real).is_relative_to(below):
        raise LeadsOut(errno.EXDEV, "leads out of the root")
    descriptor = os.open(real, flags)
    if os.path.realpath(real) == real and os.path.samestat(os.fstat(descriptor), os.stat(real)):  # noqa: PTH116
        return descriptor
    os.close(descriptor)
    raise LeadsOut(errno.EXDEV, "was replaced while it was opened")
