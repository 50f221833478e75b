"""What a stored language graph is made into at every load."""

from __future__ import annotations

import openvino as ov
import pytest
from tests.inference.bundle.test_convert import SLOW

from vi.inference.bundle import paged_graph
from vi.inference.bundle.constants import fill_constants
from vi.inference.bundle.layout import read_bundle
from vi.inference.bundle.paged_graph import make_paged
from vi.workbench import run_path

DEEP = "qwen3_vl"  # to whose tiny one's last layer pictures are added too
FAMILIES = [pytest.param(name, marks=pytest.mark.slow) for name in ("qwen2_5_vl", *SLOW) if name != DEEP]


def paged(bundle):
    graph = ov.Core().read_model(bundle.language)
    fill_constants(graph, bundle.folder)
    make_paged(graph)
    return graph


def below(node):
    """The kinds of the operators that compute with what a node gives."""
    found, waiting = {}, [node]
    while waiting:
        for port in waiting.pop().outputs():
            for user in port.get_target_inputs():
                if user.get_node().get_name() not in found:
                    found[user.get_node().get_name()] = user.get_node().get_type_name()
                    waiting.append(user.get_node())
    return list(found.values())


def check(graph):
    wanted = next(port for port in graph.inputs if "wanted" in port.get_names()).get_node()
    kinds = below(wanted)
    assert kinds.count("MatMul") in (3, 4)  # an MLP of two or three, and the head
    assert paged_graph.ATTENTION not in kinds


def test_behind_the_last_attention_the_embedded_run_computes_only_what_is_wanted():
    check(paged(read_bundle(run_path() / "model")))


@pytest.mark.parametrize("family", FAMILIES)
def test_behind_the_last_attention_every_family_computes_only_what_is_wanted(family, converted):
    check(paged(converted(family)))


def test_a_graph_of_another_kind_has_its_head_alone_computed_for_what_is_wanted(monkeypatch):
    monkeypatch.setattr(paged_graph, "NEAR", 1)
    graph = paged(read_bundle(run_path() / "model"))
    wanted = next(port for port in graph.inputs if "wanted" in port.get_names()).get_node()
    assert below(wanted).count("MatMul") == 1
