"""Requests made up from the server's own OpenAPI description: whatever they are, the answer is as described."""

from __future__ import annotations

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis import GenerationMode
from schemathesis.checks import load_all_checks, not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_schema_conformance,
    status_code_conformance,
    unsupported_method,
)

load_all_checks()
# Not among them: that all a schema allows is accepted. A URL that leads nowhere fits the schema and is refused.
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
    negative_data_rejection,
    unsupported_method,
]
QUIET = {"deadline": None, "suppress_health_check": list(HealthCheck), "database": None}


ROUTES = [
    ("GET", "/v1/models"),
    ("GET", "/v1/models/{name}"),
    ("GET", "/v1/config"),
    ("GET", "/v1/samples/{name}"),
    ("GET", "/health"),
    ("GET", "/ready"),
    ("GET", "/metrics"),
    ("POST", "/v1/chat/completions"),
    ("POST", "/v1/predict"),
]
TRIED = [
    *((route, GenerationMode.POSITIVE) for route in ROUTES),
    *((route, GenerationMode.NEGATIVE) for route in ROUTES if route[0] == "POST"),  # the others take anything
]


@pytest.fixture(scope="module")
def api(server):
    return schemathesis.openapi.from_url(f"{server.url}/openapi.json")


def check(api, route, mode, examples):
    method, path = route
    strategy = api[path][method].as_strategy(generation_mode=mode)

    @settings(max_examples=examples, **QUIET)
    @given(case=strategy)
    def is_as_described(case):
        is_form = case.media_type == "multipart/form-data"  # in which a number and its text are the same
        case.call_and_validate(checks=[one for one in CHECKS if not (is_form and one is negative_data_rejection)])

    is_as_described()


def test_all_that_is_described_is_tried(api):
    assert sorted(ROUTES) == sorted((each.ok().method.upper(), each.ok().path) for each in api.get_all_operations())


@pytest.mark.parametrize(("route", "mode"), TRIED, ids=str)
def test_the_answer_is_as_described(api, route, mode):
    check(api, route, mode, 12)


@pytest.mark.slow
@pytest.mark.parametrize(("route", "mode"), TRIED, ids=str)
def test_the_answer_is_as_described_many_times(api, route, mode):
    check(api, route, mode, 200)
