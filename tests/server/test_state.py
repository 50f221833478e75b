"""What the server says of itself: metrics, configuration, pages, OpenAPI."""

from __future__ import annotations

import re

import pytest
from prometheus_client.parser import text_string_to_metric_families

from vi.inference import ViModel
from vi.inference.generation_config import PRESETS, GenerationConfig
from vi.inference.task_types import TASKS
from vi.workbench import samples


def metric(http, name, **labels):
    for family in text_string_to_metric_families(http.get("/metrics").text):
        for sample in family.samples:
            if sample.name == name and labels.items() <= sample.labels.items():
                return sample.value
    return 0.0


def test_answers_are_counted(http, picture_uri):
    def counted():
        return [
            metric(http, "vi_tokens_total", model="workbench", kind="completion"),
            metric(http, "vi_tokens_total", model="workbench", kind="image"),
            metric(http, "vi_time_to_first_token_seconds_count", model="workbench"),
            metric(http, "vi_token_seconds_count", model="workbench"),
            metric(http, "vi_requests_total", route="/v1/predict", status="200"),
            metric(http, "vi_errors_total", code="invalid_source"),
        ]

    before = counted()
    asked = {"source": picture_uri, "user_prompt": "How many gears?"}
    usage = http.post("/v1/predict", json=asked).json()["response"]["usage"]
    http.post("/v1/predict", json={**asked, "source": "nowhere"})
    more = [after - once for after, once in zip(counted(), before, strict=True)]
    assert more == [usage["completion_tokens"], usage["image_tokens"], 1, 1, 1, 1]
    asked_again = http.post("/v1/predict", json=asked).json()["response"]["usage"]
    assert asked_again["cached_tokens"] > 0
    assert metric(http, "vi_tokens_total", kind="cached") > 0


@pytest.mark.parametrize("name", ["vi_underway", "vi_running", "vi_queue", "vi_models_loaded"])
def test_gauges_tell_the_present(http, name):
    assert metric(http, name) == (1 if name == "vi_models_loaded" else 0)


def test_the_page_is_built_from_the_configuration(http):
    config = http.get("/v1/config").json()
    assert config["schema"] == GenerationConfig.model_json_schema()
    assert config["presets"] == {name: dict(preset.values) for name, preset in PRESETS.items()}
    assert config["tasks"] == list(TASKS)
    assert [sample["name"] for sample in config["samples"]] == [path.name for path in samples()]
    assert config["limits"]["tokens"] == 4096
    with ViModel() as model:
        assert config["defaults"] == {"workbench": model.generation_config.model_dump(mode="json")}
    assert config["defaults"]["workbench"]["repetition_penalty"] == 1.0  # the run's own, not the documented one


@pytest.mark.parametrize(
    "path", ["../keys.py", "..%2fkeys.py", "%2e%2e/keys.py", "/etc/passwd", "%00", "", "nothing.js"]
)
def test_nothing_but_the_pages_own_files_is_served(http, path):
    for root in ("/playground/", "/v1/samples/"):
        assert http.get(root + path).status_code in (404, 405)


def test_the_page_is_at_the_root(http):
    page = http.get("/")
    assert page.headers["content-type"].startswith("text/html")
    for link in re.findall(r'(?:src|href)="(/?playground/[^"]+)"', page.text):
        assert http.get(f"/{link.lstrip('/')}").status_code == 200


def test_openapi_names_every_route(http):
    paths = http.get("/openapi.json").json()["paths"]
    assert {"/v1/chat/completions", "/v1/predict", "/v1/models", "/v1/config", "/health", "/ready", "/metrics"} <= set(
        paths
    )
    assert all(path in http.get("/docs").text for path in paths)
    assert "422" not in http.get("/openapi.json").text


def test_what_is_not_there_is_an_error_in_the_envelope(http):
    for response in (http.get("/nothing"), http.delete("/v1/predict")):
        assert set(response.json()["error"]) == {"message", "type", "param", "code"}
    assert http.delete("/v1/predict").status_code == 405
