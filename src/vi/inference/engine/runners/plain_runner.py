"""Runs transformers' model classes, one request at a time, on any device torch knows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from transformers import DynamicCache

from vi.inference.engine.runners.base import Precision
from vi.inference.errors import InferenceError
from vi.inference.preprocess.families import get_family
from vi.inference.preprocess.prompt import Prompt

if TYPE_CHECKING:
    from vi.inference.loading.loaded import LoadedModel


@dataclass
class TorchState:
    """One request's place: its keys and values, or what its layers keep instead, and the next token's position."""

    cache: DynamicCache
    position: int


class PlainTorchRunner:
    """Prefill and decode with a key-value cache. Nothing of a request is left on the model: positions are passed in."""

    def __init__(self, loaded: LoadedModel) -> None:
        weights: Any = loaded.weights
        self._model, self._config = weights.model, weights.config
        self._device, self._dtype = weights.device, weights.dtype
        self.precision: Precision = "exact" if self._dtype.itemsize >= 4 else "fast"
        self._family, self._placeholder_id = get_family(loaded.family), loaded.placeholder_id

    @torch.inference_mode()
    def prefill(self, prompt: Prompt) -> tuple[TorchState, torch.Tensor]:
        """Read the prompt and its pictures. Returns (state, logits [1, V]); raises InferenceError out of memory."""
        input_ids = self._tensor([prompt.token_ids])  # [1, S]
        state = TorchState(DynamicCache(config=self._config.get_text_config()), prompt.next_position)
        inputs = {name: self._place(array) for name, array in prompt.media.items()}
        if self._family.mrope:
            inputs["position_ids"] = self._tensor(prompt.positions)[:, None]  # [3, 1, S]
        if self._family.token_types is not None:
            types = self._family.token_types(np.asarray(prompt.token_ids), self._placeholder_id)
            inputs["token_type_ids"] = self._tensor(types[None])
        return state, self._forward(state, input_ids, inputs)

    @torch.inference_mode()
    def decode(self, state: TorchState, token_id: int) -> torch.Tensor:
        """Read one token. Returns logits [1, V]; raises InferenceError out of memory."""
        inputs = {"position_ids": self._tensor([[[state.position]]] * 3)} if self._family.mrope else {}
        state.position += 1
        return self._forward(state, self._tensor([[token_id]]), inputs)

    def _forward(self, state: TorchState, input_ids: torch.Tensor, inputs: dict[str, torch.Tensor]) -> torch.Tensor:
        try:
            outputs = self._model(
                input_ids=input_ids, past_key_values=state.cache, use_cache=True, logits_to_keep=1, **inputs
            )
        except torch.OutOfMemoryError as error:
            raise InferenceError(
                f"The device has no memory left for this request ({error}).",
                "Use a smaller picture, a shorter prompt or fewer max_new_tokens.",
            ) from error
        return outputs.logits[:, -1]

    def _tensor(self, values: Any) -> torch.Tensor:
        return torch.as_tensor(values, dtype=torch.int64, device=self._device)

    def _place(self, array: Any) -> torch.Tensor:
        """On the model's device, and in its precision where it holds pixels."""
        tensor = torch.as_tensor(array)
        return tensor.to(self._device, self._dtype if tensor.is_floating_point() else tensor.dtype)
