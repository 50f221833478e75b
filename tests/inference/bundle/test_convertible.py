"""What can be converted is told from config.json."""

from __future__ import annotations

import pytest

from vi.inference.bundle.convertible import CONVERTIBLE, require_convertible, require_convertible_checkpoint
from vi.inference.errors import LoadError


def test_every_family_that_is_promised_can_be_converted():
    pytest.importorskip("torch")
    from vi.inference.bundle.families import FAMILIES

    assert set(FAMILIES) == set(CONVERTIBLE)


@pytest.mark.parametrize("family", CONVERTIBLE)
def test_layers_that_see_everything_are_fine(family):
    layers = {"layer_types": ["full_attention"] * 2, "rope_parameters": {"rope_type": "default"}}
    require_convertible({"model_type": family, "text_config": layers})


@pytest.mark.parametrize(
    ("config", "reason"),
    [
        ({"model_type": "qwen3_5"}, r"'qwen3_5' models cannot be converted; these can: .*qwen2_5_vl.*PyTorch"),
        ({"model_type": "qwen2_5_v"}, "Did you mean qwen2_5_vl"),
        ({"model_type": "qwen2_vl", "layer_types": ["sliding_attention"]}, "layers of sliding_attention"),
        ({"model_type": "internvl", "text_config": {"rope_scaling": {"rope_type": "dynamic"}}}, "dynamic positions"),
        ({"model_type": "llava_next", "text_config": {"model_type": "gemma2"}}, "language model is gemma2"),
    ],
)
def test_what_cannot_be_is_refused_with_the_reason(config, reason):
    with pytest.raises(LoadError, match=reason):
        require_convertible(config)


@pytest.mark.parametrize("text", [None, "[]", "not json"])
def test_a_broken_configuration_is_named(tmp_path, text):
    if text is not None:
        (tmp_path / "config.json").write_text(text)
    with pytest.raises(LoadError, match=r"config\.json is not a model's configuration"):
        require_convertible_checkpoint(tmp_path)
