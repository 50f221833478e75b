"""Which engine suits a loaded model."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vi.inference.engine.base import Engine
from vi.inference.engine.serial import SerialEngine
from vi.inference.engine.vocabulary import Vocabulary

if TYPE_CHECKING:
    from vi.inference.loading.loader import LoadedModel


def start_engine(loaded: LoadedModel) -> Engine:
    """The engine that suits a loaded model."""
    from vi.inference.engine.runners.plain_runner import PlainTorchRunner

    return SerialEngine(PlainTorchRunner(loaded), Vocabulary(loaded))
