"""The page about a batch, read as a browser would, and the file of its boxes."""

from __future__ import annotations

import base64
import io
import json
from html.parser import HTMLParser

import pytest
from PIL import Image

from vi.inference.batch.cards import LONGEST_SIDE
from vi.inference.batch.coco import write_coco
from vi.inference.batch.columns import COLUMNS
from vi.inference.batch.histogram import histogram
from vi.inference.batch.input import entries
from vi.inference.batch.report import MOST_CARDS, MOST_ERRORS, write_report
from vi.inference.errors import ConfigError

VOID = {"meta", "img", "input", "br", "link"}
LOADS = {"src", "href", "srcset", "action", "poster", "data"}


class Page(HTMLParser):
    """Its elements, its text, and whether every element ends where it should."""

    def __init__(self, path):
        super().__init__()
        self.elements, self.texts, self._open = [], [], []
        self.feed(path.read_text(encoding="utf-8"))
        self.close()
        assert self._open == []

    def handle_starttag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))
        if tag not in VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))

    def handle_endtag(self, tag):
        assert self._open.pop() == tag

    def handle_data(self, data):
        self.texts.append((self._open[-1] if self._open else "", data))

    def all(self, tag, **wanted):
        return [found for name, found in self.elements if name == tag and wanted.items() <= found.items()]

    def text(self):
        return " ".join(data for tag, data in self.texts if tag not in ("script", "style"))


def a_row(entry, **facts):
    costs = {"completion_tokens": 9, "prompt_tokens": 70, "seconds": 0.25, "finish_reason": "stop", "task": "vqa"}
    key = str(entry.key("0" * 12, "0" * 12))
    return dict.fromkeys(COLUMNS) | costs | {"source": entry.label, "prompt": "What?", "key": key} | facts


@pytest.fixture
def rows(shots):
    """Answers of each kind about five pictures."""
    boxes = [{"phrase": "a <bolt>", "box": [0, 512, 512, 1024]}, {"phrase": "a nut", "box": [900, 10, 800, 20]}]
    facts = [
        {"answer": 'Five & "six" <script>alert(1)</script>', "confidence": 0.9},
        {"sentence": "A bolt and a nut.", "boxes": boxes, "width": 32, "height": 24, "thinking": "Let me look."},
        {"sentence": "Nothing here.", "boxes": [], "width": 32, "height": 24},
        {"text": "漢字 😀\x1b[31m", "warnings": ["odd"]},
        {"error_type": "SourceError", "error": "It is <broken>.", "completion_tokens": None, "seconds": None},
    ]
    found = list(entries(sorted(shots.iterdir())))
    return [a_row(entry, **each) for entry, each in zip(found, facts, strict=True)]


@pytest.fixture
def page(rows, shots, tmp_path):
    path = tmp_path / "new" / "report.html"
    write_report(path, lambda: rows, sorted(shots.iterdir()), title="shots & more", facts={"model": "<m>"})
    return Page(path)


def test_the_page_loads_nothing_from_elsewhere(page):
    for _, attributes in page.elements:
        for name in LOADS & attributes.keys():
            assert attributes[name].startswith("data:image/jpeg;base64,")
    (policy,) = page.all("meta", **{"http-equiv": "Content-Security-Policy"})
    assert policy["content"].startswith("default-src 'none'; img-src data:;")
    style = "".join(data for tag, data in page.texts if tag == "style")
    assert "url(" not in style
    assert "@import" not in style
    assert "prefers-color-scheme: dark" in style


def test_what_models_and_files_say_is_text_and_never_markup(page):
    assert 'Five & "six" <script>alert(1)</script>' in page.text()
    assert "SourceError: It is <broken>." in page.text()
    assert "shots & more" in page.text()
    assert "\x1b" not in page.text()
    assert len(page.all("script")) == 1


def test_every_row_is_a_card_with_its_picture(page, rows):
    cards = page.all("article")
    assert [card["class"] for card in cards] == ["answered"] * 4 + ["failed"]
    assert all(card["tabindex"] == "0" for card in cards)
    assert len(page.all("img")) == 5
    for image in page.all("img"):
        assert image["alt"]
        data = base64.b64decode(image["src"].partition(",")[2])
        with Image.open(io.BytesIO(data)) as picture:
            assert max(picture.size) <= LONGEST_SIDE
    assert "Let me look." in page.text()


def test_boxes_are_drawn_where_they_are(page):
    boxes = [each for each in page.all("rect") if "stroke" in each]
    assert [(each["x"], each["y"], each["width"], each["height"]) for each in boxes] == [
        ("0", "512", "512", "512"),
        ("800", "10", "100", "10"),
    ]
    assert boxes[0]["stroke"] != boxes[1]["stroke"]


def test_every_field_has_a_label(page):
    labels = {label.get("for") for label in page.all("label")}
    for name in ("filter", "kind"):
        assert name in labels
    assert page.all("input", id="filter", type="search")
    assert page.all("figure")


def test_a_page_about_many_rows_is_bounded_and_shows_errors_and_all_parts(tmp_path, shots):
    (entry, *_) = entries(sorted(shots.iterdir()))
    count = 5_000
    rows = [
        a_row(entry, id=str(n), **({"error_type": "SourceError", "error": "bad"} if n % 10 == 3 else {"answer": "x"}))
        for n in range(count)
    ]
    path = tmp_path / "report.html"
    write_report(path, lambda: iter(rows), [shots / "0.png"], title="many", facts={})
    cards = Page(path).all("article")
    assert MOST_CARDS - 1 <= len(cards) <= MOST_CARDS
    assert sum(card["class"] == "failed" for card in cards) == MOST_ERRORS
    assert f"{len(cards)} of 5,000 rows" in Page(path).text()
    shown = [int(text) for tag, text in Page(path).texts if tag == "h3"]
    assert shown == sorted(shown)
    assert max(shown) > 0.98 * count


def test_a_page_without_rows_or_pictures_is_one_too(tmp_path, rows):
    path = tmp_path / "report.html"
    write_report(path, list, [], title="none", facts={})
    assert "0 rows" in Page(path).text()
    write_report(path, lambda: rows, [], title="none found", facts={})
    assert Page(path).text().count("no picture") == 5


def test_a_page_that_cannot_be_written_is_told(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(ConfigError, match="cannot be written"):
        write_report(tmp_path / "file" / "a.html", list, [], title="", facts={})


@pytest.mark.parametrize(
    ("values", "bars", "said"),
    [
        ([3, 3, 3], 1, "3 to 3, median 3, 3 rows"),
        ([1, 2, 2, 9], 3, "1 to 9, median 2, 4 rows"),
        ([0.5], 1, "0.5 to 0.5, median 0.5, 1 row"),
        ([float(n) for n in range(1000)], 24, "0 to 999, median 500, 1,000 rows"),
    ],
)
def test_a_histogram_counts_every_value_and_says_so(values, bars, said):
    svg = histogram(values, "Tokens")
    assert svg.count("<rect") == bars
    assert f'aria-label="Tokens: {said}"' in svg
    counts = [int(part.split(": ")[-1].replace(",", "")) for part in svg.split("</title>")[:-1]]
    assert sum(counts) == len(values)


def test_coco_has_pixels_of_every_box_and_every_picture(rows, tmp_path):
    assert write_coco(tmp_path / "boxes.json", rows) == (2, 0)
    coco = json.loads((tmp_path / "boxes.json").read_text(encoding="utf-8"))
    assert [image["file_name"] for image in coco["images"]] == [rows[1]["source"], rows[2]["source"]]
    assert [each["bbox"] for each in coco["annotations"]] == [[0, 12, 16, 12], [25, 0, 3, 0]]
    assert [each["image_id"] for each in coco["annotations"]] == [1, 1]
    assert coco["categories"] == [{"id": 1, "name": "a <bolt>"}, {"id": 2, "name": "a nut"}]
    assert coco["annotations"][0] == {
        "id": 1, "image_id": 1, "category_id": 1, "bbox": [0, 12, 16, 12], "area": 192, "iscrowd": 0,
    }  # fmt: skip


def test_coco_leaves_out_pictures_whose_size_is_not_known_and_counts_them(rows, tmp_path):
    rows[1] |= {"width": None, "height": None}
    assert write_coco(tmp_path / "boxes.json", rows) == (0, 1)
    assert json.loads((tmp_path / "boxes.json").read_text())["annotations"] == []
