"""Free description: a caption of the picture, or whatever the prompt asks for in words."""

from __future__ import annotations

from pydantic import Field

from vi.inference.task_types.base import PredictionResponse, Reading, Task
from vi.inference.task_types.salvage import salvaged_text
from vi.inference.task_types.wire import Wire, closed_schema, find_document


class Caption(Wire):
    """``caption``: at least one character."""

    caption: str = Field(min_length=1)

    def __str__(self) -> str:
        return self.caption


class FreeformDocument(Wire):
    """``{"freeform": {"caption": …}}``"""

    freeform: Caption


class FreeformResponse(PredictionResponse):
    """A description: ``response.result.caption``."""

    result: Caption


def read_caption(text: str) -> Reading | None:
    """The caption a text holds, None where it is not a freeform document."""
    document = find_document(FreeformDocument, text)
    if document:
        return Reading(document.freeform)
    found = salvaged_text(text, "freeform", "caption")
    return Reading(Caption(caption=found[0]), truncated=found[1]) if found else None


FREEFORM = Task(
    name="freeform",
    response=FreeformResponse,
    system_prompt=(
        "You describe pictures and do what is asked about them in words. "
        "Go by what the picture shows and nothing else.\n"
        'Reply with one line of JSON and no other text: {"freeform":{"caption":"<your text>"}}'
    ),
    default_prompt="Describe this picture.",
    schema=closed_schema(FreeformDocument),
    read=read_caption,
)
