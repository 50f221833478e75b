"""Which part is nearest to which."""

from __future__ import annotations

from dataclasses import replace

from training.workbench.neighbours import nearest
from training.workbench.scenes import random_scene


def scene_at(aspect, *places):
    bare = random_scene(3, 1, count=len(places))
    parts = tuple(replace(part, x=x, y=y) for part, (x, y) in zip(bare.parts, places, strict=True))
    return replace(bare, parts=parts, aspect=aspect)


def test_the_nearest_is_measured_as_it_looks():
    places = ((0.5, 0.5), (0.6, 0.5), (0.5, 0.7))
    square, wide = scene_at(1.0, *places), scene_at(3.0, *places)
    assert nearest(square, square.parts[0]) is square.parts[1]
    assert nearest(wide, wide.parts[0]) is wide.parts[2]


def test_there_is_none_where_two_are_about_as_close_or_where_there_is_no_other():
    even, alone = scene_at(1.0, (0.5, 0.5), (0.6, 0.5), (0.39, 0.5)), scene_at(1.0, (0.5, 0.5))
    assert nearest(even, even.parts[0]) is None
    assert nearest(alone, alone.parts[0]) is None
