"""Ask a run about scenes and in wordings that training never saw, by the public call; print how often it is right.

python -m training.workbench.evaluate [--run PATH] [--seed N] [--per-type M] [--json] [--quick]
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from training.workbench import grade
from training.workbench.questions import MIX, Question, random_question
from training.workbench.scenes import Scene, draw, random_scene, random_size
from vi.inference import ViModel

UNSEEN = 1_000_000  # series of scenes that no training uses
TYPES = (*MIX, "grounding")


@dataclass(frozen=True)
class Case:
    """A question and the picture it is about; ``size`` is (width, height) in pixels."""

    question: Question
    scene: Scene
    size: tuple[int, int]

    def picture(self) -> Image.Image:
        """Drawn when asked for, so that thousands of cases stay small."""
        return draw(self.scene, *self.size)


def main() -> None:
    args = _arguments()
    started = time.monotonic()
    with _open(args.run) as model:
        table = evaluate(model, args.seed, args.per_type)
    seconds = time.monotonic() - started
    if args.json:
        print(json.dumps({k: round(v, 4) for k, v in table.items()}))
    else:
        print(as_markdown(table))
        print(f"\n{args.per_type} questions a type, seed {args.seed}, {seconds:.0f} s")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--run", type=Path, help="folder of a run or checkpoint (default: the embedded run)")
    parser.add_argument("--seed", type=int, default=0, help="series of scenes and questions")
    parser.add_argument("--per-type", type=int, default=2000, help="questions of each type")
    parser.add_argument("--quick", action="store_true", help="50 questions of each type")
    parser.add_argument("--json", action="store_true", help="one JSON object instead of a table")
    args = parser.parse_args()
    args.per_type = 50 if args.quick else args.per_type
    return args


def _open(run: Path | None) -> ViModel:
    if run is None:
        return ViModel()
    return ViModel(pretrained_model_name_or_path=run / "model" if (run / "model").is_dir() else run)


def evaluate(model: ViModel, seed: int, per_type: int) -> dict[str, float]:
    """Fraction right per type; F1 at IoU 0.5 and mean IoU of matches for grounding; the rows of doubt and of chance."""
    table: dict[str, float] = {}
    for kind in TYPES:
        chosen = cases(kind, seed, per_type)
        if kind == "grounding":
            table["grounding_f1"], table["grounding_iou"] = grounding(model, chosen)
        else:
            table[kind] = share_right(model, chosen)
    table["count_cot"] = share_right(model, cases("count", seed, per_type), cot=True)
    small = [replace(c, size=_half(c.size), scene=replace(c.scene, jpeg=40)) for c in cases("count", seed, per_type)]
    table["count_half_size_jpeg40"] = share_right(model, small)
    table["sampled_distinct"], table["sampled_true"] = sampling(
        model, cases("caption", seed + 1, max(1, per_type // 20))
    )
    return table


def cases(kind: str, seed: int, count: int) -> list[Case]:
    """``count`` questions of one type in unseen wordings, each about a scene of its own."""
    return [case for case, _ in zip(_stream_of(kind, seed), range(count), strict=False)]


def _stream_of(kind: str, seed: int) -> Iterator[Case]:
    number = 0
    while True:
        rng = np.random.default_rng((UNSEEN, seed, TYPES.index(kind), number))
        scene = random_scene(UNSEEN + seed * len(TYPES) + TYPES.index(kind), number)
        number += 1
        question = random_question(rng, scene, kind, unseen=True)
        if question is not None:
            width, height = random_size(rng, scene.aspect)
            yield Case(question, replace(scene, aspect=width / height), (width, height))


def share_right(model: ViModel, chosen: Sequence[Case], **options: Any) -> float:
    """Share of right answers, asked in batches."""
    right = 0
    for part in _batches(chosen):
        for case, answer in zip(part, _ask(model, part, **options), strict=True):
            right += grade.is_right(case.question, _text(answer))
    return right / len(chosen)


def grounding(model: ViModel, chosen: Sequence[Case]) -> tuple[float, float]:
    """(F1 at IoU 0.5 over all boxes, mean IoU of the matched ones)."""
    told_total = truth_total = 0
    matched: list[float] = []
    for part in _batches(chosen):
        for case, answer in zip(part, _ask(model, part), strict=True):
            truth = case.question.truth["boxes"]
            groundings = getattr(answer.result, "groundings", [])
            told = [(grade.phrase_name(g.phrase), [v / 1024 for v in box]) for g in groundings for box in g.grounding]
            matched += grade.match_boxes(truth, told)
            told_total, truth_total = told_total + len(told), truth_total + len(truth)
    return 2 * len(matched) / max(1, told_total + truth_total), sum(matched) / max(1, len(matched))


def sampling(model: ViModel, chosen: Sequence[Case], seeds: int = 8) -> tuple[float, float]:
    """At temperature 1.0: (mean number of distinct captions over the seeds, share of captions whose facts are true)."""
    distinct, true = 0, 0
    for case in chosen:
        picture = case.picture()
        texts = []
        for seed in range(seeds):
            config = {"do_sample": True, "temperature": 1.0, "seed": seed}
            answer, error = model(picture, case.question.prompt, config, task_type=case.question.task)
            if error is not None:
                raise error
            texts.append(_text(answer))
        distinct += len(set(texts))
        true += sum(grade.is_right(case.question, text) for text in texts)
    return distinct / len(chosen), true / (seeds * len(chosen))


def _batches(chosen: Sequence[Case], size: int = 64) -> Iterator[Sequence[Case]]:
    for start in range(0, len(chosen), size):
        yield chosen[start : start + size]


def _ask(model: ViModel, part: Sequence[Case], **options: Any) -> list[Any]:
    """Answers to a batch of one task each time; an error is the evaluation's end, it never counts as a wrong answer."""
    answers: list[Any] = [None] * len(part)
    for task in {c.question.task for c in part}:
        places = [i for i, c in enumerate(part) if c.question.task == task]
        outcomes = model(
            [part[i].picture() for i in places],
            [part[i].question.prompt for i in places],
            task_type=task,
            show_progress=False,
            **options,
        )
        for place, (answer, error) in zip(places, outcomes, strict=True):
            if error is not None:
                raise error
            answers[place] = answer
    return answers


def _text(answer: Any) -> str:
    return getattr(answer.result, "answer", None) or getattr(answer.result, "caption", None) or answer.raw_output


def _half(size: tuple[int, int]) -> tuple[int, int]:
    """Half the size that the model is trained to see (224 x 224 in area), or half the picture's, whichever is less."""
    scale = min(1.0, 224 / (size[0] * size[1]) ** 0.5) * 0.5
    return max(28, round(size[0] * scale)), max(28, round(size[1] * scale))


def as_markdown(table: dict[str, float]) -> str:
    """The table with one row a figure."""
    rows = [f"| {name} | {value:.3f} |" if value <= 1 else f"| {name} | {value:.1f} |" for name, value in table.items()]
    return "\n".join(["| | |", "|---|---|", *rows])


if __name__ == "__main__":
    main()
