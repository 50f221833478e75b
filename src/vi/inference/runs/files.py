"""The files of a run on this machine: ``model/`` in Hugging Face layout and, for a LoRA run, ``adapter/``."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from vi.inference.errors import LoadError
from vi.inference.runs.record import RunRecord, read_record
from vi.inference.runs.weights import find_weights

TOKENIZER_FILES = ("tokenizer.json", "tokenizer.model", "vocab.json", "vocab.txt", "spiece.model", "tekken.json")
PROCESSOR_FILES = ("preprocessor_config.json", "processor_config.json")
ADAPTER_FILES = ("adapter_model.safetensors", "adapter_model.bin")
BUNDLE_FILE = "bundle.json"  # of a folder with graphs, which hold the weights themselves


@dataclass(frozen=True)
class RunFiles:
    """Where a run's files are, and its record. ``run_id`` is None for a plain checkpoint."""

    run_id: str | None
    model_path: Path
    adapter_path: Path | None = None
    record: RunRecord = field(default_factory=RunRecord)
    name: str = ""


def read_run(folder: Path, *, run_id: str, name: str = "", base: Path | None = None) -> RunFiles:
    """The files of the run or checkpoint in ``folder``.

    base: folder of the run that a checkpoint belongs to; a checkpoint that is only an adapter uses its model.
    Raises LoadError that lists what is missing.
    """
    model, adapter = folder / "model", folder / "adapter"
    if base is not None and not model.is_dir():
        model = base / "model"
    require_model(model)
    if adapter.is_dir():
        require_adapter(adapter)
    return RunFiles(run_id, model, adapter if adapter.is_dir() else None, read_record(model), name or run_id)


def require_model(folder: Path, *, weights: bool = True) -> None:
    """Raise LoadError unless ``folder`` has a config, weights or a bundle, a tokenizer and a picture processor."""
    if not folder.is_dir():
        raise LoadError(f"There is no folder {folder}.", "A run keeps its Hugging Face files in <run>/model/.")
    missing = [] if (folder / "config.json").is_file() else ["config.json"]
    if weights:
        found = find_weights(folder)
        missing += found.missing
        if not (found.safetensors or found.missing or found.pickles or (folder / BUNDLE_FILE).is_file()):
            missing.append("weights (model.safetensors or model.safetensors.index.json)")
    for kind, names in (("tokenizer", TOKENIZER_FILES), ("picture processor", PROCESSOR_FILES)):
        if not any((folder / name).is_file() for name in names):
            missing.append(f"a {kind} ({names[0]})")
    if missing:
        hint = "Copy the files there, or fetch the run again with overwrite=True."
        if (folder / "adapter_config.json").is_file():
            hint = "It holds an adapter: put it into <run>/adapter/ and its base model into <run>/model/."
        raise LoadError(f"{folder} is incomplete. Missing: {', '.join(missing)}.", hint)


def require_adapter(folder: Path) -> None:
    """Raise LoadError unless ``folder`` has a PEFT adapter's config and weights."""
    missing = [] if (folder / "adapter_config.json").is_file() else ["adapter_config.json"]
    if not any((folder / name).is_file() for name in ADAPTER_FILES):
        missing.append(f"weights ({ADAPTER_FILES[0]})")
    if missing:
        hint = "Remove the folder to run the base model alone, or fetch the run again with overwrite=True."
        raise LoadError(f"{folder} is incomplete. Missing: {', '.join(missing)}.", hint)
