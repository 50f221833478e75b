"""Defects: what is wrong with a part, as polygons with colours in the part's own coordinates (see ``parts``).

A defect's shape is a function of the part's kind and of one number, its mark; so it turns and moves with the part.
"""

from __future__ import annotations

import math

import numpy as np

Points = list[tuple[float, float]]
Rgb = tuple[int, int, int]
# (polygon, colour): painted on the part; None cuts the part's outline
Mark = tuple[Points, Rgb | None]

DEFECTS = ("crack", "scratch", "rust", "missing piece")
SHARE = 0.2  # of parts that have one

# x, y, direction in degrees, half length: where a crack may run, right through the part
_CRACKS = {
    "bolt": ((-0.1, 0.0, 20, 0.95), (0.1, 0.0, -20, 0.95), (0.4, 0.0, 42, 0.6), (-0.7, 0.0, 60, 0.7)),
    "screw": ((-0.35, 0.0, 12, 0.75), (-0.35, 0.0, -12, 0.75), (-0.78, 0.0, 65, 0.6)),
    "spring": ((0.0, 0.0, 18, 1.0), (0.0, 0.0, -18, 1.0)),
    "bracket": ((-0.56, 0.0, 80, 0.95), (0.1, 0.6, 12, 0.95), (-0.5, 0.5, -45, 0.7)),
}
# x, y, direction: where scratches lie side by side
_SCRATCHES = {
    "bolt": ((0.15, 0.0, 35), (0.5, 0.0, -35), (-0.68, 0.0, 40)),
    "screw": ((-0.7, 0.0, 50), (-0.3, 0.0, 30), (-0.2, 0.0, -30)),
    "spring": ((-0.4, 0.0, 20), (0.4, 0.0, -20), (0.0, 0.0, 20)),
    "bracket": ((-0.56, -0.2, 65), (0.2, 0.6, 25), (-0.5, 0.55, -45)),
}
# x, y: where rust may sit
_RUST = {
    "bolt": ((-0.72, 0.1), (-0.2, 0.0), (0.2, 0.05), (0.6, -0.05), (0.85, 0.0)),
    "screw": ((-0.8, 0.15), (-0.72, -0.2), (-0.35, 0.0), (0.0, 0.0), (0.3, 0.0)),
    "spring": ((-0.7, 0.1), (-0.3, -0.1), (0.1, 0.15), (0.5, -0.1), (0.8, 0.1)),
    "bracket": ((-0.56, -0.6), (-0.56, -0.1), (-0.5, 0.5), (0.1, 0.6), (0.6, 0.6)),
}
# x, y, radius: where a piece may be missing
_BITES = {
    "bolt": ((-0.92, 0.44, 0.42), (-0.92, -0.44, 0.42), (0.4, 0.3, 0.32), (0.4, -0.3, 0.32), (0.95, 0.2, 0.38)),
    "screw": ((-0.95, 0.5, 0.44), (-0.95, -0.5, 0.44), (-0.62, 0.4, 0.38), (0.15, 0.3, 0.32)),
    "spring": ((-0.5, 0.42, 0.46), (0.5, -0.42, 0.46), (0.0, 0.42, 0.46), (-0.95, -0.4, 0.5)),
    "bracket": ((-0.76, 0.8, 0.42), (0.82, 0.8, 0.38), (-0.76, -0.86, 0.4), (-0.84, 0.0, 0.36), (0.3, 0.88, 0.36)),
}
# inner and outer radius of what is round
_RINGS = {"nut": (0.5, 0.95), "washer": (0.62, 1.0), "gear": (0.28, 0.85), "bearing": (0.34, 1.0)}


def marks(kind: str, defect: str, mark: int, colour: Rgb) -> list[Mark]:
    """The polygons of that defect on a part of that kind and RGB colour, in the order in which they are drawn."""
    rng = np.random.default_rng(mark)
    return {"crack": _crack, "scratch": _scratch, "rust": _rust, "missing piece": _missing}[defect](rng, kind, colour)


def bite(kind: str, mark: int) -> Points:
    """The outline of the missing piece: what it holds is no longer part of the part."""
    return _bite(np.random.default_rng(mark), kind)


def _crack(rng: np.random.Generator, kind: str, colour: Rgb) -> list[Mark]:
    """A jagged dark line with a light lip, from edge to edge."""
    if kind in _RINGS:
        x, y, turn, half = *rng.uniform(-0.2, 0.2, 2), rng.uniform(0, 360), 1.15
    else:
        x, y, turn, half = _one(rng, _CRACKS[kind])
        turn += rng.uniform(-6, 6)
    corners = 2 * round(half * 3.4) + 1
    along = np.linspace(-half, half, corners) + rng.uniform(-0.05, 0.05, corners)
    zigzag = rng.uniform(0.05, 0.13, corners) * np.where(np.arange(corners) % 2, 1, -1)
    line = _placed(np.stack([along, zigzag], 1), x, y, turn)
    lip = _placed(np.stack([along, zigzag + 0.1], 1), x, y, turn)
    return [(_band(lip, 0.075), _mixed(colour, 255, 0.62)), (_band(line, 0.065), (12, 10, 10))]


def _scratch(rng: np.random.Generator, kind: str, colour: Rgb) -> list[Mark]:
    """Three straight bright strokes side by side, each with a thin dark edge."""
    x, y, turn = _scratched(rng, kind)
    edged = 0.05 if sum(colour) > 450 else 0.03  # white on yellow or silver is told by its edge
    drawn: list[Mark] = []
    for i in (-1, 0, 1):
        middle, half = rng.uniform(-0.1, 0.1), rng.uniform(0.34, 0.5)
        ends = np.array([(middle - half, 0.17 * i), (middle + half, 0.17 * i + rng.uniform(-0.03, 0.03))])
        stroke, edge = _placed(ends, x, y, turn), _placed(ends + np.array([0, 0.06]), x, y, turn)
        drawn += [(_band(edge, edged), _mixed(colour, 0, 0.7)), (_band(stroke, 0.045), (252, 252, 250))]
    return drawn


def _scratched(rng: np.random.Generator, kind: str) -> tuple[float, float, float]:
    if kind not in _RINGS:
        x, y, turn = _one(rng, _SCRATCHES[kind])
        return x, y, turn + rng.uniform(-8, 8)
    at, around = sum(_RINGS[kind]) / 2, rng.uniform(0, 2 * math.pi)
    return at * math.cos(around), at * math.sin(around), math.degrees(around) + 90 + rng.uniform(-20, 20)


def _rust(rng: np.random.Generator, kind: str, colour: Rgb) -> list[Mark]:
    """Irregular brown patches with darker and lighter specks."""
    base = (112, 58, 26) if max(colour) > 80 else (146, 80, 36)
    places = _rusty(rng, kind)
    patches: list[Mark] = []
    specks: list[Mark] = []
    for x, y in places:
        radius = rng.uniform(0.24, 0.36)
        patches.append((_blob(rng, x, y, radius, 0.4), base))
        for i in range(7):
            tone = ((62, 30, 12), (196, 116, 52))[i % 2]
            spot = rng.normal(0, radius * 0.5, 2)
            specks.append((_blob(rng, x + spot[0], y + spot[1], rng.uniform(0.035, 0.075), 0.3, 6), tone))
    return patches + specks


def _rusty(rng: np.random.Generator, kind: str) -> Points:
    if kind not in _RINGS:
        spots = _RUST[kind]
        return [spots[i] for i in rng.choice(len(spots), 3, replace=False)]
    at, around = sum(_RINGS[kind]) / 2, rng.uniform(0, 2 * math.pi)
    angles = [around + step + rng.uniform(-0.3, 0.3) for step in (0.0, 0.7, rng.uniform(1.6, 4.5))]
    return [(at * math.cos(angle), at * math.sin(angle)) for angle in angles]


def _missing(rng: np.random.Generator, kind: str, colour: Rgb) -> list[Mark]:
    """A piece broken out of the outline: the ground shows there, and the break has a light rim with a dark line."""
    hole = _bite(rng, kind)
    centre = np.mean(hole, 0)
    rims = [(0.17, _mixed(colour, 0, 0.7)), (0.1, _mixed(colour, 255, 0.68))]
    drawn: list[Mark] = []
    for wider, tone in rims:
        offset = np.array(hole) - centre
        drawn.append((_listed(centre + offset * (1 + wider / np.hypot(*offset.T)[:, None])), tone))
    return [*drawn, (hole, None)]


def _bite(rng: np.random.Generator, kind: str) -> Points:
    if kind in _RINGS:
        around, outer = rng.uniform(0, 2 * math.pi), _RINGS[kind][1]
        x, y, radius = outer * math.cos(around), outer * math.sin(around), rng.uniform(0.42, 0.5)
    else:
        x, y, radius = _one(rng, _BITES[kind])
    return _blob(rng, x, y, radius, 0.16, 11)


def _blob(rng: np.random.Generator, x: float, y: float, radius: float, rough: float, corners: int = 12) -> Points:
    """A ragged disc."""
    angles = np.arange(corners) * (2 * math.pi / corners)
    radii = radius * (1 + rng.uniform(-rough, rough, corners))
    return _listed(np.stack([x + radii * np.cos(angles), y + radii * np.sin(angles)], 1))


def _placed(points: np.ndarray, x: float, y: float, turn: float) -> np.ndarray:
    """Points [N, 2] along the x axis, turned by degrees and moved."""
    cos, sin = math.cos(math.radians(turn)), math.sin(math.radians(turn))
    return points @ np.array([[cos, sin], [-sin, cos]]) + (x, y)


def _band(line: np.ndarray, half: float) -> Points:
    """The line [N, 2] made ``2 * half`` thick."""
    ahead = np.gradient(line, axis=0)
    across = np.stack([-ahead[:, 1], ahead[:, 0]], 1) / np.hypot(*ahead.T)[:, None] * half
    return _listed(np.concatenate([line + across, (line - across)[::-1]]))


def _mixed(colour: Rgb, other: int, share: float) -> Rgb:
    """The colour with that share of a grey."""
    red, green, blue = (round(c * (1 - share) + other * share) for c in colour)
    return red, green, blue


def _one(rng: np.random.Generator, rows: tuple) -> tuple:
    return rows[int(rng.integers(len(rows)))]


def _listed(points: np.ndarray) -> Points:
    return [(float(x), float(y)) for x, y in points]
