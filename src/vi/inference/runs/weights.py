"""The weight files of a Hugging Face folder, and what their headers say, read without a tensor library."""

from __future__ import annotations

import json
import struct
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any

from vi.inference.errors import LoadError

SINGLE_FILE = "model.safetensors"
INDEX_FILE = "model.safetensors.index.json"
PICKLE_PATTERN = "pytorch_model*.bin"
MAX_HEADER_BYTES = 100_000_000  # the safetensors reference implementation's own limit


@dataclass(frozen=True)
class WeightFiles:
    """``safetensors`` are the files that hold the weights; ``pickles`` what else might; ``missing`` absent shards."""

    safetensors: tuple[Path, ...]
    pickles: tuple[Path, ...] = ()
    missing: tuple[str, ...] = ()

    @property
    def size_bytes(self) -> int:
        return sum(path.stat().st_size for path in self.safetensors or self.pickles)

    def tensors(self) -> dict[str, dict[str, Any]]:
        """Tensor name → ``{"dtype", "shape", "data_offsets"}`` of every safetensors file."""
        return {name: entry for path in self.safetensors for name, entry in read_header(path).items()}

    def parameter_count(self) -> int:
        """Stored numbers: tied weights are counted once, as they are saved once."""
        return sum(prod(entry["shape"]) for entry in self.tensors().values())


def find_weights(folder: Path) -> WeightFiles:
    """The weight files of ``folder`` as ``from_pretrained`` would choose them: one file, else the index's shards."""
    pickles = tuple(sorted(folder.glob(PICKLE_PATTERN)))
    if (folder / SINGLE_FILE).is_file():
        return WeightFiles((folder / SINGLE_FILE,), pickles)
    if not (folder / INDEX_FILE).is_file():
        return WeightFiles((), pickles)
    names = _shard_names(folder / INDEX_FILE)
    missing = tuple(name for name in names if not (folder / name).is_file())
    return WeightFiles(tuple(folder / name for name in names if name not in missing), pickles, missing)


def _shard_names(index: Path) -> list[str]:
    try:
        names = sorted(set(json.loads(index.read_text(encoding="utf-8"))["weight_map"].values()))
    except (OSError, ValueError, KeyError, AttributeError, TypeError) as error:
        raise LoadError(f"{index} is not an index of weight shards ({error}).", "Fetch the checkpoint again.") from None
    outside = [name for name in names if Path(name).name != name]
    if outside:
        raise LoadError(f"{index} names a file outside its folder: {outside[0]}.", "Do not use this checkpoint.")
    return names


def read_header(path: Path) -> dict[str, dict[str, Any]]:
    """Header of a safetensors file: 8 bytes of length (little endian), then JSON.

    Raises LoadError where the file is cut off or is something else. Source: the format's own description,
    https://github.com/huggingface/safetensors#format.
    """
    size = path.stat().st_size
    with path.open("rb") as file:
        prefix = file.read(8)
        length = struct.unpack("<Q", prefix)[0] if len(prefix) == 8 else size
        if length > min(size - 8, MAX_HEADER_BYTES):
            raise LoadError(f"{path} is not a whole safetensors file ({size:,} bytes).", "Fetch the checkpoint again.")
        try:
            header = json.loads(file.read(length))
            tensors = {name: entry for name, entry in header.items() if name != "__metadata__"}
            end = max((entry["data_offsets"][1] for entry in tensors.values()), default=0)
        except (ValueError, KeyError, TypeError, AttributeError, IndexError):
            raise LoadError(f"{path} is not a safetensors file.", "Fetch the checkpoint again.") from None
    if 8 + length + end != size:
        message = f"{path} is cut off: {size:,} of {8 + length + end:,} bytes are there."
        raise LoadError(message, "Fetch the checkpoint again.")
    return tensors
