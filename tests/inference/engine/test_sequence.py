from __future__ import annotations

import pytest

from vi.inference.engine.sequence import Sequence
from vi.inference.engine.vocabulary import Vocabulary
from vi.inference.sampling.sampler import Choice


@pytest.fixture(scope="module")
def vocabulary(loaded):
    return Vocabulary(loaded)


def feed(sequence, vocabulary, text):
    for token_id in vocabulary.tokenizer(text, add_special_tokens=False)["input_ids"]:
        if sequence.finish_reason is None:
            yield sequence.accept(Choice(token_id, -1.0))


def test_prompt_and_answer_are_seen_but_media_ids_are_not(ask, vocabulary, loaded):
    request = ask()
    sequence = Sequence(request, vocabulary)
    (new,) = vocabulary.tokenizer("~", add_special_tokens=False)["input_ids"]
    assert not sequence.row().seen[new]
    sequence.accept(Choice(new, -1.0))
    seen = set(sequence.row().seen.nonzero()[0].tolist())
    assert seen == {*request.prompt.token_ids, new} - set(loaded.media_token_ids)


def test_the_step_counts_the_generated_tokens(ask, vocabulary):
    sequence = Sequence(ask(), vocabulary)
    steps = []
    for _ in feed(sequence, vocabulary, "One two"):
        steps.append(sequence.row().step)
    assert steps == list(range(1, len(steps) + 1))


def test_text_held_back_for_a_stop_string_is_shown_when_another_end_comes_first(ask, vocabulary, loaded):
    sequence = Sequence(ask(stop_strings=["nut washer"]), vocabulary)
    assert "".join(feed(sequence, vocabulary, "a blue nut w")) == "a blue "
    assert sequence.accept(Choice(loaded.eos_token_ids[0], -1.0)) == "nut w"
    assert sequence.finish_reason == "stop"
    assert sequence.completion().text == "a blue nut w"


def test_a_character_cut_off_by_length_is_shown_as_a_replacement(ask, vocabulary):
    ids = vocabulary.tokenizer("🙂", add_special_tokens=False)["input_ids"]
    assert len(ids) > 1
    sequence = Sequence(ask(max_new_tokens=1), vocabulary)
    assert set(sequence.accept(Choice(ids[0], -1.0))) == {"\ufffd"}
    assert sequence.finish_reason == "length"


def test_a_stop_string_at_the_last_token_counts_as_stop_string(ask, vocabulary):
    length = len(vocabulary.tokenizer("a nut", add_special_tokens=False)["input_ids"])
    sequence = Sequence(ask(max_new_tokens=length, stop_strings=["nut"]), vocabulary)
    assert "".join(feed(sequence, vocabulary, "a nut")) == "a "
    assert sequence.finish_reason == "stop_string"
