"""Real tiny checkpoints, loaded the way the product loads them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from tests.families import tiny_qwen2_5_vl, tiny_qwen2_vl, tiny_smolvlm

from vi.inference.loading.loader import LoadedModel, load
from vi.inference.runs.files import RunFiles

FAMILIES: dict[str, Callable[..., Path]] = {
    "qwen2_5_vl": tiny_qwen2_5_vl,
    "qwen2_vl": tiny_qwen2_vl,
    "smolvlm": tiny_smolvlm,
}


@pytest.fixture(scope="session")
def loaded_models(tmp_path_factory: pytest.TempPathFactory) -> dict[str, LoadedModel]:
    folder = tmp_path_factory.mktemp("preprocess")
    return {name: load(RunFiles(None, make(folder / name)), device="cpu") for name, make in FAMILIES.items()}


@pytest.fixture
def loaded(loaded_models: dict[str, LoadedModel]) -> LoadedModel:
    return loaded_models["qwen2_5_vl"]
