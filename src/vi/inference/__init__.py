"""Inference: load a model, ask it about a picture, get a typed answer. Names load when they are first used."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from vi.inference.errors import (
        AnswerError,
        Cancelled,
        ConfigError,
        InferenceError,
        LoadError,
        PromptError,
        SchemaError,
        SourceError,
        SourceUnreachable,
        ViError,
    )
    from vi.inference.generation_config import GenerationConfig
    from vi.inference.media.clip import Clip
    from vi.inference.media.pictures import Pictures
    from vi.inference.media.policy import MediaPolicy
    from vi.inference.model import ViModel
    from vi.inference.model_info import ModelInfo
    from vi.inference.preprocess.turns import Turn
    from vi.inference.stream import Stream
    from vi.inference.structured.formats import Choices, Regex

__all__ = [
    "AnswerError",
    "Cancelled",
    "Choices",
    "Clip",
    "ConfigError",
    "GenerationConfig",
    "InferenceError",
    "LoadError",
    "MediaPolicy",
    "ModelInfo",
    "Pictures",
    "PromptError",
    "Regex",
    "SchemaError",
    "SourceError",
    "SourceUnreachable",
    "Stream",
    "Turn",
    "ViError",
    "ViModel",
]

_ROOMS = {
    "Choices": "structured.formats",
    "Clip": "media.clip",
    "GenerationConfig": "generation_config",
    "MediaPolicy": "media.policy",
    "ModelInfo": "model_info",
    "Pictures": "media.pictures",
    "Regex": "structured.formats",
    "Stream": "stream",
    "Turn": "preprocess.turns",
    "ViModel": "model",
}


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{_ROOMS.get(name, 'errors')}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
