"""What a task is: what the model is told, what it may write, and what its text means."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from vi.inference.completion import Completion
from vi.inference.errors import AnswerError, PromptError
from vi.inference.generation_config import Setting
from vi.inference.task_types.boxes import RELATIVE, BoxUnits
from vi.inference.task_types.confidence import Scored
from vi.inference.task_types.response import GenericResponse, PredictionResponse
from vi.inference.task_types.thinking import split_thinking

if TYPE_CHECKING:
    from vi.inference.structured.formats import Choices, Regex
    from vi.inference.structured.grammar import Grammar

MAX_OBJECTS = 100

__all__ = ["GenericResponse", "PredictionResponse", "Reading", "Task"]


@dataclass(frozen=True)
class Reading:
    """What a text says. ``result`` is the task's own result, or a str where the text could not be parsed."""

    result: Any
    thinking: str | None = None
    truncated: bool = False
    parsed: Any = None
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class Task:
    """One kind of question.

    response: class of its answers. system_prompt: what the model is told; a run may bring its own. default_prompt:
    what is asked where the caller asks nothing, None where a prompt is required. schema: JSON Schema of the wire
    document, None for other text. form: what the answer is where it is neither JSON nor any text. read: the answer's
    text, without any frame of thinking, to a Reading, or None where it does not fit.
    Tasks with boxes have ``read_in_units``, which reads with them brought from the model's units to [0, 1024], and
    ``boxed_grammar``, which makes the grammar for units, a greatest number of objects, and with a thought or without.
    weigh: further fields of the response, from its result, the whole text and its tokens' probabilities.
    """

    name: str
    response: type[PredictionResponse]
    system_prompt: str
    default_prompt: str | None
    schema: dict[str, Any] | None
    read: Callable[[str], Reading | None]
    read_in_units: Callable[[str, BoxUnits], Reading | None] | None = None
    boxed_grammar: Callable[[BoxUnits, int, bool], Grammar] | None = None
    weigh: Callable[[Any, str, Sequence[Scored] | None], dict[str, Any]] | None = None
    form: Regex | Choices | None = None

    def grammar(
        self, *, thinking: bool = False, units: BoxUnits = RELATIVE, max_objects: int = MAX_OBJECTS
    ) -> Grammar | None:
        """What the model may write, with ``thinking`` behind a chain of thought; None where that is any text.

        units: what the model writes boxes in, for this picture. max_objects: the most phrases with boxes. Raises
        SchemaError for what cannot be enforced while decoding.
        """
        from vi.inference.structured.formats import Choices, Regex  # as they import llguidance
        from vi.inference.structured.grammar import choice_grammar, json_grammar, regex_grammar, think_grammar

        if self.boxed_grammar is not None:
            return self.boxed_grammar(units, max_objects, thinking)
        if isinstance(self.form, Regex):
            return regex_grammar(self.form.pattern, thinking=thinking)
        if isinstance(self.form, Choices):
            return choice_grammar(self.form.options, thinking=thinking)
        if thinking:
            return think_grammar(self.schema)
        return None if self.schema is None else json_grammar(self.schema)

    @property
    def outer(self) -> str | None:
        """The key of the wire document under which the result is; None where it is the document itself."""
        if self.schema is None or self.response is GenericResponse:
            return None
        return next(iter(self.schema["properties"]))

    def user_prompt(self, prompt: str | None) -> str:
        """``prompt``, or the default for None. Raises PromptError where it is empty, not text, or missing."""
        asked = self.default_prompt if prompt is None else prompt
        if asked is None:
            raise PromptError(f"{self.name} needs a prompt.", 'Pass user_prompt="…".')
        if not isinstance(asked, str):
            raise PromptError(f"The prompt {asked!r} is not text.", 'Pass user_prompt="…".')
        if not asked.strip():
            raise PromptError(
                f"The prompt {prompt!r} is empty.",
                'Pass user_prompt="…".' if self.default_prompt is None else "Leave it out to use the default.",
            )
        return asked

    def parse(self, text: str, truncated: bool = False, units: BoxUnits = RELATIVE) -> Reading:
        """Read a model's whole text. ``truncated`` says that the length limit ended it; boxes are in ``units``.

        Text that does not fit the task becomes a Reading whose result is the answer's text as it stands, never an
        exception; it is marked truncated where the limit ended it. Raises AnswerError only where a caller's own
        ``response_format`` rejects sound JSON.
        """
        thinking, answer = split_thinking(text)
        try:
            reading = self._read(answer, units)
        except AnswerError as error:
            error.raw_output = text
            raise
        if reading is None:
            reading = Reading(result=answer, truncated=truncated)
        return replace(reading, thinking=thinking)

    def _read(self, answer: str, units: BoxUnits) -> Reading | None:
        try:
            return self.read(answer) if self.read_in_units is None else self.read_in_units(answer, units)
        except UnicodeError:  # half a surrogate pair is no text
            return None

    def respond(
        self,
        completion: Completion,
        *,
        prompt: str,
        generation: Mapping[str, Setting] | None = None,
        warnings: Iterable[str] = (),
        units: BoxUnits = RELATIVE,
    ) -> PredictionResponse:
        """The typed answer for a finished generation; a GenericResponse where its text does not fit the task.

        units: what the model writes boxes in; ``result`` has them in [0, 1024], ``raw_output`` as they were written.

        Raises AnswerError as ``parse`` does.
        """
        reading = self.parse(completion.text, truncated=completion.finish_reason == "length", units=units)
        facts: dict[str, Any] = {
            "prompt": prompt,
            "result": reading.result,
            "raw_output": completion.text,
            "thinking": reading.thinking,
            "truncated": reading.truncated or completion.truncated,
            "finish_reason": completion.finish_reason,
            "usage": completion.usage,
            "timings": completion.timings,
            "generation": dict(generation or {}),
            "warnings": [*warnings, *reading.warnings],
            "logprobs": completion.logprobs,
            "probabilities": completion.probabilities,
        }
        if isinstance(reading.result, str):
            return GenericResponse(**facts, parsed=reading.parsed)
        if self.weigh is not None:
            scores = completion.logprobs if completion.scores is None else completion.scores
            facts |= self.weigh(reading.result, completion.text, scores)
        return self.response(**facts)
