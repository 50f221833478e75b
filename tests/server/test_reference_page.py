"""The page about the API says all that the OpenAPI description says, and needs nothing from anywhere else."""

from __future__ import annotations

from html.parser import HTMLParser

import pytest

from vi.server.app import create_app
from vi.server.reference_page import reference_page
from vi.server.settings import ServerSettings

VOID = {"meta", "br"}


class Page(HTMLParser):
    """Its text, links and the places they may lead to; what is opened is closed."""

    def __init__(self, html):
        super().__init__()
        self.text, self.links, self.ids, self.open, self.tags = "", [], set(), [], set()
        self.feed(html)

    def handle_starttag(self, tag, attributes):
        self.tags.add(tag)
        self.links += [value for name, value in attributes if name in ("href", "src")]
        self.ids |= {value for name, value in attributes if name == "id"}
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data


@pytest.fixture(scope="module")
def description():
    return create_app(ServerSettings()).openapi()


@pytest.fixture(scope="module")
def page(description):
    return Page(reference_page(description))


def test_every_route_and_every_field_is_on_it(page, description):
    for path, methods in description["paths"].items():
        for method, route in methods.items():
            assert f"{method.upper()} {path}" in page.text
            assert all(status in page.text for status in route["responses"])
    for name, schema in description["components"]["schemas"].items():
        assert name in page.ids
        for field, about in schema.get("properties", {}).items():
            assert field in page.text
            assert about.get("description", "").replace("``", "") in page.text


def test_it_fetches_nothing_and_its_links_lead_somewhere(page):
    assert page.open == []
    assert page.tags.isdisjoint({"script", "link", "img", "iframe"})
    assert {link.removeprefix("#") for link in page.links if link.startswith("#")} <= page.ids
    assert {link for link in page.links if not link.startswith("#")} == {"openapi.json", "."}


def test_what_a_description_says_is_text():
    nasty = "<script>alert(1)</script>"
    schema = {"type": "object", "description": nasty, "properties": {nasty: {"type": "string", "default": nasty}}}
    route = {"description": nasty, "responses": {"200": {"description": nasty}}}
    told = {
        "info": {"title": nasty, "version": nasty, "description": nasty},
        "paths": {f"/{nasty}": {"get": route}},
        "components": {"schemas": {nasty: schema}},
    }
    assert "<script" not in reference_page(told)
