"""The chain-of-thought frame, ``<think>…</think><answer>…</answer>``: asking for it, and taking it apart."""

from __future__ import annotations

from collections.abc import Iterator

COT_SUFFIX = (
    "Think it through first, step by step, between <think> and </think>. "
    "Then give the reply described above between <answer> and </answer>."
)

_THINK, _END_THINK, _ANSWER, _END_ANSWER = "<think>", "</think>", "<answer>", "</answer>"


def with_thinking(system_prompt: str) -> str:
    """``system_prompt`` with the request to think first."""
    return f"{system_prompt}\n{COT_SUFFIX}"


def split_thinking(text: str) -> tuple[str | None, str]:
    """Take a framed text apart: ``(thinking, answer)``, each stripped of surrounding white space.

    A text that does not begin with ``<think>`` or ``<answer>`` has no frame: ``(None, text)``, unchanged. A frame that
    was cut off gives what was written of each part, without the beginnings of a tag at its end; the answer is empty
    where it had not begun. The first ``</think>`` ends the thinking and the last ``</answer>`` the answer, so either
    tag may occur inside the answer's own strings.
    """
    rest = text.lstrip()
    thinking: str | None = None
    if rest.startswith(_THINK):
        inside, closed, rest = rest[len(_THINK) :].partition(_END_THINK)
        thinking = (inside if closed else _without_partial(inside, _END_THINK)).strip()
        rest = rest.lstrip()
    elif not rest.startswith(_ANSWER):
        return None, text
    if not rest.startswith(_ANSWER):
        return thinking, "" if _ANSWER.startswith(rest) else rest.strip()
    inside, closed, _ = rest[len(_ANSWER) :].rpartition(_END_ANSWER)
    answer = inside if closed else _without_partial(rest[len(_ANSWER) :], _END_ANSWER)
    return thinking, answer.strip()


def _without_partial(text: str, tag: str) -> str:
    """``text`` without the first characters of ``tag`` at its end."""
    for length in range(len(tag) - 1, 0, -1):
        if text.endswith(tag[:length]):
            return text[:-length]
    return text


class ThinkingReader:
    """``split_thinking`` while the text comes in: pieces of the thinking and pieces of the answer, without the tags.

    Joined and stripped they are what ``split_thinking`` gives, however the text is cut into pieces.
    """

    def __init__(self) -> None:
        self._held = ""  # text of which it is not known yet what it belongs to
        self._part = self._beginning

    @property
    def num_held(self) -> int:
        """How many characters were read and not given yet."""
        return len(self._held)

    def feed(self, piece: str) -> Iterator[tuple[bool, str]]:
        """(whether it is thinking, text) of what is known now; no text is empty."""
        self._held += piece
        part = None
        while part != self._part:  # a piece may hold several tags
            part = self._part
            thinking, text = part()
            if text:
                yield thinking, text

    def close(self) -> Iterator[tuple[bool, str]]:
        """What the end of the text decides."""
        held, self._held = self._held, ""
        if self._part == self._between and _ANSWER.startswith(held):
            held = ""
        elif self._part == self._thinking:
            held = _without_partial(held, _END_THINK)
        elif self._part == self._answer:
            held = "" if held.startswith(_END_ANSWER) else _without_partial(held, _END_ANSWER)
        if held:
            yield self._part == self._thinking, held

    def _beginning(self) -> tuple[bool, str]:
        rest = self._held.lstrip()
        if rest.startswith(_THINK):
            self._held, self._part = rest[len(_THINK) :], self._thinking
        elif rest.startswith(_ANSWER):
            self._held, self._part = rest[len(_ANSWER) :], self._answer
        elif not (_THINK.startswith(rest) or _ANSWER.startswith(rest)):
            self._part = self._no_frame
        return False, ""

    def _thinking(self) -> tuple[bool, str]:
        inside, closed, rest = self._held.partition(_END_THINK)
        if closed:
            self._held, self._part = rest, self._between
            return True, inside
        return True, self._let_go(_without_partial(inside, _END_THINK))

    def _between(self) -> tuple[bool, str]:
        self._held = self._held.lstrip()
        if self._held.startswith(_ANSWER):
            self._held, self._part = self._held[len(_ANSWER) :], self._answer
        elif not _ANSWER.startswith(self._held):
            self._part = self._no_frame
        return False, ""

    def _answer(self) -> tuple[bool, str]:
        """All but the last closing tag and what stands behind it, which may yet turn out to be inside."""
        closing = self._held.rfind(_END_ANSWER)
        known = self._held[:closing] if closing >= 0 else _without_partial(self._held, _END_ANSWER)
        return False, self._let_go(known)

    def _no_frame(self) -> tuple[bool, str]:
        return False, self._let_go(self._held)

    def _let_go(self, text: str) -> str:
        self._held = self._held[len(text) :]
        return text
