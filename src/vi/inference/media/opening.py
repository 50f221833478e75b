"""Files and folders of this machine, opened where the policy allows it and nowhere else."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from ..errors import SourceError
from .beneath import FOLDER, PLAIN, LeadsOut, open_beneath
from .policy import MediaPolicy

_NO_WAITING = getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOCTTY", 0)  # a pipe without a writer may never open


def open_file(path: Path, label: str, policy: MediaPolicy) -> BinaryIO:
    """The regular file ``path``, open to be read; under a policy with roots as ``open_beneath`` opens it.

    Raises SourceError where the policy does not allow it, or it is no file or cannot be read.
    """
    descriptor = _open(path, label, policy, PLAIN | _NO_WAITING)
    mode = os.fstat(descriptor).st_mode
    if not stat.S_ISREG(mode):
        os.close(descriptor)
        what = "a folder" if stat.S_ISDIR(mode) else "a device, pipe or socket"
        raise SourceError(f"{label} is not a file with a picture, but {what}.")
    return os.fdopen(descriptor, "rb")


@contextmanager
def open_folder(path: Path, label: str, policy: MediaPolicy) -> Iterator[int | Path]:
    """The folder ``path``, as ``os.scandir`` takes it; opened as ``open_file`` does, with the same errors."""
    if os.scandir not in os.supports_fd:
        check_local(Path(os.path.realpath(path)), label, policy)
        yield path
        return
    descriptor = _open(path, label, policy, FOLDER)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def check_local(path: Path, label: str, policy: MediaPolicy) -> None:
    """Raises SourceError where the policy does not allow ``path`` as it is written; follows no link of it."""
    if "file" not in policy.schemes:
        raise SourceError(f"{label} is not read: the media policy allows no files of this machine.")
    if policy.roots is not None and _place(path, policy.roots) is None:
        raise SourceError(f"{label} is not read: it is outside the folders that the media policy allows.")


def _open(path: Path, label: str, policy: MediaPolicy, flags: int) -> int:
    check_local(path, label, policy)
    place = _place(path, policy.roots or ())
    try:
        return os.open(path, flags) if place is None else open_beneath(*place, flags)
    except FileNotFoundError:
        raise SourceError(f"{label} leads to no file: it is a link to nothing, or was removed meanwhile.") from None
    except LeadsOut:
        raise SourceError(f"{label} is not read: it leads out of the folders that the media policy allows.") from None
    except (OSError, ValueError) as error:  # ValueError: a zero byte in the path
        why = error.strerror if isinstance(error, OSError) and error.strerror else "it is no path"
        raise SourceError(f"{label} cannot be read ({why}).") from error


def _place(path: Path, roots: tuple[Path, ...]) -> tuple[Path, Path] | None:
    """A root and the rest of the path below it, dots resolved as they are written."""
    whole = Path(os.path.abspath(path))  # noqa: PTH100 - pathlib leaves the dots in
    for root in roots:
        for base in (root, Path(os.path.realpath(root))):
            if whole.is_relative_to(base):
                return root, whole.relative_to(base)
    return None
