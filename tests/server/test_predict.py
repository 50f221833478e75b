"""``/v1/predict``: our typed answers over HTTP."""

from __future__ import annotations

import json
from pathlib import Path

import httpx
import pytest

from vi.inference import ViModel
from vi.inference.task_types import FreeformResponse, PhraseGroundingResponse, VQAResponse

WORDS = "How many gears are there?"
CLASSES = {kind.__name__: kind for kind in (FreeformResponse, PhraseGroundingResponse, VQAResponse)}


def events(response: httpx.Response) -> list[tuple[str, dict]]:
    """(name, data) of each."""
    found = []
    for block in response.text.strip().split("\n\n"):
        name, data = block.split("\n")
        found.append((name.removeprefix("event: "), json.loads(data.removeprefix("data: "))))
    return found


def typed(reply: dict):
    facts = dict(reply["response"])
    return CLASSES[facts.pop("type")].model_validate_json(json.dumps(facts))


@pytest.fixture(scope="module")
def model():
    with ViModel() as found:
        yield found


@pytest.mark.parametrize("task", ["vqa", "freeform", "phrase-grounding"])
def test_the_answer_is_the_python_calls_own_type_again(http, model, picture_bytes, picture_uri, task):
    asked = {"source": picture_uri, "user_prompt": WORDS, "task_type": task, "generation_config": {"logprobs": 1}}
    reply = http.post("/v1/predict", json=asked).json()
    expected, _ = model(picture_bytes, WORDS, task_type=task, generation_config={"logprobs": 1})
    answer = typed(reply)
    assert (answer.result, answer.raw_output) == (expected.result, expected.raw_output)
    assert [token.token_id for token in answer.logprobs] == [token.token_id for token in expected.logprobs]
    assert reply["model"] == "workbench"


def test_a_form_with_a_file_is_the_same_question(http, picture_bytes, picture_uri):
    fields = {"user_prompt": WORDS, "task_type": "vqa", "generation_config": '{"max_new_tokens": 30}', "cot": "false"}
    form = http.post("/v1/predict", files={"file": ("a.jpg", picture_bytes)}, data=fields).json()
    asked = {"source": picture_uri, "user_prompt": WORDS, "task_type": "vqa"}
    whole = http.post("/v1/predict", json={**asked, "generation_config": {"max_new_tokens": 30}}).json()
    assert typed(form).result == typed(whole).result


def test_a_preset_may_be_named(http, picture_uri, picture_bytes):
    asked = {"source": picture_uri, "user_prompt": WORDS, "task_type": "vqa", "generation_config": "deterministic"}
    assert http.post("/v1/predict", json=asked).json()["response"]["generation"]["max_new_tokens"]["value"] == 256
    files, data = {"file": picture_bytes}, {"user_prompt": WORDS, "generation_config": "deterministic"}
    answer = http.post("/v1/predict", files=files, data=data).json()["response"]
    assert answer["generation"]["max_new_tokens"]["value"] == 256


def test_events_end_with_the_typed_answer_and_their_text_is_the_models(http, picture_uri):
    asked = {"source": picture_uri, "user_prompt": WORDS, "task_type": "vqa", "generation_config": {"logprobs": 1}}
    response = http.post("/v1/predict", json={**asked, "stream": True})
    assert response.headers["content-type"].startswith("text/event-stream")
    found = events(response)
    assert all(data["type"] == name for name, data in found)
    assert [name for name, _ in found].count("done") == 1
    name, done = found[-1]
    assert name == "done"
    assert "".join(data["text"] for name, data in found if name == "text") == done["response"]["raw_output"]
    tokens = [data for name, data in found if name == "token"]
    assert [token["token_id"] for token in tokens] == [token["token_id"] for token in done["response"]["logprobs"]]
    assert typed(done).result.answer


def test_boxes_are_events(http, picture_uri):
    asked = {"source": picture_uri, "task_type": "phrase-grounding", "stream": True}
    found = events(http.post("/v1/predict", json=asked))
    boxes = [(data["phrase"], data["box"]) for name, data in found if name == "box"]
    answer = typed(found[-1][1])
    assert boxes == [(each.phrase, list(box)) for each in answer.result.groundings for box in each.grounding]
    assert boxes


def test_a_schema_of_ones_own_is_kept_to(http, picture_uri):
    schema = {
        "type": "object",
        "properties": {"n": {"type": "integer", "minimum": 0, "maximum": 9}},
        "required": ["n"],
        "additionalProperties": False,
    }
    reply = http.post("/v1/predict", json={"source": picture_uri, "response_format": schema}).json()
    assert set(json.loads(reply["response"]["result"])) == {"n"}


def test_a_sample_of_the_server_is_a_picture_for_it(http):
    (first, *_) = http.get("/v1/config").json()["samples"]
    picture = http.get(first["url"])
    assert picture.headers["content-type"].startswith("image/")
    assert http.post("/v1/predict", files={"file": picture.content}, data={"user_prompt": WORDS}).status_code == 200


BROKEN = "data:image/png;base64,////"

WRONG = [
    ({}, 400, "missing_parameter", "source"),
    ({"source": 3}, 400, "invalid_value", "source"),
    ({"source": "shots/"}, 400, "invalid_source", "source"),
    ({"source": "@list.txt"}, 400, "invalid_source", "source"),
    ({"source": str(Path(__file__))}, 400, "invalid_source", "source"),
    ({"source": BROKEN, "user_prompt": "x"}, 400, "invalid_source", "source"),
    ({"source": BROKEN, "generation_config": {"top_k": 0}}, 400, "invalid_value", "generation_config"),
    ({"source": BROKEN, "generation_config": "no"}, 400, "invalid_value", "generation_config"),
    ({"source": BROKEN, "user_prompt": " "}, 400, "invalid_prompt", "user_prompt"),
    ({"source": BROKEN, "fps": 0}, 400, "invalid_value", "fps"),
    ({"source": BROKEN, "model": "other"}, 404, "model_not_found", "model"),
    ({"source": BROKEN, "tsk": 1}, 400, "unknown_parameter", "tsk"),
]  # fmt: skip


@pytest.mark.parametrize(("asked", "status", "code", "param"), WRONG)
def test_what_is_wrong_is_named(http, asked, status, code, param):
    response = http.post("/v1/predict", json=asked)
    error = response.json()["error"]
    assert (response.status_code, error["code"], error["param"]) == (status, code, param)
    assert str(Path(__file__).parent) not in response.text


BODIES = [
    (b"", "application/json", 400),
    (b"{", "application/json", 400),
    (b"[1]", "application/json", 400),
    (b'"x"', "application/json", 400),
    (b"\xff\xfe", "application/json", 400),
    (b'{"source": "\\ud800"}', "application/json", 400),
    (b"[" * 100_000, "application/json", 400),
    (b"source=x", "application/x-www-form-urlencoded", 415),
    (b"hello", "text/plain", 415),
    (b"hello", "multipart/form-data", 400),
    (b"--a\r\nno", "multipart/form-data; boundary=a", 400),
    (b'--a\r\nContent-Disposition: form-data; name="x"\r\n\r\n1\r\n--a--\r\n', "multipart/form-data; boundary=a", 400),
]


@pytest.mark.parametrize(("body", "kind", "status"), BODIES)
@pytest.mark.parametrize("path", ["/v1/predict", "/v1/chat/completions"])
def test_a_malformed_body_is_refused_in_the_envelope(http, path, body, kind, status):
    response = http.post(path, content=body, headers={"content-type": kind})
    assert response.status_code == status or (path != "/v1/predict" and response.status_code in (400, 415))
    assert set(response.json()["error"]) == {"message", "type", "param", "code"}
    assert "Traceback" not in response.text
    assert http.get("/health").status_code == 200


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:1/x.png",
        "http://localhost/x.png",
        "http://[::1]/x.png",
        "http://10.0.0.1/x.png",
        "http://169.254.169.254/latest/meta-data",
        "http://0x7f000001/x.png",
        "http://[::ffff:127.0.0.1]/x.png",
    ],
)
def test_no_address_of_this_network_is_asked(http, url):
    response = http.post("/v1/predict", json={"source": url, "user_prompt": "x"})
    error = response.json()["error"]
    assert (response.status_code, error["code"]) == (400, "invalid_source")
    named = url.split("/")[2]
    for address in ("127.0.0.1", "::1", "10.0.0.1"):
        assert address in named or address not in error["message"]
