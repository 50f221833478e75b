"""Where in the text before it each token of an answer should point: at what it copies, or at what it is asked about.

A token that looks at a part must first know which; and what a question names is known at the name's last token.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

from training.workbench.looks import KIND_NAME, PART_NAME, Span, within
from training.workbench.question import Question

CHANNELS = 2  # heads that point; the second only where two parts are compared
_PHRASE = re.compile(r'"phrase":"([^"]*)"')


def points(question: Question, text: str, asked: Sequence[Span], told: Sequence[Span]) -> np.ndarray:
    """int64 [told, CHANNELS]: the token, counted from the question's first, to which the state before each token of the
    answer points; -1 none. asked, told: which characters of the prompt and of ``text`` each token holds."""
    at = np.full((len(told), CHANNELS), -1)
    names = _names(question.prompt)
    for channel, span in enumerate(names if len(names) <= CHANNELS else ()):
        at[:, channel] = within(asked, span).nonzero()[0].max()
    if question.type == "grounding":
        at[:, 0] = -1  # what is asked for may be several parts, and its sentence names them
        _copy_phrases(at, text, told, len(asked))
    if "thing" in question.truth:
        _copy(
            at, told, _spans(text, question.truth["thing"]), asked, _spans(question.prompt, question.truth["thing"]), 0
        )
    return at


def _names(prompt: str) -> list[Span]:
    """Where the prompt names a kind: of these words, the last says of which part it speaks."""
    parts = [found.span(3) for found in PART_NAME.finditer(prompt)]
    return parts or [found.span() for found in KIND_NAME.finditer(prompt)]


def _copy_phrases(at: np.ndarray, text: str, told: Sequence[Span], before: int) -> None:
    """Each phrase of a grounding points at its own place in the sentence; phrases come in the sentence's order."""
    cursor = 0
    for found in _PHRASE.finditer(text):
        cursor = text.index(found[1], cursor)
        _copy(at, told, [found.span(1)], told, [(cursor, cursor + len(found[1]))], before)
        cursor += len(found[1])


def _copy(
    at: np.ndarray, told: Sequence[Span], copies: list[Span], source: Sequence[Span], origin: list[Span], before: int
) -> None:
    """Tokens of every copy point at the token of the origin that holds their first letter; ``before`` tokens precede
    the source."""
    if not origin:
        return
    starts = np.array([start for start, _ in source])
    for copy in copies:
        for token in within(told, copy).nonzero()[0]:
            letter = max(told[token][0], copy[0]) - copy[0] + origin[0][0]
            at[token] = (before + int(np.searchsorted(starts, letter, "right")) - 1, -1)


def _spans(text: str, words: str) -> list[Span]:
    return [found.span() for found in re.finditer(re.escape(words), text)]
