"""OpenAI's own client against our server."""

from __future__ import annotations

import asyncio
import base64
import json

import openai
import pytest
from pydantic import BaseModel, Field
from tests.inference.media.films import film

from vi.inference import Pictures, Turn, ViModel

WORDS = "How many gears are there?"


class Count(BaseModel):
    thing: str = Field(max_length=12)
    number: int = Field(ge=0, le=99)


def user(text, *urls, kind="image_url"):
    return {
        "role": "user",
        "content": [*({"type": kind, kind: {"url": url}} for url in urls), {"type": "text", "text": text}],
    }


def ask(client, uri, text=WORDS, **options):
    extra = options.pop("extra_body", {"task_type": "vqa"})
    return client.chat.completions.create(model="workbench", messages=[user(text, uri)], extra_body=extra, **options)


@pytest.fixture(scope="module")
def expected(picture_bytes):
    """What the same call answers in Python."""
    with ViModel() as model:
        answer, error = model(picture_bytes, WORDS, task_type="vqa", generation_config={"logprobs": 2})
    assert error is None
    return answer


def test_an_answer_is_that_of_the_same_call_in_python(client, picture_uri, expected):
    completion = ask(client, picture_uri)
    (choice,) = completion.choices
    assert choice.message.content == expected.raw_output
    assert choice.message.role == "assistant"
    assert choice.finish_reason == "stop"
    assert completion.model == "workbench"
    assert completion.id.startswith("chatcmpl-")
    assert completion.usage.prompt_tokens == expected.usage.prompt_tokens
    assert completion.usage.completion_tokens == expected.usage.completion_tokens
    assert completion.usage.total_tokens == expected.usage.prompt_tokens + expected.usage.completion_tokens


def test_without_a_task_the_answer_is_any_text(client, picture_uri):
    completion = ask(client, picture_uri, extra_body=None, max_tokens=5)
    assert completion.usage.completion_tokens <= 5


def test_chunks_join_to_the_answer_and_usage_comes_last(client, picture_uri, expected):
    chunks = list(ask(client, picture_uri, stream=True, stream_options={"include_usage": True}))
    *pieces, last = chunks
    assert "".join(chunk.choices[0].delta.content or "" for chunk in pieces) == expected.raw_output
    assert pieces[0].choices[0].delta.role == "assistant"
    assert [chunk.choices[0].finish_reason for chunk in pieces] == [None] * (len(pieces) - 1) + ["stop"]
    assert last.choices == []
    assert last.usage.completion_tokens == expected.usage.completion_tokens
    assert {chunk.usage for chunk in pieces} == {None}
    assert len({chunk.id for chunk in chunks}) == 1


def test_a_stream_without_usage_has_none(client, picture_uri):
    assert all(chunk.choices for chunk in ask(client, picture_uri, stream=True))


def test_the_asynchronous_client_asks_many_at_once(server, picture_uri, expected):
    async def all_of_them():
        async with openai.AsyncOpenAI(base_url=f"{server.url}/v1", api_key="none", max_retries=0) as client:
            whole = [ask(client, picture_uri) for _ in range(4)]
            answers = [completion.choices[0].message.content for completion in await asyncio.gather(*whole)]
            stream = await ask(client, picture_uri, stream=True)
            return [*answers, "".join([chunk.choices[0].delta.content or "" async for chunk in stream])]

    assert asyncio.run(all_of_them()) == [expected.raw_output] * 5


def test_parse_gives_the_callers_pydantic_class(client, picture_uri):
    completion = client.chat.completions.parse(
        model="workbench", messages=[user(WORDS, picture_uri)], response_format=Count
    )
    assert isinstance(completion.choices[0].message.parsed, Count)


def test_a_json_object_is_any_object(client, picture_uri):
    completion = ask(client, picture_uri, response_format={"type": "json_object"}, extra_body={}, max_tokens=60)
    assert isinstance(json.loads(completion.choices[0].message.content), dict)


def test_logprobs_are_the_models_own(client, picture_uri, expected):
    content = ask(client, picture_uri, logprobs=True, top_logprobs=2).choices[0].logprobs.content
    assert [entry.token for entry in content] == [token.text for token in expected.logprobs]
    for entry, token in zip(content, expected.logprobs, strict=True):
        assert entry.logprob == pytest.approx(token.logprob, abs=1e-3) or entry.logprob == -9999.0
        assert len(entry.top_logprobs) == 2
        assert bytes(entry.bytes).decode() == entry.token


def test_streamed_logprobs_are_the_same(client, picture_uri):
    whole = ask(client, picture_uri, logprobs=True).choices[0].logprobs.content
    chunks = [chunk.choices[0] for chunk in ask(client, picture_uri, logprobs=True, stream=True)]
    streamed = [entry for choice in chunks if choice.logprobs for entry in choice.logprobs.content]
    assert [entry.token for entry in streamed] == [entry.token for entry in whole]


def test_several_answers_draw_with_seeds_that_follow_each_other(client, picture_uri):
    options = {"temperature": 1.5, "max_tokens": 12, "extra_body": {}}
    together = [choice.message.content for choice in ask(client, picture_uri, n=3, seed=5, **options).choices]
    alone = [ask(client, picture_uri, seed=seed, **options).choices[0].message.content for seed in (5, 6, 7)]
    assert together == alone
    chunks = list(ask(client, picture_uri, n=3, seed=5, stream=True, **options))
    streamed = ["", "", ""]
    for chunk in chunks:
        streamed[chunk.choices[0].index] += chunk.choices[0].delta.content or ""
    assert streamed == alone


def test_words_alone_and_several_pictures_are_answered(client, picture_uri):
    def said(*urls, **options):
        messages = [{"role": "system", "content": "Be brief."}, user(WORDS, *urls)]
        return client.chat.completions.create(model="workbench", messages=messages, max_tokens=4, **options).usage

    alone = client.chat.completions.create(
        model="workbench", messages=[{"role": "user", "content": "Hi"}], max_tokens=4
    )
    assert alone.usage.prompt_tokens_details.image_tokens == 0
    assert alone.choices[0].message.content
    one, two = said(picture_uri), said(picture_uri, picture_uri)
    places = one.prompt_tokens_details.image_tokens
    assert two.prompt_tokens_details.image_tokens == 2 * places


def test_a_system_message_is_what_the_model_is_told(client, picture_uri):
    def prompt_tokens(*system):
        messages = [*({"role": role, "content": "Be brief."} for role in system), user(WORDS, picture_uri)]
        return client.chat.completions.create(model="workbench", messages=messages, max_tokens=1).usage.prompt_tokens

    assert prompt_tokens("system") == prompt_tokens("developer") < prompt_tokens("system", "developer")
    assert prompt_tokens() != prompt_tokens("system")


def test_an_answer_is_sent_back_with_the_next_question(client, picture_uri, picture_bytes):
    first = ask(client, picture_uri)
    messages = [user(WORDS, picture_uri), first.choices[0].message, user("And what colour are they?")]
    second = client.chat.completions.create(model="workbench", messages=messages, extra_body={"task_type": "vqa"})
    with ViModel() as model:
        history = [Turn("user", WORDS, 1), Turn("assistant", first.choices[0].message.content)]
        question = "And what colour are they?"
        answer, error = model(Pictures(picture_bytes), question, task_type="vqa", history=history)
    assert error is None
    assert second.choices[0].message.content == answer.raw_output
    assert second.usage.prompt_tokens == answer.usage.prompt_tokens > first.usage.total_tokens
    assert second.usage.prompt_tokens_details.image_tokens == first.usage.prompt_tokens_details.image_tokens


def test_a_clip_is_asked_about_alone(client, picture_uri):
    clip = f"data:video/mp4;base64,{base64.b64encode(film()).decode()}"
    messages = [user(WORDS, clip, kind="video_url")]
    seen = client.chat.completions.create(model="workbench", messages=messages, max_tokens=4, extra_body={"fps": 1})
    assert seen.usage.prompt_tokens_details.image_tokens > 0
    messages[0]["content"].append({"type": "image_url", "image_url": {"url": picture_uri}})
    with pytest.raises(openai.BadRequestError, match="asked about alone"):
        client.chat.completions.create(model="workbench", messages=messages)


def test_a_stop_string_ends_the_answer_before_it(client, picture_uri):
    completion = ask(client, picture_uri, stop=[" gear"], extra_body={"task_type": "generic"})
    (choice,) = completion.choices
    assert " gear" not in choice.message.content
    assert choice.model_extra["stop_reason"] in ("stop_string", "stop", "length")


@pytest.mark.parametrize("name", ["max_tokens", "max_completion_tokens"])
def test_the_cap_cuts_the_answer(client, picture_uri, name):
    completion = ask(client, picture_uri, extra_body={"task_type": "generic"}, **{name: 2})
    assert completion.usage.completion_tokens == 2
    assert completion.choices[0].finish_reason == "length"


def test_thinking_stands_beside_the_answer(client, picture_uri):
    extra = {"task_type": "vqa", "cot": True}
    message = ask(client, picture_uri, extra_body=extra, max_tokens=60).choices[0].message
    assert "<think>" not in (message.content or "")
    streamed = [
        chunk.choices[0].delta for chunk in ask(client, picture_uri, extra_body=extra, max_tokens=60, stream=True)
    ]
    assert "".join(delta.content or "" for delta in streamed).strip() == message.content
    thought = "".join((delta.model_extra or {}).get("reasoning_content") or "" for delta in streamed)
    assert thought.strip() == (message.model_extra["reasoning_content"] or "")


WRONG = {
    "no such model": ({"model": "gpt-4o"}, 404, "model_not_found", "model"),
    "temperature": ({"temperature": 3}, 400, "invalid_value", "temperature"),
    "max_tokens": ({"max_tokens": 0}, 400, "invalid_value", "max_tokens"),
    "top_k": ({"extra_body": {"top_k": 1000}}, 400, "invalid_value", "top_k"),
    "unknown": ({"extra_body": {"temprature": 1}}, 400, "unknown_parameter", "temprature"),
    "misspelt": ({"extra_body": {"top_kk": 1}}, 400, "unknown_parameter", "top_kk"),
    "tools": ({"extra_body": {"tools": []}}, 400, "unknown_parameter", "tools"),
    "penalty": ({"presence_penalty": 0.5}, 400, "invalid_value", "presence_penalty"),
    "task": ({"extra_body": {"task_type": "nope"}}, 400, "invalid_value", None),
    "n": ({"n": 100}, 400, "too_many_choices", "n"),
    "top_logprobs": ({"top_logprobs": 3}, 400, "invalid_value", "top_logprobs"),
    "schema": (
        {
            "response_format": {"type": "json_schema", "json_schema": {"name": "x", "schema": {"not": {}}}},
            "extra_body": {},
        },
        400,
        "invalid_schema",
        "response_format",
    ),
}


@pytest.mark.parametrize("case", WRONG, ids=WRONG)
@pytest.mark.parametrize("stream", [False, True])
def test_what_is_wrong_is_said_in_openais_envelope(client, picture_uri, case, stream):
    options, status, code, param = WRONG[case]
    arguments = {"model": "workbench", "messages": [user(WORDS, picture_uri)], "stream": stream, **options}
    with pytest.raises(openai.APIStatusError) as caught:
        client.chat.completions.create(**arguments)
    error = caught.value
    assert (error.status_code, error.code, error.param) == (status, code, param)
    assert error.request_id


@pytest.mark.parametrize(
    ("messages", "code"),
    [
        ([{"role": "system", "content": "Be brief."}], "conversation_not_supported"),
        ([user("a"), {"role": "assistant", "content": "b"}], "conversation_not_supported"),
        ([user("a"), user("b")], "conversation_not_supported"),
        ([user("a"), {"role": "system", "content": "b"}, user("c")], "conversation_not_supported"),
        ([{"role": "tool", "content": "a", "tool_call_id": "b"}], "unknown_parameter"),
        ([user("a"), {"role": "assistant", "content": None}, user("c")], "invalid_prompt"),
        ([user("a", "/etc/passwd")], "invalid_source"),
        ([user("a", "file:///etc/passwd")], "invalid_source"),
        ([user("a", "data:image/png;base64,AAAA")], "invalid_source"),
        ([user("", "data:image/png;base64,AAAA")], "invalid_prompt"),
        ([{"role": "user", "content": "  "}], "invalid_prompt"),
        ([], "invalid_value"),
    ],
)
def test_a_conversation_that_cannot_be_answered_is_refused_clearly(client, messages, code):
    with pytest.raises(openai.BadRequestError) as caught:
        client.chat.completions.create(model="workbench", messages=messages)
    assert caught.value.code == code
    assert "passwd" not in str(caught.value)


def test_models_are_listed_by_name(client):
    assert [model.id for model in client.models.list()] == ["workbench"]
    assert client.models.retrieve("workbench").id == "workbench"
    with pytest.raises(openai.NotFoundError):
        client.models.retrieve("other")
