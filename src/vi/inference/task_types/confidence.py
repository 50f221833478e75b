"""How sure the model was of a part of its text, from the probabilities of that part's tokens."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Sequence

from pydantic import BaseModel, ConfigDict

from vi.inference.completion import TokenLogprob, TokenScore

UNFINISHED = "\ufffd"  # in a token's text: part of a character
_BOX = re.compile(r"\[\s*\d+\s*,\s*\d+\s*,\s*\d+\s*,\s*\d+\s*\]")
_DIGITS = re.compile(r"\d+")

Scored = TokenLogprob | TokenScore


class PhraseConfidence(BaseModel):
    """In [0, 1]: ``phrase`` that its words are these, ``boxes`` that each box is the phrase's: its numbers' times the
    phrase's own, as a box under a wrong name is wrong."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    phrase: float
    boxes: list[float]


def token_spans(text: str, logprobs: Sequence[Scored]) -> list[tuple[int, int]]:
    """Where in ``text`` each token stands, as (start, end) in characters; empty at a token that holds none of them.

    Tokens that share a character have it together. Text that was removed, such as a stop string, belongs to none.
    """
    spans: list[tuple[int, int]] = []
    shared: list[int] = []  # tokens with a part of the character at hand
    at = 0
    for token in logprobs:
        piece = token.text
        start = at if not shared else text.find(piece, at) if piece and UNFINISHED not in piece else -1
        if UNFINISHED in piece or start < 0:
            shared.append(len(spans))
            spans.append((at, at))
            continue
        for index in shared:
            spans[index] = (at, start)
        shared = []
        if text.startswith(piece, start):
            at = start + len(piece)
            spans.append((start, at))
        else:
            spans.append((at, at))
    for index in shared:
        spans[index] = (at, len(text))
    return spans


def confidence(spans: Sequence[tuple[int, int]], logprobs: Sequence[Scored], start: int, end: int) -> float | None:
    """The geometric mean of the probabilities of the tokens that write ``text[start:end]``; None where there are none,
    or one of them is not known.

    Tokens that the grammar forced say nothing and are left out; where all were forced, the text is certain.
    """
    inside = [token for token, (a, b) in zip(logprobs, spans, strict=True) if a < end and b > start]
    chosen = [token.logprob for token in inside if not token.forced]
    if not chosen:
        return 1.0 if inside else None
    known = [logprob for logprob in chosen if logprob is not None]
    return math.exp(sum(known) / len(known)) if len(known) == len(chosen) else None


def phrase_confidences(
    text: str, logprobs: Sequence[Scored] | None, phrases: Sequence[tuple[str, int]]
) -> list[PhraseConfidence] | None:
    """The confidence of each phrase and its boxes, in the order in which ``text`` has them.

    phrases: (phrase, number of its boxes) each. None where there are no logprobs, or the text has them otherwise than
    the wire document does.
    """
    if not logprobs:
        return None
    spans = token_spans(text, logprobs)
    boxes = list(_BOX.finditer(text))
    if len(boxes) != sum(count for _, count in phrases):
        return None
    found, at, box = [], max(text.find('"groundings"'), 0), 0
    for phrase, count in phrases:
        written = json.dumps(phrase, ensure_ascii=False)[1:-1]
        start = text.find(written, at)
        if start < 0:
            return None
        at = start + len(written)
        of_phrase = confidence(spans, logprobs, start, at)
        of_boxes = [_of_box(text, spans, logprobs, *match.span()) for match in boxes[box : box + count]]
        if of_phrase is None or None in of_boxes:
            return None
        of_both = [of_phrase * value for value in of_boxes if value is not None]
        found.append(PhraseConfidence(phrase=of_phrase, boxes=of_both))
        box += count
    return found


def box_confidence(
    text: str, logprobs: Sequence[Scored], phrase: tuple[int, int], box: tuple[int, int]
) -> float | None:
    """The confidence of a box and its phrase, told where in ``text`` they are; it may go on. None where not known."""
    if not logprobs:
        return None
    spans = token_spans(text, logprobs)
    of_phrase, of_box = confidence(spans, logprobs, *phrase), _of_box(text, spans, logprobs, *box)
    return None if of_phrase is None or of_box is None else of_phrase * of_box


def _of_box(
    text: str, spans: Sequence[tuple[int, int]], logprobs: Sequence[Scored], start: int, end: int
) -> float | None:
    """Over the tokens of the four numbers alone, each number counting once."""
    parts = [confidence(spans, logprobs, *digits.span()) for digits in _DIGITS.finditer(text, start, end)]
    known = [part for part in parts if part is not None]
    return math.exp(sum(math.log(max(part, 1e-300)) for part in known) / 4) if len(known) == 4 else None
