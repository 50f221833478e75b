"""What exporters share: their options, and what was exported, so that nothing is measured on weights of yesterday."""

from __future__ import annotations

import argparse
import hashlib
from pathlib import Path

from workloads import EMBEDDED

STAMP = "weights.sha256"


def export_parser(description: str | None) -> argparse.ArgumentParser:
    """OUT, --exporter and --model."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--exporter", type=Path, required=True, help="the interpreter of the exporter's environment")
    parser.add_argument("--model", type=Path, default=EMBEDDED, help="a checkpoint; the embedded run if left out")
    return parser


def is_made_of(folder: Path, model: Path) -> bool:
    """Whether an export says that it was made from the weights that ``model`` has now."""
    stamp = folder / STAMP
    return stamp.is_file() and stamp.read_text(encoding="utf-8").strip() == _digest(model)


def stamp(folder: Path, model: Path) -> None:
    """Write down what ``folder`` was made from."""
    (folder / STAMP).write_text(_digest(model) + "\n", encoding="utf-8")


def _digest(model: Path) -> str:
    return hashlib.sha256((model / "model.safetensors").read_bytes()).hexdigest()
