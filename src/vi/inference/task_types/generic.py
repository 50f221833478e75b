"""Plain text: no schema, no parsing."""

from __future__ import annotations

from vi.inference.task_types.base import GenericResponse, Reading, Task

__all__ = ["GENERIC", "GenericResponse"]


def _read(text: str) -> Reading | None:
    return None


GENERIC = Task(
    name="generic",
    response=GenericResponse,
    system_prompt="You help with questions about pictures. Go by what the picture shows.",
    default_prompt=None,
    schema=None,
    read=_read,
)
