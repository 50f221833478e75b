"""The server's API as a plain page, made from its OpenAPI description; nothing in it is fetched from anywhere."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from html import escape
from typing import Any

STYLE = """
:root { color-scheme: light dark; font: 15px/1.5 system-ui, sans-serif; }
body { max-width: 64rem; margin: 2rem auto; padding: 0 1rem; }
code { font-family: ui-monospace, monospace; overflow-wrap: anywhere; }
table { border-collapse: collapse; width: 100%; margin: .5rem 0 1.5rem; }
th, td { text-align: left; vertical-align: top; padding: .3rem .8rem .3rem 0; border-bottom: 1px solid #8884; }
h2 { margin: 2.5rem 0 .5rem; border-top: 2px solid #8884; padding-top: 1rem; } h3 { margin: 2rem 0 .3rem; }
td p { margin: 0; }
"""
BOUNDS = {"minimum": "from", "exclusiveMinimum": "above", "maximum": "to", "minItems": "of at least"}

Schema = Mapping[str, Any]


def reference_page(description: Mapping[str, Any]) -> str:
    """HTML with every route, what it takes and answers, and every type by name.

    description: OpenAPI 3.1 with its types in ``components.schemas``.
    """
    title, version = (escape(description["info"][name]) for name in ("title", "version"))
    routes = [
        _route(f"{method.upper()} {path}", route)
        for path, methods in description["paths"].items()
        for method, route in methods.items()
    ]
    schemas = description["components"]["schemas"].items()
    types = [f'<h3 id="{escape(name)}">{escape(name)}</h3>{_fields(schema)}' for name, schema in schemas]
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
        f"<title>{title}: API</title><style>{STYLE}</style><h1>{title} {version}</h1>"
        f"{_words(description['info']['description'])}"
        '<p>For programs: <a href="openapi.json">openapi.json</a>. To try it: <a href=".">the playground</a>.</p>'
        f"{''.join(routes)}<h2>Types</h2>{''.join(types)}</html>"
    )


def _route(name: str, route: Mapping[str, Any]) -> str:
    told = [f"<h2><code>{escape(name)}</code></h2>{_words(route.get('description', ''))}"]
    parameters = [(_code(one["name"]), one["in"], _kind(one["schema"])) for one in route.get("parameters", ())]
    if parameters:
        told.append(_table(("Parameter", "In", "Takes"), parameters))
    for media, body in route.get("requestBody", {}).get("content", {}).items():
        schema = body["schema"]
        told.append(f"<p>Takes {_code(media)}{': ' + _kind(schema) if '$ref' in schema else ''}</p>")
        told.append("" if "$ref" in schema else _fields(schema))
    answers = [(status, _contents(one), _words(one["description"])) for status, one in route["responses"].items()]
    return "".join([*told, _table(("Status", "Answers", ""), answers)])


def _contents(response: Mapping[str, Any]) -> str:
    contents = response.get("content", {}).items()
    return "<br>".join(f"{_code(media)} {_kind(one.get('schema', {}))}" for media, one in contents)


def _fields(schema: Schema) -> str:
    """What an object is, and its fields."""
    required = schema.get("required", ())
    rows = [
        (_code(name), _kind(field), "required" if name in required else "", _words(field.get("description", "")))
        for name, field in schema.get("properties", {}).items()
    ]
    table = _table(("Field", "Takes", "", ""), rows) if rows else f"<p>{_kind(schema)}</p>"
    return _words(schema.get("description", "")) + table


def _kind(schema: Schema) -> str:
    """What a value may be, in words; types that have a name as links."""
    if "$ref" in schema:
        name = escape(schema["$ref"].rpartition("/")[2])
        return f'<a href="#{name}">{name}</a>'
    if choices := schema.get("anyOf") or schema.get("oneOf"):
        return " or ".join(map(_kind, choices))
    if "const" in schema or "enum" in schema:
        return " or ".join(_code(json.dumps(value)) for value in schema.get("enum", [schema.get("const")]))
    words = [schema.get("type", "anything")]
    if words == ["array"]:
        words = [f"list of {_kind(schema.get('items', {}))}"]
    words += [f"{said} {schema[name]:g}" for name, said in BOUNDS.items() if name in schema]
    return " ".join(words) + (f", {_code(json.dumps(schema['default']))} if not given" if "default" in schema else "")


def _code(text: str) -> str:
    return f"<code>{escape(text)}</code>"


def _words(text: str) -> str:
    """A docstring's paragraphs, its ``code`` as such."""
    marked = re.sub(r"``(.+?)``", r"<code>\1</code>", escape(text, quote=False))
    return "".join(f"<p>{paragraph}</p>" for paragraph in marked.split("\n\n") if paragraph)


def _table(header: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """Cells are HTML."""
    head = "".join(f"<th>{cell}</th>" for cell in header)
    body = "".join(f"<tr>{''.join(f'<td>{cell}</td>' for cell in row)}</tr>" for row in rows)
    return f"<table><tr>{head}</tr>{body}</table>"
