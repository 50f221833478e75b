"""Pictures of the page for the documentation, with the embedded run's own answers.

They are made only when asked for, so that a plain run of the tests changes no file: VI_SCREENSHOTS=1 pytest ...
"""

from __future__ import annotations

import os
from fractions import Fraction
from pathlib import Path

import pytest

pytest.importorskip("playwright", reason="playwright is not installed: pip install playwright")

import av
from PIL import Image
from tests.playground.conftest import PHONE

from vi.workbench import sample

IMAGES = Path(__file__).parents[2] / "docs" / "images"

pytestmark = pytest.mark.skipif(not os.environ.get("VI_SCREENSHOTS"), reason="pictures are made with VI_SCREENSHOTS=1")


def save(page, name, where=None):
    """A picture of the window, or of one element."""
    page.wait_for_timeout(600)  # what appears has appeared
    (where or page).screenshot(path=IMAGES / f"playground-{name}.png")


def pan(path):
    """A clip: four seconds across the sample picture ``wood.jpg``."""
    picture = Image.open(sample("wood.jpg")).convert("RGB")
    with av.open(path, "w") as output:
        stream = output.add_stream("libx264", rate=10)
        stream.width, stream.height, stream.pix_fmt = 320, 240, "yuv420p"
        for number in range(40):
            shown = picture.crop((8 * number, 3 * number, 8 * number + 320, 3 * number + 240))
            frame = av.VideoFrame.from_image(shown)
            frame.pts, frame.time_base = number, Fraction(1, 10)
            output.mux(stream.encode(frame))
        output.mux(stream.encode(None))
    return path


def unsure(card):
    """The mark of a token that was far from certain."""
    marks = card.locator(":scope > .tokens .token:not(.forced)")
    sure = marks.evaluate_all("all => all.map((one) => Number(one.style.getPropertyValue('--p')))")
    return marks.nth(sure.index(min(sure)))


def test_settings_side_by_side(playground):
    playground.pick("parts.png")
    playground.setting("B").get_by_label("Temperature", exact=True).fill("1")
    playground.choose(prompt="What objects are visible?", seeds=3)
    playground.answers()
    save(playground.page, "compare")
    unsure(playground.run("B", 0)).hover()
    save(playground.page, "token")


def test_boxes_in_the_dark(open_page):
    playground = open_page(color_scheme="dark")
    playground.pick("bolts.jpg")
    playground.choose(prompt="Locate all parts.", task="phrase-grounding", seeds=2)
    playground.answers()
    save(playground.page, "boxes")


def test_a_clip(playground, tmp_path):
    playground.bring(pan(tmp_path / "clip.mp4"))
    playground.choose(prompt="What happens here?", task="video-freeform", seeds=1)
    playground.page.get_by_label("Frames a second").fill("2")
    playground.answers()
    save(playground.page, "clip", where=playground.page.locator(".stage"))


def test_code(playground):
    playground.pick("parts.png")
    playground.page.get_by_role("button", name="As code").click()
    playground.page.get_by_role("tab", name="curl").click()
    save(playground.page, "code", where=playground.page.get_by_role("dialog"))


def test_a_phone(open_page):
    playground = open_page(viewport=PHONE, has_touch=True, is_mobile=True, device_scale_factor=2)
    playground.pick("wood.jpg")
    playground.choose(prompt="How many gears are there?", seeds=2)
    playground.page.get_by_label("Think first").check()
    playground.answers()
    playground.page.locator(".answers").evaluate("one => one.scrollIntoView()")
    save(playground.page, "phone")
    card = playground.run("B", 0)
    card.locator(".thinking summary").tap()
    unsure(card).tap()
    save(playground.page, "phone-token")
