"""Runaways end; tables, lists and other long regular texts do not."""

from __future__ import annotations

import json
import random
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vi.inference.sampling.loops import LONGEST_PERIOD, LoopDetector


def tokens(text):
    """Words, digits and marks, as tokenizers cut: (id, text) each."""
    return [(hash(piece) % 2**31, piece) for piece in re.findall(r" ?[A-Za-z]+|\d|\s|.", text)]


def loop_in(pieces):
    detector = LoopDetector()
    for number, (token_id, piece) in enumerate(pieces, 1):
        loop = detector.push(token_id, piece)
        if loop is not None:
            return number, loop
    return None


def table(rng):
    columns, rows = rng.randrange(2, 9), rng.randrange(20, 80)
    head = "|" + " part |" * columns + "\n|" + " --- |" * columns + "\n"
    return head + "".join(
        f"| {row} |" + "".join(rng.choice([" ok |", " 0 |", " bolt |"]) for _ in range(columns - 1)) + "\n"
        for row in range(rows)
    )


def plain_csv(rng):
    return "name,ok,count\n" + "".join(f"part {i},true,{rng.randrange(3)}\n" for i in range(rng.randrange(50, 200)))


def boxes_on_a_grid(rng):
    step, columns = rng.randrange(8, 40), rng.randrange(4, 10)
    items = [
        {"label": "screw", "bbox_2d": [x * step, y * step, (x + 1) * step, (y + 1) * step]}
        for y in range(columns)
        for x in range(columns)
    ]
    return json.dumps(items)


def boxes_in_a_row(rng):
    y, height = rng.randrange(500), rng.randrange(20, 60)
    return json.dumps(
        {"groundings": [{"phrase": "a bolt", "grounding": [[i * 9, y, i * 9 + 8, y + height]]} for i in range(60)]}
    )


def numbered_list(rng):
    return "".join(
        f"{i}. The shelf holds a {rng.choice(['red', 'blue'])} box.\n" for i in range(1, rng.randrange(40, 150))
    )


def matrix(rng):
    size = rng.randrange(4, 11)
    return "[" + ",\n".join("[" + ", ".join("0" for _ in range(size)) + "]" for _ in range(size)) + "]"


def identity(rng):
    size = rng.randrange(8, 24)
    return "\n".join(" ".join("1" if i == j else "0" for j in range(size)) for i in range(size))


def rulers(rng):
    return "\n".join(f"Section {i}\n" + "-" * rng.randrange(20, 120) for i in range(12))


def sums(rng):
    top = rng.randrange(8, 13)
    return "\n".join(f"{a} x {b} = {a * b}" for a in range(1, top) for b in range(1, top))


def refrain(rng):
    verse = "and the wheels go round and round, round and round, round and round. "
    return "".join(f"The {word} on the bus: {verse}" for word in ["driver", "horn", "door", "light", "seat"])


def calendar(rng):
    return "".join(f"2026-{m:02}-{d:02}: no delivery\n" for m in range(1, rng.randrange(3, 9)) for d in range(1, 29))


def listing(rng):
    return "".join(f"    if value == {i}:\n        return {i * i}\n" for i in range(rng.randrange(30, 90)))


def html(rng):
    return "<ul>" + "".join(f"<li>item {i} of the list</li>" for i in range(rng.randrange(30, 120))) + "</ul>"


def dots(rng):
    return "\n".join(f"Chapter {i} {'.' * rng.randrange(30, 90)} {i * 12}" for i in range(1, 15))


REGULAR = [table, plain_csv, boxes_on_a_grid, boxes_in_a_row, numbered_list, matrix, identity, rulers, sums, refrain,
           calendar, listing, html, dots]  # fmt: skip


@pytest.mark.parametrize("make", REGULAR)
def test_long_regular_texts_are_no_loops(make):
    for seed in range(20):  # 280 texts in all
        text = make(random.Random(seed))
        assert loop_in(tokens(text)) is None, text


RUNAWAYS = [
    "the the the ",
    "I see a cat. ",
    "\n",
    "!",
    '{"label": "a cat", "bbox_2d": [1, 2, 3, 4]}, ',
    "The picture shows a shelf with many boxes, and each of the boxes is brown and has a label on it. ",
    "- a red car parked on the left side of the street\n",
]


@pytest.mark.parametrize("again", RUNAWAYS)
@pytest.mark.parametrize("before", ["", "There are many things in this picture. First, "])
def test_a_runaway_ends_with_what_recurs_standing_once(again, before):
    pieces = tokens(before + again * 400)
    number, loop = loop_in(pieces)
    assert number <= 900
    sound = "".join(piece for _, piece in pieces[: loop.sound])
    assert (before + again * 400).startswith(sound)
    assert len(sound) <= len(before) + len(again) + 4


@given(st.lists(st.integers(0, 500), min_size=1, max_size=200), st.lists(st.integers(0, 500), max_size=50))
def test_every_cycle_is_found_and_what_stands_before_it_kept(cycle, before):
    ids = before + cycle * (2000 // len(cycle))
    number, loop = loop_in((token_id, "") for token_id in ids)
    assert number <= len(before) + max(300, 12 * len(cycle))
    assert loop.sound <= len(before) + len(cycle)


@given(st.lists(st.integers(0, 10**9), min_size=1, max_size=800, unique=True))
def test_what_never_recurs_is_no_loop(ids):
    assert loop_in((token_id, "") for token_id in ids) is None


def test_one_box_for_too_many_things_is_a_loop():
    text = "".join(f'{{"label": "thing {i}", "bbox": [5, 6, 70, 80]}}, ' for i in range(40))
    pieces = tokens(text)
    number, loop = loop_in(pieces)
    assert "".join(piece for _, piece in pieces[: loop.sound]).endswith("[5, 6, 70, 80]")
    assert number < len(pieces) / 3


def test_a_run_longer_than_what_is_watched_is_left_alone():
    ids = list(range(LONGEST_PERIOD + 1)) * 8
    assert loop_in((token_id, "") for token_id in ids) is None
