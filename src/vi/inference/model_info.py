"""What a run is, read from its JSON files and weight headers: no weights, no torch."""

from __future__ import annotations

from collections import Counter
from math import prod
from typing import Any

from pydantic import BaseModel, ConfigDict

from vi.inference.runs.files import RunFiles
from vi.inference.runs.model_config import read_model_config
from vi.inference.runs.weights import find_weights


class ModelInfo(BaseModel):
    """A model without its weights loaded.

    size_gb: size of the weight files, or of a bundle's graphs, in 10⁹ bytes; None where they are not on this machine.
    parameters: stored numbers; None for a bundle. metadata: what ``run.json`` says beyond the fields, and facts of the
    checkpoint.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", protected_namespaces=())

    model_name: str
    model_path: str
    architecture: str
    size_gb: float | None
    parameters: int | None
    task_type: str
    supported_tasks: tuple[str, ...]
    run_id: str | None
    adapter_available: bool
    metadata: dict[str, Any]

    @property
    def name(self) -> str:
        """``model_name`` by its shorter name."""
        return self.model_name

    @property
    def path(self) -> str:
        """``model_path`` by its shorter name."""
        return self.model_path

    def __str__(self) -> str:
        size = "not fetched"
        if self.size_gb is not None:
            size = f"{self.size_gb:.3g} GB" if self.size_gb >= 1 else f"{self.size_gb * 1000:.3g} MB"
        count = f"{self.parameters / 1e6:,.1f} million" if self.parameters is not None else "unknown"
        rows = {
            "model": self.model_name,
            "run": self.run_id or "none (a plain checkpoint)",
            "architecture": self.architecture,
            "parameters": count,
            "weights": size,
            "task": self.task_type,
            "supported tasks": ", ".join(self.supported_tasks),
            "adapter": "yes" if self.adapter_available else "no",
            "path": self.model_path,
            **{name: str(value) for name, value in self.metadata.items() if isinstance(value, str | int | float)},
        }
        width = max(map(len, rows))
        return "\n".join(f"{name:<{width}}  {value}" for name, value in rows.items())


def inspect(files: RunFiles) -> ModelInfo:
    """Facts about a run. A plain checkpoint's task is ``freeform``. Raises LoadError for a broken file."""
    record = files.record
    config = read_model_config(files.model_path)
    architecture = (config.get("architectures") or [config.get("model_type") or "unknown"])[0]
    weights = find_weights(files.model_path)
    tensors = weights.tensors()
    there = bool(weights.safetensors or weights.pickles) and not weights.missing
    size = weights.size_bytes if there else sum(path.stat().st_size for path in files.model_path.glob("*.bin"))
    task = record.task_type or "freeform"
    return ModelInfo(
        model_name=record.model_name or files.name,
        model_path=str(files.model_path),
        architecture=architecture,
        size_gb=size / 1e9 if size else None,
        parameters=sum(prod(entry["shape"]) for entry in tensors.values()) if there and tensors else None,
        task_type=task,
        supported_tasks=record.supported_tasks or (task,),
        run_id=files.run_id,
        adapter_available=files.adapter_path is not None,
        metadata={**_facts(config, tensors), **record.metadata},
    )


def _facts(config: dict[str, Any], tensors: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """Facts worth a line, each left out where the checkpoint does not state it."""
    text = config.get("text_config") or config
    stored = Counter(entry["dtype"] for entry in tensors.values()).most_common(1)
    facts = {
        "model_type": config.get("model_type"),
        "stored_as": stored[0][0] if stored else None,
        "context_length": text.get("max_position_embeddings"),
        "vocab_size": text.get("vocab_size"),
    }
    return {name: value for name, value in facts.items() if value is not None}
