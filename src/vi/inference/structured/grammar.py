"""What a text may be, as a grammar: JSON of a schema, alone or behind a chain of thought."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from llguidance import LLMatcher

from vi.inference.errors import SchemaError, did_you_mean
from vi.inference.structured.frames import UNKNOWN, Frames, Piece, frames_of, smallest

COMPACT = {"whitespace_flexible": False, "item_separator": ",", "key_separator": ":", "lenient": False}

# JSON Schema keywords that the decoder enforces (llguidance 1.x) ...
ENFORCED = {
    "$ref", "additionalProperties", "allOf", "anyOf", "const", "enum", "exclusiveMaximum", "exclusiveMinimum", "format",
    "items", "maxItems", "maxLength", "maxProperties", "maximum", "minItems", "minLength", "minProperties", "minimum",
    "multipleOf", "oneOf", "pattern", "patternProperties", "prefixItems", "properties", "required", "type",
}  # fmt: skip
# ... and those that say nothing about which texts are valid. Any other is refused, never ignored.
ANNOTATIONS = {
    "$anchor", "$comment", "$defs", "$id", "$schema", "contentEncoding", "contentMediaType", "default", "definitions",
    "deprecated", "description", "discriminator", "example", "examples", "readOnly", "title", "writeOnly",
}  # fmt: skip
# Keywords of JSON Schema that are not mistakes, only out of reach.
OUT_OF_REACH = {
    "$dynamicAnchor", "$dynamicRef", "additionalItems", "contains", "dependencies", "dependentRequired",
    "dependentSchemas", "else", "if", "maxContains", "minContains", "not", "propertyNames", "then",
    "unevaluatedItems", "unevaluatedProperties", "uniqueItems",
}  # fmt: skip
THOUGHT = "<think></think><answer>"
SCHEMA_MAPS = ("properties", "patternProperties", "$defs", "definitions")
SCHEMA_LISTS = ("allOf", "anyOf", "oneOf", "prefixItems")
SCHEMA_VALUES = ("items", "additionalProperties")


@dataclass(frozen=True)
class Grammar:
    """A grammar in llguidance's own notation; immutable, hashable and free of any tokenizer.

    frames: what a document of it is made of. marker: what stands before its JSON, itself preceded by any text; empty
    where the JSON comes first. tags: what closes its free texts, in their order.
    """

    text: str
    frames: Frames = UNKNOWN
    marker: bytes = b""
    tags: tuple[bytes, ...] = ()


def json_grammar(schema: dict[str, Any]) -> Grammar:
    """Compact JSON (no free whitespace) that conforms to ``schema``, a JSON Schema of draft 2020-12.

    Raises SchemaError, naming the keyword and where it stands, for whatever cannot be enforced.
    """
    return Grammar(LLMatcher.grammar_from_json_schema(_checked(schema)), frames_of(schema))


def think_grammar(schema: dict[str, Any] | None) -> Grammar:
    """``<think>`` any text without ``</think>`` ``</think><answer>`` JSON of ``schema`` ``</answer>``.

    Without a schema the answer is any text without ``</answer>``. Neither text has a bound but the token budget.
    Raises SchemaError as ``json_grammar`` does.
    """
    answer = 'words[suffix="</answer>"]: /(?s:.*)/' if schema is None else f"json: %json {_checked(schema)}"
    lark = f"""
start: "<think>" thought "<answer>" {"words" if schema is None else 'json "</answer>"'}
thought[suffix="</think>"]: /(?s:.*)/
{answer}
"""
    if schema is None:
        frames = Frames(heaviest=(Piece(THOUGHT + "</answer>"),), free_strings=True)
        return Grammar(LLMatcher.grammar_from_lark(lark), frames, marker=b"</answer>", tags=(b"</think>", b"</answer>"))
    frames = frames_of(schema)
    framed = Piece(THOUGHT) + smallest(schema) + Piece("</answer>")
    frames = replace(frames, heaviest=(*frames.heaviest, framed))
    return Grammar(LLMatcher.grammar_from_lark(lark), frames, marker=b"</think><answer>", tags=(b"</think>",))


def _checked(schema: dict[str, Any]) -> str:
    """The schema as text with our JSON options, once every keyword in it is known to be enforceable."""
    if not isinstance(schema, dict):
        raise SchemaError(f"A response schema is a dict, not {type(schema).__name__}.")
    nodes = list(_subschemas(schema, "#"))
    for path, node in nodes:
        _check_keywords(path, node)
    try:
        text = _with_options(schema)
    except (TypeError, ValueError) as error:
        raise SchemaError(f"The response schema is not JSON: {error}.") from error
    problem = _problem(schema)
    if problem:
        raise SchemaError(*_located(schema, nodes, problem))
    if smallest(schema) is None:
        raise SchemaError(
            "No finite document fits the response schema: a part of it demands another of its own kind.",
            "Make that part optional, or a list that may be empty.",
        )
    return text


def _subschemas(node: Any, path: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every schema in a schema with its JSON pointer, inner ones first."""
    if not isinstance(node, dict):
        return
    for keyword in SCHEMA_MAPS:
        children = node.get(keyword)
        for name, child in children.items() if isinstance(children, dict) else ():
            yield from _subschemas(child, f"{path}/{keyword}/{name}")
    for keyword in SCHEMA_LISTS:
        children = node.get(keyword)
        for i, child in enumerate(children if isinstance(children, list) else ()):
            yield from _subschemas(child, f"{path}/{keyword}/{i}")
    for keyword in SCHEMA_VALUES:
        yield from _subschemas(node.get(keyword), f"{path}/{keyword}")
    yield path, node


def _check_keywords(path: str, node: dict[str, Any]) -> None:
    for keyword in node:
        if keyword in ENFORCED or keyword in ANNOTATIONS or keyword.startswith("x-"):
            continue
        near = "" if keyword in OUT_OF_REACH else did_you_mean(keyword, ENFORCED)
        raise SchemaError(
            f"{keyword!r} at {path} is not a schema keyword that can be enforced while decoding.",
            near or "Remove it, and check the answer for it afterwards.",
        )
    if isinstance(node.get("items"), list):
        raise SchemaError(f"'items' at {path} is a list of schemas, as in old drafts.", "Use 'prefixItems'.")


def _with_options(schema: dict[str, Any]) -> str:
    return json.dumps({**schema, "x-guidance": COMPACT}, allow_nan=False)


def _problem(schema: dict[str, Any]) -> str:
    """Why the decoder refuses a schema, or an empty string. Warnings count: nothing is dropped silently."""
    grammar = LLMatcher.grammar_from_json_schema(_with_options(schema))
    _, messages = LLMatcher.validate_grammar_with_warnings(grammar)
    return " ".join(messages)


def _located(schema: dict[str, Any], nodes: list[tuple[str, dict[str, Any]]], problem: str) -> tuple[str, str]:
    """Message and hint for a refused schema: the innermost part refused by itself, and the keyword that does it."""
    shared: dict[str, Any] = {key: schema[key] for key in ("$defs", "definitions") if key in schema}
    path, node = next(((path, node) for path, node in nodes if _problem({**shared, **node})), ("#", schema))
    problem = _problem({**shared, **node}) or problem
    guilty = [key for key in node if key in ENFORCED and not _problem({**shared, **_without(node, key)})]
    guilty.sort(key=lambda key: key in ("type", "properties"))  # without those nearly anything passes
    what = f"{guilty[0]}={json.dumps(node[guilty[0]])} at {path}" if guilty else f"The schema at {path}"
    reason = re.sub(r"\s+", " ", problem).strip().rstrip(".")
    return f"{what} cannot be enforced while decoding: {reason}.", "Simplify that part of the schema."


def _without(node: dict[str, Any], keyword: str) -> dict[str, Any]:
    return {key: value for key, value in node.items() if key != keyword}
