"""Tasks: what the model is told, what it may write, and the typed answer that its text becomes."""

from __future__ import annotations

from vi.inference.errors import ConfigError, did_you_mean
from vi.inference.task_types.base import GenericResponse, PredictionResponse, Reading, Task
from vi.inference.task_types.custom import custom_task
from vi.inference.task_types.freeform import FREEFORM, Caption, FreeformResponse
from vi.inference.task_types.generic import GENERIC
from vi.inference.task_types.phrase_grounding import (
    PHRASE_GROUNDING,
    GroundedPhrase,
    PhraseGrounding,
    PhraseGroundingResponse,
)
from vi.inference.task_types.thinking import split_thinking, with_thinking
from vi.inference.task_types.video_freeform import VIDEO_FREEFORM
from vi.inference.task_types.vqa import VQA, VQAAnswer, VQAResponse

__all__ = [
    "TASKS",
    "Caption",
    "FreeformResponse",
    "GenericResponse",
    "GroundedPhrase",
    "PhraseGrounding",
    "PhraseGroundingResponse",
    "PredictionResponse",
    "Reading",
    "Task",
    "VQAAnswer",
    "VQAResponse",
    "custom_task",
    "get_task",
    "split_thinking",
    "with_thinking",
]

TASKS: dict[str, Task] = {task.name: task for task in (VQA, PHRASE_GROUNDING, FREEFORM, VIDEO_FREEFORM, GENERIC)}


def get_task(name: str) -> Task:
    """The task called ``name``; case, underscores and spaces do not matter. Raises ConfigError for any other name."""
    wanted = name.strip().lower().replace("_", "-").replace(" ", "-") if isinstance(name, str) else ""
    if wanted in TASKS:
        return TASKS[wanted]
    hint = f"{did_you_mean(wanted, TASKS)} (all: {', '.join(TASKS)})".strip()
    raise ConfigError(f"task_type={name!r} is not a task.", hint)
