"""Processes that each hold a model and answer side by side: one a core answers twice as much as one over two cores."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Iterable, Iterator
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any

from training.workbench.outcomes import SCENES, Outcome, Plan, Sheet, chunks, outcomes
from vi.inference import ViModel

MOST = 8  # processes, unless more are asked for
SMALL = 0.1  # GB of weights: a larger model is held once
_SENT = 32  # outcomes at a time


def open_model(run: Path | None, **options: Any) -> ViModel:
    """The embedded run, or the run or checkpoint in that folder."""
    return ViModel(pretrained_model_name_or_path=_model_path(run), **options) if run is not None else ViModel(**options)


def fitting(run: Path | None) -> int:
    """How many processes suit the model: one a core for a small one."""
    size = ViModel.inspect(pretrained_model_name_or_path=_model_path(run)).size_gb if run else ViModel.inspect().size_gb
    return min(MOST, num_cores()) if size is not None and size <= SMALL else 1


def num_cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def answer_side_by_side(run: Path | None, processes: int, plan: Plan) -> Iterator[Outcome]:
    """Outcomes as they come, in no order that can be relied on. Raises what a process raises, RuntimeError if one
    dies."""
    context = multiprocessing.get_context("spawn")  # threads of this process do not survive a fork
    threads = max(1, num_cores() // processes)
    crew: dict[Connection, multiprocessing.process.BaseProcess] = {}
    try:
        for _ in range(processes):
            ours, theirs = context.Pipe()
            crew[ours] = process = context.Process(target=_work, args=(theirs, run, threads, plan), daemon=True)
            process.start()
            theirs.close()
        yield from _dealt(crew, chunks(plan.sheets(), SCENES))
    finally:
        for connection, process in crew.items():
            connection.close()
            process.terminate()
            process.join()


def _dealt(crew: Iterable[Connection], work: Iterator[list[Sheet]]) -> Iterator[Outcome]:
    """Each gets another chunk when it has done the last one."""
    busy = [connection for connection in crew if _send(connection, next(work, None))]
    while busy:
        for connection in wait(busy):
            try:
                found = connection.recv()  # type: ignore[union-attr]
            except EOFError:
                raise RuntimeError("A process of the evaluation died; try fewer with --processes.") from None
            if isinstance(found, Exception):
                raise found
            yield from found
            if not found and not _send(connection, next(work, None)):  # type: ignore[arg-type]
                busy.remove(connection)  # type: ignore[arg-type]


def _send(connection: Connection, chunk: list[Sheet] | None) -> bool:
    if chunk is not None:
        connection.send(chunk)
    return chunk is not None


def _work(connection: Connection, run: Path | None, threads: int, plan: Plan) -> None:
    """Answer chunk after chunk, until the other end is closed: lists of outcomes, an empty one after each chunk."""
    try:
        with open_model(run, show_progress=False, engine={"threads": threads}) as model:
            while True:
                for some in chunks(outcomes(model, connection.recv(), plan), _SENT):
                    connection.send(some)
                connection.send([])
    except (EOFError, BrokenPipeError, KeyboardInterrupt):
        return
    except Exception as error:
        connection.send(error)


def _model_path(run: Path | None) -> Path | None:
    return run / "model" if run is not None and (run / "model").is_dir() else run
