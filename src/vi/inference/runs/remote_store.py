"""A store of runs behind any fsspec URL (``s3://``, ``http://``, ``memory://`` …): what it has, and its bytes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import fsspec

from vi.inference.errors import LoadError
from vi.inference.runs.manifest import MANIFEST_FILE, parse_manifest, plain_path

CHECKPOINTS = "checkpoints"
PIECE_BYTES = 1 << 20
MARKS = ("ETag", "etag", "LastModified", "mtime", "created")


@dataclass(frozen=True)
class RemoteFile:
    """One file to fetch. ``name`` is relative to the run or checkpoint; size in bytes and SHA-256 where known.

    ``mark`` changes when the remote file does, as far as the store tells (an ETag or a time).
    """

    path: str
    name: str
    size: int | None
    digest: str | None
    mark: str


class RemoteStore:
    """Runs behind ``url``. Every failure is a LoadError; ``label`` is the URL without credentials, for messages."""

    def __init__(self, url: str) -> None:
        self.label = without_credentials(url)
        with self._failures("opened"):
            self._fs, root = fsspec.core.url_to_fs(url)
        self._root = root.rstrip("/")

    def names(self, *parts: str) -> list[str]:
        """Names of the folders in the store (or in ``parts`` of it); empty where the store cannot list."""
        self._fs.invalidate_cache()
        try:
            entries = self._fs.ls(self._path(*parts), detail=True)
        except Exception:  # only for a hint: each store has its own exceptions for a folder that it cannot list
            return []
        names = [entry["name"].rstrip("/").rpartition("/")[2] for entry in entries if entry["type"] == "directory"]
        return sorted(name for name in names if not name.startswith("."))

    def plan(self, run_id: str, checkpoint: str | None = None) -> list[RemoteFile]:
        """The files of a run but for its checkpoints, or those of one checkpoint; empty where it does not exist.

        A run's ``SHA256SUMS`` is its list of files, else the store is asked for one.
        """
        self._fs.invalidate_cache()
        run = self._path(run_id)
        folder = f"{CHECKPOINTS}/{checkpoint}/" if checkpoint else ""
        with self._failures("read"):
            digests = self._manifest(run)
            names = self._list(run, folder) if digests is None else list(digests)
            if not checkpoint:
                names = [name for name in names if not name.startswith(f"{CHECKPOINTS}/")]
            wanted = [name for name in names if name.startswith(folder)]
            return [self._describe(f"{run}/{n}", n.removeprefix(folder), (digests or {}).get(n)) for n in wanted]

    def read(self, file: RemoteFile, start: int) -> Iterator[tuple[int, bytes]]:
        """Pieces of ``file`` with their offsets from byte ``start``; all of them again where the store only streams."""
        with self._failures("read"):
            try:
                yield from self._pieces(file.path, start)
            except ValueError:  # fsspec's answer to an HTTP server without ranges; block_size=0 makes it stream
                yield from self._pieces(file.path, 0, block_size=0)

    def _pieces(self, path: str, start: int, **options: int) -> Iterator[tuple[int, bytes]]:
        with self._fs.open(path, "rb", **options) as source:
            if start:
                source.seek(start)
            while piece := source.read(PIECE_BYTES):
                yield start, piece
                start += len(piece)

    def _path(self, *parts: str) -> str:
        return str(self._fs._strip_protocol("/".join([self._root, *parts])))  # the spelling that find and ls answer in

    def _manifest(self, run: str) -> dict[str, str] | None:
        try:
            text = self._fs.cat_file(f"{run}/{MANIFEST_FILE}").decode("utf-8", errors="replace")
        except FileNotFoundError:
            return None
        return parse_manifest(text, f"{without_credentials(run)}/{MANIFEST_FILE}")

    def _list(self, run: str, folder: str) -> list[str]:
        try:
            paths = [str(path) for path in self._fs.find(f"{run}/{folder}".rstrip("/"))]
        except (FileNotFoundError, NotADirectoryError):
            return []
        names = [path.removeprefix(f"{run}/") for path in paths if path.startswith(f"{run}/")]
        return [plain_path(name, self.label) for name in names if "/." not in f"/{name}"]

    def _describe(self, path: str, name: str, digest: str | None) -> RemoteFile:
        info: dict[str, Any] = self._fs.info(path)
        mark = next((str(info[key]) for key in MARKS if info.get(key)), "")
        return RemoteFile(path, name, info.get("size"), digest, mark)

    @contextmanager
    def _failures(self, verb: str) -> Iterator[None]:
        """Any failure as a LoadError: each kind of store raises its own, few of them OSErrors."""
        try:
            yield
        except LoadError:
            raise
        except ImportError as error:
            hint = "Install the package that it names, or fetch the run by other means."
            raise LoadError(f"The store {self.label} cannot be {verb}: {error}.", hint) from error
        except Exception as error:
            reason = without_credentials(str(error)) or type(error).__name__
            hint = "Check the address and the credentials, and try again: what was fetched is kept."
            failure = LoadError(f"The store {self.label} cannot be {verb}: {reason}.", hint)
            failure.retryable = True
            raise failure from error


def is_url(place: str) -> bool:
    """Whether a store's place is an fsspec URL (a chain of them counts) rather than a folder."""
    return "://" in place or "::" in place


def without_credentials(url: str) -> str:
    """``url`` without a user, a password or a query, which may hold a token."""
    return re.sub(r"\?\S*", "", re.sub(r"(?<=://)[^/@\s]*@", "", url))
