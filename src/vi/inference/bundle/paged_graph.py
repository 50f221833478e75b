"""A stored language graph made ready for a paged cache; done at every load, because files cannot hold the operator."""

from __future__ import annotations

import numpy as np
import openvino as ov
from openvino import opset13 as op
from openvino._offline_transformations import paged_attention_transformation


def make_paged(model: ov.Model) -> None:
    """Replace the state of ``language_graph`` by a paged cache, and compute logits only where they are wanted.

    Inputs then: inputs_embeds [T, H], position_ids [A, T] or [T], deepstack [T, 1, K * H] where the architecture has
    it, wanted int64 [R], the paged-attention operator's own (past_lens, subsequence_begins, block_indices,
    block_indices_begins, max_context_len) and a key and a value cache a layer. Output: logits [R, 1, V].
    """
    paged_attention_transformation(model)
    _gather_wanted(model)


def _gather_wanted(model: ov.Model) -> None:
    """Only the rows of ``wanted`` go through the head: with a large vocabulary the others would cost most."""
    wanted = op.parameter([-1], ov.Type.i64, name="wanted")
    wanted.output(0).get_tensor().set_names({"wanted"})
    model.add_parameters([wanted])
    head = next(port for port in model.outputs if "logits" in port.get_names()).get_node().input_value(0).get_node()
    while head.get_type_name() != "MatMul":
        head = head.input_value(0).get_node()
    hidden = head.input_value(0)  # [T, 1, H]
    head.input(0).replace_source_output(op.gather(hidden, wanted, op.constant(np.int64(0))).output(0))
    model.validate_nodes_and_infer_types()
