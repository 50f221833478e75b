"""A stored language graph made ready for a paged cache; done at every load, because files cannot hold the operator."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from itertools import islice

import numpy as np
import openvino as ov
from openvino import opset13 as op
from openvino._offline_transformations import paged_attention_transformation

ATTENTION = "PagedAttentionExtension"
NEAR = 60  # operators that a norm or an MLP has at most


def make_paged(model: ov.Model) -> None:
    """Replace the state of ``language_graph`` by a paged cache, and compute logits only where they are wanted.

    Inputs then: inputs_embeds [T, H], position_ids [A, T] or [T], deepstack [T, 1, K * H] where the architecture has
    it, wanted int64 [R], the paged-attention operator's own (past_lens, subsequence_begins, block_indices,
    block_indices_begins, max_context_len) and a key and a value cache a layer. Output: logits [R, 1, V].
    """
    paged_attention_transformation(model)
    _gather_wanted(model)


def _gather_wanted(model: ov.Model) -> None:
    """Only the rows of ``wanted`` go through the head, where a large vocabulary would cost most, and through what comes
    after the last attention: of a prompt that is nearly a layer less."""
    wanted = op.parameter([-1], ov.Type.i64, name="wanted")
    wanted.output(0).get_tensor().set_names({"wanted"})
    model.add_parameters([wanted])
    head = next(port for port in model.outputs if "logits" in port.get_names()).get_node().input_value(0).get_node()
    while head.get_type_name() != "MatMul":
        head = head.input_value(0).get_node()
    hidden = _after_attention(head) or head.input_value(0)  # [T, 1, H]
    users = list(hidden.get_target_inputs())
    chosen = op.gather(hidden, wanted, op.constant(np.int64(0))).output(0)
    for user in users:
        user.replace_source_output(chosen)
    model.validate_nodes_and_infer_types()


def _after_attention(head: ov.Node) -> ov.Output | None:
    """What the last layer's MLP is added to; None where a layer is not first attention and then an MLP.

    From there to the head every operator works row by row.
    """
    total = next((above for above in islice(_above(head), NEAR) if _is_residual(above)), None)
    if total is None:
        return None
    for before, added in (total.input_values(), total.input_values()[::-1]):
        others = [added.get_node(), *islice(_above(added.get_node(), before.get_node()), NEAR)]
        leads = before.get_node().get_name() in {_name(port) for node in others for port in node.input_values()}
        if leads and len(others) <= NEAR and not any(node.get_type_name() == ATTENTION for node in others):
            return before
    return None


def _is_residual(node: ov.Node) -> bool:
    """An addition of two activations of one width."""
    if node.get_type_name() != "Add" or any(_is_constant(port.get_node()) for port in node.input_values()):
        return False
    left, right = (port.get_partial_shape() for port in node.input_values())
    return len(left) == len(right) == 3 and left[2].is_static and left[2] == right[2]


def _is_constant(node: ov.Node) -> bool:
    while node.get_type_name() == "Convert":
        node = node.input_value(0).get_node()
    return node.get_type_name() == "Constant"


def _above(node: ov.Node, top: ov.Node | None = None) -> Iterator[ov.Node]:
    """What this node is computed from, the nearest first, but not ``top`` and what is above it."""
    waiting, seen = deque([node]), {top.get_name()} if top is not None else set()
    while waiting:
        for port in waiting.popleft().input_values():
            if _name(port) not in seen:
                seen.add(_name(port))
                waiting.append(port.get_node())
                yield port.get_node()


def _name(port: ov.Output) -> str:
    return port.get_node().get_name()
