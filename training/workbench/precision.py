"""What fewer bits cost: the same questions to the embedded run with weights, or arithmetic, of fewer of them.

python -m training.workbench.precision [--run FOLDER] [--per-type N] [--seed N]

A row for weights of f16 with arithmetic in float32 (exact) and in bfloat16 where the CPU has it (fast), and for those
of int8 and int4. MB: of the whole bundle. Right: the share of right answers over all types of ``evaluate`` but boxes,
whose F1 stands beside it. Differ: the share of answers whose text is another one than in the first row. Company, of
f16: the share whose text is another one when the request is asked alone. Conversion needs torch, and nncf for int8 and
int4.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Sequence
from pathlib import Path

from training.workbench import grade
from training.workbench.evaluate import TYPES, Case, cases, grounding
from vi.inference import ViModel
from vi.inference.bundle.convert import convert
from vi.inference.engine.settings import EngineSettings
from vi.inference.runs import find_run

ROWS = (("f16", "exact"), ("f16", "fast"), ("int8", "exact"), ("int4", "exact"))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--run", type=Path, help="folder of a checkpoint (default: the embedded run)")
    parser.add_argument("--seed", type=int, default=0, help="series of scenes and questions (0)")
    parser.add_argument("--per-type", type=int, default=100, help="questions of each type (100)")
    chosen = parser.parse_args()
    asked = [case for kind in TYPES if kind != "grounding" for case in cases(kind, chosen.seed, chosen.per_type)]
    boxes = cases("grounding", chosen.seed, chosen.per_type)
    with tempfile.TemporaryDirectory() as temporary:
        bundles = {weights: _bundle(chosen.run, Path(temporary) / weights, weights) for weights in dict(ROWS)}
        print("| weights | precision | MB | right | boxes, F1 | differ | company |\n|---|---|---|---|---|---|---|")
        first: list[str] = []
        for weights, precision in ROWS:
            folder = bundles[weights]
            said = texts(folder, asked, precision)
            first = first or said
            right = [grade.is_right(case.question, text) for case, text in zip(asked, said, strict=True)]
            shares = [sum(right) / len(right), boxes_right(folder, boxes, precision), share_unlike(first, said)]
            if weights == "f16":
                shares.append(share_unlike(texts(folder, asked, precision, at_once=1), said))
            size = sum(path.stat().st_size for path in folder.iterdir()) / 1e6
            cells = [weights, precision, f"{size:.1f}", *(f"{share:.3f}" for share in shares)]
            print(f"| {' | '.join(cells)} |", flush=True)
    print(f"\n{len(asked)} answers and {len(boxes)} of boxes a row, seed {chosen.seed}")


def _bundle(run: Path | None, folder: Path, weights: str) -> Path:
    files = find_run(pretrained_model_name_or_path=run) if run is not None else find_run()
    return convert(files, folder, weights=weights).folder


def texts(folder: Path, asked: Sequence[Case], precision: str, at_once: int = EngineSettings.max_batch) -> list[str]:
    """What a bundle answers to each. at_once: requests that run together."""
    answers = [""] * len(asked)
    with _open(folder, precision, at_once) as model:
        for task in dict.fromkeys(case.question.task for case in asked):
            places = [place for place, case in enumerate(asked) if case.question.task == task]
            pictures = (asked[place].picture() for place in places)
            prompts = (asked[place].question.prompt for place in places)
            for place, (_, answer, error) in zip(places, model.iter(pictures, prompts, task_type=task), strict=True):
                if answer is None:
                    raise error or RuntimeError(place)
                answers[place] = str(answer.result)
    return answers


def boxes_right(folder: Path, boxes: Sequence[Case], precision: str) -> float:
    """F1 at IoU 0.5."""
    with _open(folder, precision) as model:
        return grounding(model, boxes)["grounding_f1"]


def share_unlike(first: Sequence[str], second: Sequence[str]) -> float:
    """Of texts in the same places, the share that are not the same."""
    return sum(one != other for one, other in zip(first, second, strict=True)) / len(first)


def _open(folder: Path, precision: str, at_once: int = EngineSettings.max_batch) -> ViModel:
    return ViModel(pretrained_model_name_or_path=folder, engine={"precision": precision, "max_batch": at_once})


if __name__ == "__main__":
    main()
