"""Fetch a run from a remote store into a folder: whole and verified, or not at all.

The fetch fills a hidden folder beside its target and renames that when every file is there, checked and on the disk, so
a target is either absent or complete. Files are checked against the run's ``SHA256SUMS`` where it has one, else against
the sizes that the store states. What an interrupted fetch left is kept: the next one goes on at the byte where
it stopped, unless the remote files changed since. A lock file makes other processes wait, then find the work done.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

from filelock import FileLock

from vi.inference.durable import sync_folder
from vi.inference.errors import LoadError
from vi.inference.runs.manifest import sha256
from vi.inference.runs.remote_store import RemoteFile, RemoteStore

PLAN_FILE = ".plan.json"
ORIGIN_FILE = ".origin.json"
Advance = Callable[[int], None]


def download(
    remote: RemoteStore,
    run_id: str,
    target: Path,
    *,
    checkpoint: str | None = None,
    overwrite: bool = False,
    show_progress: bool = True,
) -> bool:
    """Make ``target`` the remote run, or its checkpoint. False where the remote store has no such thing.

    overwrite: replace a target that exists; without it an existing target is left as it is.
    Raises LoadError where the remote fails, a file does not match its checksum, or the folder cannot be written.
    """
    with _local_failures(target.parent):
        target.parent.mkdir(parents=True, exist_ok=True)
        lock = FileLock(target.parent / f".{target.name}.lock")
        with lock:
            if target.exists() and not overwrite:
                return True
            plan = remote.plan(run_id, checkpoint)
            if not plan:
                return False
            partial = target.parent / f".{target.name}.partial"
            _prepare(partial, plan)
            with _progress(f"Fetching {checkpoint or run_id}", plan, show_progress) as advance:
                for file in plan:
                    _fetch_file(remote, file, partial / file.name, advance)
            (partial / PLAN_FILE).unlink()
            _write_synced(partial / ORIGIN_FILE, json.dumps({"store": remote.label}))
            _publish(partial, target)
    return True


def origin(folder: Path) -> str | None:
    """The store that ``folder`` was fetched from, or None for one that was put there by other means."""
    try:
        return str(json.loads((folder / ORIGIN_FILE).read_text(encoding="utf-8"))["store"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _prepare(partial: Path, plan: list[RemoteFile]) -> None:
    """Keep what an earlier fetch of the same files left, and check that the rest fits on the disk."""
    text = json.dumps([asdict(file) for file in plan])
    try:
        same = (partial / PLAN_FILE).read_text(encoding="utf-8") == text
    except (OSError, ValueError):
        same = False
    if not same:
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir()
        _write_synced(partial / PLAN_FILE, text)
    there = sum(path.stat().st_size for path in partial.rglob("*") if path.is_file())
    needed, free = sum(file.size or 0 for file in plan) - there, shutil.disk_usage(partial).free
    if needed > free:
        message = f"{partial.parent} has {free / 1e9:.1f} GB free; the run needs {needed / 1e9:.1f} GB more."
        raise LoadError(message, "Make room, or set VI_MODEL_STORE to a folder on another disk.")


def _fetch_file(remote: RemoteStore, file: RemoteFile, path: Path, advance: Advance) -> None:
    """Fetch one file, once more from its start where what an earlier fetch left turns out to be wrong."""
    path.parent.mkdir(parents=True, exist_ok=True)
    start = path.stat().st_size if path.exists() else 0
    if start and file.size is not None and start > file.size:
        start = 0
    _fetch_from(remote, file, path, start, advance)
    problem = _mismatch(file, path)
    if problem and start:
        _fetch_from(remote, file, path, 0, advance)
        problem = _mismatch(file, path)
    if problem:
        path.unlink()
        hint = "Try again; if it stays so, the file or its checksum is wrong in the store."
        raise LoadError(f"{remote.label}: {file.name} of the run arrived damaged ({problem}).", hint)


def _fetch_from(remote: RemoteStore, file: RemoteFile, path: Path, start: int, advance: Advance) -> None:
    advance(start)
    if file.size is None or start < file.size or file.size == 0:
        with path.open("r+b" if start else "wb") as out:
            for offset, piece in remote.read(file, start):
                out.seek(offset)
                out.write(piece)
                advance(len(piece))
            out.truncate()
            out.flush()
            os.fsync(out.fileno())


def _mismatch(file: RemoteFile, path: Path) -> str | None:
    """How the file differs from what was announced, or None."""
    size = path.stat().st_size
    if file.size is not None and size != file.size:
        return f"{size:,} of {file.size:,} bytes"
    if file.digest is not None and (digest := sha256(path)) != file.digest:
        return f"SHA-256 {digest[:12]}… instead of {file.digest[:12]}…"
    return None


def _publish(partial: Path, target: Path) -> None:
    """Put the complete folder in the target's place; readers see the old one or the new one, never a mixture."""
    for folder in (partial, *(path for path in partial.rglob("*") if path.is_dir())):
        sync_folder(folder)
    replaced = target.parent / f".{target.name}.replaced"
    shutil.rmtree(replaced, ignore_errors=True)
    if target.exists():
        target.rename(replaced)
    partial.rename(target)
    sync_folder(target.parent)
    shutil.rmtree(replaced, ignore_errors=True)


def _write_synced(path: Path, text: str) -> None:
    with path.open("w", encoding="utf-8") as out:
        out.write(text)
        out.flush()
        os.fsync(out.fileno())


@contextmanager
def _local_failures(store: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        message = f"The store {store} cannot be written ({error.strerror or error})."
        hint = "Set VI_MODEL_STORE to a folder that you may write to, or correct this one's permissions."
        raise LoadError(message, hint) from error


@contextmanager
def _progress(title: str, plan: list[RemoteFile], show: bool) -> Iterator[Advance]:
    """A bar on a terminal, nothing elsewhere."""
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn

    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    sizes = [file.size for file in plan]
    total = None if None in sizes else sum(size or 0 for size in sizes)
    with Progress(*columns, console=console, disable=not (show and console.is_terminal)) as progress:
        task = progress.add_task(title, total=total)
        yield lambda count: progress.advance(task, count)
