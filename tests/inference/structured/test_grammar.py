import pytest
from pydantic import BaseModel, Field

from vi.inference.errors import SchemaError
from vi.inference.structured.grammar import json_grammar, think_grammar


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
