"""What the run writes and is told, to the letter: the JSON of each task, the thinking marks, the system prompt."""

from __future__ import annotations

import json

from training.workbench.questions import Question

SYSTEM_PROMPT = "Look at the picture and answer truthfully."


def answer_text(question: Question, cot: bool, seen: tuple[int, int]) -> str:
    """The assistant's text for a question: compact JSON, after the trace where ``cot``.

    seen: (width, height) of the picture as the model sees it. Boxes are in its pixels, Qwen2.5-VL's own convention.
    """
    document = json.dumps(_document(question, seen), separators=(",", ":"), ensure_ascii=False)
    return f"<think>{question.think}</think><answer>{document}</answer>" if cot else document


def _document(question: Question, seen: tuple[int, int]) -> dict:
    if question.task == "vqa":
        return {"vqa": {"answer": question.answer}}
    if question.task == "freeform":
        return {"freeform": {"caption": question.answer}}
    sentence, phrases = question.answer
    groundings = [{"phrase": phrase, "grounding": [scaled(box, seen) for box in boxes]} for phrase, boxes in phrases]
    return {"phrase_grounding": {"sentence": sentence, "groundings": groundings}}


def scaled(box: tuple[float, ...], seen: tuple[int, int]) -> list[int]:
    """A box of fractions in whole pixels of a picture of that (width, height)."""
    return [round(v * side) for v, side in zip(box, (*seen, *seen), strict=True)]
