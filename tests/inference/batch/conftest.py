"""An asker without a model: its answers say what it was asked, so that rows can be told apart."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from vi.inference.batch.columns import OutputRow
from vi.inference.batch.output import read_output
from vi.inference.batch.run import Question, run_batch
from vi.inference.batch.summary import Summary
from vi.inference.errors import SourceError
from vi.inference.task_types import VQAAnswer, VQAResponse


class Echo:
    """Answers with the source and the prompt. Keeps what it was asked; fails where a file is missing."""

    def __init__(self, backwards: bool = False) -> None:
        self.asked: list[str] = []
        self._backwards = backwards  # the order in which unordered answers come

    def iter(self, sources: Any, user_prompt: Any, generation_config: Any, *, ordered: bool, **options: Any) -> Any:
        if not ordered and self._backwards:
            sources = reversed(list(sources))
        for row in sources:
            item = row.source
            self.asked.append(item.label)
            prompt = row.prompt or user_prompt or "?"
            if item.kind == "file" and not Path(item.value).exists():
                yield row, None, SourceError(f"There is no file {item.label}.")
            else:
                answer = VQAAnswer(answer=f"{item.label}: {prompt}")
                yield row, VQAResponse(prompt=prompt, result=answer), None


@pytest.fixture
def echo() -> Echo:
    return Echo()


@pytest.fixture
def shots(tmp_path: Path) -> Path:
    """A folder of five small pictures, 0.png to 4.png."""
    folder = tmp_path / "shots"
    folder.mkdir()
    rng = np.random.default_rng(0)
    for index in range(5):
        Image.fromarray(rng.integers(0, 256, (24, 32, 3), dtype=np.uint8)).save(folder / f"{index}.png")
    return folder


@pytest.fixture(params=[".jsonl", ".csv", ".parquet"])
def out(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """An output of each format."""
    if request.param == ".parquet":
        pytest.importorskip("pyarrow")
    return tmp_path / "out" / f"answers{request.param}"


@pytest.fixture
def batch(echo: Echo, out: Path) -> Callable[..., Summary]:
    """Run a batch into ``out`` with one model."""

    def run(rows: Any, prompt: str = "What?", model: Any = echo, **options: Any) -> Summary:
        return run_batch(model, rows, out, Question(prompt), **{"model_key": "0123456789ab", **options})

    return run


@pytest.fixture
def rows(out: Path) -> Callable[[], list[OutputRow]]:
    return lambda: list(read_output(out))


@pytest.fixture
def written(rows: Callable[[], list[OutputRow]]) -> Callable[[], list[str]]:
    """The names of the output's sources, in its order."""
    return lambda: [Path(row["source"]).name for row in rows()]
