"""A question as data: what is asked, what is true, and what leads there."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Question:
    """type: the row of the evaluation table. task: vqa, freeform or phrase-grounding. think: the trace for cot.

    answer is the text, or for grounding (sentence, [(phrase, [box, ...]), ...]) with boxes as fractions.
    """

    type: str
    task: str
    prompt: str
    answer: Any
    think: str
    truth: dict[str, Any] = field(default_factory=dict)
