"""Text for pictures: lines fit, nothing is lost that the font can show."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vi.inference.utils.lettering import Lettering

LETTERING = Lettering(16)
letters = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=12)


@given(words=st.lists(letters, max_size=12), width=st.integers(30, 300))
def test_lines_fit_and_keep_every_letter_in_order(words, width):
    lines = LETTERING.wrap(" ".join(words), width)
    assert "".join(lines).replace(" ", "") == "".join(words)
    assert all(0 < LETTERING.width(line) <= width for line in lines)


def test_a_line_has_a_character_even_where_none_fits():
    assert LETTERING.wrap("ab", 1) == ["a", "b"]


def test_words_stay_whole_where_they_fit():
    assert LETTERING.wrap("red bolts", LETTERING.width("red bolt")) == ["red", "bolts"]


def test_line_breaks_stay_and_empty_lines_go():
    assert LETTERING.wrap("a\n\nb\r\nc", 100) == ["a", "b", "c"]
    assert LETTERING.wrap(" \n", 100) == []


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("bolt", "bolt"),
        (" a \t b\n", "a b"),
        ("café", "cafe"),
        ("cafe\u0301", "cafe"),
        ("①", "1"),
        ("2–3 — 4", "2-3 - 4"),
        ("a\u200bb\x00c", "abc"),
        ("日", "日"),
    ],
)
def test_what_the_font_lacks_is_shown_as_near_as_it_can(text, shown):
    assert LETTERING.show(text) == shown


@given(text=st.text(max_size=30), width=st.integers(-9, 120))
def test_shortened_text_fits(text, width):
    short = LETTERING.shorten(text, width)
    assert not short or LETTERING.width(short) <= width
    assert short == LETTERING.show(text) or not short or short.endswith("…")
