"""A checkpoint's language model as an OpenVINO graph over a paged cache of keys and values.

The torch modules are traced with the past as plain inputs and outputs; OpenVINO's own passes then make them state, and
the state a paged cache (at every load: ``paged_graph.py``). The passes look things up by name and shape, so both are
stated here exactly.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import openvino as ov
import torch
from openvino import opset13 as op
from openvino._offline_transformations import apply_make_stateful_transformation
from transformers import DynamicCache

from vi.inference.bundle.tracing import traced_graph

BATCH, TOKENS, PAST = 2, 3, 5  # of the example that is traced; all different, so that no two dimensions are confused


@dataclass(frozen=True)
class LanguageShape:
    """axes: of positions, 3 (time, height, width) or 1. deepstack: layers that picture features are added after."""

    num_layers: int
    num_kv_heads: int
    head_dim: int
    hidden_size: int
    axes: Literal[1, 3]
    deepstack: int = 0

    @property
    def past_names(self) -> list[str]:
        return [f"past_key_values.{layer}.{part}" for layer in range(self.num_layers) for part in ("key", "value")]

    @property
    def input_names(self) -> list[str]:
        deepstack = ["deepstack"] if self.deepstack else []
        return ["inputs_embeds", "attention_mask", "position_ids", *deepstack, *self.past_names]


class GivenPast(DynamicCache):
    """Keys and values that are inputs of the graph; ``present`` gathers what become its outputs."""

    def __init__(self, past: tuple[torch.Tensor, ...]) -> None:
        super().__init__()
        self.past = past
        self.present: list[torch.Tensor] = []

    def update(  # type: ignore[override]
        self, keys: torch.Tensor, values: torch.Tensor, layer: int, *_: Any, **__: Any
    ) -> Any:
        present = tuple(
            torch.cat([past, new], dim=-2)
            for past, new in zip(self.past[2 * layer : 2 * layer + 2], (keys, values), strict=True)
        )
        self.present += present
        return present

    def get_seq_length(self, *_: Any, **__: Any) -> Any:
        return self.past[0].shape[-2]


class Language(torch.nn.Module):
    """Embeddings [B, Q, H] and the past [B, heads, P, d] a layer -> logits [B, Q, V] and the past with the new."""

    def __init__(self, language: Any, head: torch.nn.Module, shape: LanguageShape) -> None:
        super().__init__()
        self.language, self.head, self.shape = language, head, shape
        if shape.deepstack:
            language._deepstack_process = lambda hidden, _, features: hidden + features

    def forward(
        self, embeddings: torch.Tensor, mask: torch.Tensor, positions: torch.Tensor, *rest: torch.Tensor
    ) -> Any:
        options = {}
        if self.shape.deepstack:
            options = {"visual_pos_masks": mask, "deepstack_visual_embeds": rest[0].chunk(self.shape.deepstack, dim=-1)}
            rest = rest[1:]
        cache, new, total = GivenPast(rest), embeddings.shape[1], mask.shape[1]
        causal = torch.arange(total)[None, :] <= torch.arange(new)[:, None] + (total - new)
        seen = causal[None, None] & mask[:, None, None, :].bool()  # [B, 1, Q, P + Q]
        hidden = self.language(
            inputs_embeds=embeddings,
            attention_mask=torch.where(seen, 0.0, torch.finfo(torch.float32).min),
            position_ids=positions,
            past_key_values=cache,
            use_cache=True,
            **options,
        ).last_hidden_state
        return (self.head(hidden), *cache.present)


def language_graph(language: Any, head: torch.nn.Module, shape: LanguageShape) -> ov.Model:
    """The paged graph of ``language`` and ``head``, both float32 and in evaluation mode.

    Inputs: inputs_embeds [T, H], position_ids [A, T] or [T], deepstack [T, 1, K * H] where the architecture has it,
    wanted int64 [R], the paged-attention operator's own (past_lens, subsequence_begins, block_indices,
    block_indices_begins, max_context_len) and a key and a value cache a layer. Output: logits [R, 1, V].
    """
    model = traced_graph(Language(language, head, shape), _example(shape))
    _name(model, shape)
    _add_beams(model, shape)
    outputs = [port.get_any_name() for port in model.outputs][1:]
    apply_make_stateful_transformation(model, dict(zip(shape.past_names, outputs, strict=True)))
    _start_empty(model)
    return model


def _example(shape: LanguageShape) -> tuple[torch.Tensor, ...]:
    positions = torch.arange(PAST, PAST + TOKENS).expand(BATCH, -1)
    past = (BATCH, shape.num_kv_heads, PAST, shape.head_dim)
    deepstack = [torch.zeros(BATCH, TOKENS, shape.deepstack * shape.hidden_size)] if shape.deepstack else []
    return (
        torch.zeros(BATCH, TOKENS, shape.hidden_size),
        torch.ones(BATCH, PAST + TOKENS, dtype=torch.long),
        positions.expand(shape.axes, -1, -1).clone() if shape.axes > 1 else positions.clone(),
        *deepstack,
        *(torch.zeros(past) for _ in shape.past_names),
    )


def _name(model: ov.Model, shape: LanguageShape) -> None:
    """Tensor names and friendly names, because the passes use both; every size but the model's own is dynamic."""
    for port, name in zip(model.inputs, shape.input_names, strict=True):
        port.get_tensor().set_names({name})
        port.get_node().set_friendly_name(name)
    names = ["logits", *(name.replace("past_key_values", "present") for name in shape.past_names)]
    for port, name in zip(model.outputs, names, strict=True):
        port.get_tensor().set_names({name})
    sizes = {
        "inputs_embeds": [-1, -1, shape.hidden_size],
        "attention_mask": [-1, -1],
        "position_ids": [shape.axes, -1, -1] if shape.axes > 1 else [-1, -1],
        "deepstack": [-1, -1, shape.deepstack * shape.hidden_size],
    }
    past = [-1, shape.num_kv_heads, -1, shape.head_dim]
    model.reshape({port: sizes.get(name, past) for port, name in zip(model.inputs, shape.input_names, strict=True)})


def _add_beams(model: ov.Model, shape: LanguageShape) -> None:
    """A gather by ``beam_idx`` after each past input: the pattern of a stateful model that the next passes know."""
    beams = op.parameter([-1], ov.Type.i32, name="beam_idx")
    beams.output(0).get_tensor().set_names({"beam_idx"})
    model.add_parameters([beams])
    for name in shape.past_names:
        port = model.input(name)
        users = list(port.get_target_inputs())
        gathered = op.gather(port, beams, op.constant(np.int64(0)))
        for user in users:
            user.replace_source_output(gathered.output(0))
    model.validate_nodes_and_infer_types()


def _start_empty(model: ov.Model) -> None:
    """An initial value of no tokens for every state: without one the paged-attention pass matches nothing."""
    sizes = op.shape_of(model.input("inputs_embeds"), output_type="i64")
    batch = op.gather(sizes, op.constant(np.array([0])), op.constant(np.int64(0)))
    for node in model.get_ops():
        if node.get_type_name() == "ReadValue":
            fixed = [op.constant(np.array([d.min_length], np.int64)) for d in node.get_output_partial_shape(0)][1:]
            node.set_arguments([op.broadcast(op.constant(np.float32(0)), op.concat([batch, *fixed], axis=0))])
    model.validate_nodes_and_infer_types()
