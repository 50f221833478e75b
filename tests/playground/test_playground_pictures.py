"""Pictures and clips: the ways in, boxes on them, frames of a clip."""

from __future__ import annotations

import base64
import json

import pytest

pytest.importorskip("playwright", reason="playwright is not installed: pip install playwright")

from tests.inference.media.films import film

from vi.workbench import sample

DROP = """([name, type, text]) => {
    const data = new DataTransfer();
    const bytes = Uint8Array.from(atob(text), (one) => one.charCodeAt(0));
    data.items.add(new File([bytes], name, {type}));
    for (const kind of ['dragover', 'drop'])
        document.querySelector('.stage').dispatchEvent(
            new DragEvent(kind, {dataTransfer: data, bubbles: true, cancelable: true}));
}"""
PASTE = """([name, type, text]) => {
    const data = new DataTransfer();
    if (name) data.items.add(new File([Uint8Array.from(atob(text), (one) => one.charCodeAt(0))], name, {type}));
    else data.setData('text/plain', text);
    document.body.dispatchEvent(new ClipboardEvent('paste', {clipboardData: data, bubbles: true}));
}"""


def encoded(name):
    return base64.b64encode(sample(name).read_bytes()).decode()


def test_a_picture_that_is_dropped_is_the_one_that_is_asked_about(playground, site):
    playground.page.evaluate(DROP, ["mine.jpg", "image/jpeg", encoded("wood.jpg")])
    assert playground.page.locator(".stage figcaption").inner_text().split()[0] == "mine.jpg"
    playground.page.get_by_text("640 × 496").wait_for()
    playground.choose(prompt="How many gears are there?", seeds=1)
    config = {"do_sample": False, "temperature": 0}
    fields = {"user_prompt": "How many gears are there?", "task_type": "vqa", "generation_config": json.dumps(config)}
    with site.client() as client:
        reply = client.post("/v1/predict", data=fields, files={"file": sample("wood.jpg").read_bytes()})
    assert playground.answers()[0] == reply.json()["response"]["result"]["answer"]


def test_a_picture_can_be_pasted_and_picked_and_an_address_pasted_or_typed(playground):
    page, name = playground.page, playground.page.locator(".stage .name")
    page.evaluate(PASTE, ["pasted.png", "image/png", encoded("parts.png")])
    page.locator(".stage .name", has_text="pasted.png").wait_for()
    playground.bring(sample("springs.jpg"))
    page.locator(".stage .name", has_text="springs.jpg").wait_for()
    page.evaluate(PASTE, ["", "", f"{playground.url}/v1/samples/gears.jpg"])
    page.locator(".stage .name", has_text="gears.jpg").wait_for()
    address = page.get_by_label("Address of a picture or clip")
    address.fill("no address")
    assert address.get_attribute("aria-invalid") == "true"
    assert page.get_by_role("button", name="Take").is_disabled()
    address.fill(f"{playground.url}/v1/samples/paper.jpg")
    address.press("Enter")
    page.locator(".stage .name", has_text="paper.jpg").wait_for()
    page.get_by_text("400 × 400").wait_for()
    assert name.inner_text() == "paper.jpg"


def test_every_sample_is_at_hand(playground, site):
    with site.client() as client:
        names = [one["name"] for one in client.get("/v1/config").json()["samples"]]
    assert playground.page.locator(".samples button").count() == len(names) > 3
    for name in names:
        playground.pick(name)
    assert playground.page.locator(".samples button[aria-pressed=true]").count() == 1


def test_boxes_stand_on_the_picture_where_the_answer_has_them(playground, site):
    playground.pick("gears.jpg")
    playground.choose(prompt="Locate all parts.", task="phrase-grounding", seeds=1)
    playground.answers()
    config = {"do_sample": False, "temperature": 0, "logprobs": 5}
    fields = {"user_prompt": "Locate all parts.", "task_type": "phrase-grounding"}
    with site.client() as client:
        reply = client.post(
            "/v1/predict",
            data={**fields, "generation_config": json.dumps(config)},
            files={"file": sample("gears.jpg").read_bytes()},
        )
    groundings = reply.json()["response"]["result"]["groundings"]
    boxes = [(one["phrase"], box) for one in groundings for box in one["grounding"]]
    assert boxes
    picture = playground.page.locator(".stage img").bounding_box()
    drawn = playground.page.locator(".stage .box")
    assert drawn.count() == len(boxes)
    for index, (phrase, (x1, y1, x2, y2)) in enumerate(boxes):
        place = drawn.nth(index).evaluate("one => one.getBoundingClientRect().toJSON()")
        assert place["left"] == pytest.approx(picture["x"] + picture["width"] * x1 / 1024, abs=1)
        assert place["right"] == pytest.approx(picture["x"] + picture["width"] * x2 / 1024, abs=1)
        assert place["top"] == pytest.approx(picture["y"] + picture["height"] * y1 / 1024, abs=1)
        assert place["bottom"] == pytest.approx(picture["y"] + picture["height"] * y2 / 1024, abs=1)
        label = drawn.nth(index).get_attribute("title")
        assert label.startswith(phrase)
        assert label.endswith("%"), "a box has its confidence"


def test_boxes_appear_while_the_answer_is_being_written(playground):
    playground.page.evaluate("""() => {
        window.most = 0;
        new MutationObserver(() => {
            if (document.querySelector('.run[data-state=running]'))
                most = Math.max(most, document.querySelectorAll('.stage .box').length);
        }).observe(document.body, {subtree: true, childList: true});
    }""")
    playground.pick("gears.jpg")
    playground.choose(prompt="Locate all parts.", task="phrase-grounding", seeds=1)
    playground.answers()
    assert playground.page.evaluate("() => most") > 0


def test_the_boxes_of_each_answer_and_of_all_can_be_shown(playground):
    playground.pick("gears.jpg")
    playground.choose(prompt="Locate all parts.", task="phrase-grounding", seeds=1)
    playground.answers()
    stage = playground.page.locator(".stage")
    of_each = [playground.run(name).locator(".mini .box").count() for name in "AB"]
    playground.run("B").locator(".mini").click()
    assert stage.locator(".box").count() == of_each[1]
    assert playground.run("B").locator(".mini").get_attribute("aria-pressed") == "true"
    playground.page.get_by_role("combobox", name="Boxes of").select_option("all")
    assert stage.locator(".box").count() == sum(of_each)


def until(true, page, seconds=20):
    """Whether it comes true in that time: a browser seeks through a clip as fast as the machine lets it."""
    for _ in range(seconds * 10):
        if true():
            return True
        page.wait_for_timeout(100)
    return False


def test_a_clip_shows_which_frames_were_seen(playground):
    clip = film(range(30), rate=10, size=(96, 64))
    playground.bring({"name": "clip.mp4", "mimeType": "video/mp4", "buffer": clip})
    playground.page.locator(".stage video").wait_for()
    playground.choose(prompt="What happens here?", task="video-freeform", seeds=1)
    playground.page.get_by_label("Frames a second").fill("2")
    playground.setting("B").get_by_role("button", name="Remove setting B").click()
    playground.setting("A").get_by_text("More").click()
    playground.setting("A").get_by_label("Max new tokens", exact=True).fill("24")
    playground.answers()
    frames = playground.page.get_by_label("Frames the model saw")
    assert "6 frames seen of 3.0 s" in frames.inner_text()
    assert frames.locator(".time i").count() == 6
    assert frames.get_by_role("button").count() == 6
    last = frames.get_by_role("button").last
    assert last.get_attribute("aria-label") == "Frame 25 at 2.50 seconds"
    last.click()
    assert playground.page.locator(".stage video").evaluate("one => one.currentTime") == pytest.approx(2.5, abs=0.05)
    painted = "one => one.getContext('2d').getImageData(0, 0, one.width, one.height).data.some((value) => value > 0)"
    canvases = frames.locator("canvas").all()
    assert until(lambda: all(one.evaluate(painted) for one in canvases), playground.page)
