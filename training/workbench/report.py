"""The evaluation put into words: the table with its bars, two runs side by side, and what was answered wrongly."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from training.workbench.bars import GOALS, Bar
from training.workbench.figures import Figure, difference
from training.workbench.outcomes import Outcome

_MOST = 300  # characters of a truth or an answer that is shown


def as_markdown(table: Mapping[str, Figure], bars: Mapping[str, Bar] = GOALS) -> str:
    """One row a figure: its 95 % interval, what it is over, and its bar where it has one."""
    values = {name: figure.value for name, figure in table.items()}
    rows = [
        (name, _number(figure.value), _interval(figure.interval), f"{figure.num:,}", *_reached(name, values, bars))
        for name, figure in table.items()
    ]
    return _aligned([("", "figure", "95 % interval", "over", "bar", "reached"), *rows])


def side_by_side(one: Mapping[str, Figure], other: Mapping[str, Figure], names: tuple[str, str]) -> str:
    """Two runs that were asked the same: both figures, and their difference with its 95 % interval."""
    rows = []
    for name in [name for name in one if name in other]:
        gap = difference(one[name], other[name])
        sure = gap is not None and (gap[0] > 0 or gap[1] < 0)
        change = f"{other[name].value - one[name].value:+.3f}"
        rows.append(
            (name, _number(one[name].value), _number(other[name].value), change, _interval(gap, "+"), "yes" * sure)
        )
    return _aligned([("", *names, "change", "95 % interval", "sure"), *rows])


def wrong_answers(outcomes: Iterable[Outcome], most: int) -> str:
    """At most so many of each row: scene, question, truth and answer."""
    rows: dict[str, list[Outcome]] = {}
    for one in sorted(outcomes, key=lambda one: one.number):
        if not one.right:
            rows.setdefault(one.row, []).append(one)
    lines = []
    for name, wrong in rows.items():
        lines.append(f"\n{name}: {len(wrong):,} wrong")
        for one in wrong[:most]:
            lines += [f"  scene {one.number}: {one.prompt}", f"    truth   {_short(str(one.truth))}"]
            lines += [f"    answer  {_short(one.text)}"]
    return "\n".join(lines).lstrip()


def _reached(name: str, values: Mapping[str, float], bars: Mapping[str, Bar]) -> tuple[str, str]:
    threshold = bars[name].threshold(values) if name in bars else None
    if threshold is None:
        return "", ""
    return _number(threshold), "yes" if values[name] >= threshold else f"no, by {_number(threshold - values[name])}"


def _number(value: float) -> str:
    return f"{value:.3f}"


def _interval(interval: tuple[float, float] | None, sign: str = "") -> str:
    return "" if interval is None else f"{interval[0]:{sign}.3f} to {interval[1]:{sign}.3f}"


def _short(text: str) -> str:
    return text if len(text) <= _MOST else f"{text[:_MOST]} ..."


def _aligned(rows: list[tuple[str, ...]]) -> str:
    """A Markdown table whose columns stand straight in a terminal too; numbers to the right."""
    first, *others = (max(map(len, column)) for column in zip(*rows, strict=True))
    lines = [
        " | ".join([f"| {name:<{first}}", *(f"{cell:>{width}}" for cell, width in zip(cells, others, strict=True))])
        + " |"
        for name, *cells in rows
    ]
    rule = "|".join(["", "-" * (first + 2), *(f"{'-' * (width + 1)}:" for width in others), ""])
    return "\n".join([lines[0], rule, *lines[1:]])
