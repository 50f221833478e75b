"""One step of decoding, by part, and how much of it is Python: the whole step over the bare ``infer()`` of its graph.

    python benchmarks/step.py [--rows 1 4 16 32] [--steps 50] [--precision bf16] [--free]

The engine's own loop is driven by hand, with the embedded run: so many requests, each with a picture of its own, are
read to the end of their prompts, and then every step is timed, and after it a bare ``infer()`` over the very tensors
of that step. Answers are held to the task's schema, as in workload A; ``--free`` takes the grammar away, as in B.
Steps end when the first answer does, so that all of them have all rows. ``forward`` is ``infer()`` within the step;
``inputs`` writes its tensors, embeddings among them; ``assembly`` lays them out; ``other`` is the rest of the loop.
The parts are measured in further steps of their own, so the ratio is of steps that nobody looks into.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

from parts import DECODE, Parts
from PIL import Image
from workloads import TASK, draw

from vi.inference.engine.block_table import BlockTable
from vi.inference.engine.device_loop import DeviceLoop
from vi.inference.engine.generation import Job
from vi.inference.engine.request import Request
from vi.inference.engine.runners.openvino_runner import OpenVinoRunner
from vi.inference.engine.sequence import Sequence
from vi.inference.engine.settings import EngineSettings
from vi.inference.engine.vocabulary import Vocabulary
from vi.inference.generation_config import GenerationConfig
from vi.inference.loading.open import open_model
from vi.inference.preprocess.chat import ChatPrompt
from vi.inference.runs import find_run
from vi.inference.structured.grammar import json_grammar
from vi.inference.task_types import get_task

PRECISIONS = {"f32": "exact", "bf16": "fast"}
CONFIG = GenerationConfig(max_new_tokens=1024, repetition_penalty=1.0)


class HandDriven:
    """An engine's loop without its thread."""

    def __init__(self, precision: str, threads: int | None, free: bool) -> None:
        loaded = open_model(find_run())
        if free:
            loaded = replace(loaded, eos_token_ids=())  # no token ends an answer
        self.settings = EngineSettings(max_batch=256, precision=PRECISIONS[precision], threads=threads)
        self.chat, self.vocabulary = ChatPrompt(loaded), Vocabulary(loaded)
        self.grammar = None if free else json_grammar(get_task(TASK).schema)
        self.runner = OpenVinoRunner(loaded.weights, precision=self.settings.precision, threads=threads)
        self.loop: DeviceLoop | None = None

    def begin(self, pictures: list[Path]) -> DeviceLoop:
        """A loop whose requests have read their prompts and written a first token."""
        if self.loop is not None:
            self.loop.underway.encoder.close()
        self.loop = loop = DeviceLoop(self.runner, self.vocabulary, self.settings)
        for picture in pictures:
            pixels = Image.open(picture).convert("RGB")
            prompt = self.chat.build(
                "Describe this picture.", picture=pixels, system_prompt=get_task(TASK).system_prompt
            )
            job = Job(Sequence(Request(prompt, CONFIG, self.grammar), self.vocabulary))
            table = BlockTable(prompt, self.runner.block_size)
            job.show(job.sequence.fast_forward())
            table.follow(job.sequence)
            loop.underway.add(job, table)
        while loop.underway.scheduler.waiting or not all(table.decoding for table in loop.underway.scheduler.running):
            loop.step()
        loop.step()
        return loop


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, nargs="+", default=[1, 4, 16, 32], help="requests at once (1 4 16 32)")
    parser.add_argument("--steps", type=int, default=50, help="most steps of each kind (50)")
    parser.add_argument("--precision", choices=PRECISIONS, default="bf16")
    parser.add_argument("--threads", type=int, help="of a forward call; all cores if left out")
    parser.add_argument("--free", action="store_true", help="no grammar")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    chosen = parser.parse_args()
    driven = HandDriven(chosen.precision, chosen.threads, chosen.free)
    with tempfile.TemporaryDirectory() as folder:
        pictures = list(draw(Path(folder), max(chosen.rows)))
        rows = [measure(driven, pictures[:count], chosen.steps) for count in chosen.rows]
    if chosen.json:
        print(json.dumps({"precision": chosen.precision, "free": chosen.free, "rows": rows}, indent=1))
    else:
        show(rows)


def measure(driven: HandDriven, pictures: list[Path], most: int) -> dict[str, Any]:
    """Medians in milliseconds of whole steps, of bare ``infer()``, and of the parts."""
    loop = driven.begin(pictures)
    infer = driven.runner._language.infer
    whole, bare = [], []
    while len(whole) < most and len(loop.underway.scheduler.running) == len(pictures):
        started = time.perf_counter()
        loop.step()
        stepped = time.perf_counter()
        infer(share_outputs=True)
        whole.append(stepped - started)
        bare.append(time.perf_counter() - stepped)
    parts = Parts()
    loop, each = driven.begin(pictures), []
    with parts.of(loop):
        while len(each) < most and len(loop.underway.scheduler.running) == len(pictures):
            parts.seconds.clear()
            loop.step()
            each.append(dict(parts.seconds))
    return {
        "rows": len(pictures),
        "steps": len(whole),
        "step": statistics.median(whole) * 1000,
        "infer": statistics.median(bare) * 1000,
        "ratio": statistics.median(whole) / statistics.median(bare),
        "parts": {part: statistics.median(one.get(part, 0.0) for one in each) * 1000 for part in each[0]},
    }


def show(rows: list[dict[str, Any]]) -> None:
    names = sorted({name for row in rows for name in row["parts"]}, key=lambda name: (name != DECODE, name))
    print(f"{'rows':>5}{'steps':>7}{'step ms':>9}{'infer ms':>10}{'ratio':>7}  " + "".join(f"{n:>13}" for n in names))
    for row in rows:
        parts = "".join(f"{row['parts'].get(name, 0.0):>13.3f}" for name in names)
        print(
            f"{row['rows']:>5}{row['steps']:>7}{row['step']:>9.3f}{row['infer']:>10.3f}{row['ratio']:>6.2f}x  {parts}"
        )


if __name__ == "__main__":
    main()
