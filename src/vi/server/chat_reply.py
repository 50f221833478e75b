"""An answer as OpenAI's chat completion, whole or in chunks."""

from __future__ import annotations

import json
import math
import time
import uuid
from collections.abc import Sequence
from typing import Any, Literal

from pydantic import BaseModel

from vi.inference.completion import TokenAlternative, TokenLogprob, Usage
from vi.inference.task_types.response import PredictionResponse
from vi.inference.task_types.thinking import split_thinking

IMPOSSIBLE = -9999.0  # what OpenAI writes for a log-probability of minus infinity
FINISH = {"stop": "stop", "stop_string": "stop", "length": "length", "loop": "length", "cancelled": "stop"}


class TopLogprob(BaseModel):
    token: str
    logprob: float
    bytes: list[int] | None


class LogprobEntry(TopLogprob):
    top_logprobs: list[TopLogprob]


class Logprobs(BaseModel):
    content: list[LogprobEntry]
    refusal: None = None


class AssistantMessage(BaseModel):
    """reasoning_content: the chain of thought with ``cot``."""

    role: Literal["assistant"] = "assistant"
    content: str
    refusal: None = None
    reasoning_content: str | None = None


class Choice(BaseModel):
    """stop_reason: how the answer ended, more exactly than OpenAI's words say."""

    index: int
    message: AssistantMessage
    logprobs: Logprobs | None = None
    finish_reason: Literal["stop", "length"]
    stop_reason: str


class PromptDetails(BaseModel):
    cached_tokens: int
    image_tokens: int


class ChatUsage(BaseModel):
    """Tokens; the prompt is counted once, whatever ``n`` is."""

    prompt_tokens: int
    completion_tokens: int
    total_tokens: int
    prompt_tokens_details: PromptDetails


class ChatCompletion(BaseModel):
    """warnings: what the caller may not have expected."""

    id: str
    object: Literal["chat.completion"] = "chat.completion"
    created: int
    model: str
    choices: list[Choice]
    usage: ChatUsage
    warnings: list[str] = []


class Head:
    """What all chunks of a completion begin with."""

    def __init__(self, model: str) -> None:
        self.id, self.created, self.model = f"chatcmpl-{uuid.uuid4().hex}", int(time.time()), model

    def whole(self, answers: Sequence[PredictionResponse]) -> ChatCompletion:
        warnings = dict.fromkeys(warning for answer in answers for warning in answer.warnings)
        return ChatCompletion(
            id=self.id,
            created=self.created,
            model=self.model,
            choices=[_choice(index, answer) for index, answer in enumerate(answers)],
            usage=usage([answer.usage for answer in answers]),
            warnings=list(warnings),
        )

    def chunk(self, choices: list[dict[str, Any]], **more: Any) -> str:
        """A line of a stream."""
        chunk = {"id": self.id, "object": "chat.completion.chunk", "created": self.created, "model": self.model}
        return f"data: {json.dumps({**chunk, 'choices': choices, **more}, ensure_ascii=False)}\n\n"


def _choice(index: int, answer: PredictionResponse) -> Choice:
    thinking, content = split_thinking(answer.raw_output)
    return Choice(
        index=index,
        message=AssistantMessage(content=content, reasoning_content=thinking),
        logprobs=None if answer.logprobs is None else Logprobs(content=[entry(each) for each in answer.logprobs]),
        finish_reason=FINISH[answer.finish_reason],  # type: ignore[arg-type]
        stop_reason=answer.finish_reason,
    )


def usage(each: Sequence[Usage]) -> ChatUsage:
    """Of all answers of a request together."""
    prompt, written = each[0], sum(one.completion_tokens for one in each)
    return ChatUsage(
        prompt_tokens=prompt.prompt_tokens,
        completion_tokens=written,
        total_tokens=prompt.prompt_tokens + written,
        prompt_tokens_details=PromptDetails(cached_tokens=prompt.cached_tokens, image_tokens=prompt.image_tokens),
    )


def entry(token: TokenLogprob) -> LogprobEntry:
    """A token as OpenAI tells of it."""
    return LogprobEntry(**_top(token), top_logprobs=[TopLogprob(**_top(each)) for each in token.alternatives])


def _top(token: TokenAlternative) -> dict[str, Any]:
    part = "\ufffd" in token.text  # of a character: its bytes are not known
    logprob = token.logprob if math.isfinite(token.logprob) else IMPOSSIBLE
    return {"token": token.text, "logprob": logprob, "bytes": None if part else list(token.text.encode())}
