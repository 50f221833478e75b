"""Tiny models of every family, twice: one that a runner owns and one that transformers runs its own way."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import transformers
from tests.families import TINY
from tests.inference.engine.samples import picture

from vi.inference.engine.runners.torch_runner import PagedTorchRunner
from vi.inference.loading.loader import load
from vi.inference.preprocess.chat import ChatPrompt
from vi.inference.preprocess.prompt import Prompt
from vi.inference.runs.files import RunFiles


@dataclass(frozen=True)
class Pair:
    """loaded: ours. oracle: the same weights in transformers' hands; it never ends an answer by itself. folder: both
    were read from it."""

    folder: Path
    loaded: Any
    oracle: Any
    chat: ChatPrompt

    def prompt(self, text: str, size: tuple[int, int] | None = None) -> Prompt:
        """A question, about a noisy picture of (width, height) where there is a size."""
        shown = None if size is None else picture(size)
        return self.chat.build(text, picture=shown, system_prompt="You are careful.")

    def runner(self, num_blocks: int = 128, block_size: int = 8) -> PagedTorchRunner:
        """A runner over small blocks, so that a few words fill several."""
        of = self.loaded.weights
        return PagedTorchRunner(of.model, of.config, of.device, of.dtype, num_blocks=num_blocks, block_size=block_size)


@pytest.fixture(scope="session")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Pair]:
    """(family, fields of its text config) -> its models, made once."""
    folder = tmp_path_factory.mktemp("pairs")

    @cache
    def make(family: str, **overrides: Any) -> Pair:
        path = TINY[family](
            folder / "-".join([family, *(f"{name}-{value}" for name, value in overrides.items())]), **overrides
        )
        loaded = load(RunFiles(None, path), device="cpu")
        oracle = transformers.AutoModelForImageTextToText.from_pretrained(path)
        oracle.generation_config.eos_token_id = None
        return Pair(path, loaded, oracle, ChatPrompt(loaded))

    return make
