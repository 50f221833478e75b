"""What lies under the parts, and what light, lens, sensor and file do to the picture."""

from __future__ import annotations

import io
import math
from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

_BASE = {
    "wood": (176, 132, 88),
    "steel": (138, 144, 152),
    "paper": (232, 229, 219),
    "dark mat": (70, 76, 82),
    "conveyor belt": (100, 103, 101),
}
NAMES = tuple(_BASE)


def draw(name: str, width: int, height: int, rng: np.random.Generator) -> Image.Image:
    """An empty surface, RGB, width x height pixels."""
    shade = np.zeros((height, width), np.float32)  # [H, W], added to every channel
    unit = math.sqrt(width * height)
    if name == "wood":
        shade += _streaks(height, width, rng, 0.03) * 13 + _boards(height, rng)
    elif name == "steel":
        shade += _streaks(height, width, rng, 0.008) * 6
    elif name == "paper":
        shade += _cloud(height, width, rng, 24) * 2
    elif name == "dark mat":
        shade += _cloud(height, width, rng, 40) * 4
    base = np.asarray(_BASE[name], np.float32) + rng.normal(0, 5)
    canvas = rgb([shade + channel for channel in base])
    if name == "conveyor belt":
        _ribs(canvas, unit, rng)
    elif name == "paper" and rng.random() < 0.5:
        _squares(canvas, unit, rng)
    elif name == "dark mat" and rng.random() < 0.5:
        _squares(canvas, unit, rng, line=(92, 100, 104))
    return canvas


def expose(
    canvas: Image.Image, rng: np.random.Generator, light: float, gain: float, noise: float, blur: float, jpeg: int
) -> Image.Image:
    """What a camera makes of it: uneven light, blur (radius in pixels), noise (of 255), JPEG (quality, 0 none)."""
    bands = canvas.split()
    if blur > 0.2:
        bands = [band.filter(ImageFilter.GaussianBlur(blur)) for band in bands]
    width, height = canvas.size
    across = np.linspace(-1, 1, width, dtype=np.float32)[None, :] * math.cos(light)
    down = np.linspace(-1, 1, height, dtype=np.float32)[:, None] * math.sin(light)
    lit = gain * (1 + 0.09 * (across + down))  # [H, W]
    planes = [np.asarray(band, np.float32) * lit for band in bands]
    if noise:
        grain = rng.standard_normal((height, width), dtype=np.float32)
        grain *= noise
        for plane in planes:
            plane += grain
    picture = rgb(planes)
    if not jpeg:
        return picture
    file = io.BytesIO()
    picture.save(file, "JPEG", quality=jpeg)
    return Image.open(file).convert("RGB")


def rgb(planes: Sequence[np.ndarray]) -> Image.Image:
    """The picture of three planes [H, W], cut to 0 to 255. Plane by plane is three times as fast as [H, W, 3]."""
    return Image.merge("RGB", [Image.fromarray(np.clip(plane, 0, 255).astype(np.uint8)) for plane in planes])


def _streaks(height: int, width: int, rng: np.random.Generator, fineness: float) -> np.ndarray:
    """Grain along the picture's width, [H, W], about -1 to 1."""
    rows = max(4, round(height * fineness * 8))
    coarse = rng.standard_normal((rows, max(2, width // 96 + 2))).astype(np.float32)
    grain = Image.fromarray(coarse).resize((width, height), Image.Resampling.BILINEAR)
    return np.asarray(grain)


def _cloud(height: int, width: int, rng: np.random.Generator, cells: int) -> np.ndarray:
    coarse = rng.standard_normal((cells, cells)).astype(np.float32)
    return np.asarray(Image.fromarray(coarse).resize((width, height), Image.Resampling.BILINEAR))


def _boards(height: int, rng: np.random.Generator) -> np.ndarray:
    """Planks: a dark joint every so often and each plank a little lighter or darker, [H, 1]."""
    edges = np.cumsum(rng.uniform(0.22, 0.45, 6)) - rng.uniform(0, 0.3)
    rows = np.linspace(0, 1, height, dtype=np.float32)
    shade = rng.normal(0, 7, 8)[np.searchsorted(edges, rows)].astype(np.float32)
    joint = np.abs(rows[:, None] - edges[None, :]).min(1) < max(0.004, 0.6 / height)
    return (shade - 35 * joint)[:, None]


def _ribs(canvas: Image.Image, unit: float, rng: np.random.Generator) -> None:
    pen, step, x = ImageDraw.Draw(canvas), unit * rng.uniform(0.1, 0.18), -unit * rng.uniform(0, 0.1)
    thick = max(1, round(unit * 0.008))
    while x < canvas.width:
        pen.line([(x, 0), (x, canvas.height)], (86, 88, 87), thick)
        pen.line([(x + thick, 0), (x + thick, canvas.height)], (112, 115, 113), max(1, thick // 2))
        x += step


def _squares(
    canvas: Image.Image, unit: float, rng: np.random.Generator, line: tuple[int, int, int] = (205, 214, 224)
) -> None:
    pen, step = ImageDraw.Draw(canvas), unit * rng.uniform(0.08, 0.16)
    thick = max(1, round(unit * 0.004))
    for i in range(1, int(canvas.width / step) + 1):
        pen.line([(i * step, 0), (i * step, canvas.height)], line, thick)
    for i in range(1, int(canvas.height / step) + 1):
        pen.line([(0, i * step), (canvas.width, i * step)], line, thick)
