"""Ask a run about scenes and in wordings that training never saw, by the public call; print how often it is right."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from training.workbench.cases import TYPES, Case, cases
from training.workbench.crew import answer_side_by_side, fitting, open_model
from training.workbench.figures import Figure, figures
from training.workbench.outcomes import WAYS, Asking, Outcome, Plan, answered, outcomes
from training.workbench.report import as_markdown, side_by_side, wrong_answers
from vi.inference import ViModel
from vi.inference.errors import ViError, did_you_mean
from vi.inference.progress import track

__all__ = ["TYPES", "Case", "cases", "evaluate", "grounding"]

QUICK = 100
EPILOG = """
Every scene is drawn once and asked one question of each type that it has one for; a seed asks every run the same.
count_cot thinks first. The rows at half_size_jpeg40 ask some questions again, half of each of five types, about a small
and badly compressed picture; full_size are the same ones as they were. A tenth of the captions are sampled with eight
seeds. Clips are a quarter as many as scenes of a type: 500 for 2,000.

  python -m training.workbench.evaluate                         the embedded run, 2,000 questions a type
  python -m training.workbench.evaluate --quick                 100 a type
  python -m training.workbench.evaluate --run runs/workbench/run --seed 7
  python -m training.workbench.evaluate --types count,grounding --errors 5
  python -m training.workbench.evaluate --quick --compare ../older/model
"""


def main() -> None:
    args = _arguments()
    plan = Plan(args.seed, args.per_type, args.types)
    started = time.monotonic()
    try:
        runs = [_answers(run, args.processes, plan) for run in (args.run, *([args.compare] if args.compare else []))]
    except ViError as error:
        sys.exit(f"{type(error).__name__}: {error}")
    seconds = time.monotonic() - started
    _print(args, [figures(run) for run in runs], seconds)
    if args.errors:
        print(f"\n{wrong_answers(runs[-1], args.errors)}", file=sys.stderr if args.json else sys.stdout)


def evaluate(model: ViModel, seed: int, per_type: int, ways: Sequence[str] = WAYS) -> dict[str, float]:
    """The table of a model that is open: a number per row, of which most are shares of what was right.

    A row is left out where it cannot be told, as the AUROC of boxes that are all right.
    """
    plan = Plan(seed, per_type, tuple(ways))
    return _values(figures(outcomes(model, plan.sheets(), plan)))


def grounding(model: ViModel, chosen: Sequence[Case]) -> dict[str, float]:
    """The rows of boxes about these cases."""
    return _values(figures(answered(model, [Asking("grounding", case) for case in chosen])))


def _values(table: dict[str, Figure]) -> dict[str, float]:
    return {name: figure.value for name, figure in table.items()}


def _answers(run: Path | None, processes: int | None, plan: Plan) -> list[Outcome]:
    """All outcomes, with a bar on a terminal."""
    count = processes or fitting(run)
    found = _alone(run, plan) if count == 1 else answer_side_by_side(run, count, plan)
    return list(track(found, plan.num_asked, "Asking", True))


def _alone(run: Path | None, plan: Plan) -> Iterator[Outcome]:
    with open_model(run) as model:
        yield from outcomes(model, plan.sheets(), plan)


def _print(args: argparse.Namespace, tables: list[dict[str, Figure]], seconds: float) -> None:
    if args.json:
        rounded = [{name: round(value, 4) for name, value in _values(table).items()} for table in tables]
        print(json.dumps(rounded[0] if len(rounded) == 1 else {"run": rounded[0], "compare": rounded[1]}))
        return
    if args.compare:
        print(side_by_side(*tables, (args.run.name if args.run else "embedded", args.compare.name)))
    else:
        print(as_markdown(tables[0]))
    print(f"\n{args.per_type:,} questions a type, seed {args.seed}, {seconds:.0f} s")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m training.workbench.evaluate",
        description=__doc__,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--run", type=Path, help="folder of a run or checkpoint (the embedded run)")
    parser.add_argument("--seed", type=int, default=0, help="series of scenes and questions (0)")
    parser.add_argument("--per-type", type=int, default=2000, help="questions of each type (2000)")
    parser.add_argument("--quick", action="store_true", help=f"{QUICK} questions of each type")
    parser.add_argument("--types", type=_ways, default=WAYS, help=f"only these, with commas between: {', '.join(WAYS)}")
    parser.add_argument("--json", action="store_true", help="one JSON object instead of a table")
    parser.add_argument("--errors", type=int, default=0, metavar="N", help="tell N wrong answers of each row too")
    parser.add_argument("--compare", type=Path, metavar="RUN", help="ask this run the same, and set both side by side")
    parser.add_argument("--processes", type=int, help="models that answer side by side (one a core for a small model)")
    args = parser.parse_args()
    args.per_type = QUICK if args.quick else args.per_type
    for name in ("per_type", "processes"):
        if getattr(args, name) is not None and getattr(args, name) < 1:
            parser.error(f"--{name.replace('_', '-')} takes 1 or more, not {getattr(args, name)}")
    return args


def _ways(text: str) -> tuple[str, ...]:
    chosen = tuple(name.strip() for name in text.split(","))
    for name in chosen:
        if name not in WAYS:
            raise argparse.ArgumentTypeError(f"{name!r} is no type. {did_you_mean(name, WAYS)}".rstrip())
    return chosen


if __name__ == "__main__":
    main()
