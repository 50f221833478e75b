"""Fields come as soon as they are complete, whatever pieces the text comes in, and together are the document."""

from __future__ import annotations

import json
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from vi.inference.structured.field_reader import FieldReader

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=12,
)


def pieces_of(text, cuts):
    places = sorted({0, len(text), *(cut % (len(text) + 1) for cut in cuts)})
    return [text[a:b] for a, b in pairwise(places)]


def fields_of(pieces, **options):
    reader = FieldReader(**options)
    return [field for piece in pieces for field in reader.feed(piece)] + list(reader.close())


def rebuilt(fields):
    """The document that consists of these fields."""
    if not fields:
        return None
    if fields[0].path == ():
        return fields[0].value
    kind, parts = type(fields[0].path[0]), {}
    for field in fields:
        parts.setdefault(field.path[0], []).append(field._replace(path=field.path[1:]))
    whole = {key: rebuilt(inner) for key, inner in parts.items()}
    return list(whole.values()) if kind is int else whole


@given(values, st.lists(st.integers(0, 10**6), max_size=12), st.sampled_from([(",", ":"), (", ", ": ")]), st.booleans())
def test_any_chopping_gives_the_same_fields_and_they_rebuild_the_document(value, cuts, separators, plain):
    text = json.dumps(value, ensure_ascii=plain, separators=separators)
    fields = fields_of(pieces_of(text, cuts))
    assert fields == fields_of([text]) == fields_of(list(text))
    assert rebuilt(fields) == value
    assert [json.loads(text[field.start : field.end]) for field in fields] == [field.value for field in fields]


def test_a_field_comes_with_the_character_that_completes_it():
    reader = FieldReader()
    ends = {i: [f.value for f in reader.feed(c)] for i, c in enumerate('{"a":"x","b":[1,{}],"c":true}')}
    assert {i: found for i, found in ends.items() if found} == {7: ["x"], 15: [1], 17: [{}], 28: [True]}


@given(values, st.integers(0, 10**6))
def test_of_a_text_that_is_cut_off_only_whole_fields_come(value, cut):
    text = json.dumps({"a": value})
    fields = fields_of([text[: cut % len(text)]])
    assert fields == fields_of([text])[: len(fields)]


def test_a_container_that_is_asked_for_comes_whole():
    text = '{"boxes":[[1,2],[3,[4]],[]],"n":5}'
    found = fields_of([text], whole=lambda path: len(path) == 2)
    assert [(field.path, field.value) for field in found] == [
        (("boxes", 0), [1, 2]),
        (("boxes", 1), [3, [4]]),
        (("boxes", 2), []),
        (("n",), 5),
    ]
