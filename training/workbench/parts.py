"""The parts: their outlines in a unit circle, and how one is drawn with light and shadow.

Every shape is a list of polygons in coordinates where the part's half length is 1; y points down.
"""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

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

Points = list[tuple[float, float]]
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


_SHAPES = {"bolt": _bolt(), "nut": _nut(), "washer": _washer(), "gear": _gear(),
           "spring": _spring(), "bracket": _bracket(), "screw": _screw(), "bearing": _bearing()}  # fmt: skip


@lru_cache(maxsize=4096)
def extent(kind: str, angle: float) -> tuple[float, float, float, float]:
    """The turned part's (left, top, right, bottom) around its centre, in half lengths."""
    points = np.array([p for polygon, tone in _SHAPES[kind] if tone is not None for p in polygon])  # [N, 2]
    turned = points @ _turn(angle)
    left, top = turned.min(0)
    right, bottom = turned.max(0)
    return float(left), float(top), float(right), float(bottom)


def _turn(angle: float) -> np.ndarray:
    return np.array([[math.cos(angle), math.sin(angle)], [-math.sin(angle), math.cos(angle)]])


def draw_part(
    canvas: Image.Image, kind: str, colour: tuple[int, int, int], tint: tuple[float, ...], at: tuple[float, float],
    radius: float, angle: float, tilt: float, light: float,
) -> None:  # fmt: skip
    """Draw one part onto the RGB canvas: centre ``at`` and ``radius`` in pixels, shadow away from the light."""
    fine = 4 if radius < 40 else 2  # supersampling
    half = int(radius * 1.3) + 3
    left, top = int(at[0]) - half, int(at[1]) - half
    side = 2 * half + 1
    tones, alpha = Image.new("L", (side * fine, side * fine), 100), Image.new("L", (side * fine, side * fine), 0)
    tone_pen, alpha_pen = ImageDraw.Draw(tones), ImageDraw.Draw(alpha)
    shift = np.array([at[0] - left, at[1] - top])
    for polygon, tone in _SHAPES[kind]:
        points = ((np.array(polygon) @ _turn(angle)) * (radius, radius * tilt) + shift) * fine
        flat = [tuple(p) for p in points.tolist()]
        alpha_pen.polygon(flat, fill=0 if tone is None else 255)
        if tone is not None:
            tone_pen.polygon(flat, fill=round(100 * tone))
    tones, alpha = tones.reduce(fine), alpha.reduce(fine)
    _cast_shadow(canvas, alpha, (left, top), radius, light)
    canvas.paste(_shade(tones, colour, tint, light), (left, top), alpha)


def _shade(tones: Image.Image, colour: tuple[int, int, int], tint: tuple[float, ...], light: float) -> Image.Image:
    """Colour x tone, lighter on the side of the light; dark colours get a sheen so that their form can be seen."""
    tone = np.asarray(tones, np.float32) / 100  # [S, S]
    side = np.linspace(-1, 1, tone.shape[0], dtype=np.float32)
    slope = side[None, :] * math.cos(light) + side[:, None] * math.sin(light)
    rgb = np.asarray(colour, np.float32) + np.asarray(tint, np.float32) * (max(colour) / 220)
    sheen = np.clip(tone - 1, 0, None) * 90 + (tone - 1) * 22
    pixels = rgb * (tone * (1 + 0.16 * slope))[..., None] + sheen[..., None]
    return Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))


def _cast_shadow(canvas: Image.Image, alpha: Image.Image, corner: tuple[int, int], radius: float, light: float) -> None:
    soft = alpha.filter(ImageFilter.GaussianBlur(max(0.6, radius * 0.06))).point(lambda a: a * 0.42)
    offset = max(1.0, radius * 0.1)
    place = (round(corner[0] - offset * math.cos(light)), round(corner[1] - offset * math.sin(light)))
    canvas.paste((14, 14, 18), (place[0], place[1], place[0] + alpha.width, place[1] + alpha.height), soft)
