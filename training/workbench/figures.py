"""Figures of the evaluation table, each with how sure it is."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np

from training.workbench.calibration import auroc, expected_calibration_error
from training.workbench.outcomes import HALF_SIZE, HALVED, SAMPLED, YES_NO, Outcome

ORDER = (
    "count", "colour", "kind", "existence", "size", "region", "relation", "surface", "list", "defect", "defect_which",
    "grounding_f1", "grounding_iou", "caption", "unanswerable", "clip_direction", "clip_event", "clip_moves",
    "clip_count", "count_cot", "half_size_jpeg40", "full_size", "sampled_distinct", "sampled_true",
)  # fmt: skip
RESAMPLES = 1000
Z95 = 1.959964  # of the normal distribution, for 95 %


@dataclass(frozen=True)
class Figure:
    """A figure over ``num`` questions, or scenes where they are told apart by these, with its 95 % interval.

    resampled: the figure over each of ``RESAMPLES`` draws of its scenes, the same draws for the same number of scenes;
    so two runs that were asked the same can be set side by side pair by pair. None where there is no interval.
    """

    value: float
    num: int
    interval: tuple[float, float] | None = None
    resampled: np.ndarray | None = field(default=None, compare=False, repr=False)


def figures(outcomes: Iterable[Outcome]) -> dict[str, Figure]:
    """The table: the share right of each row; the rows of boxes, of half the size, of doubt and of chance."""
    rows: dict[str, list[Outcome]] = {}
    for one in sorted(outcomes, key=lambda one: (one.row, one.number)):  # whoever answered first
        rows.setdefault(one.row, []).append(one)
    table: dict[str, Figure] = {}
    for name, row in rows.items():
        table |= _BY_ROW.get(name, _share)(name, row)
    pairs = [pair for kind in HALVED for pair in _pairs(rows.get(f"{kind}_{HALF_SIZE}", ()), rows.get(kind, ()))]
    if pairs:
        half, full = zip(*pairs, strict=True)
        table |= {HALF_SIZE: _mean_right(half), "full_size": _mean_right(full)}
    sure = [each for kind in YES_NO for one in rows.get(kind, ()) for each in one.sure]
    if sure:
        table["yes_no_ece"] = Figure(expected_calibration_error(*zip(*sure, strict=True)), len(sure))
    return {name: table[name] for name in sorted(table, key=lambda name: (_place(name), name))}


def wilson(share: float, num: int) -> tuple[float, float]:
    """The 95 % interval of a share of ``num`` independent cases (Wilson, JASA 22, 1927)."""
    centre, spread = share + Z95**2 / (2 * num), Z95 * math.sqrt(share * (1 - share) / num + Z95**2 / (4 * num**2))
    scale = 1 + Z95**2 / num
    return max(0.0, (centre - spread) / scale), min(1.0, (centre + spread) / scale)


def ratio(of: Sequence[float], over: Sequence[float]) -> Figure:
    """The sum of ``of`` over the sum of ``over``, one number of each a scene.

    The interval is the percentile bootstrap's over scenes (Efron and Tibshirani 1993, chapter 13), as what is told of
    one scene is not independent.
    """
    tops, bottoms = np.asarray(of, np.float64), np.asarray(over, np.float64)
    draws = _draws(len(tops))
    resampled = (draws @ tops) / np.maximum(draws @ bottoms, 1e-9)
    low, high = np.percentile(resampled, (2.5, 97.5))
    value = float(tops.sum() / max(bottoms.sum(), 1e-9))
    return Figure(value, len(tops), (float(low), float(high)), resampled)


def difference(one: Figure, other: Figure) -> tuple[float, float] | None:
    """The 95 % interval of ``other - one``, both asked the same; None where it cannot be told."""
    if one.resampled is None or other.resampled is None or one.num != other.num:
        return None
    low, high = np.percentile(other.resampled - one.resampled, (2.5, 97.5))
    return float(low), float(high)


@lru_cache(maxsize=4)
def _draws(num: int) -> np.ndarray:
    """[RESAMPLES, num]: how often each scene is in each draw."""
    return np.random.default_rng(0).multinomial(num, np.full(num, 1 / num), RESAMPLES).astype(np.float32)


def _place(name: str) -> int:
    return ORDER.index(name) if name in ORDER else len(ORDER)


def _share(name: str, row: Sequence[Outcome]) -> dict[str, Figure]:
    """Of questions about scenes of their own."""
    figure = ratio([one.right for one in row], [1] * len(row))
    return {name: Figure(figure.value, figure.num, wilson(figure.value, figure.num), figure.resampled)}


def _mean_right(row: Sequence[Outcome]) -> Figure:
    scenes = _by_scene(row)
    return ratio([sum(one.right for one in scene) for scene in scenes], [len(scene) for scene in scenes])


def _boxes(name: str, row: Sequence[Outcome]) -> dict[str, Figure]:
    """F1 at IoU 0.5 over all boxes, mean IoU of those that match, AUROC of their confidence for "the box is right"."""
    matched = [len(one.overlaps) for one in row]
    table = {
        "grounding_f1": ratio([2 * number for number in matched], [one.told + one.true for one in row]),
        "grounding_iou": ratio([sum(one.overlaps) for one in row], matched),
    }
    sure = [each for one in row for each in one.sure]
    if len({right for _, right in sure}) == 2:
        table["box_auroc"] = Figure(auroc(*zip(*sure, strict=True)), len(sure))
    return table


def _sampled(name: str, row: Sequence[Outcome]) -> dict[str, Figure]:
    """Mean number of distinct captions over the seeds, and the share of captions whose facts are true."""
    scenes = _by_scene(row)
    return {
        "sampled_distinct": ratio([len({one.text for one in scene}) for scene in scenes], [1] * len(scenes)),
        "sampled_true": _mean_right(row),
    }


def _pairs(row: Sequence[Outcome], other: Sequence[Outcome]) -> list[tuple[Outcome, Outcome]]:
    """Those of both rows that are about the same scene."""
    there = {one.number: one for one in other}
    return [(one, there[one.number]) for one in row if one.number in there]


def _by_scene(row: Sequence[Outcome]) -> list[list[Outcome]]:
    scenes: dict[int, list[Outcome]] = {}
    for one in row:
        scenes.setdefault(one.number, []).append(one)
    return list(scenes.values())


_BY_ROW = {"grounding": _boxes, SAMPLED: _sampled}
