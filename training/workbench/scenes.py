"""The workbench world: scenes of parts, as data with the truth in it, and their pictures at any size.

A scene is drawn from (seed, index) alone. Places are fractions of the picture's width and height; lengths (a part's
radius) are fractions of the geometric mean of both, so that a part looks the same in every aspect ratio.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from PIL import Image

from training.workbench import defects, surfaces
from training.workbench.defects import Mark
from training.workbench.parts import COLOURS, KINDS, draw_part, extent, turned

SIZES = {"small": (0.068, 0.092), "large": (0.125, 0.170)}  # radius; the gap between them is the boundary of the words
MAX_PARTS = 6
_DEFECTS = 4  # the stream of random numbers that defects have to themselves


@dataclass(frozen=True)
class Part:
    """One part. x, y: centre in [0, 1] of width and height. radius: half length. angle: radians. tint: RGB jitter.

    defect: one of ``DEFECTS``, or None; mark: the number that its shape is drawn from.
    """

    kind: str
    colour: str
    size: str
    x: float
    y: float
    radius: float
    angle: float
    tint: tuple[float, float, float]
    defect: str | None = None
    mark: int = 0

    def marks(self) -> list[Mark]:
        """Its defect's polygons."""
        return defects.marks(self.kind, self.defect, self.mark, COLOURS[self.colour]) if self.defect else []


@dataclass(frozen=True)
class Scene:
    """Parts from back to front on a surface. aspect: width / height. tilt: vertical squash of a slanting view."""

    parts: tuple[Part, ...]
    surface: str
    aspect: float
    tilt: float
    light: float  # direction the light comes from, radians
    gain: float  # brightness of the whole picture
    noise: float  # standard deviation of the sensor's noise, of 255
    blur: float  # radius of the optics' blur, fraction of the geometric mean side
    jpeg: int  # quality, 0 for none
    seed: int

    def box(self, part: Part) -> tuple[float, float, float, float]:
        """The part's own box (x1, y1, x2, y2), fractions of width and height, cut at the picture's edge."""
        bitten = part.mark if part.defect == "missing piece" else None
        left, top, right, bottom = extent(part.kind, part.angle, bitten)
        wide, high = part.radius / math.sqrt(self.aspect), part.radius * math.sqrt(self.aspect) * self.tilt
        corners = (part.x + left * wide, part.y + top * high, part.x + right * wide, part.y + bottom * high)
        return tuple(min(1.0, max(0.0, c)) for c in corners)  # type: ignore[return-value]


def random_scene(seed: int, index: int, *, aspect: float | None = None, count: int | None = None) -> Scene:
    """The scene number ``index`` of the series ``seed``; ``aspect`` and ``count`` (0 to 6 parts) may be fixed."""
    rng = np.random.default_rng((seed, index))
    if aspect is None:
        aspect = 1.0 if rng.random() < 0.4 else float(np.exp(rng.uniform(-math.log(3), math.log(3))))
    scene = Scene(
        parts=(),
        surface=str(rng.choice(surfaces.NAMES)),
        aspect=aspect,
        tilt=1.0 if rng.random() < 0.5 else float(rng.uniform(0.8, 1.0)),
        light=float(rng.uniform(0, 2 * math.pi)),
        gain=float(rng.uniform(0.75, 1.12)),
        noise=float(rng.choice([0, rng.uniform(0, 7)])),
        blur=float(rng.choice([0, rng.uniform(0, 0.003)])),
        jpeg=int(rng.choice([0, rng.integers(40, 96)])),
        seed=int(rng.integers(2**31)),
    )
    wanted = int(rng.choice(MAX_PARTS + 1, p=[0.04, 0.14, 0.18, 0.18, 0.17, 0.15, 0.14])) if count is None else count
    parts: list[Part] = []
    same = rng.random() < 0.3  # some scenes repeat a kind or a colour, so that counting is worth asking
    for _ in range(wanted * 40):
        if len(parts) == wanted:
            break
        part = _random_part(rng, scene)
        if same and parts and rng.random() < 0.6:
            like = parts[int(rng.integers(len(parts)))]
            part = replace(part, kind=like.kind) if rng.random() < 0.5 else replace(part, colour=like.colour)
        if _fits(scene, parts, part):
            parts.append(part)
    rng = np.random.default_rng((seed, index, _DEFECTS))
    return replace(
        scene, parts=tuple(_perhaps_defective(rng, scene, part, parts[i + 1 :]) for i, part in enumerate(parts))
    )


def _perhaps_defective(rng: np.random.Generator, scene: Scene, part: Part, above: list[Part]) -> Part:
    """The part, one time in five with a defect, and that where it can be seen."""
    if rng.random() >= defects.SHARE:
        return part
    defect = str(rng.choice(defects.DEFECTS))
    for _ in range(12):
        worse = replace(part, defect=defect, mark=int(rng.integers(2**31)))
        if _hidden(scene, worse, above) < 0.25:
            return worse
    return part


def _hidden(scene: Scene, part: Part, above: list[Part]) -> float:
    """How much of its defect lies under the boxes of parts above it or outside the picture, by its corners."""
    corners = turned([point for polygon, _ in part.marks() for point in polygon], part.angle)
    stretch = math.sqrt(scene.aspect)
    x, y = (corners * (1 / stretch, stretch * scene.tilt) * part.radius + (part.x, part.y)).T
    hidden = (x < 0) | (x > 1) | (y < 0) | (y > 1)
    for left, top, right, bottom in map(scene.box, above):
        hidden |= (x > left) & (x < right) & (y > top) & (y < bottom)
    return float(hidden.mean())


def _random_part(rng: np.random.Generator, scene: Scene) -> Part:
    size = "small" if rng.random() < 0.5 else "large"
    radius = float(rng.uniform(*SIZES[size]))
    margin_x = 0.9 * radius / math.sqrt(scene.aspect)
    margin_y = 0.9 * radius * math.sqrt(scene.aspect)
    return Part(
        kind=str(rng.choice(KINDS)),
        colour=str(rng.choice(list(COLOURS))),
        size=size,
        x=float(rng.uniform(margin_x, 1 - margin_x)),
        y=float(rng.uniform(margin_y, 1 - margin_y)),
        radius=radius,
        angle=float(rng.uniform(0, 2 * math.pi)),
        tint=tuple(float(t) for t in rng.normal(0, 7, 3)),  # type: ignore[arg-type]
    )


def _fits(scene: Scene, others: list[Part], part: Part) -> bool:
    """Whether the part covers, and is covered by, at most a quarter of any other (measured on the boxes)."""
    box = scene.box(part)
    return all(_cover(box, scene.box(other)) <= 0.25 for other in others)


def _cover(a: tuple[float, ...], b: tuple[float, ...]) -> float:
    wide = min(a[2], b[2]) - max(a[0], b[0])
    high = min(a[3], b[3]) - max(a[1], b[1])
    if wide <= 0 or high <= 0:
        return 0.0
    area = min((a[2] - a[0]) * (a[3] - a[1]), (b[2] - b[0]) * (b[3] - b[1]))
    return wide * high / area


def random_size(rng: np.random.Generator, aspect: float, shortest: int = 96, longest: int = 1024) -> tuple[int, int]:
    """A picture size (width, height) in pixels of that aspect ratio, log-uniform, both sides within the limits."""
    stretch = max(aspect, 1 / aspect)
    long_side = math.exp(rng.uniform(math.log(shortest * stretch), math.log(longest)))
    short_side = long_side / stretch
    wide, high = (long_side, short_side) if aspect >= 1 else (short_side, long_side)
    return max(shortest, round(wide)), max(shortest, round(high))


def draw(scene: Scene, width: int, height: int) -> Image.Image:
    """The scene's picture, RGB, width x height pixels."""
    rng = np.random.default_rng(scene.seed)
    unit = math.sqrt(width * height)
    canvas = surfaces.draw(scene.surface, width, height, rng)
    lay(scene.parts, scene, canvas)
    return surfaces.expose(canvas, rng, scene.light, scene.gain, scene.noise, scene.blur * unit, scene.jpeg)


def lay(parts: Sequence[Part], scene: Scene, canvas: Image.Image) -> None:
    """Draw parts onto the RGB canvas, from back to front, in the scene's light."""
    width, height = canvas.size
    unit = math.sqrt(width * height)
    for part in parts:
        draw_part(canvas, part.kind, COLOURS[part.colour], part.tint, (part.x * width, part.y * height),
                  part.radius * unit, part.angle, scene.tilt, scene.light, part.marks())  # fmt: skip
