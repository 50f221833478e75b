from __future__ import annotations

from dataclasses import replace

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from tests.inference.engine.mixes import prompt
from tests.inference.engine.numpy_model import PICTURE

from vi.inference.engine.block_table import BlockTable

SIZE = 4
PICTURES = st.lists(st.tuples(st.integers(1, 3), st.integers(1, 3)), max_size=3).map(tuple)


def table(before, after=1, words=0, pictures=()):
    return BlockTable(prompt(before, pictures, after, words), SIZE)


def test_pictures_are_shared_with_equal_pictures_only():
    def keys(*pictures, after=9):
        return table(6, after=after, pictures=pictures).sharable_keys()

    two, other, none = keys((2, 2), (1, 3)), keys((2, 2), (3, 1)), keys()
    assert len(table(6, after=9, pictures=((2, 2), (1, 3))).token_ids) == len(
        table(6, after=9, pictures=((2, 2), (3, 1))).token_ids
    )
    assert two == keys((2, 2), (1, 3))
    assert two[0] == other[0] == none[0]  # words alone
    assert not set(two[1:]) & {*other[1:], *none[1:]}


def test_pictures_without_a_digest_are_like_no_others():
    text = replace(prompt(1, ((2, 2),), 9), media_key=b"")
    assert BlockTable(text, SIZE).sharable_keys() != BlockTable(text, SIZE).sharable_keys()


@given(PICTURES, PICTURES, st.integers(1, 9), st.integers(1, 9), st.integers(0, 1))
def test_two_prompts_share_the_blocks_before_they_differ(first, second, before, after, words):
    one, other = table(before, after, 0, first), table(before, after, words, second)
    shared = sum(a == b for a, b in zip(one.sharable_keys(), other.sharable_keys(), strict=False))
    common = 0
    while common < min(len(one.token_ids), len(other.token_ids)) and one.token_ids[common] == other.token_ids[common]:
        common += 1
    if first == second:
        assert shared == min(common // SIZE, (len(one.token_ids) - 1) // SIZE)
    else:  # what differs may be the pixels: a block with a place of a picture is not shared
        assert shared <= min(common, before) // SIZE


@given(PICTURES, st.integers(1, 9), st.integers(1, 9))
def test_the_runs_are_the_places_of_the_pictures(pictures, before, after):
    its = table(before, after, 0, pictures)
    places = [place for first, end, _ in its.runs for place in range(first, end)]
    assert places == np.flatnonzero(np.array(its.token_ids) == PICTURE).tolist()
    assert [feature for _, _, feature in its.runs] == np.cumsum([0, *(r * c for r, c in pictures)]).tolist()[:-1]


def test_a_place_whose_logits_are_owed_is_never_found_computed():
    its = table(9)
    its.token_ids += [5] * 20
    assert len(its.sharable_keys()) == 29 // SIZE
    its.owed = [9, 10]
    assert len(its.sharable_keys()) == 9 // SIZE
    assert its.owed_within(0, 10) == [9]
