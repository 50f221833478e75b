"""What the run writes and is told, to the letter: the JSON of each task, the thinking marks, the system prompt."""

from __future__ import annotations

import json

from training.workbench.questions import Question

SYSTEM_PROMPT = "Look at the picture and answer truthfully."
BOX_RANGE = 1024


def answer_text(question: Question, cot: bool) -> str:
    """The assistant's text for a question: compact JSON, after the trace where ``cot``."""
    document = json.dumps(_document(question), separators=(",", ":"), ensure_ascii=False)
    return f"<think>{question.think}</think><answer>{document}</answer>" if cot else document


def _document(question: Question) -> dict:
    if question.task == "vqa":
        return {"vqa": {"answer": question.answer}}
    if question.task == "freeform":
        return {"freeform": {"caption": question.answer}}
    sentence, phrases = question.answer
    groundings = [{"phrase": phrase, "grounding": [scaled(box) for box in boxes]} for phrase, boxes in phrases]
    return {"phrase_grounding": {"sentence": sentence, "groundings": groundings}}


def scaled(box: tuple[float, ...]) -> list[int]:
    """A box of fractions as integers in [0, 1024]."""
    return [round(v * BOX_RANGE) for v in box]
