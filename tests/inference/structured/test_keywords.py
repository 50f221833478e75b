"""What a schema accepts can be written under its grammar, what it rejects cannot; cases after the specification
(JSON Schema, draft 2020-12), written as compact JSON with the properties in their order."""

from __future__ import annotations

import json

import pytest
from llguidance import LLMatcher

from vi.inference.structured.grammar import json_grammar
from vi.inference.structured.shortest import byte_tokenizer

BYTES = byte_tokenizer()
POINT = {
    "type": "object",
    "properties": {"x": {"type": "integer"}, "y": {"type": "integer"}},
    "required": ["x"],
    "additionalProperties": False,
}
LIST = {
    "$defs": {
        "node": {
            "type": "object",
            "properties": {"v": {"type": "integer"}, "next": {"anyOf": [{"$ref": "#/$defs/node"}, {"type": "null"}]}},
            "required": ["v", "next"],
            "additionalProperties": False,
        }
    },
    "$ref": "#/$defs/node",
}

# schema, instances that are valid, instances that are not
CASES = [
    ({"type": "integer"}, [0, -5, 123456789], [1.5, "1", None, True, [], {}]),
    ({"type": "number"}, [0, -1.5, 2.25e10], ["1", None, False]),
    ({"type": "boolean"}, [True, False], [0, "true", None]),
    ({"type": "null"}, [None], [0, "", False]),
    ({"type": "string"}, ["", "a", "é😀", 'a "quoted" one', "two\nlines", "x" * 4096], [1, None, ["a"], "x" * 4097]),
    ({"type": "array"}, [[], [1, "a", None], [[[]]]], [{}, "[]", 1]),
    ({"type": "object"}, [{}, {"a": 1, "b": {"c": []}}], [[], "x", 1]),
    ({"type": ["integer", "null"]}, [3, None], ["a", 1.5, True]),
    ({"type": "integer", "minimum": 3}, [3, 4, 1000], [2, -3, 0]),
    ({"type": "integer", "maximum": 3}, [3, 0, -1000], [4, 30]),
    ({"type": "integer", "minimum": -2, "maximum": 12}, [-2, 0, 12], [-3, 13, 120]),
    ({"type": "integer", "exclusiveMinimum": 3, "exclusiveMaximum": 6}, [4, 5], [3, 6]),
    ({"type": "number", "minimum": 0.5, "maximum": 1.5}, [0.5, 1, 1.25, 1.5], [0.25, 1.75, 2]),
    ({"type": "number", "exclusiveMinimum": 0}, [0.1, 3], [0, -1]),
    ({"type": "integer", "multipleOf": 3, "minimum": 0, "maximum": 30}, [0, 3, 27, 30], [1, 31, 33]),
    ({"type": "string", "minLength": 2}, ["ab", "éé", "abc"], ["", "a", "é"]),
    ({"type": "string", "maxLength": 2}, ["", "ab", "éé", "😀😀"], ["abc", "ééé"]),
    ({"type": "string", "pattern": "^a*$"}, ["", "aaa"], ["b", "ab"]),
    ({"type": "string", "pattern": "a+"}, ["xaay", "a"], ["", "xyz"]),
    ({"type": "string", "pattern": "^[A-Z]{2}[0-9]+$"}, ["AB1", "XY123"], ["A1", "AB", "ab1"]),
    (
        {"type": "string", "format": "date"},
        ["2026-02-28", "2024-02-29", "0001-01-01"],
        ["2026-02-29", "2026-13-01", "2026-04-31", "0000-01-01", "1900-02-29", "26-01-01"],
    ),
    (
        {"type": "string", "format": "time"},
        ["23:59:59Z", "08:30:06.283185Z", "08:30:06+02:00"],
        ["24:00:00Z", "8:00:00Z"],
    ),
    (
        {"type": "string", "format": "date-time"},
        ["2026-11-23T22:12:09Z", "2000-02-29T00:00:00.5-08:00"],
        ["2026-11-23", "2026-11-31T00:00:00Z", "2026-11-23 22:12:09Z"],
    ),
    ({"type": "string", "format": "uuid"}, ["2eb8aa08-aa98-11ea-b4aa-73b441d16380"], ["2eb8aa08", ""]),
    ({"type": "string", "format": "ipv4"}, ["192.168.0.1"], ["256.1.1.1", "1.2.3"]),
    ({"const": "a"}, ["a"], ["b", "", None]),
    ({"const": {"a": [1, None]}}, [{"a": [1, None]}], [{"a": [1]}, {}]),
    ({"enum": ["a", 1, None, [2]]}, ["a", 1, None, [2]], ["b", 2, True, []]),
    ({"type": "array", "items": {"type": "integer"}}, [[], [1], [1, 2, 3]], [["a"], [1, None]]),
    ({"type": "array", "items": {"type": "integer"}, "minItems": 2}, [[1, 2], [1, 2, 3]], [[], [1]]),
    ({"type": "array", "items": {"type": "integer"}, "maxItems": 2}, [[], [1, 2]], [[1, 2, 3]]),
    (
        {"type": "array", "prefixItems": [{"type": "integer"}, {"type": "string"}], "items": False},
        [[], [1], [1, "a"]],
        [["a"], [1, 2], [1, "a", 3]],
    ),
    (
        {"type": "array", "prefixItems": [{"type": "integer"}], "items": {"type": "string"}},
        [[1, "a", "b"]],
        [["a"], [1, 2]],
    ),
    (POINT, [{"x": 1}, {"x": 1, "y": 2}], [{}, {"y": 2}, {"x": 1, "z": 2}, {"x": "1"}]),
    ({**POINT, "additionalProperties": {"type": "string"}}, [{"x": 1, "z": "a"}], [{"x": 1, "z": 2}]),
    ({"type": "object", "additionalProperties": {"type": "integer"}}, [{}, {"a": 1, "b": 2}], [{"a": "b"}]),
    ({"type": "object", "additionalProperties": {"type": "integer"}, "minProperties": 1}, [{"a": 1}], [{}]),
    (
        {"type": "object", "additionalProperties": {"type": "integer"}, "maxProperties": 1},
        [{}, {"a": 1}],
        [{"a": 1, "b": 2}],
    ),
    (
        {"type": "object", "patternProperties": {"^x-": {"type": "integer"}}, "additionalProperties": False},
        [{}, {"x-a": 1}],
        [{"x-a": "b"}, {"y": 1}],
    ),
    ({"anyOf": [{"type": "integer"}, {"type": "string", "minLength": 2}]}, [1, "ab"], ["a", None]),
    ({"oneOf": [{"type": "integer"}, {"type": "null"}]}, [1, None], ["a"]),
    ({"allOf": [{"type": "integer", "minimum": 3}, {"maximum": 5}]}, [3, 5], [2, 6, "a"]),
    (LIST, [{"v": 1, "next": None}, {"v": 1, "next": {"v": 2, "next": None}}], [{"v": 1}, {"v": 1, "next": 2}]),
    (
        {"properties": {"$ref": {"type": "string"}}, "type": "object", "additionalProperties": False},
        [{"$ref": "a"}],
        [{"$ref": 2}],
    ),
    ({"type": "integer", "title": "t", "description": "d", "default": 3, "examples": [1]}, [7], ["7"]),
]


def writes(schema, instance):
    """Whether the instance can be written to its end."""
    matcher = LLMatcher(BYTES, json_grammar(schema).text, log_level=0)
    text = json.dumps(instance, ensure_ascii=False, separators=(",", ":")).encode()
    return matcher.try_consume_tokens(list(text)) == len(text) and matcher.is_accepting()


@pytest.mark.parametrize(("schema", "valid", "invalid"), CASES)
def test_valid_instances_can_be_written_and_others_cannot(schema, valid, invalid):
    assert [instance for instance in valid if not writes(schema, instance)] == []
    assert [instance for instance in invalid if writes(schema, instance)] == []


@pytest.mark.parametrize(
    "text", ['{"x": 1}', '{"x":1} ', ' {"x":1}', '{"x":1}x', '{"x":1,}', "{'x':1}", '{"y":2,"x":1}']
)
def test_json_is_compact_in_order_and_nothing_follows_it(text):
    matcher = LLMatcher(BYTES, json_grammar(POINT).text, log_level=0)
    assert not (matcher.try_consume_tokens(list(text.encode())) == len(text) and matcher.is_accepting())
