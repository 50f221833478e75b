"""The command line in this process, and small pictures to ask about."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from vi.cli.app import app


@pytest.fixture
def vi_infer() -> Callable[..., Any]:
    """Run ``vi-infer`` with these arguments; the result has exit_code, stdout, stderr."""

    def run(*arguments: object) -> Any:
        result = CliRunner().invoke(app, [str(argument) for argument in arguments], prog_name="vi-infer")
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result

    return run


@pytest.fixture
def ask(vi_infer: Callable[..., Any], tiny_checkpoint: Path) -> Callable[..., Any]:
    """``vi-infer predict`` with the tiny checkpoint and a small cap; later options win over these."""

    def run(*arguments: object) -> Any:
        return vi_infer("predict", "--model", tiny_checkpoint, "--config", '{"max_new_tokens": 12}', *arguments)

    return run


@pytest.fixture
def pictures(tmp_path: Path) -> list[Path]:
    """Three pictures, ``shots/0.png`` to ``shots/2.png``."""
    (tmp_path / "shots").mkdir()
    rng = np.random.default_rng(0)
    paths = [tmp_path / "shots" / f"{index}.png" for index in range(3)]
    for path in paths:
        Image.fromarray(rng.integers(0, 256, (48, 64, 3), dtype=np.uint8)).save(path)
    return paths


@pytest.fixture
def objects() -> Callable[[Any], list[dict[str, Any]]]:
    """The JSON objects on standard output; fails where anything else is there."""
    return lambda result: [json.loads(line) for line in result.stdout.splitlines()]
