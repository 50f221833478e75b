from __future__ import annotations

import gc
import threading
import weakref
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
import torch
from scipy import stats
from tests.inference.engine.ends import check_closing, check_unheld, device_threads
from tests.inference.engine.samples import LONG, picture, serial_engine

from vi.inference.engine.request import Request
from vi.inference.engine.runners.plain_runner import PlainTorchRunner
from vi.inference.engine.serial import SerialEngine
from vi.inference.engine.vocabulary import Vocabulary
from vi.inference.errors import InferenceError
from vi.inference.generation_config import GenerationConfig
from vi.inference.preprocess.chat import ChatPrompt
from vi.inference.structured.grammar import json_grammar

SIZES = [(64, 48), (200, 100), (30, 90)]


def generate(model, prompt, banned_ids, **settings):
    """transformers' own greedy ids for the same prompt, media ids kept from being sampled there too."""
    ids = torch.tensor([prompt.token_ids])
    inputs = {name: torch.as_tensor(array) for name, array in prompt.media.items()}
    if "image_grid_thw" in inputs:
        inputs["mm_token_type_ids"] = (ids == model.config.image_token_id).int()
    output = model.generate(
        input_ids=ids,
        attention_mask=torch.ones_like(ids),
        do_sample=False,
        suppress_tokens=banned_ids,
        **inputs,
        **settings,
    )
    return output[0, ids.shape[1] :].tolist()


@pytest.mark.parametrize("seed", [0, 1, 2])
@pytest.mark.parametrize("family", ["qwen2_5_vl", "qwen2_vl", "smolvlm"])
def test_greedy_tokens_are_those_of_transformers_generate(load_tiny, family, seed):
    oracle, loaded = load_tiny(family, seed).weights.model, load_tiny(family, seed)
    chat, engine, banned_ids = ChatPrompt(loaded), serial_engine(loaded), Vocabulary(loaded).banned_ids
    for size in SIZES:
        prompt = chat.build("How many bolts?", picture=picture(size), system_prompt="You are.")
        for penalty in (1.0, 1.2):
            config = GenerationConfig(max_new_tokens=24, repetition_penalty=penalty)
            completion = engine.submit(Request(prompt, config)).completion()
            expected = generate(oracle, prompt, banned_ids, max_new_tokens=24, repetition_penalty=penalty)
            assert completion.token_ids == expected
            assert (completion.finish_reason == "stop") == (expected[-1] in loaded.eos_token_ids)
            assert completion.finish_reason in ("stop", "length")
    engine.close()


def test_a_prompt_without_a_picture_is_answered_as_by_generate(load_tiny):
    oracle, loaded = load_tiny().weights.model, load_tiny()
    prompt = ChatPrompt(loaded).build("Describe the workbench.")
    engine = serial_engine(loaded)
    completion = engine.submit(
        Request(prompt, GenerationConfig(max_new_tokens=24, repetition_penalty=1.0))
    ).completion()
    engine.close()
    assert completion.token_ids == generate(oracle, prompt, Vocabulary(loaded).banned_ids, max_new_tokens=24)


def test_pieces_join_to_the_text_and_the_text_is_that_of_the_tokens(engine, ask, loaded):
    for size in SIZES:
        generation = engine.submit(ask(size=size, max_new_tokens=60))
        pieces = list(generation)
        completion = generation.completion()
        assert "".join(pieces) == completion.text
        assert completion.text == loaded.tokenizer.decode(completion.token_ids, skip_special_tokens=True)
        assert all(pieces)


def test_no_piece_ends_within_a_character(engine, ask):
    text = "é日本🙂 ﷽👩‍🚀"
    generation = engine.submit(ask(grammar=json_grammar({"const": text}), max_new_tokens=200))
    pieces = list(generation)
    assert "".join(pieces) == f'"{text}"'
    assert len(pieces) > 5
    assert not any("\ufffd" in piece for piece in pieces)


def test_a_finished_grammar_ends_with_stop(engine, ask):
    completion = engine.submit(ask(grammar=json_grammar({"enum": ["yes", "no"]}))).completion()
    assert completion.text in ('"yes"', '"no"')
    assert completion.finish_reason == "stop"


def test_length_ends_after_exactly_that_many_tokens(engine, ask):
    completion = engine.submit(ask(grammar=LONG, max_new_tokens=7)).completion()
    assert completion.finish_reason == "length"
    assert len(completion.token_ids) == completion.usage.completion_tokens == 7


def test_a_stop_string_ends_the_text_and_no_part_of_it_is_streamed(engine, ask):
    whole = engine.submit(ask(max_new_tokens=40)).completion().text
    for start, length in ((3, 1), (5, 4), (len(whole) - 6, 6)):
        stop = whole[start : start + length]
        generation = engine.submit(ask(max_new_tokens=40, stop_strings=[stop]))
        pieces = list(generation)
        assert "".join(pieces) == generation.completion().text == whole[: whole.index(stop)]
        assert generation.completion().finish_reason == "stop_string"


def test_media_ids_are_neither_sampled_nor_penalised(engine, ask, loaded):
    generations = [engine.submit(ask(do_sample=True, temperature=2.0, top_k=None, seed=seed)) for seed in range(12)]
    sampled = {token_id for generation in generations for token_id in generation.completion().token_ids}
    assert sampled.isdisjoint(loaded.media_token_ids)
    assert len(sampled) > 100


def test_the_same_seed_gives_the_same_tokens_whatever_the_company_and_the_thread(engine, ask):
    requests = [
        ask(f"Question {seed % 3}?", size=SIZES[seed % 3], do_sample=True, temperature=1.5, seed=seed)
        for seed in range(16)
    ]
    alone = [engine.submit(request).completion().token_ids for request in requests]
    assert len({tuple(tokens) for tokens in alone}) == len(requests)  # different seeds, different texts
    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(lambda request: engine.submit(request).completion().token_ids, reversed(requests)))
    assert together[::-1] == alone


def test_streamed_or_not_in_two_threads_each_gets_its_own(engine, ask):
    requests = [ask("First?", max_new_tokens=80), ask("Second?", size=(200, 100), max_new_tokens=80)]
    alone = [engine.submit(request).completion().text for request in requests]
    with ThreadPoolExecutor(2) as pool:
        streamed = list(pool.map(lambda request: "".join(engine.submit(request)), requests))
    assert streamed == alone


def test_first_tokens_are_drawn_as_often_as_the_model_says(engine, ask, loaded):
    request = ask(do_sample=True, temperature=1.0, top_k=6, repetition_penalty=1.0, max_new_tokens=1)
    _, logits = PlainTorchRunner(loaded).prefill(request.prompt)
    best = logits[0].masked_fill(torch.from_numpy(Vocabulary(loaded).banned), -torch.inf).topk(6)
    generations = [
        engine.submit(replace(request, config=request.config.model_copy(update={"seed": seed}))) for seed in range(600)
    ]
    drawn = [generation.completion().token_ids[0] for generation in generations]
    observed = [drawn.count(token_id) for token_id in best.indices.tolist()]
    assert sum(observed) == 600
    expected = best.values.double().softmax(-1) * 600
    assert stats.chisquare(observed, expected.numpy()).pvalue > 1e-3


def test_logprobs_are_the_models_own(engine, ask, loaded):
    request = ask(logprobs=3, repetition_penalty=1.3, do_sample=True, seed=5, max_new_tokens=10)
    completion = engine.submit(request).completion()
    state, logits = PlainTorchRunner(loaded).prefill(request.prompt)
    for entry, token_id in zip(completion.logprobs, completion.token_ids, strict=True):
        expected = logits[0].double().log_softmax(-1)
        assert entry.token_id == token_id
        assert entry.text == loaded.tokenizer.decode([token_id])
        assert entry.logprob == pytest.approx(expected[token_id].item(), abs=1e-5)
        best = expected.topk(3)
        assert [alternative.token_id for alternative in entry.alternatives] == best.indices.tolist()
        assert [a.logprob for a in entry.alternatives] == pytest.approx(best.values.tolist(), abs=1e-5)
        logits = PlainTorchRunner(loaded).decode(state, token_id)


def test_usage_and_timings_add_up(engine, ask):
    request = ask(max_new_tokens=5, grammar=LONG)
    completion = engine.submit(request).completion()
    usage, timings = completion.usage, completion.timings
    assert usage.prompt_tokens == len(request.prompt.token_ids)
    assert usage.image_tokens == request.prompt.image_tokens > 0
    assert 0 < timings.prefill <= timings.time_to_first_token < timings.total
    assert timings.time_to_first_token + 4 * timings.per_token <= timings.total
    assert completion.logprobs is None


class WatchedRunner(PlainTorchRunner):
    """Remembers, weakly, the caches it handed out."""

    def prefill(self, prompt):
        state, logits = super().prefill(prompt)
        self.caches = [*getattr(self, "caches", []), weakref.ref(state.cache)]
        return state, logits


@pytest.fixture
def watched(loaded):
    runner = WatchedRunner(loaded)
    engine = SerialEngine(runner, Vocabulary(loaded))
    yield engine, runner
    engine.close()


def assert_freed(runner, engine, request):
    """After the next request has been served nothing of those before it is left."""
    assert engine.submit(request).completion().finish_reason in ("stop", "length")
    gc.collect()
    assert [cache() for cache in runner.caches[:-1]] == [None] * (len(runner.caches) - 1)


@pytest.mark.parametrize("stop", ["cancel", "close", "with", "another thread"])
def test_a_cancelled_request_ends_with_what_it_had_and_frees_its_cache(watched, endless, ask, stop):
    engine, runner = watched
    generation = engine.submit(endless)
    shown = next(generation)
    if stop == "with":
        with generation:
            pass
    elif stop == "another thread":
        threading.Thread(target=generation.cancel).start()
    else:
        getattr(generation, stop)()
    shown += "".join(generation)
    completion = generation.completion()
    assert completion.finish_reason == "cancelled"
    assert completion.text == shown
    assert 0 < len(completion.token_ids) < 1500
    assert_freed(runner, engine, ask())


def test_a_dropped_stream_stops_and_frees_its_cache(watched, endless, ask):
    engine, runner = watched
    generation = engine.submit(endless)
    next(generation)
    job = generation._job
    del generation
    assert_freed(runner, engine, ask())
    assert job.completion.finish_reason == "cancelled"
    assert len(job.completion.token_ids) < 1500


def test_a_failed_request_keeps_no_memory_even_while_its_error_is_held(watched, ask):
    engine, runner = watched
    with pytest.raises(InferenceError) as held:
        engine.submit(broken(ask())).completion()
    assert held.value.__cause__ is not None
    assert_freed(runner, engine, ask())


def broken(request: Request) -> Request:
    media = dict(request.prompt.media)
    media["pixel_values"] = media["pixel_values"][:-4]
    return replace(request, prompt=replace(request.prompt, media=media))


def test_a_request_that_cannot_be_run_fails_alone_with_its_cause(engine, ask):
    expected = engine.submit(ask()).completion().token_ids
    before, failing, after = engine.submit(ask()), engine.submit(broken(ask())), engine.submit(ask())
    with pytest.raises(InferenceError, match="failed on this request") as raised:
        list(failing)
    assert isinstance(raised.value.__cause__, Exception)
    with pytest.raises(InferenceError):
        failing.completion()
    assert before.completion().token_ids == after.completion().token_ids == expected


def test_a_request_cancelled_while_it_waits_ends_at_once(engine, endless):
    running, waiting = engine.submit(endless), engine.submit(endless)
    next(running)
    waiting.cancel()
    completion = waiting.completion()
    assert (completion.finish_reason, completion.token_ids, completion.text) == ("cancelled", [], "")
    assert list(waiting) == []
    assert not running._job.done.is_set()
    running.cancel()


def test_cancelling_after_the_end_changes_nothing(engine, ask):
    generation = engine.submit(ask())
    completion = generation.completion()
    generation.cancel()
    assert generation.completion() is completion
    assert "".join(generation) == completion.text
    assert list(generation) == []


def test_closing_fails_those_that_run_and_wait_and_refuses_the_next(loaded, endless, ask):
    check_closing(serial_engine(loaded), endless, ask())


def test_an_engine_that_nobody_holds_ends_its_thread_but_not_before_its_answers(loaded, ask):
    check_unheld(lambda: serial_engine(loaded).submit(ask()))


def test_closing_leaves_no_thread(loaded):
    before = len(device_threads())
    engine = serial_engine(loaded)
    assert len(device_threads()) == before + 1
    engine.close()
    assert len(device_threads()) == before
