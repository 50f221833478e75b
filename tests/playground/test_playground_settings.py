"""Settings: controls from the schema, presets, links, keys; and who can use them: keyboard, screen reader, phone."""

from __future__ import annotations

import base64
import json

import pytest

pytest.importorskip("playwright", reason="playwright is not installed: pip install playwright")

from tests.playground.conftest import PHONE
from tests.server.running import running

from vi.inference.generation_config import PRESETS, GenerationConfig
from vi.inference.runs.files import read_run
from vi.server.keys import ApiKeys
from vi.server.settings import ServerSettings
from vi.workbench import run_path

FIELDS = GenerationConfig.model_json_schema()["properties"]


def words(name):
    return name[0].upper() + name[1:].replace("_", " ")


@pytest.mark.parametrize("name", FIELDS)
def test_every_field_of_the_schema_has_a_control_with_its_help(lasting_page, name):
    setting = lasting_page.setting("A")
    control = setting.get_by_label(words(name), exact=True).first
    described = control.evaluate("one => document.getElementById(one.getAttribute('aria-describedby')).textContent")
    assert FIELDS[name]["description"] in described


def test_what_nobody_set_is_what_the_model_does(playground):
    setting = playground.setting("A")
    setting.get_by_label("Preset of setting A").select_option("")
    config = read_run(run_path(), run_id="workbench").record.generation_config
    assert config
    for name, value in config.items():
        control = setting.get_by_label(words(name), exact=True).first
        assert control.is_checked() is value if isinstance(value, bool) else float(control.input_value()) == value


def test_help_is_shown_when_it_is_asked_for(playground):
    text = playground.setting("A").get_by_text(FIELDS["top_p"]["description"])
    assert text.evaluate("one => one.clientWidth") <= 1
    playground.setting("A").get_by_role("button", name="Explain").click()
    assert text.evaluate("one => one.clientWidth") > 100


@pytest.mark.parametrize("preset", ["artistic", "focused"])
def test_a_preset_sets_its_values_and_a_hand_goes_over_it(playground, preset):
    setting = playground.setting("A")
    setting.get_by_label("Preset of setting A").select_option(preset)
    for name, value in PRESETS[preset].values.items():
        control = setting.get_by_label(words(name), exact=True).first
        assert control.is_checked() is value if isinstance(value, bool) else float(control.input_value()) == value
    setting.get_by_label("Top p", exact=True).fill("0.33")
    assert setting.get_by_label("Top p, as a number").input_value() == "0.33"
    setting.get_by_role("button", name="Forget Top p").click()
    assert float(setting.get_by_label("Top p", exact=True).input_value()) == PRESETS[preset].values["top_p"]


def test_a_number_stays_within_the_bounds_of_the_schema(playground):
    number = playground.setting("A").get_by_label("Temperature, as a number")
    for typed, kept in [("9", "2"), ("-1", "0"), ("0.25", "0.25"), ("", "0.25")]:
        number.fill(typed)
        number.blur()
        assert number.input_value() == kept


def test_settings_are_copied_and_removed_up_to_four(playground):
    playground.setting("B").get_by_label("Temperature", exact=True).fill("1.23")
    playground.setting("B").get_by_role("button", name="Copy setting B").click()
    assert playground.setting("C").get_by_label("Temperature", exact=True).input_value() == "1.23"
    playground.setting("C").get_by_role("button", name="Copy setting C").click()
    assert playground.page.get_by_role("button", name="Copy setting").count() == 0
    for name in "DCB":
        playground.setting(name).get_by_role("button", name=f"Remove setting {name}").click()
    assert playground.page.locator(".setting").count() == 1
    assert playground.page.get_by_role("button", name="Remove setting").count() == 0


def test_a_link_restores_picture_prompt_task_and_settings(playground, open_page):
    playground.pick("springs.jpg")
    playground.choose(prompt="Wie viele Federn? ±½ 🙂", task="freeform", seeds=2)
    playground.page.get_by_label("Think first").check()
    playground.setting("A").get_by_label("Preset of setting A").select_option("wide")
    playground.setting("A").get_by_role("button", name="Top k: none").click()
    playground.setting("B").get_by_text("More").click()
    playground.setting("B").get_by_label("Stop strings", exact=True).fill("gear\n\\n")
    playground.setting("B").get_by_label("Stop strings", exact=True).blur()
    playground.setting("B").get_by_role("button", name="Copy setting B").click()
    playground.page.get_by_role("button", name="Copy link").click()
    playground.page.get_by_role("button", name="Copied").wait_for()
    link = playground.page.evaluate("() => navigator.clipboard.readText()")
    assert link == playground.page.url
    there = open_page(fragment=link.removeprefix(f"{playground.url}/"))
    there.page.locator(".stage .name", has_text="springs.jpg").wait_for()
    controls = "all => all.map((one) => [one.type === 'checkbox' ? one.checked : one.value, one.ariaPressed])"
    for part in ("form.prompt", ".bench > .columns"):
        selector = f"{part} :is(input, select, textarea, .none)"
        theirs, ours = (one.page.locator(selector).evaluate_all(controls) for one in (there, playground))
        assert theirs == ours
    assert there.setting("A").get_by_role("button", name="Top k: none").get_attribute("aria-pressed") == "true"


def test_a_link_brings_nothing_the_server_does_not_offer(open_page):
    plain = {
        "prompt": "<img src=x onerror=alert(1)>",
        "task": "rm -rf",
        "seeds": 1e9,
        "model": "other",
        "source": {"kind": "url", "url": "javascript:alert(1)"},
        "settings": [
            {"preset": "constructor", "values": {"temperature": 99, "evil": 1, "top_p": 0.5, "__proto__": {}}}
        ],
    }
    fragment = base64.urlsafe_b64encode(json.dumps(plain).encode()).decode().rstrip("=")
    playground = open_page(fragment=f"#{fragment}")
    assert playground.page.get_by_label("Prompt", exact=True).input_value() == plain["prompt"]
    assert playground.page.get_by_label("Task").input_value() == "vqa"
    assert int(playground.page.get_by_label("Seeds each").input_value()) <= 10
    setting = playground.setting("A")
    assert setting.get_by_label("Preset of setting A").input_value() == ""
    assert setting.get_by_label("Temperature", exact=True).input_value() == "1"
    assert setting.get_by_label("Top p", exact=True).input_value() == "0.5"
    assert playground.page.locator(".setting").count() == 1


def test_a_link_that_is_none_opens_the_page_as_ever(open_page):
    assert open_page(fragment="#%%%not-a-link").page.locator(".setting").count() == 2


def test_the_page_works_by_keyboard_alone(playground):
    page = playground.page
    page.get_by_label("Prompt", exact=True).focus()
    page.keyboard.press("Control+A")
    page.keyboard.type("How many bearings are there?")
    for _ in range(2):
        page.keyboard.press("Tab")
    page.keyboard.press("ArrowDown")  # seeds each: one less
    page.keyboard.press("ArrowDown")
    assert page.get_by_label("Seeds each").input_value() == "1"
    page.get_by_label("Temperature", exact=True).nth(1).focus()
    before = float(page.locator(":focus").input_value())
    page.keyboard.press("ArrowRight")
    assert float(page.locator(":focus").input_value()) == pytest.approx(before + 0.01)
    page.get_by_label("Prompt", exact=True).focus()
    page.keyboard.press("Control+Enter")
    playground.wait()
    assert playground.runs.count() == 2
    assert all(playground.said())


def test_everything_that_can_be_used_has_a_name_for_a_screen_reader(playground):
    playground.choose(task="phrase-grounding", prompt="Locate all parts.", seeds=1)
    playground.answers()
    session = playground.page.context.new_cdp_session(playground.page)
    used = {
        "button",
        "textbox",
        "searchbox",
        "slider",
        "spinbutton",
        "combobox",
        "switch",
        "checkbox",
        "toolbar",
        "image",
    }
    nodes = [
        node
        for node in session.send("Accessibility.getFullAXTree")["nodes"]
        if not node["ignored"] and node["role"]["value"] in used
    ]
    assert len(nodes) > 50
    assert [node for node in nodes if not node.get("name", {}).get("value", "").strip()] == []


@pytest.mark.parametrize("theme", ["light", pytest.param("dark", marks=pytest.mark.slow)])
def test_text_can_be_read_on_its_ground(open_page, theme):
    """Contrast by WCAG 2.1 of what carries text, 4.5 to 1 or more."""
    playground = open_page(color_scheme=theme)
    playground.choose(seeds=1)
    playground.answers()
    poor = playground.page.evaluate(CONTRAST)
    assert poor == []


def test_the_colours_can_be_chosen_and_are_remembered(playground):
    ground = "() => getComputedStyle(document.body).backgroundColor"
    light = playground.page.evaluate(ground)
    for _ in range(2):
        playground.page.get_by_role("button", name="Colours").click()
    playground.page.wait_for_function(f"before => ({ground})() !== before", arg=light)
    dark = playground.page.evaluate(ground)
    playground.page.reload()
    playground.page.wait_for_function(f"before => ({ground})() === before", arg=dark)


def test_on_a_phone_nothing_stands_beyond_the_edge(open_page):
    playground = open_page(viewport=PHONE, has_touch=True, is_mobile=True)
    playground.choose(task="phrase-grounding", prompt="Locate all parts.", seeds=1)
    playground.answers()
    wide = "() => [document.documentElement.scrollWidth, innerWidth]"
    assert len(set(playground.page.evaluate(wide))) == 1
    token = playground.run("B").locator(":scope > .tokens .token").nth(8)
    token.tap()
    panel = playground.page.locator("#inspector")
    assert f"token {9}" in panel.inner_text()
    assert token.bounding_box()["y"] < panel.bounding_box()["y"]
    playground.page.get_by_role("button", name="As code").tap()
    assert len(set(playground.page.evaluate(wide))) == 1


@pytest.mark.slow
def test_a_server_with_keys_asks_for_one(open_page):
    key = "correct-horse-battery-staple"
    with running(ServerSettings(keys=ApiKeys([key]))) as guarded:
        playground = open_page(url=guarded.url, complains=True)
        playground.page.get_by_label("API key").fill("wrong-horse-battery-staple")
        playground.page.get_by_role("button", name="Continue").click()
        playground.page.get_by_label("API key").fill(key)
        playground.page.get_by_role("button", name="Continue").click()
        playground.page.locator(".stage img").wait_for()
        playground.choose(seeds=1)
        assert all(playground.answers())


CONTRAST = """() => {
    const canvas = new OffscreenCanvas(1, 1).getContext('2d', {willReadFrequently: true});
    const over = (colours) => {
        canvas.clearRect(0, 0, 1, 1);
        for (const colour of colours) { canvas.fillStyle = colour; canvas.fillRect(0, 0, 1, 1); }
        return [...canvas.getImageData(0, 0, 1, 1).data].slice(0, 3).map((value) => value / 255);
    };
    const light = (rgb) => rgb.map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4))
        .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
    const poor = [];
    for (const one of document.querySelectorAll('body *')) {
        const text = [...one.childNodes].filter((n) => n.nodeType === 3).map((n) => n.data.trim()).join('');
        const style = getComputedStyle(one);
        const isLeftOut = one.closest('.unseen, option, [data-idle=true], [disabled], .stage');
        if (!text || !one.checkVisibility() || isLeftOut) continue;
        const grounds = [];
        for (let at = one; at; at = at.parentElement) grounds.unshift(getComputedStyle(at).backgroundColor);
        const [a, b] = [light(over(grounds)), light(over([...grounds, style.color]))].sort((x, y) => y - x);
        const ratio = (a + 0.05) / (b + 0.05);
        if (ratio < 4.5) poor.push(`${one.className || one.tagName}: ${text.slice(0, 20)} ${ratio.toFixed(2)}`);
    }
    return [...new Set(poor)];
}"""
