"""A bundle answers as transformers does, whatever its prompts' company and however they are cut."""

from __future__ import annotations

import shutil

import numpy as np
import pytest
import torch
from tests.inference.bundle.rows import Row, batch_of, noise

from vi.inference import ViModel
from vi.inference.bundle import convert as conversion
from vi.inference.bundle.convert import convert
from vi.inference.bundle.layout import read_bundle
from vi.inference.engine.runners.openvino_runner import OpenVinoRunner
from vi.inference.errors import ConfigError, LoadError
from vi.inference.loading.loader import load
from vi.inference.preprocess.chat import ChatPrompt
from vi.inference.runs.files import RunFiles

SIZES = [(64, 48), (200, 100), (90, 250)]  # width and height in pixels
SLOW = ["qwen2_vl", "qwen3_vl", "smolvlm", "idefics3", "llava_next", "llava_onevision", "internvl"]


@pytest.fixture(scope="module", params=["qwen2_5_vl", *(pytest.param(name, marks=pytest.mark.slow) for name in SLOW)])
def pair(request, tiny_files, converted):
    """The runner of a bundle, and the same checkpoint in transformers, float32."""
    bundle = converted(request.param)
    runner = OpenVinoRunner(bundle, cache_bytes=1 << 26, threads=1)
    yield runner, load(tiny_files(request.param), device="cpu", dtype="float32"), bundle.facts
    runner.close()


def texts(facts, lengths):
    rng = np.random.default_rng(0)
    legal = np.setdiff1d(np.arange(facts.vocab_size), facts.media_token_ids)
    return [rng.choice(legal, length) for length in lengths]


@torch.inference_mode()
def last_logits(loaded, token_ids, **media):
    """[V] after the last of ``token_ids``, by transformers' own forward."""
    ids = torch.as_tensor(np.asarray(token_ids))[None]
    if "image_grid_thw" in media:
        media["mm_token_type_ids"] = (ids == loaded.placeholder_id).int()
    return loaded.weights.model(input_ids=ids, **media).logits[0, -1].numpy()


def test_prompts_of_all_lengths_at_once(pair):
    runner, loaded, facts = pair
    prompts = texts(facts, (5, 70, 33, 32, 1))
    expected = np.stack([last_logits(loaded, prompt) for prompt in prompts])
    got = runner.run(batch_of([Row(slot, 0, prompt) for slot, prompt in enumerate(prompts)], axes=facts.axes))
    np.testing.assert_allclose(got, expected, atol=1e-4)


def test_a_prompt_in_chunks_then_token_by_token(pair):
    runner, loaded, facts = pair
    (prompt,) = texts(facts, (80,))
    past = 0
    for length in (40, 31, 1, 1, 7):
        got = runner.run(batch_of([Row(2, past, prompt[past : past + length])], axes=facts.axes))
        past += length
        np.testing.assert_allclose(got[0], last_logits(loaded, prompt[:past]), atol=1e-4)


def test_a_request_does_not_notice_its_company(pair):
    runner, _, facts = pair
    prompts = texts(facts, (5, 70, 33, 32, 1, 40, 8, 21))
    axes = facts.axes
    alone = np.concatenate(
        [runner.run(batch_of([Row(slot, 0, prompt)], axes=axes)).copy() for slot, prompt in enumerate(prompts)]
    )
    decoded = [
        runner.run(batch_of([Row(slot, len(prompt), prompt[:1])], axes=axes)).copy()
        for slot, prompt in enumerate(prompts)
    ]
    together = runner.run(batch_of([Row(slot, 0, prompt) for slot, prompt in enumerate(prompts)], axes=axes)).copy()
    mixed = [Row(slot, len(prompt), prompt[:1]) for slot, prompt in enumerate(prompts)]
    np.testing.assert_array_equal(together.argmax(1), alone.argmax(1))
    np.testing.assert_array_equal(runner.run(batch_of(mixed, axes=axes)).argmax(1), np.concatenate(decoded).argmax(1))


def test_a_copied_block_holds_what_it_was_copied_from(pair):
    runner, loaded, facts = pair
    (prompt,) = texts(facts, (60,))
    runner.run(batch_of([Row(0, 0, prompt[:50])], axes=facts.axes))
    runner.copy_block(1, 17)  # of rows 0 and 1, the second block
    runner.copy_block(0, 16)
    got = runner.run(batch_of([Row(1, 41, prompt[41:])], axes=facts.axes))  # slots 41 to 49 are written again
    np.testing.assert_allclose(got[0], last_logits(loaded, prompt), atol=1e-4)


def test_only_wanted_places_have_logits(pair):
    runner, _, facts = pair
    (prompt,) = texts(facts, (9,))
    batch = batch_of([Row(0, 0, prompt)], axes=facts.axes)
    every = runner.run(batch.__class__(**{**vars(batch), "wanted": np.arange(9)})).copy()
    some = runner.run(batch.__class__(**{**vars(batch), "wanted": np.array([7, 2])}))
    assert some.shape == (2, facts.vocab_size)
    np.testing.assert_allclose(some, every[[7, 2]], atol=1e-5)
    assert runner.run(batch.__class__(**{**vars(batch), "wanted": np.array([], np.int64)})).shape == (
        0,
        facts.vocab_size,
    )


def test_a_picture_and_a_question(pair):
    runner, loaded, facts = pair
    chat = ChatPrompt(loaded)
    prompts = [chat.build("How many?", picture=noise(size)) for size in SIZES]
    rows = []
    for slot, prompt in enumerate(prompts):
        features = runner.encode(prompt.media)
        places = np.flatnonzero(np.asarray(prompt.token_ids) == facts.placeholder_id)
        assert len(features) == prompt.image_tokens == len(places)
        runs = np.split(np.arange(len(places)), np.flatnonzero(np.diff(places) > 1) + 1)
        parts = [(int(places[run[0]]), features[run[0] : run[-1] + 1]) for run in runs]
        rows.append(Row(slot, 0, prompt.token_ids, prompt.positions, parts))
    got = runner.run(batch_of(rows, axes=facts.axes, blocks_a_row=32))
    for prompt, logits in zip(prompts, got, strict=True):
        media = {name: torch.as_tensor(array) for name, array in prompt.media.items()}
        np.testing.assert_allclose(logits, last_logits(loaded, prompt.token_ids, **media), atol=1e-4)


def test_a_bundle_has_the_facts_and_the_words_of_its_checkpoint(tiny_files, converted):
    files, bundle = tiny_files("qwen2_5_vl"), converted("qwen2_5_vl")
    facts = bundle.facts
    assert (facts.family, facts.weights, facts.axes) == ("qwen2_5_vl", "f32", 3)
    assert (facts.num_layers, facts.num_kv_heads, facts.head_dim, facts.hidden_size) == (2, 2, 16, 64)
    for name in ("config.json", "tokenizer.json", "chat_template.jinja", "preprocessor_config.json"):
        assert (bundle.folder / name).read_bytes() == (files.model_path / name).read_bytes()
    assert read_bundle(bundle.folder, verify=True) == bundle


def test_beside_its_checkpoint_a_bundle_adds_no_weights(tiny_files, tmp_path, converted):
    files = tiny_files("qwen2_5_vl")
    folder = shutil.copytree(files.model_path, tmp_path / "model")
    bundle = convert(RunFiles(None, folder, name="tiny"), folder)
    assert bundle.facts.table.file == "model.safetensors"
    assert all((folder / name).stat().st_size < 1000 for name in ("language.bin", "vision.bin"))
    assert not (folder / "embedding.bin").exists()
    (prompt,) = texts(bundle.facts, (20,))
    logits = [
        OpenVinoRunner(one, cache_bytes=1 << 24, threads=1).run(batch_of([Row(0, 0, prompt)], axes=3)).copy()
        for one in (bundle, converted("qwen2_5_vl"))
    ]
    np.testing.assert_array_equal(*logits)
    loaded = load(files, device="cpu", dtype="float32")  # the checkpoint is one still
    np.testing.assert_allclose(logits[0][0], last_logits(loaded, prompt), atol=1e-4)


@pytest.mark.slow
@pytest.mark.parametrize(("weights", "most"), [("f16", 0.02), ("int8", 0.5), ("int4", 8)])
def test_fewer_bits_are_smaller_and_not_far_off(tiny_files, converted, tmp_path, capsys, weights, most):
    if weights.startswith("int"):
        pytest.importorskip("nncf")
    bundle, whole = convert(tiny_files("qwen2_5_vl"), tmp_path / weights, weights=weights), converted("qwen2_5_vl")
    (prompt,) = texts(bundle.facts, (20,))
    got, expected = (
        OpenVinoRunner(one, cache_bytes=1 << 24, threads=1).run(batch_of([Row(0, 0, prompt)], axes=3)).copy()
        for one in (bundle, whole)
    )
    assert 0 < abs(got - expected).max() < most
    sizes = [(one.folder / "language.bin").stat().st_size for one in (bundle, whole)]
    assert sizes[0] < sizes[1]
    assert capsys.readouterr().out == ""  # NNCF's own bars are not for a command whose output others read


@pytest.mark.parametrize("show", [True, False])
def test_a_conversion_is_told_by_a_bar_where_one_is_wanted(tiny_files, tmp_path, monkeypatch, show):
    told = []

    def track(steps, total, description, show):
        told.append((total, description, show))
        raise KeyboardInterrupt  # before the work

    monkeypatch.setattr(conversion, "track", track)
    monkeypatch.setenv("VI_BUNDLE_CACHE", str(tmp_path))
    with pytest.raises(KeyboardInterrupt):
        ViModel(pretrained_model_name_or_path=tiny_files("qwen2_5_vl").model_path, device="cpu", show_progress=show)
    assert told == [(5, "Converting qwen2_5_vl", show)]


def test_weights_of_another_kind_are_refused_by_name(tiny_files, tmp_path):
    with pytest.raises(ConfigError, match=r"'int9'.*f32, f16, int8, int4.*Did you mean int8"):
        convert(tiny_files("qwen2_5_vl"), tmp_path / "bundle", weights="int9")


@pytest.mark.parametrize("family", ["qwen3_5"])
def test_what_cannot_be_converted_says_so_and_leaves_nothing(tiny_files, tmp_path, family):
    with pytest.raises(LoadError, match=rf"'{family}' models cannot be converted.*runs with PyTorch"):
        convert(tiny_files(family), tmp_path / "bundle")
    assert list(tmp_path.iterdir()) == []


def test_layers_that_see_a_window_only_are_told_by_their_kind(tmp_path):
    from tests.families import TINY

    layers = {"layer_types": ["sliding_attention", "full_attention"], "use_sliding_window": True, "sliding_window": 8}
    folder = TINY["qwen2_5_vl"](tmp_path / "checkpoint", **layers)
    with pytest.raises(LoadError, match=r"layers of sliding_attention"):
        convert(RunFiles(None, folder, name="sliding"), tmp_path / "bundle")
    assert not (tmp_path / "bundle").exists()
