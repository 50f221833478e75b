"""Free description of a clip; answers and wire format are those of a picture's description."""

from __future__ import annotations

from vi.inference.task_types.base import Task
from vi.inference.task_types.freeform import FREEFORM, FreeformResponse, read_caption

VIDEO_FREEFORM = Task(
    name="video-freeform",
    response=FreeformResponse,
    system_prompt=(
        "You describe video clips, given as frames in order of time, and do what is asked about them in words. "
        "Go by what the frames show and nothing else.\n"
        'Reply with one line of JSON and no other text: {"freeform":{"caption":"<your text>"}}'
    ),
    default_prompt="Describe what happens in this clip.",
    schema=FREEFORM.schema,
    read=read_caption,
)
