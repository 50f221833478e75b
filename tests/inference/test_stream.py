"""Streams: pieces that join to the answer, and ends of every kind."""

from __future__ import annotations

import gc
import threading
import weakref

import pytest
from tests.inference.asking import ENDLESS, GREEDY, SAMPLED, Never, Requests, answer, but_the_clock, failure, picture

from vi.inference import AnswerError, Cancelled, ConfigError, InferenceError, PromptError, SourceError, Stream, ViModel

CALLS = {
    "greedy": {"task_type": "generic", "generation_config": GREEDY},
    "sampled": {"task_type": "generic", "generation_config": {**SAMPLED, "seed": 11, "max_new_tokens": 40}},
    "grammar": {"task_type": "phrase-grounding", "generation_config": {**SAMPLED, "max_new_tokens": 30}},
    "thinking": {"task_type": "vqa", "cot": True, "generation_config": {"max_new_tokens": 20}},
}


def endless(model, prompt="Go on."):
    return model(picture(), prompt, stream=True, **ENDLESS)


@pytest.fixture
def requests(monkeypatch):
    return Requests(monkeypatch)


@pytest.mark.parametrize("options", CALLS.values(), ids=CALLS)
def test_pieces_join_to_what_is_answered_without_streaming(tiny_model, options):
    whole = answer(tiny_model(picture(), "What is it?", **options))
    stream = tiny_model(picture(), "What is it?", stream=True, **options)
    assert isinstance(stream, Stream)
    assert "".join(stream) == whole.raw_output
    assert but_the_clock(stream.get_final_completion()) == but_the_clock(whole)


def test_the_answer_comes_without_reading_and_the_pieces_stay(tiny_model):
    stream = tiny_model(picture(), "What is it?", stream=True, **CALLS["sampled"])
    final = stream.get_final_completion()
    assert "".join(stream) == final.raw_output != ""
    assert stream.get_final_completion() is final
    assert list(stream) == []


def test_text_arrives_while_the_answer_is_being_written(tiny_model, requests):
    with endless(tiny_model) as stream:
        assert next(stream)
        assert requests.running()


def test_leaving_the_block_stops_and_no_answer_is_had(tiny_model, requests):
    with endless(tiny_model) as stream:
        first = next(stream)
    assert first + "".join(stream)
    assert requests.ended()
    with pytest.raises(Cancelled, match=r"after [\d,]+ tokens.*Read it to its end"):
        stream.get_final_completion()


@pytest.mark.parametrize("stop", ["cancel", "close"])
def test_any_thread_may_stop_it(tiny_model, stop):
    stream = endless(tiny_model)
    threading.Timer(0.05, getattr(stream, stop)).start()
    "".join(stream)  # ends
    with pytest.raises(Cancelled):
        stream.get_final_completion()


def test_stopping_after_the_end_changes_nothing(tiny_model):
    stream = tiny_model(picture(), "What is it?", stream=True, **CALLS["greedy"])
    final = stream.get_final_completion()
    stream.close()
    assert stream.get_final_completion() is final
    assert "".join(stream) == final.raw_output


def test_dropping_it_stops_the_generation(tiny_model, requests):
    gc.disable()  # so that only a stream without reference cycles is gone
    try:
        stream = endless(tiny_model)
        next(stream)
        (job,) = requests.running()
        dropped = weakref.ref(stream)
        del stream
        assert dropped() is None
    finally:
        gc.enable()
    assert job.done.wait(60)
    assert job.completion.finish_reason == "cancelled"


def test_a_stream_outlives_its_model(tiny_checkpoint):
    model = ViModel(pretrained_model_name_or_path=tiny_checkpoint, device="cpu")
    expected = answer(model(picture(), "What is it?", **CALLS["sampled"])).raw_output
    stream = model(picture(), "What is it?", stream=True, **CALLS["sampled"])
    del model
    gc.collect()
    assert "".join(stream) == expected


def test_closing_the_model_ends_its_streams(tiny_checkpoint):
    with ViModel(pretrained_model_name_or_path=tiny_checkpoint, device="cpu") as model:
        stream = endless(model)
        next(stream)
    with pytest.raises(Cancelled, match="The model was closed"):
        "".join(stream)
    with pytest.raises(Cancelled):
        stream.get_final_completion()


def test_a_call_made_while_a_stream_is_read_is_answered(tiny_model):
    options = CALLS["sampled"]
    expected = answer(tiny_model(picture(), "Inner?", **options)).raw_output
    stream = tiny_model(picture(), "Outer?", stream=True, **options)
    inner = [answer(tiny_model(picture(), "Inner?", **options)).raw_output for _ in zip(range(3), stream, strict=False)]
    assert inner == [expected] * 3


def test_what_is_wrong_before_the_first_token_is_raised(tiny_model, tmp_path):
    wrong = [
        (ConfigError, picture(), {"generation_config": {"temprature": 1}}),
        (PromptError, picture(), {"user_prompt": " "}),
        (PromptError, picture(), {"user_prompt": ["", ]}),
        (SourceError, tmp_path / "missing.png", {}),
        (ConfigError, [picture()], {}),
        (ConfigError, tmp_path, {}),
    ]  # fmt: skip
    for kind, source, options in wrong:
        with pytest.raises(kind):
            tiny_model(source, stream=True, **options)


def test_a_rejected_answer_is_raised_at_the_end_each_time(tiny_model):
    stream = tiny_model(picture(), response_format=Never, stream=True)
    text = "".join(stream)
    for _ in range(2):
        with pytest.raises(AnswerError) as caught:
            stream.get_final_completion()
        assert caught.value.raw_output == text


def test_a_closed_model_streams_nothing(tiny_checkpoint):
    model = ViModel(pretrained_model_name_or_path=tiny_checkpoint, device="cpu")
    model.close()
    with pytest.raises(InferenceError, match="closed"):
        model(picture(), stream=True)
    assert "closed" in str(failure(model(picture())))
    with pytest.raises(InferenceError, match="closed"):
        model([picture()])
