"""Real tiny models, the engines that run them, and requests to ask them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from tests.inference.engine.samples import LONG, picture, serial_engine

from vi.inference.engine.request import Request
from vi.inference.engine.serial import SerialEngine
from vi.inference.generation_config import GenerationConfig
from vi.inference.preprocess.prompt import Prompt

if TYPE_CHECKING:
    from vi.inference.loading.loaded import LoadedModel


@pytest.fixture(scope="session")
def load_tiny(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., LoadedModel]:
    """(family, seed) -> a model of its own."""
    from tests.families import tiny_qwen2_5_vl, tiny_qwen2_vl, tiny_smolvlm  # torch is for those who ask for it

    from vi.inference.loading.loader import load
    from vi.inference.runs.files import RunFiles

    families = {"qwen2_5_vl": tiny_qwen2_5_vl, "qwen2_vl": tiny_qwen2_vl, "smolvlm": tiny_smolvlm}
    folder = tmp_path_factory.mktemp("engine")

    def load_one(family: str = "qwen2_5_vl", seed: int = 0) -> LoadedModel:
        path: Path = folder / f"{family}-{seed}"
        return load(RunFiles(None, path if path.exists() else families[family](path, seed=seed)), device="cpu")

    return load_one


@pytest.fixture(scope="session")
def loaded(load_tiny: Callable[..., LoadedModel]) -> LoadedModel:
    return load_tiny()


@pytest.fixture
def engine(loaded: LoadedModel) -> Iterator[SerialEngine]:
    engine = serial_engine(loaded)
    yield engine
    engine.close()


@pytest.fixture(scope="session")
def prompt(loaded: LoadedModel) -> Callable[..., Prompt]:
    """(text, size) -> a prompt about a noisy picture of that size."""
    from vi.inference.preprocess.chat import ChatPrompt

    chat = ChatPrompt(loaded)
    return lambda text="How many?", size=(64, 48): chat.build(text, picture=picture(size), system_prompt="You are.")


@pytest.fixture
def ask(prompt: Callable[..., Prompt]) -> Callable[..., Request]:
    """(text, size=, grammar=, **config) -> a request."""

    def make(text: str = "How many?", size: tuple[int, int] = (64, 48), grammar: Any = None, **config: Any) -> Request:
        return Request(prompt(text, size), GenerationConfig(**{"max_new_tokens": 24, **config}), grammar)

    return make


@pytest.fixture
def endless(ask: Callable[..., Request]) -> Request:
    """A request that takes thousands of steps unless it is stopped."""
    return ask(grammar=LONG, max_new_tokens=1900, loop_detection=False)
