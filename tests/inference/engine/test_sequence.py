from __future__ import annotations

import pytest
from tests.inference.engine.mixes import GRAMMARS, prompt, the_vocabulary
from tests.inference.engine.numpy_model import END, PICTURE

from vi.inference.engine.request import Request
from vi.inference.engine.sequence import Sequence
from vi.inference.generation_config import GenerationConfig
from vi.inference.sampling.sampler import Choice
from vi.inference.structured.grammar import json_grammar, think_grammar
from vi.inference.task_types.phrase_grounding import PHRASE_GROUNDING


def begin(grammar=None, **config):
    request = Request(prompt(4, ((1, 2),), 2), GenerationConfig(**{"max_new_tokens": 40, **config}), grammar)
    return Sequence(request, the_vocabulary())


def spelled(text):
    return the_vocabulary().tokenizer.encode(text, add_special_tokens=False).ids


def feed(sequence, text):
    for token_id in spelled(text):
        if sequence.finish_reason is None:
            yield sequence.accept(Choice(token_id, -1.0))


def test_prompt_and_answer_are_seen_but_media_ids_are_not():
    sequence = begin()
    (new,) = spelled("~")
    assert new not in sequence.row().seen
    sequence.accept(Choice(new, -1.0))
    assert set(sequence.row().seen.tolist()) == {*sequence.request.prompt.token_ids, new} - {PICTURE}


def test_the_step_counts_the_generated_tokens():
    sequence = begin()
    steps = [sequence.row().step for _ in feed(sequence, "One two")]
    assert steps == list(range(1, len(steps) + 1))


def test_text_held_back_for_a_stop_string_is_shown_when_another_end_comes_first():
    sequence = begin(stop_strings=["nut washer"])
    assert "".join(feed(sequence, "a blue nut w")) == "a blue "
    assert sequence.accept(Choice(END, -1.0)) == "nut w"
    assert sequence.finish_reason == "stop"
    assert sequence.completion().text == "a blue nut w"


def test_a_character_cut_off_by_length_is_shown_as_a_replacement():
    ids = spelled("🙂")
    assert len(ids) > 1
    sequence = begin(max_new_tokens=1)
    assert set(sequence.accept(Choice(ids[0], -1.0))) == {"\ufffd"}
    assert sequence.finish_reason == "length"


def test_a_stop_string_at_the_last_token_counts_as_stop_string():
    sequence = begin(max_new_tokens=len(spelled("a nut")), stop_strings=["nut"])
    assert "".join(feed(sequence, "a nut")) == "a "
    assert sequence.finish_reason == "stop_string"


def test_fast_forward_takes_what_the_grammar_forces_and_counts_it():
    sequence = begin(GRAMMARS[1])
    shown = sequence.fast_forward()
    assert '{"answer":"'.startswith(shown)
    assert len(shown) > 4
    assert sequence.row().step == len(sequence.token_ids) > 1


def test_fast_forward_ends_a_text_that_has_but_one_ending():
    sequence = begin(json_grammar({"const": "two red nuts"}))
    assert sequence.fast_forward() == '"two red nuts"'
    assert sequence.finish_reason == "stop"
    assert sequence.fast_forward() == ""


@pytest.mark.parametrize("limit", [1, 2, 3])
def test_fast_forward_keeps_to_the_limit(limit):
    sequence = begin(json_grammar({"type": "string", "minLength": 99}), max_new_tokens=limit)
    while sequence.finish_reason is None:
        sequence.accept(Choice(int(sequence.row().allowed.argmax()), -1.0))
        sequence.fast_forward()
    assert len(sequence.token_ids) == limit


@pytest.mark.parametrize("detection", [True, False])
def test_of_a_loop_what_came_before_is_kept(detection):
    sequence = begin(max_new_tokens=600, loop_detection=detection, logprobs=0)
    shown = "".join(feed(sequence, "A text that goes round: " + "and round " * 300))
    completion = sequence.completion()
    if not detection:
        assert completion.finish_reason == "length"
        return
    assert completion.finish_reason == "loop"
    assert shown.startswith(completion.text)
    assert "A text that goes round:" in completion.text
    assert completion.text.count("and round") <= 2
    assert len(completion.token_ids) == len(completion.logprobs) < completion.usage.completion_tokens < 400
    assert the_vocabulary().tokenizer.decode(completion.token_ids) == completion.text


LISTS = json_grammar(
    {
        "type": "object",
        "properties": {"items": {"type": "array", "items": {"type": "string"}}, "n": {"type": "integer"}},
        "required": ["items", "n"],
        "additionalProperties": False,
    }
)
ROUNDS = {
    "in a string": (LISTS, '{"items":["a bolt","' + "and round " * 300),
    "of items": (LISTS, '{"items":["x"' + ',"two red nuts"' * 300),
    "in a thought": (think_grammar({"const": 5}), "<think>" + "and so on and " * 300),
    "of a box": (
        PHRASE_GROUNDING.grammar(),
        '{"phrase_grounding":{"sentence":"red nuts","groundings":[{"phrase":"nuts","grounding":[[1,2,30,40]'
        + ",[5,6,70,80]" * 60,
    ),
}


@pytest.mark.parametrize(("grammar", "text"), ROUNDS.values(), ids=ROUNDS)
def test_a_document_that_goes_round_is_completed_behind_its_last_sound_part(grammar, text):
    sequence = begin(grammar, max_new_tokens=3000)
    list(feed(sequence, text))
    completion = sequence.completion()
    assert (completion.finish_reason, completion.truncated) == ("loop", True)
    walk = the_vocabulary().constrain(grammar)
    for token_id in completion.token_ids:
        walk.advance(token_id)
    assert walk.min_tokens() == 0  # so it is complete
    assert the_vocabulary().tokenizer.decode(completion.token_ids) == completion.text
    assert len(completion.text) < 200
    kept = completion.text[:20]
    assert text.startswith(kept)


def test_a_grounding_that_goes_round_is_a_typed_answer_with_its_confidences():
    sequence = begin(*ROUNDS["of a box"][:1], max_new_tokens=3000)
    list(feed(sequence, ROUNDS["of a box"][1]))
    response = PHRASE_GROUNDING.respond(sequence.completion(), prompt="?")
    (grounded,) = response.result.groundings
    assert grounded.grounding == [[1, 2, 30, 40], [5, 6, 70, 80]]
    assert len(response.confidences[0].boxes) == 2


def test_what_the_model_says_of_forced_tokens_is_owed_until_it_is_reported():
    sequence = begin(json_grammar({"const": "two red nuts"}), logprobs=1)
    sequence.fast_forward()
    assert sequence.unreported == list(range(len(sequence.token_ids)))
    for place, token_id in enumerate(sequence.token_ids):
        sequence.report(place, Choice(token_id, -place, [(token_id, -place)]))
    assert sequence.unreported == []
    logprobs = sequence.completion().logprobs
    assert [entry.token_id for entry in logprobs] == sequence.token_ids
    assert [entry.logprob for entry in logprobs] == [-place for place in range(len(logprobs))]
    assert all(entry.forced for entry in logprobs)
