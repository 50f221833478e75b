from __future__ import annotations

import json
import re
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from tests.families import TINY
from transformers.models.qwen2_5_vl.processing_qwen2_5_vl import Qwen2_5_VLProcessor
from transformers.models.smolvlm.processing_smolvlm import get_image_prompt_string

from vi.inference.bundle.convertible import CONVERTIBLE
from vi.inference.errors import LoadError
from vi.inference.preprocess.clip_families import CLIP_FAMILIES
from vi.inference.preprocess.families import FAMILIES, get_family
from vi.inference.preprocess.placeholders import merged_grid, tiles


@pytest.mark.parametrize("grid", [[1, 2, 2], [1, 8, 6], [4, 10, 4]])
def test_a_grid_is_written_as_its_processor_writes_it(grid):
    inputs = {"image_grid_thw": torch.tensor([grid])}
    processor = SimpleNamespace(image_processor=SimpleNamespace(merge_size=2), image_token="<|image_pad|>")
    expected = Qwen2_5_VLProcessor.replace_image_token(processor, inputs, 0)
    assert merged_grid(inputs, {"vision_config": {}}, "<|image_pad|>") == [expected]


@pytest.mark.parametrize(("rows", "columns"), [(0, 0), (1, 2), (3, 2)])
def test_tiles_are_written_as_their_processor_writes_them(rows, columns):
    config = {"vision_config": {"image_size": 32, "patch_size": 8}, "scale_factor": 2}
    expected = get_image_prompt_string(rows, columns, 4, "<fake_token_around_image>", "<image>", "<global-img>")
    assert tiles({"rows": [[rows, 0]], "cols": [[columns, 0]]}, config, "<image>")[0] == expected


def test_an_unknown_architecture_names_the_nearest_known_one():
    with pytest.raises(LoadError, match=r"'qwen2_5vl' is not.*Did you mean qwen2_5_vl\?"):
        get_family("qwen2_5vl")


def test_the_page_of_models_says_how_each_family_runs():
    page = (Path(__file__).parents[3] / "docs" / "models.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| .* \| `(\w+)` \| (paged|plain) \| (yes|no) \| (own way|pictures).* \|$", page, flags=re.M)
    assert {name: way for name, way, *_ in rows} == {
        name: "paged" if family.paged else "plain" for name, family in FAMILIES.items()
    }
    assert {name for name, _, converts, _ in rows if converts == "yes"} == set(CONVERTIBLE)
    assert {name for name, *_, clips in rows if clips == "own way"} == set(CLIP_FAMILIES)
    assert [family.plain for family in FAMILIES.values() if family.plain.lower() not in page.lower()] == []


@pytest.mark.parametrize("name", FAMILIES)
def test_the_checkpoints_that_are_tested_run_as_their_family_does(name, tmp_path):
    stated = json.loads((TINY[name](tmp_path / name) / "config.json").read_text(encoding="utf-8"))
    assert get_family(name).why_plain(stated) == get_family(name).plain


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ({"model_type": "gpt_oss"}, "its language model is gpt_oss"),
        ({"rope_parameters": {"rope_type": "dynamic"}}, "its dynamic positions depend on the length"),
        ({"model_type": "qwen2", "rope_scaling": {"rope_type": "longrope"}}, "its longrope positions"),
        ({"model_type": "qwen2", "rope_parameters": {"rope_type": "yarn"}}, ""),
        ({"model_type": "qwen3_moe"}, ""),
        ({"model_type": "internvl_text"}, ""),
        (None, ""),
    ],
)
def test_a_checkpoint_may_be_plain_where_its_family_is_paged(text, reason):
    assert get_family("internvl").why_plain({"model_type": "internvl", "text_config": text}).startswith(reason)
    assert bool(get_family("internvl").why_plain({"model_type": "internvl", "text_config": text})) == bool(reason)
