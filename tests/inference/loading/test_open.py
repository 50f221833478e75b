"""What a run's folder is opened as."""

from __future__ import annotations

import json
import shutil

import pytest
from PIL import Image

from vi.inference.bundle.layout import Bundle, BundleFacts, TableFacts, VisionFacts
from vi.inference.errors import ConfigError, LoadError
from vi.inference.loading.loaded import TorchWeights
from vi.inference.loading.loader import load
from vi.inference.loading.open import of_bundle, open_model
from vi.inference.preprocess.chat import ChatPrompt
from vi.inference.runs.files import RunFiles

FACTS = ("family", "eos_token_ids", "media_token_ids", "placeholder_id", "context_length", "vocab_size")


def test_a_checkpoint_opens_as_torch_weights(tiny_checkpoint):
    loaded = open_model(RunFiles(None, tiny_checkpoint), runner="torch")
    assert isinstance(loaded.weights, TorchWeights)


def test_an_unknown_runner_names_the_nearest(tiny_checkpoint):
    with pytest.raises(ConfigError, match=r"'opnvino' is not allowed. Did you mean openvino\?"):
        open_model(RunFiles(None, tiny_checkpoint), runner="opnvino")


@pytest.fixture
def checkpoint(tiny_checkpoint):
    return load(RunFiles(None, tiny_checkpoint), device="cpu")


@pytest.fixture
def bundle(tiny_checkpoint, checkpoint, tmp_path):
    """A bundle without its graphs: its facts, and the files of words and pictures."""
    folder = shutil.copytree(tiny_checkpoint, tmp_path / "bundle", ignore=shutil.ignore_patterns("*.safetensors"))
    shape = {"num_layers": 2, "num_kv_heads": 2, "head_dim": 16, "hidden_size": 64, "axes": 3}
    table = TableFacts(file="embedding.bin", offset=0, dtype="float32", rows=checkpoint.vocab_size, columns=64)
    vision = VisionFacts(kind="patches", merge=2)
    words = {name: getattr(checkpoint, name) for name in FACTS}
    return Bundle(folder, BundleFacts(weights="f32", table=table, vision=vision, **shape, **words))


def test_a_bundle_speaks_as_its_checkpoint_does(bundle, checkpoint):
    loaded = of_bundle(bundle)
    assert loaded.weights is bundle
    assert all(getattr(loaded, name) == getattr(checkpoint, name) for name in FACTS)
    ours, theirs = (
        ChatPrompt(model).build("How many?", picture=Image.new("RGB", (90, 60)), system_prompt="Be brief.")
        for model in (loaded, checkpoint)
    )
    assert ours.token_ids == theirs.token_ids
    assert ours.media_key == theirs.media_key


def test_a_bundle_whose_pictures_only_transformers_can_prepare_is_refused(bundle):
    path = bundle.folder / "preprocessor_config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "image_processor_type": "ViTImageProcessor"}))
    with pytest.raises(LoadError, match=r"without transformers.*Qwen2VLImageProcessor"):
        of_bundle(bundle)


@pytest.mark.parametrize("text", ["", "[]"])
def test_a_bundle_with_a_broken_config_is_named(bundle, text):
    (bundle.folder / "config.json").write_text(text)
    with pytest.raises(LoadError, match=str(bundle.folder)):
        of_bundle(bundle)
