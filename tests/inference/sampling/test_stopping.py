from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vi.inference.errors import ConfigError
from vi.inference.sampling.stopping import StopStrings

texts = st.text(alphabet="abc", max_size=40)
stops = st.lists(st.text(alphabet="abc", min_size=1, max_size=4), max_size=4)


def pieces(text, cuts):
    edges = [0, *sorted(c % (len(text) + 1) for c in cuts), len(text)]
    return [text[a:b] for a, b in pairwise(edges)]


@given(texts, stops, st.lists(st.integers(0, 40), max_size=10))
def test_the_text_ends_where_str_find_says_however_it_is_cut(text, strings, cuts):
    found = [(text.find(stop) + len(stop), text.find(stop)) for stop in strings if stop in text]
    watcher, shown, stopped = StopStrings(strings), "", False
    for piece in pieces(text, cuts):
        released, stopped = watcher.push(piece)
        shown += released
        assert text.startswith(shown)
        if found:
            assert len(shown) <= min(found)[1]  # no part of the stop string gets out, not even early
    shown += watcher.flush()
    assert shown == (text[: min(found)[1]] if found else text)
    assert stopped == bool(found)


def test_nothing_is_held_that_cannot_begin_a_stop_string():
    watcher = StopStrings(["\n\nEND"])
    assert watcher.push("one line\n") == ("one line", False)
    assert watcher.push("two") == ("\ntwo", False)


def test_after_the_stop_everything_is_dropped():
    watcher = StopStrings(["##"])
    assert watcher.push("a##b") == ("a", True)
    assert watcher.push("c") == ("", True)
    assert watcher.flush() == ""


def test_without_stop_strings_text_passes_through():
    watcher = StopStrings([])
    assert watcher.push("abc") == ("abc", False)
    assert watcher.flush() == ""


def test_an_empty_stop_string_is_refused():
    with pytest.raises(ConfigError, match="empty string"):
        StopStrings(["a", ""])
