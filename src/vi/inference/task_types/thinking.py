"""The chain-of-thought frame, ``<think>…</think><answer>…</answer>``: asking for it, and taking it apart."""

from __future__ import annotations

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
