"""The drawn world: the same from the same numbers, at any size, with its truth where the pixels are."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from training.workbench.parts import COLOURS, KINDS
from training.workbench.scenes import MAX_PARTS, SIZES, draw, random_scene, random_size


@given(st.integers(0, 2**31), st.integers(0, 2**31))
@settings(max_examples=50)
def test_a_scene_is_a_function_of_its_numbers(seed, index):
    scene = random_scene(seed, index)
    assert scene == random_scene(seed, index)
    assert len(scene.parts) <= MAX_PARTS
    for part in scene.parts:
        left, top, right, bottom = scene.box(part)
        assert 0 <= left < right <= 1
        assert 0 <= top < bottom <= 1
        low, high = SIZES[part.size]
        assert low <= part.radius <= high


def test_a_picture_is_a_function_of_its_scene():
    scene = random_scene(1, 2)
    first, second = draw(scene, 120, 90), draw(scene, 120, 90)
    assert first.size == (120, 90)
    assert np.array_equal(np.asarray(first), np.asarray(second))


@pytest.mark.parametrize("index", range(12))
def test_a_box_holds_the_pixels_that_its_part_changes(index):
    """Draw the scene with and without its top part, in flat light: what differs lies in the box, shadow aside."""
    scene = replace(random_scene(7, index, count=2), noise=0.0, blur=0.0, jpeg=0)
    part = scene.parts[-1]
    width, height = round(400 * scene.aspect**0.5), round(400 / scene.aspect**0.5)
    scene = replace(scene, aspect=width / height)
    without = replace(scene, parts=scene.parts[:-1])
    change = np.abs(np.asarray(draw(scene, width, height), int) - np.asarray(draw(without, width, height), int)).sum(-1)
    rows, columns = np.nonzero(change > 12)
    left, top, right, bottom = (v * s for v, s in zip(scene.box(part), (width, height) * 2, strict=True))
    shadow = 0.35 * part.radius * 400
    assert left - shadow <= columns.min() <= left + 3
    assert right - 3 <= columns.max() <= right + shadow
    assert top - shadow <= rows.min() <= top + 3
    assert bottom - 3 <= rows.max() <= bottom + shadow


def test_every_kind_colour_and_surface_occurs():
    scenes = [random_scene(0, i) for i in range(300)]
    parts = [p for s in scenes for p in s.parts]
    assert {p.kind for p in parts} == set(KINDS)
    assert {p.colour for p in parts} == set(COLOURS)
    assert {len(s.parts) for s in scenes} == set(range(MAX_PARTS + 1))
    assert len({s.surface for s in scenes}) == 5


@given(st.integers(0, 10**6), st.floats(1 / 3, 3))
@settings(max_examples=100)
def test_sizes_stay_within_the_world(seed, aspect):
    width, height = random_size(np.random.default_rng(seed), aspect)
    assert min(width, height) >= 96
    assert max(width, height) <= 1024
    assert width / height == pytest.approx(aspect, rel=0.02)
