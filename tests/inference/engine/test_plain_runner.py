from __future__ import annotations

import pytest
import torch
from tests.inference.engine.samples import picture

from vi.inference.engine.runners.plain_runner import PlainTorchRunner
from vi.inference.preprocess.chat import ChatPrompt


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
