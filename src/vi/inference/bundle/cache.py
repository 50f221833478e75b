"""Bundles made when a checkpoint is first loaded, kept in a folder of their own and known by what they were made of."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator
from pathlib import Path

from filelock import FileLock

from vi.inference.bundle.convertible import require_convertible_checkpoint
from vi.inference.bundle.layout import VERSION, WORDS, Bundle, is_bundle, read_bundle
from vi.inference.errors import LoadError
from vi.inference.runs.files import ADAPTER_FILES, RunFiles
from vi.inference.runs.manifest import sha256
from vi.inference.runs.weights import find_weights

CACHE_VARIABLE = "VI_BUNDLE_CACHE"
DEFAULT_CACHE = "~/.datature/vi/bundles"
DIGESTS = "digests.json"  # of large files, by path, size and time of change: a second load reads none of them


def cache_folder() -> Path:
    """``VI_BUNDLE_CACHE``, else ``~/.datature/vi/bundles``. Any bundle in it can be deleted; it is made again."""
    return Path(os.environ.get(CACHE_VARIABLE) or DEFAULT_CACHE).expanduser()


def bundle_for(files: RunFiles, *, weights: str | None = None, show_progress: bool = True) -> Bundle:
    """The bundle of a run: its own where one lies in its folder, else one of the cache, made now if it must be.

    weights: how a bundle of the cache stores them (see ``convert``). Another process that wants the same bundle waits
    for this one. Raises LoadError for an architecture that cannot be converted, and where the cache cannot be written.
    """
    if is_bundle(files.model_path) and files.adapter_path is None:
        bundle = read_bundle(files.model_path)
        if weights in (None, bundle.facts.weights):
            return bundle
    require_convertible_checkpoint(files.model_path)
    cache = cache_folder()
    try:
        cache.mkdir(parents=True, exist_ok=True)
        folder = cache / _key(files, weights, cache)
        with FileLock(cache / f".{folder.name}.lock"):
            if is_bundle(folder):
                try:
                    return read_bundle(folder)
                except LoadError:  # damaged: it is made again
                    pass
            from vi.inference.bundle.convert import convert

            return convert(files, folder, weights=weights, show_progress=show_progress)
    except OSError as error:
        message = f"The cache of bundles {cache} cannot be written ({error.strerror or error})."
        raise LoadError(message, f"Set {CACHE_VARIABLE} to a folder that you may write to.") from error


def _key(files: RunFiles, weights: str | None, cache: Path) -> str:
    """``<name>-<digest>`` of everything that goes into the bundle, whatever folder it is in."""
    digest = hashlib.sha256(f"{VERSION} {weights}".encode())
    digests = _Digests(cache / DIGESTS)
    for path in _sources(files):
        digest.update(f"\n{path.parent == files.adapter_path} {path.name} {digests.of(path)}".encode())
    digests.save()
    name = "".join(letter if letter.isalnum() or letter in "-_." else "-" for letter in files.name).lstrip(".")
    return f"{name or 'model'}-{digest.hexdigest()[:24]}"


def _sources(files: RunFiles) -> Iterator[Path]:
    model, adapter = files.model_path, files.adapter_path
    found = find_weights(model)
    names = [model / name for name in WORDS]
    if adapter is not None:
        names += [adapter / name for name in ("adapter_config.json", *ADAPTER_FILES)]
    yield from (path for path in (*names, *found.safetensors, *found.pickles) if path.is_file())


class _Digests:
    """SHA-256 of files, remembered while their size and time of change stay the same."""

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            self._known: dict[str, str] = dict(json.loads(path.read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError):
            self._known = {}
        self._changed = False

    def of(self, path: Path) -> str:
        state = path.stat()
        key = f"{path.resolve()} {state.st_size} {state.st_mtime_ns}"
        if key not in self._known:
            self._known[key] = sha256(path)
            self._changed = True
        return self._known[key]

    def save(self) -> None:
        if self._changed:
            partial = self._path.with_name(f".{self._path.name}.{os.getpid()}")
            partial.write_text(json.dumps(self._known, indent=0), encoding="utf-8")
            partial.replace(self._path)
