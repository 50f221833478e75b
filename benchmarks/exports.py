"""What a checkpoint was exported from, so that no engine is measured on weights of yesterday."""

from __future__ import annotations

import hashlib
from pathlib import Path

STAMP = "weights.sha256"


def is_made_of(folder: Path, model: Path) -> bool:
    """Whether an export says that it was made from the weights that ``model`` has now."""
    stamp = folder / STAMP
    return stamp.is_file() and stamp.read_text(encoding="utf-8").strip() == _digest(model)


def stamp(folder: Path, model: Path) -> None:
    """Write down what ``folder`` was made from."""
    (folder / STAMP).write_text(_digest(model) + "\n", encoding="utf-8")


def _digest(model: Path) -> str:
    return hashlib.sha256((model / "model.safetensors").read_bytes()).hexdigest()
