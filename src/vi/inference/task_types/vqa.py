"""Visual question answering: a question about the picture, a short answer."""

from __future__ import annotations

from pydantic import Field

from vi.inference.task_types.base import PredictionResponse, Reading, Task
from vi.inference.task_types.salvage import salvaged_text
from vi.inference.task_types.wire import Wire, closed_schema, find_document


class VQAAnswer(Wire):
    """``answer``: at least one character."""

    answer: str = Field(min_length=1)

    def __str__(self) -> str:
        return self.answer


class VQADocument(Wire):
    """``{"vqa": {"answer": …}}``"""

    vqa: VQAAnswer


class VQAResponse(PredictionResponse):
    """The answer to a question: ``response.result.answer``."""

    result: VQAAnswer


def _read(text: str) -> Reading | None:
    document = find_document(VQADocument, text)
    if document:
        return Reading(document.vqa)
    found = salvaged_text(text, "vqa", "answer")
    return Reading(VQAAnswer(answer=found[0]), truncated=found[1]) if found else None


VQA = Task(
    name="vqa",
    response=VQAResponse,
    system_prompt=(
        "You answer questions about a picture. Go by what the picture shows and nothing else; "
        "where it does not show the answer, say so. Be brief.\n"
        'Reply with one line of JSON and no other text: {"vqa":{"answer":"<the answer>"}}'
    ),
    default_prompt=None,
    schema=closed_schema(VQADocument),
    read=_read,
)
