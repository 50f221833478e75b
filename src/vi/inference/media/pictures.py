"""Several pictures that one question is about, or none at all."""

from __future__ import annotations

from typing import Any


class Pictures:
    """One source made of several: the model sees them in their order, in one prompt.

    ``model(Pictures("before.png", "after.png"), "What changed?")``; ``Pictures()`` is words alone. Each may be anything
    that is one picture: a path, URL, data: URI, base64, bytes, an open file, a PIL image or an array.
    """

    def __init__(self, *sources: Any) -> None:
        self.sources = sources

    def __repr__(self) -> str:
        return f"Pictures({', '.join(type(source).__name__ for source in self.sources)})"
