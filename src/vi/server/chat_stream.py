"""An answer as it is written, in OpenAI's chunks."""

from __future__ import annotations

from typing import Any

from vi.inference.completion import TokenLogprob
from vi.server.chat_reply import FINISH, Head, LogprobEntry, entry, usage
from vi.server.replies import Event, Replies


class Chunks:
    """Events of the streams of one request, one after the other, as lines of text."""

    def __init__(self, head: Head, replies: Replies, *, with_usage: bool) -> None:
        self._head, self._replies = head, replies
        self._with_usage = with_usage
        self._more: dict[str, Any] = {"usage": None} if with_usage else {}
        self._begun: set[int] = set()
        self._tokens: dict[int, list[LogprobEntry]] = {}  # told, and not yet sent with a text
        self._told: set[int] = set()  # streams whose tokens are events

    def line(self, index: int, event: Event) -> str:
        """What one event is on the wire; empty for one that goes with the next."""
        kind = event["type"]
        if kind == "text":
            return self._delta(index, {"content": event["text"]}, self._logprobs(index))
        if kind == "thinking":
            return self._delta(index, {"reasoning_content": event["text"]}, self._logprobs(index))
        if kind == "token":
            self._told.add(index)
            self._tokens.setdefault(index, []).append(entry(TokenLogprob.model_validate(_but_type(event))))
        return self._end(index) if kind == "done" else ""

    def last(self) -> str:
        """Behind all of them."""
        if not self._with_usage:
            return "data: [DONE]\n\n"
        total = usage([answer.usage for _, answer in sorted(self._replies.responses.items())])
        return self._head.chunk([], usage=total.model_dump()) + "data: [DONE]\n\n"

    def _delta(self, index: int, delta: dict[str, Any], logprobs: Any, finish: str | None = None, **more: Any) -> str:
        if index not in self._begun:
            self._begun.add(index)
            delta = {"role": "assistant", "content": "", **delta}
        choice = {"index": index, "delta": delta, "logprobs": logprobs, "finish_reason": finish, **more}
        return self._head.chunk([choice], **self._more)

    def _end(self, index: int) -> str:
        answer = self._replies.responses[index]
        if index not in self._told and answer.logprobs:
            self._tokens[index] = [entry(token) for token in answer.logprobs]
        reason = answer.finish_reason
        return self._delta(index, {}, self._logprobs(index), FINISH[reason], stop_reason=reason)

    def _logprobs(self, index: int) -> dict[str, Any] | None:
        tokens = self._tokens.pop(index, None)
        return {"content": [token.model_dump() for token in tokens], "refusal": None} if tokens else None


def _but_type(event: Event) -> dict[str, Any]:
    return {name: value for name, value in event.items() if name != "type"}
