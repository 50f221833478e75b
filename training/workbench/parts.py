"""The parts: their outlines in a unit circle, and how one is drawn with light and shadow.

Every shape is a list of polygons in coordinates where the part's half length is 1; y points down.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from training.workbench import defects
from training.workbench.defects import Mark, Points
from training.workbench.surfaces import rgb

COLOURS = {
    "red": (200, 42, 38),
    "orange": (236, 124, 24),
    "yellow": (240, 208, 44),
    "green": (46, 148, 66),
    "blue": (38, 88, 200),
    "purple": (132, 58, 172),
    "black": (34, 34, 37),
    "silver": (202, 206, 212),
}
KINDS = ("bolt", "nut", "washer", "gear", "spring", "bracket", "screw", "bearing")

# (polygon, tone): tone multiplies the part's colour; None cuts a hole
Layer = tuple[Points, float | None]


def _ring(radius: float, corners: int = 36, turn: float = 0.0, x: float = 0.0, y: float = 0.0) -> Points:
    angles = (turn + 2 * math.pi * i / corners for i in range(corners))
    return [(x + radius * math.cos(a), y + radius * math.sin(a)) for a in angles]


def _bar(x1: float, y1: float, x2: float, y2: float) -> Points:
    return [(x1, y1), (x2, y1), (x2, y2), (x1, y2)]


def _bolt() -> list[Layer]:
    half = [(-0.46, 0.4), (-0.52, 0.46), (-0.9, 0.46), (-1.0, 0.36)]
    head = [(x, -y) for x, y in reversed(half)] + half
    threads: list[Layer] = [(_bar(-0.1 + 0.16 * i, -0.23, -0.03 + 0.16 * i, 0.23), 0.62) for i in range(7)]
    edges: list[Layer] = [(_bar(-0.98, y, -0.48, y + 0.04), 0.6) for y in (-0.16, 0.12)]
    facets: list[Layer] = [*edges, (_bar(-0.98, -0.12, -0.48, 0.12), 1.18)]
    return [(_bar(-0.5, -0.23, 1.0, 0.23), 0.95), (_bar(-0.5, -0.1, 1.0, -0.02), 1.25), *threads, (head, 1.0), *facets]


def _screw() -> list[Layer]:
    head = [(-1.0, -0.5), (-0.88, -0.5), (-0.55, -0.16), (-0.55, 0.16), (-0.88, 0.5), (-1.0, 0.5)]
    shaft = [(-0.6, -0.17), (0.35, -0.14), (1.0, 0.0), (0.35, 0.14), (-0.6, 0.17)]
    threads: list[Layer] = []
    for i in range(7):
        x, half = -0.42 + 0.17 * i, 0.25 - 0.022 * i
        threads.append(([(x, -half), (x + 0.06, -half), (x + 0.14, half), (x + 0.08, half)], 0.78))
    return [(shaft, 0.95), *threads, (head, 1.05), (_bar(-1.0, -0.09, -0.84, 0.09), 0.35)]


def _nut() -> list[Layer]:
    return [(_ring(1.0, 6), 0.9), (_ring(0.86, 6), 1.1), (_ring(0.56), 0.55), (_ring(0.48), None)]


def _washer() -> list[Layer]:
    return [(_ring(1.0), 0.82), (_ring(0.94), 1.05), (_ring(0.66), 0.75), (_ring(0.6), None)]


def _bearing() -> list[Layer]:
    balls: list[Layer] = []
    for x, y in _ring(0.63, 9):
        balls += [(_ring(0.155, 14, x=x, y=y), 1.25), (_ring(0.07, 10, x=x - 0.04, y=y - 0.04), 1.7)]
    return [(_ring(1.0), 0.85), (_ring(0.95), 1.1), (_ring(0.8), 0.25), *balls,
            (_ring(0.46), 1.1), (_ring(0.34), 0.6), (_ring(0.3), None)]  # fmt: skip


def _gear() -> list[Layer]:
    teeth, points = 10, []
    for i in range(teeth):
        for part, radius in ((0.0, 0.76), (0.22, 0.76), (0.32, 1.0), (0.62, 1.0), (0.72, 0.76)):
            angle = 2 * math.pi * (i + part) / teeth
            points.append((radius * math.cos(angle), radius * math.sin(angle)))
    return [(points, 0.95), (_ring(0.66), 0.8), (_ring(0.6), 1.08), (_ring(0.3), 0.6), (_ring(0.24), None)]


def _spring() -> list[Layer]:
    coils, layers = 7, []
    for i in range(coils):
        x = -0.92 + 1.84 * i / coils
        step = 1.84 / coils
        back = [(x, 0.4), (x + 0.09, 0.4), (x + step * 0.5 + 0.09, -0.4), (x + step * 0.5, -0.4)]
        middle, end = x + step * 0.5, x + step
        front = [(middle - 0.02, -0.42), (middle + 0.12, -0.42), (end + 0.12, 0.42), (end - 0.02, 0.42)]
        layers += [(back, 0.6), (front, 1.1)]
    ends: list[Layer] = [(_bar(-1.0, -0.42, -0.88, 0.42), 0.95), (_bar(0.92, -0.42, 1.0, 0.42), 0.95)]
    return layers + ends


def _bracket() -> list[Layer]:
    ell = [(-0.8, -0.9), (-0.32, -0.9), (-0.32, 0.36), (0.86, 0.36), (0.86, 0.84), (-0.8, 0.84)]
    inner = [(-0.74, -0.84), (-0.38, -0.84), (-0.38, 0.42), (0.8, 0.42), (0.8, 0.78), (-0.74, 0.78)]
    holes: list[Layer] = []
    for x, y in ((-0.56, -0.6), (-0.56, 0.1), (0.16, 0.6), (0.6, 0.6)):
        holes += [(_ring(0.15, 16, x=x, y=y), 0.6), (_ring(0.12, 16, x=x, y=y), None)]
    return [(ell, 0.78), (inner, 1.05), *holes]


_LAYERS = {"bolt": _bolt(), "nut": _nut(), "washer": _washer(), "gear": _gear(),
           "spring": _spring(), "bracket": _bracket(), "screw": _screw(), "bearing": _bearing()}  # fmt: skip
_SHAPES = {kind: [(np.array(polygon), tone) for polygon, tone in layers] for kind, layers in _LAYERS.items()}


@lru_cache(maxsize=4096)
def extent(kind: str, angle: float, bitten: int | None = None) -> tuple[float, float, float, float]:
    """The turned part's (left, top, right, bottom) around its centre, in half lengths.

    bitten: the mark of a missing piece, without which the part may be smaller.
    """
    polygons = [polygon for polygon, tone in _SHAPES[kind] if tone is not None]
    points = np.concatenate(polygons) if bitten is None else _left_over(polygons, defects.bite(kind, bitten))
    turned = points @ _turn(angle)
    left, top = turned.min(0)
    right, bottom = turned.max(0)
    return float(left), float(top), float(right), float(bottom)


def _left_over(polygons: Sequence[np.ndarray], bite: Points) -> np.ndarray:
    """Points [N, 2] along the edges of what the bite leaves of the polygons."""
    edges = np.concatenate([_dense(polygon) for polygon in polygons])
    broken = _dense(bite)
    inside = np.any([_holds(polygon, broken) for polygon in polygons], 0)
    return np.concatenate([edges[~_holds(bite, edges)], broken[inside]])


def _dense(polygon: np.ndarray | Points, steps: int = 16) -> np.ndarray:
    """Points [N * steps, 2] along the polygon's edges."""
    start = np.array(polygon)
    share = np.linspace(0, 1, steps, endpoint=False)[None, :, None]
    return (start[:, None] * (1 - share) + np.roll(start, -1, 0)[:, None] * share).reshape(-1, 2)


def _holds(polygon: np.ndarray | Points, points: np.ndarray) -> np.ndarray:
    """bool [N]: whether the polygon holds each point (a ray to the right crosses its edges an odd number of times)."""
    start = np.array(polygon)[:, None]
    end = np.roll(start, -1, 0)
    x, y = points.T
    spans = (start[..., 1] > y) != (end[..., 1] > y)
    rise = np.where(spans, end[..., 1] - start[..., 1], 1)
    cross = start[..., 0] + (y - start[..., 1]) / rise * (end[..., 0] - start[..., 0])
    return (spans & (x < cross)).sum(0) % 2 == 1


def _turn(angle: float) -> np.ndarray:
    return np.array([[math.cos(angle), math.sin(angle)], [-math.sin(angle), math.cos(angle)]])


def turned(points: np.ndarray | Points, angle: float) -> np.ndarray:
    """Points [N, 2] of the part's own coordinates, turned with it."""
    return np.array(points) @ _turn(angle)


def draw_part(
    canvas: Image.Image, kind: str, colour: tuple[int, int, int], tint: tuple[float, ...], at: tuple[float, float],
    radius: float, angle: float, tilt: float, light: float, marks: Sequence[Mark] = (),
) -> None:  # fmt: skip
    """Draw one part onto the RGB canvas: centre ``at`` and ``radius`` in pixels, shadow away from the light.

    marks: its defect's polygons.
    """
    fine = 4 if radius < 40 else 2  # supersampling
    half = int(radius * 1.3) + 3
    side = 2 * half + 1
    corner = int(at[0]) - half, int(at[1]) - half
    shift = at[0] - corner[0], at[1] - corner[1]
    window = _window(extent(kind, angle), radius, tilt, shift, side)

    def flat(polygon: np.ndarray | Points) -> list[float]:
        return ((turned(polygon, angle) * (radius, radius * tilt) + shift) * fine).ravel().tolist()

    tones, alpha = Image.new("L", (side * fine, side * fine), 100), Image.new("L", (side * fine, side * fine), 0)
    tone_pen, alpha_pen = ImageDraw.Draw(tones), ImageDraw.Draw(alpha)
    for polygon, tone in _SHAPES[kind]:
        points = flat(polygon)
        alpha_pen.polygon(points, fill=0 if tone is None else 255)
        if tone is not None:
            tone_pen.polygon(points, fill=round(100 * tone))
    for hole, paint in marks:
        if paint is None:
            alpha_pen.polygon(flat(hole), fill=0)
    box = tuple(edge * fine for edge in window)
    alpha = alpha.reduce(fine, box)
    _cast_shadow(canvas, alpha, corner, window, radius, light)
    shaded = _shade(tones.reduce(fine, box), window, side, colour, tint, light)
    painted = [(flat(polygon), paint) for polygon, paint in marks if paint is not None]
    if painted:
        _paint(shaded, painted, side, fine, box)
    canvas.paste(shaded, (corner[0] + window[0], corner[1] + window[1]), alpha)


def _window(
    edges: tuple[float, float, float, float], radius: float, tilt: float, middle: tuple[float, float], side: int
) -> tuple[int, int, int, int]:
    """Where in the square of ``side`` pixels about the part it and its shadow's blur lie."""
    slack = 0.2 * radius + 4  # more than three standard deviations of the blur
    left, top, right, bottom = edges
    return (
        max(0, math.floor(middle[0] + left * radius - slack)),
        max(0, math.floor(middle[1] + top * radius * tilt - slack)),
        min(side, math.ceil(middle[0] + right * radius + slack)),
        min(side, math.ceil(middle[1] + bottom * radius * tilt + slack)),
    )


def _paint(
    shaded: Image.Image, painted: Sequence[tuple[list[float], tuple[int, int, int]]], side: int, fine: int,
    box: tuple[int, ...],
) -> None:  # fmt: skip
    """Lay polygons, given in pixels of a square ``fine`` times as wide, over the part, which shows ``box`` of it."""
    size = (side * fine, side * fine)
    paint, cover = Image.new("RGB", size, painted[0][1]), Image.new("L", size, 0)
    paint_pen, cover_pen = ImageDraw.Draw(paint), ImageDraw.Draw(cover)
    for points, colour in painted:
        paint_pen.polygon(points, fill=colour)
        cover_pen.polygon(points, fill=255)
    shaded.paste(paint.reduce(fine, box), (0, 0), cover.reduce(fine, box))


def _shade(
    tones: Image.Image, window: tuple[int, int, int, int], side: int, colour: tuple[int, int, int],
    tint: tuple[float, ...], light: float,
) -> Image.Image:  # fmt: skip
    """Colour x tone, lighter on the side of the light; dark colours get a sheen so that their form can be seen."""
    x1, y1, x2, y2 = window
    tone = np.asarray(tones, np.float32) / 100  # [H, W]
    ramp = np.linspace(-1, 1, side, dtype=np.float32)
    slope = ramp[None, x1:x2] * math.cos(light) + ramp[y1:y2, None] * math.sin(light)
    channels = np.asarray(colour, np.float32) + np.asarray(tint, np.float32) * (max(colour) / 220)
    sheen = np.clip(tone - 1, 0, None) * 90 + (tone - 1) * 22
    lit = tone * (1 + 0.16 * slope)
    return rgb([channel * lit + sheen for channel in channels])


def _cast_shadow(
    canvas: Image.Image, alpha: Image.Image, corner: tuple[int, int], window: tuple[int, int, int, int],
    radius: float, light: float,
) -> None:  # fmt: skip
    soft = alpha.filter(ImageFilter.GaussianBlur(max(0.6, radius * 0.06))).point(lambda a: a * 0.42)
    offset = max(1.0, radius * 0.1)
    left = round(corner[0] - offset * math.cos(light)) + window[0]
    top = round(corner[1] - offset * math.sin(light)) + window[1]
    canvas.paste((14, 14, 18), (left, top, left + alpha.width, top + alpha.height), soft)
