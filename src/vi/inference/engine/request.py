"""What an engine is asked for."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from vi.inference.generation_config import GenerationConfig
    from vi.inference.preprocess.prompt import Prompt
    from vi.inference.structured.grammar import Grammar


@dataclass(frozen=True)
class Request:
    """One prompt to be answered. config: resolved, its seed not negative. grammar: None is free text."""

    prompt: Prompt
    config: GenerationConfig
    grammar: Grammar | None = None

    def without_media(self) -> Request:
        """What is left to know of it once it has ended."""
        return replace(self, prompt=replace(self.prompt, media={}))
