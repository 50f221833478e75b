"""Which frames of a clip an answer is about."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class ClipManifest(BaseModel):
    """What a model saw of a clip.

    duration: seconds from the first frame to the end of the last. source_fps: the clip's own mean rate.
    effective_fps: frames seen a second of the clip. frame_indices: their numbers in the clip, in order of showing, from
    0. timestamps: when each is shown, in seconds from the first frame of the clip.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    duration: float
    source_fps: float
    effective_fps: float
    frame_indices: list[int]
    timestamps: list[float]
