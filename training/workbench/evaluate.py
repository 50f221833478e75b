"""Ask a run about scenes and in wordings that training never saw, by the public call; print how often it is right.

python -m training.workbench.evaluate [--run PATH] [--seed N] [--per-type M] [--json] [--quick]
"""

from __future__ import annotations

import argparse
import json
import math
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from training.workbench import grade
from training.workbench.calibration import auroc, expected_calibration_error
from training.workbench.questions import MIX, Question, random_question
from training.workbench.scenes import Scene, draw, random_scene, random_size
from vi.inference import ViModel
from vi.inference.completion import TokenLogprob

UNSEEN = 1_000_000  # series of scenes that no training uses
TYPES = (*MIX, "grounding")
YES_NO = ("existence", "relation")
MOST_LOGPROBS = 20  # alternatives of a token, among which yes and no are looked for


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
    """Fraction right per type; F1 at IoU 0.5 and mean IoU of matches for grounding; the rows of doubt and of chance.

    box_auroc: of boxes' ``confidence`` for "the box is right". yes_no_ece: of the probabilities of yes and no. Either
    is left out where it cannot be told, as where every box is right.
    """
    table: dict[str, float] = {}
    sure: list[tuple[float, bool]] = []  # of yes and no: probability of what was said, whether it was right
    for kind in TYPES:
        chosen = cases(kind, seed, per_type)
        if kind == "grounding":
            table |= grounding(model, chosen)
            continue
        config = {"logprobs": MOST_LOGPROBS} if kind in YES_NO else None
        answers = _ask(model, chosen, generation_config=config)
        right = [grade.is_right(case.question, _text(answer)) for case, answer in zip(chosen, answers, strict=True)]
        table[kind] = sum(right) / len(right)
        for answer, is_right in zip(answers, right, strict=True):
            probability = said_probability(answer.logprobs or ())
            sure += [(probability, is_right)] if probability is not None else []
    if sure:
        table["yes_no_ece"] = expected_calibration_error(*zip(*sure, strict=True))
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
    """Share of right answers."""
    answers = _ask(model, chosen, **options)
    return sum(grade.is_right(c.question, _text(a)) for c, a in zip(chosen, answers, strict=True)) / len(chosen)


def grounding(model: ViModel, chosen: Sequence[Case]) -> dict[str, float]:
    """grounding_f1 at IoU 0.5 over all boxes, grounding_iou of the matched ones, box_auroc of the boxes' confidence."""
    told_total = truth_total = 0
    matched: list[float] = []
    sure: list[tuple[float, bool]] = []
    for case, answer in zip(chosen, _ask(model, chosen), strict=True):
        truth = case.question.truth["boxes"]
        groundings = getattr(answer.result, "groundings", [])
        told = [(grade.phrase_name(g.phrase), [v / 1024 for v in box]) for g in groundings for box in g.grounding]
        found = grade.match_boxes(truth, told)
        matched += found.values()
        told_total, truth_total = told_total + len(told), truth_total + len(truth)
        confidences = [value for phrase in getattr(answer, "confidences", None) or () for value in phrase.boxes]
        sure += [(value, place in found) for place, value in enumerate(confidences)]
    table = {
        "grounding_f1": 2 * len(matched) / max(1, told_total + truth_total),
        "grounding_iou": sum(matched) / max(1, len(matched)),
    }
    if len({right for _, right in sure}) == 2:
        table["box_auroc"] = auroc(*zip(*sure, strict=True))
    return table


def said_probability(logprobs: Sequence[TokenLogprob]) -> float | None:
    """The probability of the yes or no that was said, over the two: under the model itself, at the first token that is
    one of them. None where there is none."""
    token = next((token for token in logprobs if _word(token.text) in ("yes", "no")), None)
    if token is None:
        return None
    shares = {"yes": 0.0, "no": 0.0}
    for each in {one.token_id: one for one in (*token.alternatives, token)}.values():
        if _word(each.text) in shares:
            shares[_word(each.text)] += math.exp(each.logprob)
    return shares[_word(token.text)] / sum(shares.values())


def _word(text: str) -> str:
    return text.strip(' "').lower()


def sampling(model: ViModel, chosen: Sequence[Case], seeds: int = 8) -> tuple[float, float]:
    """At temperature 1.0: (mean number of distinct captions over the seeds, share of captions whose facts are true)."""
    texts: list[set[str]] = [set() for _ in chosen]
    true = 0
    for seed in range(seeds):
        config = {"do_sample": True, "temperature": 1.0, "seed": seed}
        for case, said, answer in zip(chosen, texts, _ask(model, chosen, generation_config=config), strict=True):
            said.add(_text(answer))
            true += grade.is_right(case.question, _text(answer))
    return sum(map(len, texts)) / len(chosen), true / (seeds * len(chosen))


def _ask(model: ViModel, chosen: Sequence[Case], **options: Any) -> list[Any]:
    """The answer to each, however many, drawn as they are asked; an error is the evaluation's end, it never counts as a
    wrong answer."""
    answers: list[Any] = [None] * len(chosen)
    for task in dict.fromkeys(case.question.task for case in chosen):
        places = [place for place, case in enumerate(chosen) if case.question.task == task]
        pictures = (chosen[place].picture() for place in places)
        prompts = (chosen[place].question.prompt for place in places)
        outcomes = model.iter(pictures, prompts, task_type=task, **options)
        for place, (_, answer, error) in zip(places, outcomes, strict=True):
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
