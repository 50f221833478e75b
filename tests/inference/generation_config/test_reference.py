from __future__ import annotations

import re
from pathlib import Path

import pytest
from pydantic_core import PydanticUndefined

from vi.inference.errors import ConfigError
from vi.inference.generation_config import (
    GenerationConfig,
    option_specs,
    parameter_markdown,
    parameter_table,
    preset_markdown,
)

PAGE = Path(__file__).parents[3] / "docs" / "generation-config.md"


def blocks() -> list[str]:
    return re.findall(r"^```python\n(.*?)^```$", PAGE.read_text("utf-8"), flags=re.S | re.M)


@pytest.mark.parametrize("table", [parameter_markdown(), preset_markdown()], ids=["parameters", "presets"])
def test_the_page_holds_the_generated_tables(table):
    assert table in PAGE.read_text("utf-8"), f"docs/generation-config.md is out of date; the table is now:\n{table}"


@pytest.mark.parametrize("block", [block for block in blocks() if "ViModel" not in block])
def test_the_pages_examples_run(block):
    exec(compile(block, str(PAGE), "exec"), {})


def test_the_table_says_what_the_document_says():
    rows = {row.name: row for row in parameter_table()}
    assert rows["top_p"][:4] == ("top_p", "number", "0.0 to 1.0", "1.0")
    assert rows["top_k"][:4] == ("top_k", "integer or None", "1 to 100, or None", "50")
    assert rows["do_sample"][:4] == ("do_sample", "boolean", "True or False", "False")
    assert list(rows) == list(GenerationConfig.model_fields)


def test_an_options_bounds_are_the_fields_bounds():
    for spec in option_specs():
        assert spec.default is not PydanticUndefined
        assert spec.flag == "--" + spec.name.replace("_", "-")
        assert spec.help
        if spec.minimum is None or spec.maximum is None:
            assert spec.type in (bool, str)
            continue
        for inside in (spec.minimum, spec.maximum):
            assert getattr(GenerationConfig(**{spec.name: spec.type(inside)}), spec.name) == inside
        for outside in (spec.minimum - 1, spec.maximum + 1):
            with pytest.raises(ConfigError, match="out of range"):
                GenerationConfig(**{spec.name: spec.type(outside)})


def test_every_field_is_described():
    assert all(row.description.endswith(".") for row in parameter_table())
