"""A model that is ready to run, with everything that is needed to speak to it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch

    from vi.inference.bundle.layout import Bundle
    from vi.inference.preprocess.clips import ClipEncoder
    from vi.inference.preprocess.pixels import PictureEncoder
    from vi.inference.preprocess.tokenizer import ChatTokenizer


@dataclass(frozen=True)
class TorchWeights:
    """A transformers model in evaluation mode, without gradients, and its own configuration object."""

    model: Any
    config: Any
    device: torch.device
    dtype: torch.dtype


@dataclass(frozen=True)
class LoadedModel:
    """What a runner runs, and what turns words and pictures into its token ids and arrays.

    family: ``config.json``'s ``model_type``. config: ``config.json`` as plain values; from a checkpoint with what
    transformers fills in, so read it with defaults. eos_token_ids: ids that end an answer. media_token_ids: ids that
    are never sampled. placeholder_id: stands for one place of a picture. context_length: tokens of prompt and
    answer together. vocab_size: width of the logits. clips: None where the family has no way of its own for clips.
    """

    weights: TorchWeights | Bundle
    family: str
    config: Mapping[str, Any]
    tokenizer: ChatTokenizer
    pictures: PictureEncoder
    eos_token_ids: tuple[int, ...]
    media_token_ids: tuple[int, ...]
    placeholder_id: int
    context_length: int
    vocab_size: int
    clips: ClipEncoder | None = None
