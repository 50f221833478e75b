"""A batch in a process of its own, without a model: what to kill, to starve of disk space and to measure.

Arguments: OUT, number of sources, seconds each takes.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from vi.inference.batch.parquet import load_pyarrow
from vi.inference.batch.run import Question, run_batch
from vi.inference.batch.summary import Summary
from vi.inference.errors import ConfigError, SourceUnreachable
from vi.inference.task_types import VQAAnswer, VQAResponse

with suppress(ConfigError):
    load_pyarrow()  # before any child is killed while it imports


class Slow:
    """Takes its time to answer, with text that has every kind of line break; every seventh source has an error."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds

    def iter(self, sources: Iterable[Any], *arguments: Any, **options: Any) -> Iterator[Any]:
        for row in sources:
            if self._seconds:
                time.sleep(self._seconds)
            name = row.source.label
            if name.endswith("7.png"):
                yield row, None, SourceUnreachable(f"{name} did not answer.")
            else:
                text = f'{name} says "two,\r\nthree" 😀'
                yield row, VQAResponse(prompt="What?", result=VQAAnswer(answer=text)), None


def sources(count: int) -> Iterator[str]:
    return (f"http://host/{number}.png" for number in range(count))


def run(out: Path, count: int, seconds: float, **options: Any) -> Summary:
    return run_batch(Slow(seconds), sources(count), out, Question("What?"), model_key="0" * 12, **options)


def start(out: Path, count: int, seconds: float) -> int:
    """``run`` in a child of this process, which has imported everything: its id."""
    child = os.fork()
    if child == 0:
        code = 1
        try:
            run(out, count, seconds)
            code = 0
        finally:
            os._exit(code)
    return child


def kill_again_and_again(out: Path, count: int, seconds: float, after: Iterable[float]) -> int:
    """Kill one run after the other; how many were killed before their end."""
    killed = 0
    for delay in after:
        child = start(out, count, seconds)
        time.sleep(delay)
        os.kill(child, signal.SIGKILL)
        _, status = os.waitpid(child, 0)
        killed += os.WIFSIGNALED(status)
    return killed


if __name__ == "__main__":
    run(Path(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3]))
