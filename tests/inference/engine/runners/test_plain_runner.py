from __future__ import annotations

import numpy as np
import pytest
import torch
from tests.inference.engine.runners.driving import generate
from tests.inference.engine.samples import picture

from vi.inference.engine.runners.plain_runner import PlainTorchRunner
from vi.inference.preprocess.chat import ChatPrompt
from vi.inference.preprocess.families import FAMILIES


@pytest.mark.parametrize("family", ["qwen2_5_vl", "qwen2_vl", "smolvlm"])
def test_decoding_with_the_cache_gives_the_logits_of_the_whole_text_at_once(load_tiny, family):
    loaded = load_tiny(family)
    prompt = ChatPrompt(loaded).build("How many?", picture=picture((120, 70)))
    ids = torch.tensor([[*prompt.token_ids, 40, 41, 42]])
    extra = {"mm_token_type_ids": (ids == loaded.placeholder_id).int()} if family != "smolvlm" else {}
    media = {name: torch.as_tensor(array) for name, array in prompt.media.items()}
    whole = loaded.weights.model(input_ids=ids, **media, **extra).logits[0, -4:]
    runner = PlainTorchRunner(loaded)
    state, logits = runner.prefill(prompt)
    rows = [logits, *(runner.decode(state, token_id) for token_id in (40, 41, 42))]
    assert all(row.shape == (1, loaded.vocab_size) for row in rows)
    torch.testing.assert_close(torch.cat(rows), whole, atol=1e-4, rtol=1e-4)


def test_two_requests_in_turn_do_not_disturb_each_other(loaded):
    chat, runner = ChatPrompt(loaded), PlainTorchRunner(loaded)
    prompts = [chat.build("How many?", picture=picture(size)) for size in ((64, 48), (200, 100))]
    alone = []
    for prompt in prompts:
        state, _ = runner.prefill(prompt)
        alone.append(torch.cat([runner.decode(state, token_id) for token_id in (40, 41, 42)]))
    states = [runner.prefill(prompt)[0] for prompt in prompts]
    turns = [[runner.decode(state, token_id) for state in states] for token_id in (40, 41, 42)]
    for index, expected in enumerate(alone):
        assert torch.equal(torch.cat([turn[index] for turn in turns]), expected)


def test_nothing_is_left_on_the_model(load_tiny):
    loaded = load_tiny()
    mark = torch.tensor([[12345]])
    loaded.weights.model.model.rope_deltas = mark
    runner = PlainTorchRunner(loaded)
    state, _ = runner.prefill(ChatPrompt(loaded).build("How many?", picture=picture((64, 48))))
    runner.decode(state, 40)
    assert loaded.weights.model.model.rope_deltas is mark


def test_prefill_gives_no_gradients_to_keep(loaded):
    _, logits = PlainTorchRunner(loaded).prefill(ChatPrompt(loaded).build("How many?"))
    assert logits.is_inference()


PLAIN = [name for name, family in FAMILIES.items() if not family.paged]


@pytest.mark.slow
@pytest.mark.parametrize("family", PLAIN)
def test_a_family_that_cannot_be_paged_is_answered_as_generate_answers_it(pair, family):
    models = pair(family)
    types = FAMILIES[family].token_types
    for size in ((150, 70), (33, 64), None):
        prompt = models.prompt("How many?", size)
        ids = np.array([prompt.token_ids])
        more = {} if types is None else {"token_type_ids": torch.as_tensor(types(ids, prompt.placeholder_id))}
        assert answer(models.loaded, prompt, 14) == generate(models.oracle, prompt, 14, **more)


@pytest.mark.slow
@pytest.mark.parametrize("family", PLAIN)
def test_requests_of_a_family_that_cannot_be_paged_do_not_disturb_each_other(pair, family):
    models = pair(family)
    prompts = [models.prompt("How many?", (150, 70)), models.prompt("Where?"), models.prompt("Which?", (20, 90))]
    alone = [answer(models.loaded, prompt, 6) for prompt in prompts]
    runner = PlainTorchRunner(models.loaded)
    going = [runner.prefill(prompt) for prompt in prompts]
    token_ids = [[int(logits.argmax())] for _, logits in going]
    for _ in range(5):
        for (state, _), written in zip(going, token_ids, strict=True):
            written.append(int(runner.decode(state, written[-1]).argmax()))
    assert token_ids == alone


def answer(loaded, prompt, num_tokens):
    """The tokens that a plain runner writes greedily."""
    runner = PlainTorchRunner(loaded)
    state, logits = runner.prefill(prompt)
    token_ids = [int(logits.argmax())]
    while len(token_ids) < num_tokens:
        token_ids.append(int(runner.decode(state, token_ids[-1]).argmax()))
    return token_ids
