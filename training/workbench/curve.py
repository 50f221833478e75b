"""Draw a training's log as a picture.

python -m training.workbench.curve --log runs/workbench/log.jsonl --to training/workbench/curve.png
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
from matplotlib import pyplot as plt


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--log", type=Path, default=Path("runs/workbench/log.jsonl"))
    parser.add_argument("--to", type=Path, default=Path("training/workbench/curve.png"))
    args = parser.parse_args()
    rows = [json.loads(line) for line in args.log.read_text().splitlines()]
    draw(rows).savefig(args.to, dpi=110)


def draw(rows: list[dict]) -> plt.Figure:
    """Sight (share of covered patches named rightly) and language (nats a token) over the steps of both phases."""
    figure, (sight, language) = plt.subplots(1, 2, figsize=(10, 3.6), layout="constrained")
    first = max((r["step"] for r in rows if r["phase"] == "sight"), default=0)
    steps = _taken([r["step"] for r in rows])
    for key, label in (("patch_kind", "part"), ("patch_colour", "colour"), ("patch_size", "size")):
        sight.plot(steps, _smooth([r.get(key, 0.0) for r in rows]), label=label)
    sight.axvline(first, color="grey", linewidth=0.8)
    sight.set(title="covered patches named rightly", xlabel="step", ylim=(0, 1))
    sight.legend()
    told = [(s, r["told"]) for s, r in zip(steps, rows, strict=True) if "told" in r]
    language.plot([s for s, _ in told], _smooth([t for _, t in told]))
    language.set(title="answers: cross-entropy, nats a token", xlabel="step")
    language.set_yscale("log")
    return figure


def _taken(steps: list[int]) -> list[int]:
    """Steps in the order in which they were taken; where a phase or a schedule begins anew they are counted on."""
    before, last, taken = 0, 0, []
    for step in steps:
        before += max(0, last - step)
        taken.append(before + step)
        last = step
    return taken


def _smooth(values: list[float], window: int = 8) -> list[float]:
    spans = [values[max(0, i - window + 1) : i + 1] for i in range(len(values))]
    return [sum(span) / len(span) for span in spans]


if __name__ == "__main__":
    main()
