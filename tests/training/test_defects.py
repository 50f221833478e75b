"""Defects: on one part in five, seen where they are, and nothing else of the scene depends on them."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from training.workbench import defects
from training.workbench.parts import COLOURS, KINDS, extent
from training.workbench.scenes import Part, draw, lay, random_scene

TURNED = 0.7


def part_alone(kind: str, colour: str, defect: str | None, mark: int, radius: float = 0.3):
    """A scene of one part in the middle, in flat light."""
    part = Part(kind, colour, "large", 0.5, 0.5, radius, TURNED, (0.0, 0.0, 0.0), defect, mark)
    return replace(
        random_scene(1, 0, aspect=1.0, count=0),
        parts=(part,), surface="steel", tilt=1.0, gain=1.0, noise=0.0, blur=0.0, jpeg=0,
    )  # fmt: skip


def change(kind: str, colour: str, defect: str, mark: int, side: int = 100, radius: float = 0.3) -> np.ndarray:
    """What the defect changes in the picture, [side, side], the largest of the three channels."""
    pictures = [draw(part_alone(kind, colour, d, mark, radius), side, side) for d in (defect, None)]
    with_it, without = (np.asarray(picture, int) for picture in pictures)
    return np.abs(with_it - without).max(-1)


@given(st.integers(0, 2**31), st.integers(0, 2**31))
@settings(max_examples=30)
def test_a_scene_with_its_defects_taken_off_is_the_scene_drawn_without(seed, index):
    scene = random_scene(seed, index)
    share, defects.SHARE = defects.SHARE, 0.0
    try:
        without = random_scene(seed, index)
    finally:
        defects.SHARE = share
    assert replace(scene, parts=tuple(replace(p, defect=None, mark=0) for p in scene.parts)) == without


def test_about_one_part_in_five_has_a_defect_and_each_comes_as_often():
    parts = [part for index in range(1500) for part in random_scene(2, index).parts]
    found = Counter(part.defect for part in parts)
    assert 1 - found[None] / len(parts) == pytest.approx(defects.SHARE, abs=0.02)
    assert set(found) == {None, *defects.DEFECTS}
    assert all(found[d] == pytest.approx(len(parts) * defects.SHARE / 4, rel=0.2) for d in defects.DEFECTS)


@pytest.mark.parametrize("defect", defects.DEFECTS)
@pytest.mark.parametrize("colour", COLOURS)
def test_a_defect_is_seen_on_every_kind_of_that_colour_at_thirty_pixels(defect, colour):
    for kind in KINDS:
        for mark in range(4):
            seen = change(kind, colour, defect, mark, side=50) > 40
            assert seen.sum() >= 12, (kind, mark)


@pytest.mark.parametrize("defect", defects.DEFECTS)
def test_a_defect_changes_the_part_and_little_beside_it(defect):
    """Beside the part only its shadow changes, where a piece of it is missing."""
    for kind in KINDS:
        left, top, right, bottom = (50 + 30 * edge for edge in extent(kind, TURNED))
        rows, columns = np.nonzero(change(kind, "red", defect, 3) > 2)
        slack = 8 if defect == "missing piece" else 1
        assert left - slack <= columns.min() <= columns.max() <= right + slack
        assert top - slack <= rows.min() <= rows.max() <= bottom + slack


@given(st.sampled_from(KINDS), st.integers(0, 2**31), st.floats(0, 6.3))
@settings(max_examples=60)
def test_a_missing_piece_never_makes_a_box_larger_and_leaves_most_of_it(kind, mark, angle):
    whole, bitten = np.array(extent(kind, angle)), np.array(extent(kind, angle, mark))
    assert (bitten[:2] >= whole[:2] - 1e-9).all()
    assert (bitten[2:] <= whole[2:] + 1e-9).all()
    areas = [np.prod(edges[2:] - edges[:2]) for edges in (bitten, whole)]
    assert areas[0] > 0.55 * areas[1]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("mark", range(6))
def test_the_box_of_a_bitten_part_is_that_of_its_pixels(kind, mark):
    """The part's own pixels are those that look the same over a black and a white ground."""
    scene = part_alone(kind, "green", "missing piece", mark)
    black, white = Image.new("RGB", (400, 400)), Image.new("RGB", (400, 400), "white")
    lay(scene.parts, scene, black)
    lay(scene.parts, scene, white)
    rows, columns = np.nonzero(np.abs(np.asarray(black, int) - np.asarray(white, int)).max(-1) < 128)
    box = [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]
    assert box == pytest.approx([edge * 400 for edge in scene.box(scene.parts[0])], abs=2.5)


def test_a_defect_is_not_hidden_under_a_part_above_it():
    """Take the parts above away: little of the defect was under them."""
    for index in range(60):
        scene = replace(random_scene(4, index, aspect=1.0), noise=0.0, blur=0.0, jpeg=0)
        for place, part in enumerate(scene.parts):
            if part.defect is None or part.defect == "missing piece":  # whose shadow changes as well
                continue
            mended = replace(part, defect=None, mark=0)
            seen = [drawn_change(scene, place, mended, scene.parts[:end]) for end in (None, place + 1)]
            assert seen[0] >= 0.6 * seen[1] > 0, (index, part)


def drawn_change(scene, place: int, mended: Part, parts: tuple) -> int:
    """Pixels that differ between the scene of these parts and that with one of them mended."""
    better = (*parts[:place], mended, *parts[place + 1 :])
    pictures = [draw(replace(scene, parts=p), 200, 200) for p in (parts, better)]
    return int((np.abs(np.asarray(pictures[0], int) - np.asarray(pictures[1], int)).max(-1) > 12).sum())
