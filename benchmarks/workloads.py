"""What is asked in the benchmarks: pictures drawn for them, and the five workloads.

A: distinct pictures, the task's own system prompt, a JSON answer, greedy, the embedded run. B: as A, with 64 free
tokens that nothing ends and no grammar. C: as B, on a larger model of random weights. D: one picture of B at a time,
streamed. E: one picture and 16 questions about it, against asking 16 times with nothing kept in between.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jinja2
import numpy as np
from PIL import Image, ImageDraw

from vi.inference.task_types import get_task

TASK = "freeform"
SIDE = 224  # pixels
EMBEDDED = Path(__file__).parents[1] / "src/vi/workbench/model"
QUESTIONS = (
    "How many parts are there?",
    "What colour is the largest part?",
    "Is there a gear?",
    "What lies at the top?",
    "What lies at the bottom?",
    "Which part is the smallest?",
    "Is anything red?",
    "Is anything blue?",
    "What is to the left of the bolt?",
    "What is to the right of the nut?",
    "What is the surface made of?",
    "Name all the parts.",
    "How many washers are there?",
    "Are there more bolts than nuts?",
    "What stands in the middle?",
    "Describe this picture.",
)


@dataclass(frozen=True)
class Workload:
    """json: whether answers are held to the task's schema; else ``forced`` tokens are written, whatever they are."""

    name: str
    pictures: int
    json: bool
    large: bool = False
    stream: bool = False
    questions: int = 1  # about each picture


WORKLOADS = {
    "A": Workload("A", 64, json=True),
    "B": Workload("B", 64, json=False),
    "C": Workload("C", 64, json=False, large=True),
    "D": Workload("D", 1, json=False, stream=True),
    "E": Workload("E", 1, json=True, questions=len(QUESTIONS)),
}


def make_job(
    workload: Workload, model: Path, folder: Path, *, pictures: int, rounds: int, tokens: int, batch: int
) -> dict[str, Any]:
    """The job of a workload as ``peers/protocol.py`` describes it, its pictures drawn into ``folder``.

    Every round has pictures of its own, since engines keep what they have computed of those they have seen.
    """
    task = get_task(TASK)
    requests = [
        {"picture": str(picture), "prompt": prompt, "rendered": render(model, task.system_prompt, prompt)}
        for picture in draw(folder, pictures * rounds)
        for prompt in (QUESTIONS[: workload.questions] if workload.questions > 1 else [task.default_prompt])
    ]
    size = len(requests) // rounds
    ends = json.loads((model / "generation_config.json").read_text(encoding="utf-8"))["eos_token_id"]
    return {
        "model": str(model),
        "task": TASK,
        "system": task.system_prompt,
        "schema": task.schema if workload.json else None,
        "eos_token_id": ends[0] if isinstance(ends, list) else ends,
        "max_new_tokens": tokens,
        "forced": not workload.json,
        "stream": workload.stream,
        "one_by_one": False,
        "batch": batch,
        "threads": None,
        "engine": {},
        "rounds": [requests[start : start + size] for start in range(0, len(requests), size)],
    }


def render(model: Path, system: str, prompt: str) -> str:
    """The conversation as the checkpoint's chat template spells it."""
    template = json.loads((model / "tokenizer_config.json").read_text(encoding="utf-8"))["chat_template"]
    picture = [{"type": "image"}, {"type": "text", "text": prompt}]
    messages = [{"role": "system", "content": system}, {"role": "user", "content": picture}]
    return jinja2.Template(template).render(messages=messages, add_generation_prompt=True)


def draw(folder: Path, count: int) -> Iterator[Path]:
    """Distinct pictures of 224 x 224 pixels as PNG: a few coloured shapes on a ground with grain."""
    for number in range(count):
        dice = np.random.default_rng(number)
        ground = dice.integers(60, 200, 3) + dice.integers(-8, 9, (SIDE, SIDE, 1))
        picture = Image.fromarray(ground.astype(np.uint8))
        pen = ImageDraw.Draw(picture)
        for _ in range(int(dice.integers(2, 7))):
            left, top, size = (int(value) for value in (*dice.integers(10, 170, 2), dice.integers(15, 45)))
            shape = pen.ellipse if dice.random() < 0.5 else pen.rectangle
            shape((left, top, left + size, top + size), fill=tuple(dice.integers(0, 256, 3).tolist()))
        path = folder / f"{number}.png"
        picture.save(path, compress_level=1)
        yield path
