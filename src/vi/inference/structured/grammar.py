"""What a text may be, as a grammar: JSON of a schema, an expression or a choice, alone or behind a chain of thought."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from llguidance import LLMatcher, regex_to_lark

from vi.inference.errors import SchemaError
from vi.inference.structured.frames import UNKNOWN, Frames, Piece, frames_of, smallest
from vi.inference.structured.grounding import GroundingRule
from vi.inference.structured.options import Finite, finite
from vi.inference.structured.patterns import demand_of
from vi.inference.structured.schema import as_text, prepared

BEFORE_ANSWER = b"</think><answer>"
THOUGHT = "<think></think><answer>"
THINKING = """
start: "<think>" thought "<answer>" {answer}
thought[suffix="</think>"]: /(?s:.*)/
"""


@dataclass(frozen=True)
class Grammar:
    """A grammar in llguidance's own notation; immutable, hashable and free of any tokenizer.

    frames: what a document of it is made of. json: whether the document is JSON. marker: what stands before the
    document, itself preceded by any text; empty where the document comes first. close: what stands behind it. rule:
    what must hold besides. finite: which parts are one of a few, None where none is.
    """

    text: str
    frames: Frames = UNKNOWN
    json: bool = True
    marker: bytes = b""
    close: bytes = b""
    rule: GroundingRule | None = None
    finite: Finite | None = None


def json_grammar(schema: dict[str, Any], rule: GroundingRule | None = None) -> Grammar:
    """Compact JSON (no free whitespace) that conforms to ``schema``, a JSON Schema of draft 2020-12.

    A string that says nothing of its length has at most 4,096 characters, and a date one that the calendar has.
    rule: what must hold besides. Raises SchemaError, naming the keyword and where it stands, for whatever cannot be
    enforced.
    """
    schema = prepared(schema)
    text = as_text(schema)
    return Grammar(LLMatcher.grammar_from_json_schema(text), frames_of(schema), rule=rule, finite=finite(text))


def regex_grammar(pattern: str, *, thinking: bool = False) -> Grammar:
    """Text that the whole of the regular expression ``pattern`` matches (Rust's ``regex`` notation), or that as the
    answer behind a chain of thought.

    ``^`` and ``$`` around it change nothing. Raises SchemaError for what is not such an expression, or matches nothing.
    """
    if not isinstance(pattern, str) or not pattern:
        raise SchemaError(f"The expression {pattern!r} is not a text of at least one character.")
    bare = pattern.removeprefix("^")
    bare = bare[:-1] if bare.endswith("$") and not bare.endswith("\\$") else bare
    demand = demand_of(bare)
    samples = () if demand.least is None else (demand.least,)
    return _text_grammar(
        f"/{regex_to_lark(f'(?:{bare})', 'd')}/", f"The expression {pattern!r}", demand.most, samples, thinking
    )


def choice_grammar(options: Sequence[str], *, thinking: bool = False) -> Grammar:
    """Exactly one of some texts, as it stands, or that as the answer behind a chain of thought."""
    longest = max(len(option.encode()) for option in options)
    rule = " | ".join(json.dumps(option, ensure_ascii=False) for option in options)
    grammar = _text_grammar(rule, "The choice", longest, (), thinking)
    return replace(grammar, finite=Finite(choices=tuple(options)))


def think_grammar(schema: dict[str, Any] | None, rule: GroundingRule | None = None) -> Grammar:
    """``<think>`` any text without ``</think>`` ``</think><answer>`` JSON of ``schema`` ``</answer>``.

    Without a schema the answer is any text without ``</answer>``. Neither text has a bound but the token budget.
    Raises SchemaError as ``json_grammar`` does.
    """
    if schema is None:
        lark = THINKING.format(answer="words") + 'words[suffix="</answer>"]: /(?s:.*)/'
        frames = Frames(heaviest=(Piece(f"{THOUGHT}</answer>"),), free_strings=True)
        return Grammar(LLMatcher.grammar_from_lark(lark), frames, False, BEFORE_ANSWER, b"</answer>")
    schema = prepared(schema)
    text = as_text(schema)
    lark = THINKING.format(answer='json "</answer>"') + f"json: %json {text}"
    frames = _framed(frames_of(schema), smallest(schema) or Piece())
    return Grammar(LLMatcher.grammar_from_lark(lark), frames, True, BEFORE_ANSWER, b"</answer>", rule, finite(text))


def _text_grammar(rule: str, what: str, longest: int, samples: tuple[str, ...], thinking: bool) -> Grammar:
    """A grammar of one text that is not JSON. longest: bytes it may demand once begun."""
    lark = f"start: answer\nanswer: {rule}"
    frames = Frames(heaviest=(Piece(loose=longest),), samples=samples)
    if thinking:
        # lazy, as an expression may take the closing tag too
        lark = THINKING.format(answer="answer") + f'answer[suffix="</answer>"]: {rule}'
        frames = _framed(frames, Piece(loose=longest))
    text = LLMatcher.grammar_from_lark(lark)
    problem = LLMatcher.validate_grammar(text)
    if problem:
        raise SchemaError(f"{what} cannot be enforced while decoding: {' '.join(problem.split())}.")
    return Grammar(text, frames, False, *((BEFORE_ANSWER, b"</answer>") if thinking else ()))


def _framed(frames: Frames, answer: Piece) -> Frames:
    """The frames of an answer behind a thought."""
    return replace(frames, heaviest=(*frames.heaviest, Piece(THOUGHT) + answer + Piece("</answer>")))
