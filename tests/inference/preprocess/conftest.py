"""Real tiny checkpoints, loaded the way the product loads them, and transformers' own reading of them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import transformers
from tests.families import tiny_qwen2_5_vl, tiny_qwen2_vl, tiny_smolvlm

from vi.inference.loading.loaded import LoadedModel
from vi.inference.loading.loader import load
from vi.inference.runs.files import RunFiles

FAMILIES: dict[str, Callable[..., Path]] = {
    "qwen2_5_vl": tiny_qwen2_5_vl,
    "qwen2_vl": tiny_qwen2_vl,
    "smolvlm": tiny_smolvlm,
}


@pytest.fixture(scope="session")
def checkpoints(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("preprocess")
    return {name: make(folder / name) for name, make in FAMILIES.items()}


@pytest.fixture(scope="session")
def loaded_models(checkpoints: dict[str, Path]) -> dict[str, LoadedModel]:
    return {name: load(RunFiles(None, folder), device="cpu") for name, folder in checkpoints.items()}


@pytest.fixture(scope="session")
def stock_tokenizers(checkpoints: dict[str, Path]) -> dict[str, Any]:
    """transformers' tokenizers of the same checkpoints."""
    return {name: transformers.AutoTokenizer.from_pretrained(folder) for name, folder in checkpoints.items()}


@pytest.fixture(scope="session")
def stock_processors(checkpoints: dict[str, Path]) -> dict[str, Any]:
    """transformers' image processors of the same checkpoints, those that work on Pillow's pictures."""
    load_processor = transformers.AutoImageProcessor.from_pretrained
    return {name: load_processor(folder, backend="pil") for name, folder in checkpoints.items()}


@pytest.fixture
def loaded(loaded_models: dict[str, LoadedModel]) -> LoadedModel:
    return loaded_models["qwen2_5_vl"]
