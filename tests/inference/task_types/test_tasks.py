"""Tasks: prompts, wire schemas that a grammar engine enforces, and reading what models write."""

from __future__ import annotations

import enum
import json

import llguidance
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vi.inference.completion import Completion, Timings, Usage
from vi.inference.errors import ConfigError, PromptError
from vi.inference.generation_config import Setting
from vi.inference.task_types import (
    TASKS,
    FreeformResponse,
    GenericResponse,
    GroundedPhrase,
    PhraseGrounding,
    PhraseGroundingResponse,
    VQAResponse,
    get_task,
)

BYTES = llguidance.LLTokenizer("byte")
GROUNDED = (
    '{"phrase_grounding":{"sentence":"A bolt by a nut.","groundings":'
    '[{"phrase":"A bolt","grounding":[[0,1,1023,1024],[5,6,7,8]]},{"phrase":"a nut","grounding":[[9,9,10,10]]}]}}'
)
SOUND = {
    "vqa": '{"vqa":{"answer":"three"}}',
    "freeform": '{"freeform":{"caption":"A bench."}}',
    "video-freeform": '{"freeform":{"caption":"A hand moves."}}',
    "phrase-grounding": GROUNDED,
}
UNSOUND = {
    "vqa": [
        '{"vqa":{"answer":""}}',
        '{"vqa":{}}',
        '{"vqa":{"answer":null}}',
        '{"freeform":{"caption":"a"}}',
        "[]",
        "null",
    ],
    "freeform": ['{"freeform":{"caption":""}}', '{"vqa":{"answer":"a"}}'],
    "phrase-grounding": [
        '{"phrase_grounding":{"sentence":"A bolt.","groundings":[{"phrase":"A bolt","grounding":[[0,1,1023]]}]}}',
        '{"phrase_grounding":{"sentence":"A bolt.","groundings":[{"phrase":"","grounding":[[0,1,10,10]]}]}}',
        '{"vqa":{"answer":"a"}}',
    ],
}


def grammar_accepts(schema: dict, text: str) -> bool:
    """Whether a decoder held to ``schema`` (no free white space) could write ``text`` and stop there."""
    grammar = llguidance.LLMatcher.grammar_from_json_schema(schema, {"whitespace_flexible": False})
    matcher = llguidance.LLMatcher(BYTES, grammar)
    assert not matcher.is_error(), matcher.get_error()
    written = list(text.encode())
    return matcher.try_consume_tokens(written) == len(written) and matcher.is_accepting()


def completion(text: str, finish_reason: str = "stop") -> Completion:
    return Completion(
        token_ids=list(text.encode()),
        text=text,
        finish_reason=finish_reason,
        usage=Usage(prompt_tokens=5, image_tokens=2, completion_tokens=len(text.encode())),
        timings=Timings(prefill=1, time_to_first_token=2, per_token=3, total=4),
    )


@pytest.mark.parametrize("name", SOUND)
def test_what_the_schema_allows_is_read_as_the_tasks_own_answer(name):
    assert grammar_accepts(TASKS[name].schema, SOUND[name])
    response = TASKS[name].respond(completion(SOUND[name]), prompt="p")
    assert type(response) is TASKS[name].response
    assert not response.truncated


@pytest.mark.parametrize(("name", "text"), [(name, text) for name, texts in UNSOUND.items() for text in texts])
def test_what_the_schema_forbids_becomes_generic(name, text):
    assert not grammar_accepts(TASKS[name].schema, text)
    response = TASKS[name].respond(completion(text), prompt="p")
    assert response == GenericResponse(**dict(response) | {"result": text})


def test_the_schema_fixes_the_order_of_the_fields():
    swapped = '{"phrase_grounding":{"groundings":[],"sentence":"A bench."}}'
    assert not grammar_accepts(TASKS["phrase-grounding"].schema, swapped)
    assert TASKS["phrase-grounding"].parse(swapped).result.sentence == "A bench."  # reading does not mind


def test_nothing_found_is_an_answer():
    text = '{"phrase_grounding":{"sentence":"An empty bench.","groundings":[]}}'
    assert grammar_accepts(TASKS["phrase-grounding"].schema, text)
    assert TASKS["phrase-grounding"].parse(text).result.groundings == []


texts = st.text(min_size=1, max_size=15)
boxes = st.lists(st.integers(0, 1024), min_size=4, max_size=4)
grounded = st.builds(GroundedPhrase, phrase=texts, grounding=st.lists(boxes, max_size=3))


@given(result=st.builds(PhraseGrounding, sentence=texts, groundings=st.lists(grounded, max_size=3)))
def test_every_grounding_can_be_written_and_is_read_as_written(result):
    task = TASKS["phrase-grounding"]
    text = json.dumps({"phrase_grounding": result.model_dump()}, ensure_ascii=False, separators=(",", ":"))
    assert task.parse(text).result == result
    if "\x7f" not in text:  # the one character that JSON allows bare and the grammar does not
        assert grammar_accepts(task.schema, text)


@given(text=st.text(), name=st.sampled_from(sorted(TASKS)), truncated=st.booleans())
def test_any_text_is_read_without_an_exception(text, name, truncated):
    reading = TASKS[name].parse(text, truncated=truncated)
    assert not isinstance(reading.result, str) or reading.truncated == truncated


@pytest.mark.parametrize(
    "text", ["{" * 50_000, '{"vqa":' * 50_000, "[" * 50_000, '{"vqa":{"answer":"\\ud800"}}', "\ud800"]
)
def test_hostile_text_stays_text(text):
    assert TASKS["vqa"].parse(text).result == text


@pytest.mark.parametrize("name", SOUND)
@pytest.mark.parametrize("wrap", ["```json\n{}\n```", "```\n{}```", "Here it is: {} I hope that helps.", " \n{}\n"])
def test_one_object_is_found_in_a_fence_or_a_sentence(name, wrap):
    assert TASKS[name].parse(wrap.replace("{}", SOUND[name])) == TASKS[name].parse(SOUND[name])


def test_of_two_objects_none_is_chosen():
    text = SOUND["vqa"] + " or " + SOUND["vqa"]
    assert TASKS["vqa"].parse(text).result == text


@pytest.mark.parametrize("name", SOUND)
def test_a_cut_document_says_so_and_holds_only_what_was_written(name):
    for end in range(1, len(SOUND[name])):
        response = TASKS[name].respond(completion(SOUND[name][:end], "length"), prompt="p")
        assert response.truncated
        if isinstance(response, GenericResponse):
            assert response.result == SOUND[name][:end]
            continue
        whole = json.loads(SOUND[name])
        for word in (part for part in json.dumps(response.result.model_dump()).split('"')[1::2]):
            assert word in json.dumps(whole)


def test_a_document_that_the_last_token_completes_is_not_truncated():
    response = TASKS["vqa"].respond(completion(SOUND["vqa"], "length"), prompt="p")
    assert isinstance(response, VQAResponse)
    assert (response.truncated, response.finish_reason) == (False, "length")


def test_free_text_ended_by_the_limit_is_truncated():
    assert TASKS["generic"].respond(completion("A bench wi", "length"), prompt="p").truncated
    assert not TASKS["generic"].respond(completion("A bench."), prompt="p").truncated


def test_a_cancelled_document_is_raw_text_but_not_cut_by_the_limit():
    response = TASKS["vqa"].respond(completion('{"vqa":{"ans', "cancelled"), prompt="p")
    assert (response.result, response.truncated) == ('{"vqa":{"ans', False)


def test_thinking_is_split_off_and_the_raw_output_kept():
    text = f"<think>I count three.</think><answer>{SOUND['vqa']}</answer>"
    response = TASKS["vqa"].respond(completion(text), prompt="How many?")
    assert (response.result.answer, response.thinking, response.raw_output) == ("three", "I count three.", text)


def test_an_answer_cut_while_thinking_keeps_the_thinking():
    response = TASKS["vqa"].respond(completion("<think>I count", "length"), prompt="p")
    assert (response.thinking, response.result, response.truncated) == ("I count", "", True)


def test_the_facts_of_the_generation_stand_in_the_answer():
    made = completion(SOUND["freeform"])
    generation = {"seed": Setting(value=7, origin="call")}
    response = TASKS["freeform"].respond(made, prompt="Describe.", generation=generation, warnings=["mind"])
    assert isinstance(response, FreeformResponse)
    assert (response.prompt, response.raw_output, response.generation) == ("Describe.", made.text, generation)
    assert (response.usage, response.timings, response.finish_reason) == (made.usage, made.timings, "stop")
    assert response.warnings == ["mind"]


def test_a_grounding_against_the_convention_is_kept_and_warned_of():
    text = (
        '{"phrase_grounding":{"sentence":"A bolt.","groundings":'
        '[{"phrase":"a nut","grounding":[[9,1,3,4]]},{"phrase":"A bolt","grounding":[[1,2,3,4]]}]}}'
    )
    response = TASKS["phrase-grounding"].respond(completion(text), prompt="p", warnings=["first"])
    assert isinstance(response, PhraseGroundingResponse)
    assert response.result.groundings[0].grounding == [[9, 1, 3, 4]]
    assert response.warnings == [
        "first",
        "The phrase 'a nut' does not occur in the sentence.",
        "The box [9, 1, 3, 4] of 'a nut' has its corners swapped.",
    ]


@pytest.mark.parametrize("name", ["phrase-grounding", "phrase_grounding", "Phrase Grounding", " PHRASE-grounding "])
def test_a_task_is_found_however_its_name_is_written(name):
    assert get_task(name) is TASKS["phrase-grounding"]


def test_a_task_is_found_by_an_enum_of_strings():
    assert get_task(enum.Enum("Kind", {"VQA": "vqa"}, type=str).VQA) is TASKS["vqa"]


def test_an_unknown_task_names_the_nearest_and_all():
    with pytest.raises(ConfigError, match=r"task_type='frefrom' is not a task. Did you mean freeform\? \(all: vqa, "):
        get_task("frefrom")
    with pytest.raises(ConfigError, match="task_type=3 is not a task"):
        get_task(3)


def test_a_prompt_is_taken_as_given():
    assert TASKS["vqa"].user_prompt(" How many? ") == " How many? "


@pytest.mark.parametrize("name", ["freeform", "video-freeform", "phrase-grounding"])
def test_describing_needs_no_prompt(name):
    assert TASKS[name].user_prompt(None) == TASKS[name].default_prompt


@pytest.mark.parametrize("name", ["vqa", "generic"])
def test_asking_needs_a_prompt(name):
    with pytest.raises(PromptError, match=f"{name} needs a prompt"):
        TASKS[name].user_prompt(None)


def test_a_prompt_that_is_not_text_is_refused():
    with pytest.raises(PromptError, match="3 is not text"):
        TASKS["vqa"].user_prompt(3)


@pytest.mark.parametrize("name", TASKS)
@pytest.mark.parametrize("prompt", ["", " \n"])
def test_an_empty_prompt_is_refused(name, prompt):
    with pytest.raises(PromptError, match="is empty"):
        TASKS[name].user_prompt(prompt)
