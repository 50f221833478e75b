"""An answer as it is written, in OpenAI's chunks."""

from __future__ import annotations

from typing import Any

from vi.inference.completion import Usage
from vi.inference.events import DoneEvent, Event, TextEvent, ThinkingEvent, TokenEvent
from vi.inference.task_types.response import PredictionResponse
from vi.server.chat_reply import FINISH, Head, LogprobEntry, entry, usage


class Chunks:
    """Events of the streams of one request, one after the other, as lines of text."""

    def __init__(self, head: Head, *, with_usage: bool) -> None:
        self._head, self._with_usage = head, with_usage
        self._more: dict[str, Any] = {"usage": None} if with_usage else {}
        self._begun: set[int] = set()
        self._tokens: dict[int, list[LogprobEntry]] = {}  # told, and not yet sent with a text
        self._usages: dict[int, Usage] = {}

    def line(self, index: int, event: Event) -> str:
        """What one event is on the wire; empty for one that goes with the next."""
        if isinstance(event, TextEvent):
            return self._delta(index, {"content": event.text}, self._logprobs(index))
        if isinstance(event, ThinkingEvent):
            return self._delta(index, {"reasoning_content": event.text}, self._logprobs(index))
        if isinstance(event, TokenEvent):
            self._tokens.setdefault(index, []).append(entry(event))
        return self._end(index, event.response) if isinstance(event, DoneEvent) else ""

    def last(self) -> str:
        """Behind all of them."""
        if not self._with_usage:
            return "data: [DONE]\n\n"
        total = usage([self._usages[index] for index in sorted(self._usages)])
        return self._head.chunk([], usage=total.model_dump()) + "data: [DONE]\n\n"

    def _delta(self, index: int, delta: dict[str, Any], logprobs: Any, finish: str | None = None, **more: Any) -> str:
        if index not in self._begun:
            self._begun.add(index)
            delta = {"role": "assistant", "content": "", **delta}
        choice = {"index": index, "delta": delta, "logprobs": logprobs, "finish_reason": finish, **more}
        return self._head.chunk([choice], **self._more)

    def _end(self, index: int, answer: PredictionResponse) -> str:
        self._usages[index] = answer.usage
        reason = answer.finish_reason
        return self._delta(index, {}, self._logprobs(index), FINISH[reason], stop_reason=reason)

    def _logprobs(self, index: int) -> dict[str, Any] | None:
        tokens = self._tokens.pop(index, None)
        return {"content": [token.model_dump() for token in tokens], "refusal": None} if tokens else None
