"""Which JSON Schemas can be enforced, what is wrong with the others and where, and what bounds are set by default."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from llguidance import LLMatcher

from vi.inference.errors import SchemaError, did_you_mean
from vi.inference.structured.frames import smallest
from vi.inference.structured.patterns import demand_of

COMPACT = {"whitespace_flexible": False, "item_separator": ",", "key_separator": ":", "lenient": False}
LONGEST_STRING = 4096  # characters of a string that says nothing of its length

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
COUNTS = ("minLength", "maxLength", "minItems", "maxItems", "minProperties", "maxProperties")
SCHEMA_MAPS = ("properties", "patternProperties", "$defs", "definitions")
SCHEMA_LISTS = ("allOf", "anyOf", "oneOf", "prefixItems")
SCHEMA_VALUES = ("items", "additionalProperties")
RANGES = (("minimum", "maximum"), ("minLength", "maxLength"), ("minItems", "maxItems"))

# Dates that exist (RFC 3339, Gregorian): the decoder's own formats take a year 0, which no calendar library does.
_YEAR = r"(?:[0-9]{3}[1-9]|[0-9]{2}[1-9][0-9]|[0-9][1-9][0-9]{2}|[1-9][0-9]{3})"
_LEAP = r"(?:[0-9]{2}(?:0[48]|[2468][048]|[13579][26])|(?:0[48]|[2468][048]|[13579][26])00)"
_DAY = (
    r"(?:(?:0[13578]|1[02])-(?:0[1-9]|[12][0-9]|3[01])|(?:0[469]|11)-(?:0[1-9]|[12][0-9]|30)"
    r"|02-(?:0[1-9]|1[0-9]|2[0-8]))"
)
_DATE = rf"(?:{_YEAR}-{_DAY}|{_LEAP}-02-29)"
_TIME = r"(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](?:\.[0-9]{1,6})?(?:Z|[+-](?:[01][0-9]|2[0-3]):[0-5][0-9])"
OWN_FORMATS = {"date": f"^{_DATE}$", "time": f"^{_TIME}$", "date-time": f"^{_DATE}T{_TIME}$"}
FORMATS = {*OWN_FORMATS, "duration", "email", "hostname", "ipv4", "ipv6", "uri", "uuid"}


def prepared(schema: dict[str, Any]) -> dict[str, Any]:
    """The schema as it is enforced: checked, strings bounded, dates those that exist.

    Raises SchemaError, naming the keyword and where it stands, for whatever cannot be enforced or met.
    """
    if not isinstance(schema, dict):
        raise SchemaError(f"A response schema is a dict, not {type(schema).__name__}.")
    try:
        schema = json.loads(json.dumps(schema, allow_nan=False), object_hook=_whole_counts)
        nodes = list(_subschemas(schema, "#"))
        for path, node in nodes:
            _check_keywords(path, node)
            _check_ranges(path, node)
        problem = _problem(schema)
        bounded = _bounded(schema)
        endless = not problem and smallest(bounded) is None
    except (TypeError, ValueError) as error:
        if isinstance(error, SchemaError):
            raise
        raise SchemaError(f"The response schema is not JSON: {error}.") from error
    except RecursionError as error:
        raise SchemaError("The response schema is nested too deeply.", "Flatten it, or use $ref.") from error
    if problem:
        raise SchemaError(*_located(schema, nodes, problem))
    if endless:
        raise SchemaError(
            "No finite document fits the response schema: a part of it demands another of its own kind.",
            "Make that part optional, or a list that may be empty.",
        )
    return bounded


def _whole_counts(node: dict[str, Any]) -> dict[str, Any]:
    """The same with 2 for 2.0 where the decoder takes whole numbers only."""
    floats = {key: node[key] for key in COUNTS if isinstance(node.get(key), float)}
    return node | {key: int(value) for key, value in floats.items() if value.is_integer()}


def as_text(schema: dict[str, Any]) -> str:
    """A schema with our options of JSON, as the decoder takes it."""
    return json.dumps({**schema, "x-guidance": COMPACT}, allow_nan=False)


def _bounded(node: Any) -> Any:
    """A copy in which every string has a greatest length or an expression of its own."""
    if not isinstance(node, dict):
        return node
    copy = dict(node)
    for keyword in SCHEMA_MAPS:
        if isinstance(node.get(keyword), dict):
            copy[keyword] = {name: _bounded(child) for name, child in node[keyword].items()}
    for keyword in SCHEMA_LISTS:
        if isinstance(node.get(keyword), list):
            copy[keyword] = [_bounded(child) for child in node[keyword]]
    for keyword in SCHEMA_VALUES:
        if keyword in node:
            copy[keyword] = _bounded(node[keyword])
    if node.get("format") in OWN_FORMATS and not {"pattern", "minLength", "maxLength"} & node.keys():
        copy["pattern"] = OWN_FORMATS[copy.pop("format")]
    kinds = node.get("type", ())
    is_string = kinds == "string" or "string" in kinds
    if is_string and not {"pattern", "format", "enum", "const", "maxLength"} & copy.keys():
        copy["maxLength"] = max(LONGEST_STRING, node.get("minLength", 0))
    return copy


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
    _check_reference(path, node.get("$ref", "#"))
    if "$id" in node and path != "#":
        raise SchemaError(
            f"$id at {path} would change what paths in it mean.", "Give the whole schema the $id, or none."
        )
    _check_format(path, node.get("format"))
    for pattern in [node["pattern"]] if isinstance(node.get("pattern"), str) else []:
        if demand_of(pattern).most > LONGEST_STRING:
            raise SchemaError(
                f"The pattern at {path} demands up to {demand_of(pattern).most:,} characters.",
                f"It may demand {LONGEST_STRING:,}; give the string a minLength instead.",
            )
    if node.get("minProperties", 0) > max(len(node.get("required", ())), 1):  # a key may come twice, and count once
        raise SchemaError(
            f"minProperties={node['minProperties']} at {path} cannot be enforced while decoding.",
            "It takes 0, 1 or as many as are required; name the keys, or use a list of pairs.",
        )


def _check_reference(path: str, reference: Any) -> None:
    if not isinstance(reference, str) or not (reference == "#" or reference.startswith("#/")):
        raise SchemaError(
            f"$ref={json.dumps(reference)} at {path} is not a path within the schema.",
            'Write it as "#/$defs/name"; names of $anchor and $id are not looked up.',
        )


def _check_format(path: str, name: Any) -> None:
    if name is None or name in FORMATS:
        return
    raise SchemaError(
        f"format={json.dumps(name)} at {path} cannot be enforced while decoding.",
        did_you_mean(str(name), FORMATS) or f"It takes {', '.join(sorted(FORMATS))}; or give the string a pattern.",
    )


def _check_ranges(path: str, node: dict[str, Any]) -> None:
    if node.get("enum") == []:
        raise SchemaError(f"enum=[] at {path} leaves nothing to choose from.", "Give it at least one value.")
    for least, most in RANGES:
        low, high = node.get(least), node.get(most)
        if isinstance(low, (int, float)) and isinstance(high, (int, float)) and low > high:
            raise SchemaError(
                f"{least}={low} at {path} is above {most}={high}: nothing fits.", f"Lower {least} or raise {most}."
            )


def _problem(schema: dict[str, Any]) -> str:
    """Why the decoder refuses a schema, or an empty string. Warnings count: nothing is dropped silently."""
    grammar = LLMatcher.grammar_from_json_schema(as_text(schema))
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
