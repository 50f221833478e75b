"""Drawing is quick where it can be, and shows to the byte what the plain way shows: each part in a square of its own
that is shaded whole, and all channels of the picture computed together."""

from __future__ import annotations

import io
import math
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFilter
from training.workbench import parts, surfaces
from training.workbench.scenes import COLOURS, Part, Scene, draw, lay, random_scene, random_size


def plain_part(canvas: Image.Image, part: Part, scene: Scene) -> None:
    width, height = canvas.size
    at, radius = (part.x * width, part.y * height), part.radius * math.sqrt(width * height)
    fine, half = 4 if radius < 40 else 2, int(radius * 1.3) + 3
    left, top, side = int(at[0]) - half, int(at[1]) - half, 2 * half + 1
    size = (side * fine, side * fine)
    tones, alpha, cover = Image.new("L", size, 100), Image.new("L", size), Image.new("L", size)

    def lay_polygon(image: Image.Image, polygon, fill) -> None:
        corners = parts.turned(polygon, part.angle) * (radius, radius * scene.tilt) + (at[0] - left, at[1] - top)
        ImageDraw.Draw(image).polygon([tuple(corner) for corner in (corners * fine).tolist()], fill=fill)

    for polygon, tone in parts._LAYERS[part.kind]:
        lay_polygon(alpha, polygon, 0 if tone is None else 255)
        if tone is not None:
            lay_polygon(tones, polygon, round(100 * tone))
    paint = Image.new("RGB", size, next((colour for _, colour in part.marks() if colour), None))
    for polygon, colour in part.marks():
        lay_polygon(alpha if colour is None else cover, polygon, 0 if colour is None else 255)
        if colour is not None:
            lay_polygon(paint, polygon, colour)
    alpha = alpha.reduce(fine)
    soft = alpha.filter(ImageFilter.GaussianBlur(max(0.6, radius * 0.06))).point(lambda a: a * 0.42)
    away = max(1.0, radius * 0.1)
    place = (round(left - away * math.cos(scene.light)), round(top - away * math.sin(scene.light)))
    canvas.paste((14, 14, 18), (*place, place[0] + side, place[1] + side), soft)
    shaded = plain_shade(tones.reduce(fine), part, scene.light)
    shaded.paste(paint.reduce(fine), (0, 0), cover.reduce(fine))
    canvas.paste(shaded, (left, top), alpha)


def plain_shade(tones: Image.Image, part: Part, light: float) -> Image.Image:
    tone = np.asarray(tones, np.float32) / 100
    side = np.linspace(-1, 1, tone.shape[0], dtype=np.float32)
    slope = side[None, :] * math.cos(light) + side[:, None] * math.sin(light)
    colour = COLOURS[part.colour]
    rgb = np.asarray(colour, np.float32) + np.asarray(part.tint, np.float32) * (max(colour) / 220)
    sheen = np.clip(tone - 1, 0, None) * 90 + (tone - 1) * 22
    pixels = rgb * (tone * (1 + 0.16 * slope))[..., None] + sheen[..., None]
    return Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))


def plain_exposure(canvas: Image.Image, scene: Scene, rng: np.random.Generator) -> Image.Image:
    width, height = canvas.size
    blur = scene.blur * math.sqrt(width * height)
    pixels = np.asarray(canvas.filter(ImageFilter.GaussianBlur(blur)) if blur > 0.2 else canvas, np.float32)
    across = np.linspace(-1, 1, width, dtype=np.float32)[None, :] * math.cos(scene.light)
    down = np.linspace(-1, 1, height, dtype=np.float32)[:, None] * math.sin(scene.light)
    pixels = pixels * (scene.gain * (1 + 0.09 * (across + down)))[..., None]
    if scene.noise:
        pixels = pixels + rng.standard_normal((height, width), dtype=np.float32)[..., None] * scene.noise
    picture = Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))
    if not scene.jpeg:
        return picture
    file = io.BytesIO()
    picture.save(file, "JPEG", quality=scene.jpeg)
    return Image.open(file).convert("RGB")


@pytest.mark.parametrize("index", range(40))
def test_parts_are_drawn_as_each_in_a_square_of_its_own(index):
    scene = random_scene(31, index)
    size = random_size(np.random.default_rng(index), scene.aspect)
    quick, plain = Image.new("RGB", size, "teal"), Image.new("RGB", size, "teal")
    lay(scene.parts, scene, quick)
    for part in scene.parts:
        plain_part(plain, part, scene)
    assert quick.tobytes() == plain.tobytes()


@pytest.mark.parametrize("index", range(20))
def test_a_picture_is_exposed_as_all_its_channels_together(index):
    scene = replace(random_scene(32, index), parts=())
    width, height = random_size(np.random.default_rng(index), scene.aspect)
    rng = np.random.default_rng(scene.seed)
    plain = plain_exposure(surfaces.draw(scene.surface, width, height, rng), scene, rng)
    assert draw(scene, width, height).tobytes() == plain.tobytes()
