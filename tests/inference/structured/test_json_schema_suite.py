"""The JSON Schema Test Suite: what it calls valid can be written, what it calls invalid cannot, for every schema that
is not refused; and it is known which are refused, and why."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from llguidance import LLMatcher

from vi.inference.errors import SchemaError
from vi.inference.structured.grammar import json_grammar
from vi.inference.structured.schema import FORMATS, OUT_OF_REACH
from vi.inference.structured.shortest import byte_tokenizer

SUITE = Path(__file__).parent / "json_schema_suite"
FILES = [path.relative_to(SUITE).as_posix() for path in sorted(SUITE.rglob("*.json"))]
BYTES = byte_tokenizer()
MOST_ORDERS = 24  # of the properties of one object

# Why each schema of the supported keywords that is refused is: a word of the error.
REFUSED = {
    "oneOf.json": {
        "oneOf": "oneOf",
        "oneOf with base schema": "oneOf",
        "oneOf with boolean schemas, all true": "oneOf",
        "oneOf with boolean schemas, more than one true": "oneOf",
        "oneOf with boolean schemas, all false": "Unsatisfiable",
        "oneOf complex types": "oneOf",
        "oneOf with empty schema": "oneOf",
        "oneOf with required": "oneOf",
        "oneOf with missing optional property": "oneOf",
    },
    "allOf.json": {
        "allOf with boolean schemas, some false": "Unsatisfiable",
        "allOf with boolean schemas, all false": "Unsatisfiable",
    },
    "anyOf.json": {"anyOf with boolean schemas, all false": "Unsatisfiable"},
    "patternProperties.json": {
        "multiple simultaneous patternProperties are validated": "not disjoint",
        "regexes are not anchored by default and are case sensitive": "not disjoint",
        "patternProperties with boolean schemas": "not disjoint",
    },
    "multipleOf.json": {"float division = inf": "too many digits"},
    "content.json": {"validation of binary-encoded media type documents with schema": "contentSchema"},
    "format/unknown.json": {"unknown format": "format"},
    "ref.json": {"$ref to boolean schema false": "Unsatisfiable"},
}
# Valid texts of some formats that are never written: a choice of one spelling, or rare forms.
NEVER_WRITTEN = {
    "format/date-time.json": {
        "a valid date-time with a leap second, UTC",
        "a valid date-time with a leap second, with minus offset",
        "case-insensitive T and Z",
    },
    "format/time.json": {
        "a valid time string with leap second, Zulu",
        "valid leap second, zero time-offset",
        "valid leap second, positive time-offset",
        "valid leap second, large positive time-offset",
        "valid leap second, negative time-offset",
        "valid leap second, large negative time-offset",
        "a valid time string with case-insensitive Z",
    },
    "format/email.json": {
        "a quoted string with a space in the local part is valid",
        "a quoted string with a double dot in the local part is valid",
        "a quoted string with a @ in the local part is valid",
        "an IPv6-address-literal after the @ is valid",
    },
    "format/ipv6.json": {
        "mixed format with the ipv4 section as decimal octets",
        "mixed format with double colons between the sections",
        "mixed format with leading double colons (ipv4-mapped ipv6 address)",
        "a long valid ipv6",
    },
}


def groups(file: str) -> list[dict[str, Any]]:
    return json.loads((SUITE / file).read_text(encoding="utf-8"))


def subschemas(value: Any) -> Iterator[dict[str, Any]]:
    """Every object in a schema."""
    if isinstance(value, dict):
        yield value
    for child in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from subschemas(child)


def expected_refusal(file: str, group: dict[str, Any]) -> str | None:
    """A word of the error with which a schema is to be refused; None where it is not."""
    if isinstance(group["schema"], bool):
        return "dict"
    for node in subschemas(group["schema"]):
        reference = node.get("$ref", "#")
        if OUT_OF_REACH & node.keys():
            return "keyword"
        if isinstance(reference, str) and reference != "#" and not reference.startswith("#/"):
            return "path within|paths in it"
    return REFUSED.get(file, {}).get(group["description"])


def spellings(value: Any) -> Iterator[Any]:
    """The same JSON value as it may be written: 1 for 1.0, and the properties in another order."""
    if isinstance(value, float) and value.is_integer():
        yield int(value)
    elif isinstance(value, list):
        yield from map(list, itertools.product(*map(spellings, value)))
    elif isinstance(value, dict):
        for order in itertools.islice(itertools.permutations(value.items()), MOST_ORDERS):
            for values in itertools.product(*(spellings(each) for _, each in order)):
                yield dict(zip([key for key, _ in order], values, strict=True))
    else:
        yield value


def writes(matcher: LLMatcher, value: Any) -> bool:
    """Whether some spelling of a value can be written to its end."""
    for spelling in itertools.chain([value], spellings(value)):
        text = json.dumps(spelling, ensure_ascii=False, separators=(",", ":")).encode()
        walk = matcher.deep_copy()
        if walk.try_consume_tokens(list(text)) == len(text) and walk.is_accepting():
            return True
    return False


@pytest.mark.parametrize("file", FILES)
def test_what_the_suite_calls_valid_can_be_written_and_nothing_else(file):
    wrong = []
    for group in groups(file):
        if expected_refusal(file, group):
            continue
        matcher = LLMatcher(BYTES, json_grammar(group["schema"]).text, log_level=0)
        for case in group["tests"]:
            wanted = case["valid"] and case["description"] not in NEVER_WRITTEN.get(file, ())
            if writes(matcher, case["data"]) != wanted:
                wrong.append((group["description"], case["description"]))
    assert wrong == []


@pytest.mark.parametrize("file", FILES)
def test_what_is_refused_is_known_and_the_error_says_why(file):
    for group in groups(file):
        word = expected_refusal(file, group)
        if word is not None:
            with pytest.raises(SchemaError, match=word):
                json_grammar(group["schema"])


def test_every_enforced_format_has_its_cases():
    assert {Path(file).stem for file in FILES if file.startswith("format/")} == FORMATS | {"unknown"}
