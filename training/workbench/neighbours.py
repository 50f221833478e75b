"""Which part lies closest to which."""

from __future__ import annotations

import math

from training.workbench.scenes import Part, Scene

CLEARLY = 1.25  # how many times farther the second must be


def nearest(scene: Scene, part: Part) -> Part | None:
    """The part whose centre is closest to that of ``part``; None where there is none, or a second about as close."""
    stretch = math.sqrt(scene.aspect)
    far = sorted(
        (
            (math.hypot((p.x - part.x) * stretch, (p.y - part.y) / stretch), i)
            for i, p in enumerate(scene.parts)
            if p is not part
        )
    )
    if not far or (len(far) > 1 and far[1][0] < far[0][0] * CLEARLY):
        return None
    return scene.parts[far[0][1]]
