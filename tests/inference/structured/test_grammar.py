import pytest
from pydantic import BaseModel, Field

from vi.inference.errors import ConfigError, SchemaError
from vi.inference.structured.formats import Choices, Regex
from vi.inference.structured.grammar import json_grammar, regex_grammar, think_grammar


class Part(BaseModel):
    name: str = Field(min_length=1, description="what it is")
    count: int | None = None


class Shelf(BaseModel):
    parts: list[Part] = Field(max_length=3)


@pytest.mark.parametrize("make", [json_grammar, think_grammar])
def test_a_grammar_is_a_value_that_equals_its_like(make):
    assert make(Shelf.model_json_schema()) == make(Shelf.model_json_schema())
    assert hash(make(Shelf.model_json_schema())) != hash(make(Part.model_json_schema()))


@pytest.mark.parametrize("make", [json_grammar, think_grammar])
@pytest.mark.parametrize(
    ("schema", "keyword", "where"),
    [
        ({"type": "array", "uniqueItems": True}, "uniqueItems", "#"),
        ({"type": "object", "properties": {"a": {"not": {"type": "string"}}}}, "not", "#/properties/a"),
        ({"type": "array", "items": {"type": "array", "contains": {}}}, "contains", "#/items"),
        ({"anyOf": [{"type": "string"}, {"if": {}, "then": {}}]}, "if", "#/anyOf/1"),
        ({"type": "object", "properties": {"a": {"type": "string", "pattern": "(?=x)"}}}, "pattern", "#/properties/a"),
        ({"$defs": {"q": {"format": "banana"}}, "items": {"$ref": "#/$defs/q"}}, "format", "#/$defs/q"),
        ({"oneOf": [{"type": "string"}, {"enum": ["a"]}]}, "oneOf", "#"),
        ({"type": "integer", "minimum": 5, "maximum": 2}, "minimum", "#"),
        ({"type": "array", "items": [{"type": "string"}]}, "items", "#"),
        ({"$ref": "#/$defs/gone"}, r"\$ref", "#"),
        ({"type": "strnig"}, "type", "#"),
        ({"type": "integer", "format": "unknown"}, "format", "#"),
        ({"properties": {"a": {"$ref": "#a"}}, "$defs": {"a": {"$anchor": "a"}}}, r"\$ref", "#/properties/a"),
        ({"items": {"$ref": "http://elsewhere/a"}}, r"\$ref", "#/items"),
        ({"items": {"$id": "other", "$ref": "#/$defs/a"}, "$defs": {"a": {}}}, r"\$id", "#/items"),
    ],
)
def test_what_cannot_be_enforced_is_named_with_its_place(make, schema, keyword, where):
    with pytest.raises(SchemaError, match=f"{keyword}.* at {where.replace('$', '[$]')} "):
        make(schema)


def test_a_misspelt_keyword_is_refused_with_the_nearest_one():
    with pytest.raises(SchemaError, match=r"'minlength' at #.*Did you mean minLength"):
        json_grammar({"type": "string", "minlength": 1})


def test_a_property_may_have_the_name_of_a_keyword():
    json_grammar({"type": "object", "properties": {"not": {"type": "string"}, "uniqueItems": {"type": "integer"}}})


def test_a_schema_cannot_ask_for_leniency():
    with pytest.raises(SchemaError, match="format"):
        json_grammar({"x-guidance": {"lenient": True}, "type": "string", "format": "banana"})


@pytest.mark.parametrize("schema", [[], "string", True, None])
def test_a_schema_is_a_dict(schema):
    with pytest.raises(SchemaError, match="is a dict"):
        json_grammar(schema)


@pytest.mark.parametrize("value", [{1, 2}, float("nan")])
def test_a_schema_that_is_not_json_is_refused(value):
    with pytest.raises(SchemaError, match="not JSON"):
        json_grammar({"type": "string", "default": value})


@pytest.mark.parametrize(
    ("schema", "keyword"),
    [
        ({"type": "integer", "minimum": 5, "maximum": 2}, "minimum=5"),
        ({"type": "string", "minLength": 5, "maxLength": 2}, "minLength=5"),
        ({"type": "array", "minItems": 5, "maxItems": 2}, "minItems=5"),
        ({"enum": []}, "enum"),
        ({"type": "object", "minProperties": 2}, "minProperties=2"),
        ({"type": "string", "pattern": "a{5000}"}, "5,000 characters"),
    ],
)
def test_what_nothing_can_fit_is_refused_also_where_it_is_optional(schema, keyword):
    with pytest.raises(SchemaError, match=keyword):
        json_grammar({"type": "object", "properties": {"part": schema}})


def test_a_schema_nested_without_end_is_refused():
    schema = {"type": "integer"}
    for _ in range(3000):
        schema = {"type": "array", "items": schema}
    with pytest.raises(SchemaError, match="nested too deeply"):
        json_grammar(schema)


@pytest.mark.parametrize("pattern", ["(", "[", "(?=x)y", "", r"(a)\1", None])
def test_an_expression_that_cannot_be_enforced_is_refused(pattern):
    with pytest.raises(SchemaError):
        Regex(pattern)


def test_an_expression_that_may_go_on_for_ever_is_sound():
    assert Regex("(ab)+").pattern == "(ab)+"
    assert regex_grammar("^(ab)+$").text == regex_grammar("(ab)+").text


@pytest.mark.parametrize(
    ("options", "problem"),
    [([], "no option"), (["a", "b", "a"], "'a' twice"), (["a", ""], "''"), ([1], "1"), ("yes", "not a list")],
)
def test_choices_are_distinct_texts(options, problem):
    with pytest.raises(ConfigError, match=problem):
        Choices(options)


def test_choices_are_a_value():
    assert Choices(["yes", "no"]) == Choices(("yes", "no"))
    assert len({Choices(["yes", "no"]), Choices(("yes", "no"))}) == 1


def test_counts_may_be_written_with_a_point():
    assert json_grammar({"type": "array", "maxItems": 2.0}) == json_grammar({"type": "array", "maxItems": 2})


def test_what_an_escaped_reference_demands_is_counted():
    part = {"type": "object", "properties": {"x": {"type": "string", "minLength": 300}}, "required": ["x"]}
    schema = {"type": "array", "items": {"$ref": "#/$defs/a%25b~1c"}, "minItems": 1, "$defs": {"a%b/c": part}}
    assert max(piece.size for piece in json_grammar(schema).frames.heaviest) > 600
