"""A bundle: a folder with a model as OpenVINO runs it, the checkpoint's own words beside it, and a manifest of both."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, ValidationError

from vi.inference.errors import LoadError
from vi.inference.runs.files import BUNDLE_FILE as MANIFEST
from vi.inference.runs.manifest import sha256

LANGUAGE, VISION, TABLE = "language.xml", "vision.xml", "embedding.bin"
VERSION = 2  # of this layout; raised when an older reader would go wrong
READ_WHOLE = 64_000_000  # bytes; larger files are compared by their size, unless asked for
Weights = Literal["f32", "f16", "int8", "int4"]
AGAIN = "Make it again with vi-infer convert, or fetch the run again."

WORDS = (  # what a bundle takes from a checkpoint as it is
    "config.json",
    "generation_config.json",
    "tokenizer.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "chat_template.jinja",
    "chat_template.json",
    "preprocessor_config.json",
    "processor_config.json",
    "video_preprocessor_config.json",
    "run.json",
)


class _Facts(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class TableFacts(_Facts):
    """Where the embedding table lies: ``rows`` x ``columns`` numbers of ``dtype`` from byte ``offset`` of ``file``."""

    file: str
    offset: int
    dtype: Literal["float16", "float32"]
    rows: int
    columns: int


class VisionFacts(_Facts):
    """What the numpy half of a picture encoder must know.

    kind: ``patches`` for a grid of any size, ``tiles`` for tiles of one size, ``planes`` where their features are laid
    out as one plane. merge: patches a side that make one feature. window: merged patches a side of an attention window,
    0 without. grid: side of the learned grid of positions, 0 without. tile: pixels a side of a tile; side: its
    features a side; grids: (height, width) in pixels that a picture may be fitted into; most_tiles: of how many tiles
    the area of a plane is at most, 0 without.
    """

    kind: Literal["patches", "tiles", "planes"]
    merge: int = 1
    window: int = 0
    grid: int = 0
    tile: int = 0
    side: int = 0
    grids: tuple[tuple[int, int], ...] = ()
    most_tiles: int = 0


class BundleFacts(_Facts):
    """What a runner must know of a model. Sizes are in elements; ``axes`` of positions are 3 (M-RoPE) or 1.

    weights: ``f32``, ``f16``, ``int8`` or ``int4``. deepstack: layers of the language model that picture features are
    added after; a feature is ``hidden_size * (1 + deepstack)`` wide.
    """

    family: str
    weights: Weights
    num_layers: int
    num_kv_heads: int
    head_dim: int
    hidden_size: int
    vocab_size: int
    axes: Literal[1, 3]
    deepstack: int = 0
    eos_token_ids: tuple[int, ...]
    media_token_ids: tuple[int, ...]
    placeholder_id: int
    context_length: int
    table: TableFacts
    vision: VisionFacts


class FileRecord(_Facts):
    """A file's size in bytes and its SHA-256 in hexadecimal."""

    size: int
    sha256: str


class _Manifest(_Facts):
    version: int
    facts: BundleFacts
    files: dict[str, FileRecord]


@dataclass(frozen=True)
class Bundle:
    """A bundle whose files are all there."""

    folder: Path
    facts: BundleFacts

    @property
    def language(self) -> Path:
        return self.folder / LANGUAGE

    @property
    def vision(self) -> Path:
        return self.folder / VISION

    def table(self) -> np.ndarray:
        """The embedding table [rows, columns], mapped, not read."""
        table = self.facts.table
        shape = (table.rows, table.columns)
        return np.memmap(self.folder / table.file, table.dtype, mode="r", offset=table.offset, shape=shape)


def is_bundle(folder: Path) -> bool:
    return (folder / MANIFEST).is_file()


def read_bundle(folder: Path, *, verify: bool = False) -> Bundle:
    """The bundle in ``folder``, every file compared with the manifest: by its size and, up to 64 MB, by its checksum.

    verify: compare the checksums of larger files too. Raises LoadError for a manifest that is not one or is of a newer
    layout, and for a file that is missing or different.
    """
    manifest = _read_manifest(folder / MANIFEST)
    for name, stated in manifest.files.items():
        path = folder / name
        if not path.is_file():
            raise LoadError(f"The bundle {folder} lacks {name}.", AGAIN)
        size = path.stat().st_size
        if size != stated.size:
            raise LoadError(f"{path} has {size:,} bytes; its bundle states {stated.size:,}.", AGAIN)
        if (verify or size <= READ_WHOLE) and sha256(path) != stated.sha256:
            raise LoadError(f"{path} is not the file its bundle was made with (its SHA-256 differs).", AGAIN)
    return Bundle(folder, manifest.facts)


def _read_manifest(path: Path) -> _Manifest:
    try:
        value: Any = json.loads(path.read_text(encoding="utf-8"))
        version = int(value["version"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise LoadError(f"{path} is not a bundle's manifest ({error}).", AGAIN) from None
    if version > VERSION:
        hint = "Install a newer vi-inference, or make the bundle again with this one: vi-infer convert."
        raise LoadError(f"{path} is of layout {version}; this version reads up to {VERSION}.", hint)
    try:
        manifest = _Manifest.model_validate(value)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"]))
        raise LoadError(f"{path}: {place} is wrong ({first['msg']}).", AGAIN) from None
    outside = [name for name in (*manifest.files, manifest.facts.table.file) if Path(name).name != name]
    if outside:
        raise LoadError(f"{path} names a file outside its folder: {outside[0]}.", "Do not use this bundle.")
    return manifest


def write_manifest(folder: Path, facts: BundleFacts, files: Iterable[Path]) -> None:
    """Write the manifest of a bundle of ``facts`` and ``files`` into ``folder``; files are known by their names."""
    records = {path.name: FileRecord(size=path.stat().st_size, sha256=sha256(path)) for path in sorted(files)}
    manifest = _Manifest(version=VERSION, facts=facts, files=records)
    (folder / MANIFEST).write_text(manifest.model_dump_json(indent=1) + "\n", encoding="utf-8")
