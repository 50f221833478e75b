"""A distribution as a small inline SVG."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from statistics import median

_WIDTH, _HEIGHT, _BASE = 360, 120, 96  # units of the viewBox; bars stand on _BASE
_BINS = 24


def histogram(
    values: Sequence[float], title: str, unit: str = "", most: float | None = None, absent: str = "no answers"
) -> str:
    """A figure: bars, their counts as tooltips, smallest, median and largest value in words.

    unit: after the numbers. most: right end of an axis from 0; without it the axis spans the values. absent: what to
    say where there are none.
    """
    if not values:
        return f"<figure><figcaption>{escape(title)}</figcaption><p>{escape(absent)}</p></figure>"
    low, high = (0.0 if most is not None else float(min(values))), float(most if most is not None else max(values))
    counts = _counts(values, low, high)
    said = (
        f"{title}: {_number(min(values))} to {_number(max(values))}{unit}, median {_number(median(values))}{unit},"
        f" {len(values):,} row{'' if len(values) == 1 else 's'}"
    )
    bars = "".join(_bar(index, count, counts, low, high, unit) for index, count in enumerate(counts) if count)
    return (
        f'<figure><figcaption>{escape(title)}</figcaption><svg viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img"'
        f' aria-label="{escape(said)}">{bars}<line x1="0" y1="{_BASE}" x2="{_WIDTH}" y2="{_BASE}"/>'
        f'<text x="0" y="{_HEIGHT - 8}">{_number(low)}{escape(unit)}</text>'
        f'<text x="{_WIDTH // 2}" y="{_HEIGHT - 8}" text-anchor="middle">median {_number(median(values))}</text>'
        f'<text x="{_WIDTH}" y="{_HEIGHT - 8}" text-anchor="end">{_number(high)}{escape(unit)}</text></svg></figure>'
    )


def _counts(values: Sequence[float], low: float, high: float) -> list[int]:
    """How many values each of the equal bins has; one bin where all values are the same."""
    if high <= low:
        return [len(values)]
    whole = all(float(value).is_integer() for value in values) and high - low < _BINS
    bins = int(high - low) + 1 if whole else _BINS
    width = 1 if whole else (high - low) / bins
    counts = [0] * bins
    for value in values:
        counts[max(0, min(bins - 1, int((value - low) / width)))] += 1
    return counts


def _bar(index: int, count: int, counts: Sequence[int], low: float, high: float, unit: str) -> str:
    step = _WIDTH / len(counts)
    height = max(1.5, (_BASE - 8) * count / max(counts))
    start = low + (high - low) * index / len(counts)
    end = low + (high - low) * (index + 1) / len(counts)
    return (
        f'<rect x="{index * step + 1:.1f}" y="{_BASE - height:.1f}" width="{step - 2:.1f}" height="{height:.1f}">'
        f"<title>{_number(start)} to {_number(end)}{escape(unit)}: {count:,}</title></rect>"
    )


def _number(value: float) -> str:
    return f"{value:,.0f}" if float(value).is_integer() or abs(value) >= 100 else f"{value:.3g}"
