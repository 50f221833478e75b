"""What a call asks for: tasks, response formats, chain of thought, prompts and frames."""

from __future__ import annotations

import json
import math
import re
from fractions import Fraction
from typing import Literal

import numpy as np
import pytest
import torch
import transformers
from pydantic import BaseModel, Field
from tests.families import tiny_qwen2_5_vl
from tests.inference.asking import GREEDY, SAMPLED, Never, answer, failure, picture

from vi.inference import AnswerError, ConfigError, PromptError, SchemaError, ViModel
from vi.inference.asks import prompts_for
from vi.inference.call import CallOptions, make_call
from vi.inference.runs.record import RunRecord
from vi.inference.task_types import TASKS, GenericResponse
from vi.inference.task_types.vqa import VQAResponse


class Verdict(BaseModel):
    verdict: Literal["pass", "fail"]
    count: int = Field(ge=0, le=9)


@pytest.fixture(scope="module")
def thinker(tmp_path_factory):
    """A model whose next token depends on its last alone, so that it thinks ``Hm`` and stops thinking."""
    folder = tiny_qwen2_5_vl(tmp_path_factory.mktemp("thinker"), max_position_embeddings=8192, seed=5)
    model = transformers.AutoModelForImageTextToText.from_pretrained(folder)
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    words = model.get_input_embeddings().weight.detach().clone()  # [V, 64], nearly orthogonal
    follows = torch.zeros_like(words)
    last = tokenizer("<think>")["input_ids"][-1]
    for token_id in tokenizer("Hm</think>")["input_ids"]:
        follows[token_id] += words[last] * 10
        last = token_id
    with torch.no_grad():
        for name, parameter in model.model.language_model.named_parameters():
            if name.endswith(("o_proj.weight", "down_proj.weight")):
                parameter.zero_()
        model.config.tie_word_embeddings = model.config.text_config.tie_word_embeddings = False
        model.lm_head.weight = torch.nn.Parameter(follows)
    model.save_pretrained(folder)
    with ViModel(pretrained_model_name_or_path=folder, device="cpu") as model:
        yield model


def short(model, **options):
    return model(picture(), "What is it?", **{"generation_config": {"max_new_tokens": 12}, **options})


@pytest.mark.parametrize("name", TASKS)
def test_a_task_opens_its_own_document(tiny_model, name):
    response = answer(short(tiny_model, task_type=name, generation_config={"max_new_tokens": 40}))
    key = {"vqa": "vqa", "phrase-grounding": "phrase_grounding", "generic": None}.get(name, "freeform")
    assert key is None or response.raw_output.startswith(f'{{"{key}":')
    assert isinstance(response, GenericResponse) == (key is None)  # however much it babbles, it ends in time


def test_a_plain_checkpoint_answers_freeform(tiny_model):
    assert answer(short(tiny_model)).raw_output.startswith('{"freeform":{"caption":"')


def test_an_unknown_task_is_named_with_the_nearest(tiny_model):
    assert "Did you mean phrase-grounding?" in str(failure(short(tiny_model, task_type="phrase-groundin")))
    with pytest.raises(ConfigError, match="all: vqa"):
        tiny_model([picture()], task_type="segmentation")


def test_the_answer_conforms_to_the_callers_class(tiny_model):
    for seed in range(6):
        config = {**SAMPLED, "seed": seed, "max_new_tokens": 60}
        response = answer(tiny_model(picture(), response_format=Verdict, generation_config=config))
        assert response.parsed == Verdict.model_validate_json(response.result)
        assert json.loads(response.raw_output) == response.parsed.model_dump()
        assert response.finish_reason == "stop"


def test_an_answer_that_the_class_rejects_is_an_error_that_keeps_the_text(tiny_model):
    outcomes = tiny_model([picture(), picture((200, 100))], response_format=Never)
    for error in map(failure, outcomes):
        assert isinstance(error, AnswerError)
        assert "never good enough" in str(error)
        assert set(json.loads(error.raw_output)) == {"sound"}


def test_a_response_format_is_kept_to_however_small_the_cap(tiny_model):
    cap = {"max_new_tokens": 3}
    refused = failure(tiny_model(picture(), response_format=Verdict, generation_config=cap))
    cap = {"max_new_tokens": int(re.search(r"at least (\d+) tokens", str(refused))[1])}
    assert isinstance(answer(tiny_model(picture(), response_format=Verdict, generation_config=cap)).parsed, Verdict)


def test_a_response_format_is_a_pydantic_class_of_what_can_be_enforced(tiny_model):
    class Unique(BaseModel):
        names: set[str]

    assert isinstance(failure(short(tiny_model, response_format=dict)), ConfigError)
    assert isinstance(failure(short(tiny_model, response_format=Verdict(verdict="pass", count=1))), ConfigError)
    assert isinstance(failure(short(tiny_model, response_format=Verdict, task_type="vqa")), ConfigError)
    assert isinstance(failure(short(tiny_model, response_format=Unique)), SchemaError)
    assert "uniqueItems" in str(failure(short(tiny_model, response_format=Unique)))


def test_thinking_comes_first_and_the_answer_conforms(thinker):
    response = answer(thinker(picture(), "Is it sound?", response_format=Verdict, cot=True))
    match = re.fullmatch(r"<think>(.*)</think><answer>(\{.*\})</answer>", response.raw_output)
    assert match is not None, response.raw_output
    assert response.thinking == match[1] == "Hm"
    assert response.parsed == Verdict.model_validate_json(match[2])
    assert response.finish_reason == "stop"


def test_thinking_raises_the_cap_unless_the_call_sets_it(thinker):
    def cap(**options):
        options = {"cot": True, "response_format": Verdict, **options}
        setting = answer(thinker(picture(), **options)).generation["max_new_tokens"]
        return setting.value, setting.origin

    assert cap() == (4096, "cot")
    assert cap(generation_config={"temperature": 0.0}) == (4096, "cot")
    assert cap(generation_config={"max_new_tokens": 90}) == (90, "call")
    assert cap(generation_config="short-caption") == (50, "preset:short-caption")
    assert cap(cot=False) == (1024, "default")


def test_thinking_ends_in_time_for_the_answer(tiny_model):
    response = answer(short(tiny_model, task_type="vqa", cot=True, generation_config={"max_new_tokens": 60}))
    assert response.raw_output.startswith(f"<think>{response.thinking}</think><answer>")
    assert isinstance(response, VQAResponse)


@pytest.mark.parametrize(("name", "cot"), [("phrase-grounding", False), ("vqa", True)])
def test_a_cap_below_what_the_answer_needs_is_refused_with_the_number(tiny_model, name, cot):
    error = failure(short(tiny_model, task_type=name, cot=cot, generation_config={"max_new_tokens": 5}))
    needed = int(re.search(r"at least (\d+) tokens", str(error))[1])
    assert answer(short(tiny_model, task_type=name, cot=cot, generation_config={"max_new_tokens": needed}))
    with pytest.raises(SchemaError):
        tiny_model(picture(), "?", {"max_new_tokens": needed - 1}, task_type=name, cot=cot, stream=True)


@pytest.mark.parametrize("fps", [1, 0.5, 30.0, np.float32(2), Fraction(1, 3)])
def test_frames_a_second_are_ignored_for_pictures(tiny_model, fps):
    assert answer(short(tiny_model, fps=fps)).raw_output == answer(short(tiny_model)).raw_output


@pytest.mark.parametrize("fps", [0, -1.0, math.nan, math.inf, True, "4", None, 2j])
def test_frames_a_second_are_a_number_above_0(tiny_model, fps):
    assert "It takes a number above 0" in str(failure(short(tiny_model, fps=fps)))


@pytest.mark.parametrize("cot", [1, "yes", None])
def test_cot_is_true_or_false(tiny_model, cot):
    assert "It takes True or False" in str(failure(short(tiny_model, cot=cot)))


def test_the_prompt_that_the_run_was_trained_with_is_used():
    record = RunRecord(task_type="vqa", system_prompts={"vqa": "Look."}, system_prompt="For vqa.", cot_suffix="Think.")
    assert make_call(record, CallOptions()).system_prompt == "Look."
    assert make_call(record, CallOptions(cot=True)).system_prompt == "Look.\nThink."
    assert make_call(record, CallOptions(task_type="freeform")).system_prompt == TASKS["freeform"].system_prompt
    alone = RunRecord(task_type="vqa", system_prompt="For vqa.", cot_suffix="")
    assert make_call(alone, CallOptions(cot=True)).system_prompt == "For vqa."
    assert make_call(alone, CallOptions(task_type="freeform")).system_prompt == TASKS["freeform"].system_prompt
    assert "<think>" in make_call(RunRecord(), CallOptions(cot=True)).system_prompt


def test_a_run_of_another_task_says_so_and_can_still_be_asked():
    record = RunRecord(task_type="segmentation")
    with pytest.raises(ConfigError, match=r"trained for 'segmentation'.*task_type="):
        make_call(record, CallOptions())
    assert make_call(record, CallOptions(task_type="vqa")).task is TASKS["vqa"]


def test_there_is_one_prompt_for_each_source():
    task = TASKS["freeform"]
    assert prompts_for(None, 2, task) == [task.default_prompt] * 2
    assert prompts_for("All?", 2, task) == ["All?"] * 2
    assert prompts_for(("a", None), 2, task) == ["a", task.default_prompt]
    assert prompts_for([], 0, task) == []
    assert isinstance(prompts_for(["a", 3], 2, task)[1], PromptError)


@pytest.mark.parametrize("prompts", [["a"], ["a", "b", "c"], [], b"ab", {"a", "b"}, 2, iter("ab")])
def test_another_count_or_kind_of_prompts_is_refused(prompts):
    with pytest.raises(PromptError, match=r"one per source"):
        prompts_for(prompts, 2, TASKS["freeform"])


def test_a_question_needs_a_prompt(tiny_model):
    assert "vqa needs a prompt" in str(failure(tiny_model(picture(), task_type="vqa", generation_config=GREEDY)))
