from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from vi.inference.task_types.thinking import ThinkingReader, split_thinking

TAGS = ["<think>", "</think>", "<answer>", "</answer>", "<thi", "</ans", "<", " ", "\n", "a", "b c", ">"]


@given(st.lists(st.sampled_from(TAGS), max_size=12).map("".join), st.lists(st.integers(0, 10**6), max_size=8))
def test_a_text_in_any_pieces_is_taken_apart_as_the_whole_is(text, cuts):
    places = sorted({0, len(text), *(cut % (len(text) + 1) for cut in cuts)})
    reader = ThinkingReader()
    parts = [part for a, b in pairwise(places) for part in reader.feed(text[a:b])]
    parts += reader.close()
    thinking, answer = split_thinking(text)
    assert "".join(piece for is_thinking, piece in parts if is_thinking).strip() == (thinking or "")
    assert "".join(piece for is_thinking, piece in parts if not is_thinking).strip() == answer.strip()
    assert all(piece for _, piece in parts)
