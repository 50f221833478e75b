"""A folder of files that appears whole or not at all."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from vi.inference.bundle.layout import MANIFEST, is_bundle
from vi.inference.errors import LoadError


def same_folder(one: Path, other: Path) -> bool:
    return one.resolve() == other.resolve()


@contextmanager
def work_folder(target: Path, in_place: bool) -> Iterator[Path]:
    """A hidden folder to write a bundle into; it becomes ``target`` at the end, or is gone.

    in_place: its files are moved among those of ``target`` instead. Raises LoadError where ``target`` holds something
    other than a bundle, or cannot be written.
    """
    if not in_place and target.exists() and not is_bundle(target) and (target.is_file() or any(target.iterdir())):
        raise LoadError(f"{target} holds something that is not a bundle.", "Choose another folder, or empty this one.")
    parent = target if in_place else target.parent
    try:
        parent.mkdir(parents=True, exist_ok=True)
        work = Path(tempfile.mkdtemp(prefix=f".{target.name}.", dir=parent))
    except OSError as error:
        message = f"{parent} cannot be written ({error.strerror or error})."
        raise LoadError(message, "Choose another folder, or correct this one's permissions.") from error
    try:
        yield work
        _move_into(work, target) if in_place else _replace(work, target)
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _move_into(work: Path, target: Path) -> None:
    """The manifest goes first and comes last: between them there is no bundle."""
    (target / MANIFEST).unlink(missing_ok=True)
    for path in sorted(work.iterdir(), key=lambda path: path.name == MANIFEST):
        path.replace(target / path.name)


def _replace(work: Path, target: Path) -> None:
    work.chmod(0o755)  # mkdtemp's own is 0o700
    if target.exists():
        old = work.with_name(f"{work.name}.old")
        target.rename(old)
        work.rename(target)
        shutil.rmtree(old, ignore_errors=True)
    else:
        work.rename(target)
