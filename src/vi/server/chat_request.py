"""OpenAI's chat request, as far as it can be answered, and what it means for a call."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Literal

from pydantic import Field

from vi.inference.generation_config import GenerationConfig
from vi.server.asking import Question, generation_config, require_schema
from vi.server.conversation import Conversation, Message, Strict
from vi.server.envelope import ApiError
from vi.server.limits import Limits


class JsonSchema(Strict):
    name: str
    schema_: dict[str, Any] | None = Field(None, alias="schema")
    description: str | None = None
    strict: bool | None = None


class ResponseFormat(Strict):
    """json_schema is enforced while decoding, whatever ``strict`` says."""

    type: Literal["text", "json_object", "json_schema"]
    json_schema: JsonSchema | None = None


class StreamOptions(Strict):
    include_usage: bool = False
    include_obfuscation: bool | None = None


class ChatRequest(Strict):
    """OpenAI's fields, and ours behind them. A field that cannot be honoured is refused, not ignored."""

    model: str
    messages: list[Message] = Field(min_length=1)
    temperature: float | None = None
    top_p: float | None = None
    max_tokens: int | None = None
    max_completion_tokens: int | None = None
    n: int | None = Field(None, ge=1)
    seed: int | None = None
    stop: str | list[str] | None = None
    logprobs: bool | None = None
    top_logprobs: int | None = Field(None, ge=0, le=20)
    response_format: ResponseFormat | None = None
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    presence_penalty: Literal[0] | None = Field(None, description="Only 0: use repetition_penalty.")
    frequency_penalty: Literal[0] | None = Field(None, description="Only 0: use repetition_penalty.")
    user: str | None = Field(None, description="Taken, and not used; so are the following.")
    safety_identifier: str | None = None
    prompt_cache_key: str | None = None
    service_tier: str | None = None
    metadata: dict[str, str] | None = None
    store: bool | None = None
    top_k: int | None = Field(None, description="Ours, as all below.")
    repetition_penalty: float | None = None
    do_sample: bool | None = None
    generation_config: dict[str, Any] | str | None = Field(None, description="Parameters, or a preset's name.")
    cot: bool = False
    task_type: str | None = Field(None, description="What the answer looks like; generic, any text, if not given.")
    fps: float = Field(4.0, gt=0, allow_inf_nan=False, description="Frames per second of a clip.")

    def questions(self, limits: Limits) -> list[Question]:
        """One call for each of the ``n`` answers; the second draws with the next seed, and so on.

        Raises ApiError 400 for what cannot be answered.
        """
        n = self.n or 1
        if n > limits.choices:
            raise ApiError(400, "too_many_choices", f"n={n}; the server gives {limits.choices} at most.", param="n")
        talk = Conversation.of(self.messages, limits)
        schema = require_schema(self._schema(), limits)
        question = Question(
            sources=talk.sources,
            prompt=talk.prompt,
            config=self._config(limits),
            limits=limits,
            task_type=self.task_type if schema is not None or self.task_type is not None else "generic",
            response_format=schema,
            cot=self.cot,
            fps=self.fps,
            system_prompt=talk.system,
            history=talk.history,
        )
        return [replace(question, place=place) for place in range(n)]

    def _schema(self) -> dict[str, Any] | None:
        asked = self.response_format
        if asked is None or asked.type == "text":
            return None
        if asked.type == "json_object":
            return {"type": "object"}
        if asked.json_schema is None or asked.json_schema.schema_ is None:
            param = "response_format.json_schema.schema"
            raise ApiError(400, "missing_parameter", "json_schema has no schema.", param=param)
        return asked.json_schema.schema_

    def _config(self, limits: Limits) -> GenerationConfig:
        """The table of docs/server.md: a temperature above 0 means sampling, unless something says otherwise."""
        cap = "max_tokens" if self.max_completion_tokens is None else "max_completion_tokens"
        given = {
            "temperature": ("temperature", self.temperature),
            "top_p": ("top_p", self.top_p),
            "max_new_tokens": (cap, getattr(self, cap)),
            "seed": ("seed", self.seed),
            "stop_strings": ("stop", self.stop),
            "top_k": ("top_k", self.top_k),
            "repetition_penalty": ("repetition_penalty", self.repetition_penalty),
            "do_sample": ("do_sample", self.do_sample),
            "logprobs": ("top_logprobs", (self.top_logprobs or 0) if self.logprobs else None),
        }
        if self.top_logprobs is not None and not self.logprobs:
            raise ApiError(400, "invalid_value", "top_logprobs needs logprobs: true.", param="top_logprobs")
        set_ones = {field: value for field, value in given.items() if value[1] is not None}
        config = generation_config(self.generation_config, limits, set_ones)
        if self.temperature and "do_sample" not in config.model_fields_set:
            config = config.model_copy(update={"do_sample": True})
        return config
