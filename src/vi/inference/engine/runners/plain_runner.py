"""Runs transformers' model classes, one request at a time, on any device torch knows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from transformers import DynamicCache

from vi.inference.engine.positions import mrope_positions
from vi.inference.errors import InferenceError
from vi.inference.preprocess.families import get_family
from vi.inference.preprocess.prompt import Prompt

if TYPE_CHECKING:
    from vi.inference.loading.loader import LoadedModel


@dataclass
class TorchState:
    """One request's place: its keys and values, and the position of the token it reads next."""

    cache: DynamicCache
    position: int


class PlainTorchRunner:
    """Prefill and decode with a key-value cache. Nothing of a request is left on the model: positions are passed in."""

    def __init__(self, loaded: LoadedModel) -> None:
        self._model: Any = loaded.model
        self._config: Any = loaded.config
        self._device, self._dtype = loaded.device, loaded.dtype
        self._mrope = get_family(loaded.config.model_type).mrope

    @torch.inference_mode()
    def prefill(self, prompt: Prompt) -> tuple[TorchState, torch.Tensor]:
        """Read the prompt and its pictures. Returns (state, logits [1, V]); raises InferenceError out of memory."""
        input_ids = self._tensor([prompt.token_ids])  # [1, S]
        state = TorchState(DynamicCache(config=self._config.get_text_config()), len(prompt.token_ids))
        inputs = {name: self._place(tensor) for name, tensor in prompt.media.items()}
        if self._mrope:
            position_ids = self._picture_positions(prompt)  # [3, 1, S]
            state.position = int(position_ids.max()) + 1
            inputs["position_ids"] = self._tensor(position_ids)
        return state, self._forward(state, input_ids, inputs)

    @torch.inference_mode()
    def decode(self, state: TorchState, token_id: int) -> torch.Tensor:
        """Read one token. Returns logits [1, V]; raises InferenceError out of memory."""
        inputs = {"position_ids": self._tensor([[[state.position]]] * 3)} if self._mrope else {}
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

    def _picture_positions(self, prompt: Prompt) -> Any:
        grids = prompt.media.get("image_grid_thw")
        merge = self._config.vision_config.spatial_merge_size
        pictures = [] if grids is None else grids.tolist()
        return mrope_positions(prompt.token_ids, self._config.image_token_id, pictures, merge)[:, None]

    def _tensor(self, values: Any) -> torch.Tensor:
        return torch.as_tensor(values, dtype=torch.int64, device=self._device)

    def _place(self, array: Any) -> torch.Tensor:
        """On the model's device, and in its precision where it holds pixels."""
        tensor = torch.as_tensor(array)
        return tensor.to(self._device, self._dtype if tensor.is_floating_point() else tensor.dtype)
