"""Generation settings through the public call: they take effect, they are echoed, and nothing else does."""

from __future__ import annotations

import json
import logging
import random
import re
import shutil
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import openvino
import pytest
import torch
from tests.inference.asking import GREEDY, SAMPLED, answer, failure, picture, tokens

from vi.inference import ConfigError, GenerationConfig, PromptError, ViModel

MEDIA = {"<|vision_start|>", "<|vision_end|>", "<|image_pad|>", "<|video_pad|>"}
CONTEXT = 2048  # of the tiny checkpoints


def ask(model, config, prompt="What is it?", source=None, **options):
    source = picture() if source is None else source
    return answer(model(source, prompt, config, task_type="generic", **options))


def origins(response):
    return {name: setting.origin for name, setting in response.generation.items()}


def values(response):
    return {name: setting.value for name, setting in response.generation.items()}


# Seeds


def test_a_seed_gives_its_tokens_whatever_the_company_the_thread_or_the_way_of_asking(tiny_model):
    configs = [{**SAMPLED, "seed": seed} for seed in range(8)]
    alone = [tokens(ask(tiny_model, config)) for config in configs]
    assert len({tuple(ids) for ids in alone}) == 8
    assert [tokens(ask(tiny_model, config)) for config in reversed(configs)] == alone[::-1]
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(lambda config: tokens(ask(tiny_model, config)), configs)) == alone
    for place in range(3):
        sources = [picture((100, 100))] * 3
        sources[place] = picture()
        outcomes = tiny_model(sources, "What is it?", configs[place], task_type="generic")
        assert tokens(answer(outcomes[place])) == alone[place]
    stream = tiny_model(picture(), "What is it?", configs[5], task_type="generic", stream=True)
    assert tokens(stream.get_final_completion()) == alone[5]


def test_a_drawn_seed_is_reported_and_gives_that_very_answer_again(tiny_model):
    first, second = (ask(tiny_model, {**SAMPLED, "seed": -1}) for _ in range(2))
    assert values(first)["seed"] != values(second)["seed"]
    assert origins(first)["seed"] == "drawn"
    again = ask(tiny_model, {**SAMPLED, "seed": values(first)["seed"]})
    assert (tokens(again), again.raw_output) == (tokens(first), first.raw_output)
    assert tokens(second) != tokens(first)


def test_no_global_generator_is_touched(tiny_model):
    random.seed(1)
    np.random.seed(1)
    torch.manual_seed(1)
    before = random.getstate(), np.random.get_state(), torch.get_rng_state()
    ask(tiny_model, {**SAMPLED, "seed": 5})
    ask(tiny_model, {**SAMPLED, "seed": -1})
    tiny_model([picture()] * 3, "What is it?", SAMPLED)
    list(tiny_model(picture(), "What is it?", SAMPLED, stream=True))
    after = random.getstate(), np.random.get_state(), torch.get_rng_state()
    assert after[0] == before[0]
    assert all(np.array_equal(now, then) for now, then in zip(after[1], before[1], strict=True))
    assert torch.equal(after[2], before[2])


# Greedy


def test_greedy_takes_the_likeliest_token_at_every_step(tiny_model):
    response = ask(tiny_model, {"max_new_tokens": 20, "repetition_penalty": 1.0, "logprobs": 10})
    for entry in response.logprobs:
        likeliest = next(other for other in entry.alternatives if other.text not in MEDIA)
        assert entry.token_id == likeliest.token_id
        assert entry.logprob == likeliest.logprob


@pytest.mark.parametrize(
    "config",
    [
        {"do_sample": False, "temperature": 1.9, "top_p": 0.3, "top_k": 7, "seed": 99},
        {"do_sample": False, "seed": -1},
        {"do_sample": True, "temperature": 0.0, "seed": 99},
        {"do_sample": True, "temperature": 0, "top_k": 100},
        {"do_sample": True, "temperature": 1.9, "top_k": 1},
        {"do_sample": True, "temperature": 1.9, "top_p": 0.0},
    ],
)
def test_greedy_is_greedy_whatever_else_is_set(tiny_model, config):
    assert tokens(ask(tiny_model, {**GREEDY, **config})) == tokens(ask(tiny_model, GREEDY))


def test_values_without_effect_are_named_in_the_answer_and_logged_once_a_cause(tiny_checkpoint, caplog):
    with ViModel(pretrained_model_name_or_path=tiny_checkpoint, device="cpu") as model, caplog.at_level(logging.INFO):
        warm = {**GREEDY, "temperature": 1.3, "top_p": 0.5}
        responses = [ask(model, warm), ask(model, {**warm, "temperature": 1.4})]
        responses += [answer(outcome) for outcome in model([picture()] * 2, "What is it?", warm)]
        for response in responses:
            (warning,) = response.warnings
            assert re.search(r"temperature=1\.[34], top_p=0\.5 have no effect.*do_sample=False", warning)
        assert len(caplog.records) == 1
        ask(model, {**GREEDY, "do_sample": True, "temperature": 0.0, "top_k": 9})
        assert [record.levelname for record in caplog.records] == ["WARNING"] * 2
        assert "top_k=9 has no effect" in caplog.records[1].getMessage()
        assert ask(model, GREEDY).warnings == []
        assert len(caplog.records) == 2


def test_sampling_values_take_effect(tiny_model):
    def texts(**config):
        return {tuple(tokens(ask(tiny_model, {**SAMPLED, **config, "seed": seed}))) for seed in range(6)}

    assert len(texts()) == 6
    assert len(texts(temperature=0.0001)) == 1
    assert len(texts(top_k=1)) == 1
    assert len(texts(top_p=0.0)) == 1
    penalised = ask(tiny_model, {**GREEDY, "max_new_tokens": 40, "repetition_penalty": 2.0})
    free = ask(tiny_model, {**GREEDY, "max_new_tokens": 40, "repetition_penalty": 1.0})
    assert len(set(tokens(penalised))) > len(set(tokens(free)))


# Who says what


@pytest.fixture(scope="module")
def trained(tiny_checkpoint, tmp_path_factory):
    """A store with the run ``trained``, whose record sets three values."""
    store = tmp_path_factory.mktemp("store")
    shutil.copytree(tiny_checkpoint, store / "trained" / "model")
    config = {"max_new_tokens": 5, "repetition_penalty": 1.3, "logprobs": 1}
    record = {"flow": {"spec": {"task_type": "generic", "generation_config": config}}}
    (store / "trained" / "model" / "run.json").write_text(json.dumps(record))
    return store


def test_the_call_goes_before_the_model_before_the_run_before_the_defaults(trained):
    own = {"max_new_tokens": 6, "logprobs": 2, "seed": 3}
    with ViModel("trained", save_path=trained, generation_config=own, device="cpu") as model:
        response = answer(model(picture(), "What is it?", {"max_new_tokens": 7}))
    expected = {
        "max_new_tokens": (7, "call"), "logprobs": (2, "model"), "seed": (3, "model"),
        "repetition_penalty": (1.3, "run"), "temperature": (1.0, "default"), "top_p": (1.0, "default"),
        "top_k": (50, "default"), "do_sample": (False, "default"), "stop_strings": ((), "default"),
        "loop_detection": (True, "default"), "precision": ("exact", "engine"),
    }  # fmt: skip
    assert {name: (setting.value, setting.origin) for name, setting in response.generation.items()} == expected
    assert list(response.generation) == [*GenerationConfig.model_fields, "precision"]
    assert response.usage.completion_tokens <= 7
    assert all(len(entry.alternatives) == 2 for entry in response.logprobs)


@pytest.mark.parametrize("options", [{"runner": "torch", "dtype": "bfloat16"}, {"engine": {"precision": "fast"}}])
def test_an_answer_says_what_it_was_computed_in(tiny_checkpoint, options):
    has_bf16 = "BF16" in openvino.Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")
    with ViModel(pretrained_model_name_or_path=tiny_checkpoint, device="cpu", **options) as model:
        told = ask(model, GREEDY).generation["precision"].value
    assert told == ("fast" if has_bf16 or "runner" in options else "exact")


def test_a_checkpoints_own_sampling_values_change_nothing(tiny_checkpoint, tiny_model, tmp_path):
    folder = shutil.copytree(tiny_checkpoint, tmp_path / "checkpoint")
    path = folder / "generation_config.json"
    stated = json.loads(path.read_text())
    noise = {"temperature": 0.01, "do_sample": True, "top_k": 1, "repetition_penalty": 1.9, "max_new_tokens": 2}
    path.write_text(json.dumps({**stated, **noise}))
    with ViModel(pretrained_model_name_or_path=folder, device="cpu") as model:
        for config in (GREEDY, {**SAMPLED, "seed": 4}):
            ours, plain = ask(model, config), ask(tiny_model, config)
            assert tokens(ours) == tokens(plain)
            assert ours.generation == plain.generation


def test_a_checkpoints_own_end_tokens_do_end_an_answer(tiny_checkpoint, tiny_model, tmp_path):
    folder = shutil.copytree(tiny_checkpoint, tmp_path / "checkpoint")
    ids = tokens(ask(tiny_model, GREEDY))
    (folder / "generation_config.json").write_text(json.dumps({"eos_token_id": ids[3]}))
    with ViModel(pretrained_model_name_or_path=folder, device="cpu") as model:
        response = ask(model, GREEDY)
    assert tokens(response) == ids[: ids.index(ids[3]) + 1]
    assert response.finish_reason == "stop"


@pytest.mark.parametrize("form", ["short-caption", GenerationConfig.preset("short-caption", seed=7)], ids=type)
def test_presets_are_taken_by_name_and_with_changes(tiny_model, form):
    response = ask(tiny_model, form)
    assert values(response)["max_new_tokens"] == 50
    assert origins(response)["temperature"] == "preset:short-caption"
    assert origins(response)["seed"] == ("default" if form == "short-caption" else "call")
    assert "Did you mean short-caption?" in str(failure(tiny_model(picture(), generation_config="short-captoin")))


@pytest.mark.parametrize(
    ("config", "said"),
    [
        ({"temprature": 1}, "temprature is not a generation parameter. Did you mean temperature?"),
        ({"temperature": -3}, "temperature=-3 is out of range; it takes 0.0 to 2.0"),
        ({"top_p": 7}, "top_p=7 is out of range"),
        ({"temperature": float("nan")}, "temperature=nan is not a number"),
        ({"max_new_tokens": True}, "max_new_tokens=True is a boolean"),
        ({"max_new_tokens": "20"}, "max_new_tokens='20' is a string"),
        ({"fps": 2.0}, "It is an argument of the call"),
        (0.7, "It takes a dict"),
    ],
)
def test_a_wrong_value_is_an_error_that_says_what_is_allowed(tiny_model, config, said):
    error = failure(tiny_model(picture(), generation_config=config))
    assert isinstance(error, ConfigError)
    assert said in str(error)
    with pytest.raises(ConfigError, match=re.escape(said)):
        tiny_model([picture()], generation_config=config)


# Length and stops


def test_a_prompt_that_does_not_fit_states_both_lengths(tiny_model):
    fits = ask(tiny_model, GREEDY, "word " * 300).usage
    fits_more = ask(tiny_model, GREEDY, "word " * 301).usage
    a_word = fits_more.prompt_tokens - fits.prompt_tokens
    error = failure(tiny_model(picture(), "word " * 2300, task_type="generic"))
    assert isinstance(error, PromptError)
    assert f"{fits.prompt_tokens + 2000 * a_word:,} tokens" in str(error)
    assert f"{CONTEXT:,} tokens" in str(error)


def test_a_cap_that_does_not_fit_is_lowered_and_said(tiny_model, caplog):
    a_word = (
        ask(tiny_model, GREEDY, "word word").usage.prompt_tokens - ask(tiny_model, GREEDY, "word").usage.prompt_tokens
    )
    empty = ask(tiny_model, GREEDY, "word").usage.prompt_tokens - a_word
    count = (CONTEXT - empty - 12) // a_word
    room = CONTEXT - empty - count * a_word
    response = ask(tiny_model, {"max_new_tokens": 300}, " ".join(["word"] * count))
    assert response.usage.prompt_tokens == CONTEXT - room
    assert response.generation["max_new_tokens"].model_dump() == {"value": room, "origin": "lowered"}
    assert response.usage.completion_tokens <= room
    (warning,) = response.warnings
    assert warning.startswith(f"max_new_tokens lowered from 300 to {room}")
    assert f"{CONTEXT:,} tokens" in warning


def test_length_ends_an_answer_after_exactly_that_many_tokens(tiny_model):
    for cap in (1, 2, 9):
        response = answer(tiny_model(picture(), "Go on.", {"max_new_tokens": cap}, task_type="generic"))
        assert (response.finish_reason, response.usage.completion_tokens) == ("length", cap)


def test_logprobs_come_when_asked_and_are_probabilities(tiny_model):
    assert ask(tiny_model, {"max_new_tokens": 4}).logprobs is None
    response = ask(tiny_model, {"max_new_tokens": 6, "logprobs": 20})
    assert len(response.logprobs) == response.usage.completion_tokens
    for entry in response.logprobs:
        shares = [alternative.logprob for alternative in entry.alternatives]
        assert len(shares) == 20
        assert shares == sorted(shares, reverse=True)
        assert sum(np.exp(shares)) < 1
    assert type(response).model_validate_json(response.model_dump_json()) == response


def test_stop_strings_end_the_text_before_them(tiny_model):
    whole = ask(tiny_model, {"max_new_tokens": 30}).raw_output
    for stop in (whole[5:9], whole[11]):
        for form in (stop, [stop, "never seen"]):
            response = ask(tiny_model, {"max_new_tokens": 30, "stop_strings": form})
            assert response.raw_output == whole[: whole.index(stop)]
            assert response.finish_reason == "stop_string"
