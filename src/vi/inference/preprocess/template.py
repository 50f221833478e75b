"""A chat template, rendered as transformers renders it: jinja in a sandbox with the same helpers."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from jinja2 import TemplateError, nodes
from jinja2.ext import Extension, loopcontrols
from jinja2.parser import Parser
from jinja2.sandbox import ImmutableSandboxedEnvironment

Messages = Sequence[Mapping[str, Any]]


class ChatTemplate:
    """A compiled template. It is a program from the checkpoint: sandboxed, so that it can render text and nothing else.

    text: jinja source. Raises ``jinja2.TemplateError`` where it does not parse.
    """

    def __init__(self, text: str) -> None:
        environment = ImmutableSandboxedEnvironment(
            trim_blocks=True, lstrip_blocks=True, extensions=[GenerationTag, loopcontrols]
        )
        environment.filters["tojson"] = _to_json
        environment.globals["raise_exception"] = _raise_exception
        environment.globals["strftime_now"] = _strftime_now
        self._template = environment.from_string(text)

    def render(self, messages: Messages, *, add_generation_prompt: bool = False, **variables: Any) -> str:
        """The conversation as text. variables: what else the template may read, such as special tokens by name.

        Raises whatever the template raises; ``raise_exception`` in it is a ``jinja2.TemplateError``.
        """
        return self._template.render(
            messages=messages,
            tools=None,
            documents=None,
            add_generation_prompt=add_generation_prompt,
            **variables,
        )


class GenerationTag(Extension):
    """``{% generation %}...{% endgeneration %}`` marks for training what a model wrote; here it is its content."""

    tags = {"generation"}  # noqa: RUF012 -- the library's own way to name it

    def parse(self, parser: Parser) -> nodes.Node:
        line = next(parser.stream).lineno
        body = parser.parse_statements(("name:endgeneration",), drop_needle=True)
        return nodes.Scope(body, lineno=line)


def _to_json(
    value: Any,
    ensure_ascii: bool = False,
    indent: int | str | None = None,
    separators: tuple[str, str] | None = None,
    sort_keys: bool = False,
) -> str:
    """Without the escapes for HTML that jinja's own filter writes."""
    return json.dumps(value, ensure_ascii=ensure_ascii, indent=indent, separators=separators, sort_keys=sort_keys)


def _raise_exception(message: str) -> None:
    raise TemplateError(message)


def _strftime_now(form: str) -> str:
    return datetime.now().strftime(form)
