from html.parser import HTMLParser

import pytest
from tests.cli.choosing import DRAWN, FAVOURITE, FORCED, HELD, answer, token

from vi.cli.explain_page import write_page
from vi.inference import ConfigError


class Page(HTMLParser):
    """The elements of a page: (tag, attributes), and its text."""

    def __init__(self, text):
        super().__init__()
        self.elements, self.words = [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data):
        self.words.append(data)

    def of(self, tag, name):
        return [attrs for each, attrs in self.elements if each == tag and name in attrs.get("class", "").split()]


@pytest.fixture
def page(tmp_path):
    def write(*answers):
        write_page(tmp_path / "new" / "page.html", [(f"{number}.png", each) for number, each in enumerate(answers)])
        return Page((tmp_path / "new" / "page.html").read_text(encoding="utf-8"))

    return write


def test_every_token_has_a_bar_before_and_after_as_high_as_its_probability(page):
    found = page(answer(FORCED, FAVOURITE, DRAWN, HELD))
    assert [round(float(rect["height"]) / 120, 2) for rect in found.of("rect", "before")] == [0.2, 0.7, 0.2, 0.1]
    assert [round(float(r["height"]) / 120, 2) for r in found.of("rect", "after")[:3]] == [1.0, 0.9, 0.3]


def test_what_decided_a_token_is_marked(page):
    found = page(answer(FORCED, FAVOURITE, DRAWN, HELD))
    assert [each["class"] for tag, each in found.elements if tag == "li" and "id" in each] == [
        "grammar",
        "model",
        "draw",
        "restricted",
    ]
    assert len(found.of("tr", "removed")) == 2
    assert "forced by the grammar" in " ".join(found.words)


def test_every_column_leads_to_its_token(page):
    found = page(answer(FORCED, DRAWN), answer(FAVOURITE))
    ids = {attrs["id"] for tag, attrs in found.elements if tag == "li" and "id" in attrs}
    assert [attrs["href"][1:] in ids for tag, attrs in found.elements if tag == "a"] == [True] * 3


def test_what_a_model_or_a_user_writes_is_text_and_nothing_is_fetched(page):
    found = page(answer(token("<script>alert(1)</script>", 0.5, 0.5), prompt="<img src=x>"))
    assert not {"script", "img", "link", "iframe"} & {tag for tag, _ in found.elements}
    assert not [attrs for _, attrs in found.elements if "src" in attrs]
    assert any("default-src 'none'" in attrs.get("content", "") for _, attrs in found.elements)


def test_a_page_that_cannot_be_written_says_so(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match="cannot be written"):
        write_page(tmp_path / "file" / "page.html", [("a", answer(FAVOURITE))])
