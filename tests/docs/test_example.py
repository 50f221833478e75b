from __future__ import annotations

import ast
import re
import runpy
import sys
from typing import Any

from tests.docs.documented_blocks import BLOCKS
from tests.docs.pages import ROOT

EXAMPLE = ROOT / "examples" / "configure_generation.py"


def configurations(code: str) -> list[tuple[Any, Any]]:
    """(prompt, generation_config) of every call in ``code``, in order; the prompt None where the call has none."""
    found = []
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.Call):
            given = {keyword.arg: keyword.value for keyword in node.keywords}
            if "generation_config" in given:
                prompt = ast.literal_eval(given["user_prompt"]) if "user_prompt" in given else None
                found.append((node.lineno, prompt, ast.literal_eval(given["generation_config"])))
    return [(prompt, config) for _, prompt, config in sorted(found, key=lambda call: call[0])]


def test_the_example_holds_every_block_of_the_guide_in_its_order():
    as_calls = [f"ask({block})" if block.startswith("generation_config") else block for block in BLOCKS]
    documented = [call for block in as_calls for call in configurations(block)]
    assert len(documented) == len(BLOCKS)
    assert configurations(EXAMPLE.read_text(encoding="utf-8")) == documented


def test_the_example_answers_every_block(monkeypatch, capsys, readers_folder):
    monkeypatch.setattr(sys, "argv", [str(EXAMPLE), "image.jpg"])
    runpy.run_path(str(EXAMPLE), run_name="__main__")
    printed = capsys.readouterr().out
    assert len(re.findall(r"\(\d+ tokens, \w+\)$", printed, flags=re.M)) == len(BLOCKS)
    assert "error:" not in printed
    assert "note: temperature=0.7 has no effect: decoding is greedy because of do_sample=False (default)." in printed
