"""Tokens as marks: colour by probability, and the panel that says how one was chosen."""

from __future__ import annotations

import json
import math

import pytest

pytest.importorskip("playwright", reason="playwright is not installed: pip install playwright")

from vi.workbench import sample


@pytest.fixture(scope="module")
def answered_page(lasting_page):
    lasting_page.pick("parts.png")
    lasting_page.choose(prompt="What objects are visible?", seeds=1)
    lasting_page.setting("B").get_by_label("Preset of setting B").select_option("focused")
    lasting_page.setting("B").get_by_label("Temperature", exact=True).fill("0.7")
    lasting_page.answers()
    return lasting_page


@pytest.fixture
def answered(answered_page):
    """A page with a greedy answer in A, and one in B that every filter had a part in; no token is looked at."""
    answered_page.page.mouse.move(0, 0)
    answered_page.page.keyboard.press("Escape")
    return answered_page


@pytest.fixture(scope="module")
def tokens(site):
    """The tokens of B's answer, from the server."""
    config = {"top_p": 0.8, "top_k": 10, "do_sample": True, "temperature": 0.7, "seed": 0, "logprobs": 5}
    fields = {"user_prompt": "What objects are visible?", "task_type": "vqa", "generation_config": json.dumps(config)}
    with site.client() as client:
        reply = client.post("/v1/predict", data=fields, files={"file": sample("parts.png").read_bytes()})
    return reply.json()["response"]["logprobs"]


def test_every_token_is_a_mark_with_its_text_and_probability(answered, tokens):
    marks = answered.run("B").locator(".token")
    assert marks.all_text_contents() == [token["text"] for token in tokens]
    shown = marks.evaluate_all("marks => marks.map(mark => Number(mark.style.getPropertyValue('--p')))")
    assert shown == pytest.approx([math.exp(token["logprob"]) for token in tokens], abs=1e-3)
    forced = marks.evaluate_all("marks => marks.map(mark => mark.classList.contains('forced'))")
    assert forced == [token["forced"] for token in tokens]
    colours = marks.evaluate_all("marks => marks.map(mark => getComputedStyle(mark).backgroundColor)")
    by_probability = sorted(zip(shown, colours, forced, strict=True))
    free = [colour for _, colour, is_forced in by_probability if not is_forced]
    assert free[0] != free[-1]


def test_the_panel_tells_alternatives_and_what_each_filter_removed(answered, tokens):
    marks, panel = answered.run("B").locator(".token"), answered.page.locator("#inspector")
    free = min((i for i, token in enumerate(tokens) if not token["forced"]), key=lambda i: tokens[i]["logprob"])
    assert panel.is_hidden()
    marks.nth(free).hover()
    said, token = panel.inner_text(), tokens[free]
    assert f"token {free + 1} · drawn" in said
    assert panel.locator(".bars .chosen").count() == 1
    assert panel.locator(".bars tbody tr").count() >= len(token["alternatives"])
    gone = [other for other in token["alternatives"] if other["probability"] == 0]
    assert panel.locator(".removed").count() == len(gone)
    left = token["survivors"]
    rows = panel.locator(".filters tbody tr").all_inner_texts()
    assert [row.split()[0] for row in rows] == ["Vocabulary", "Grammar", "Temperature", "Top", "Top"]
    counts = panel.locator(".filters .bar").all_inner_texts()
    expected = [left["vocabulary"], left["grammar"], left["grammar"], left["top_k"], left["top_p"]]
    assert [int(text.replace(",", "")) for text in counts] == expected
    assert "sharper odds" in rows[2]
    answered.page.mouse.move(0, 0)
    assert panel.is_hidden()


def test_the_panel_says_that_the_grammar_forced_a_token(answered):
    answered.run("B").locator(".token.forced").first.hover()
    assert "forced by the grammar" in answered.page.locator("#inspector").inner_text()


def test_a_greedy_choice_is_told_as_one(answered):
    answered.run("A").locator(".token:not(.forced)").first.hover()
    panel = answered.page.locator("#inspector")
    assert "the likeliest" in panel.inner_text()
    assert panel.locator(".filters tbody th").all_inner_texts() == ["Vocabulary", "Grammar", "Greedy"]


def test_arrow_keys_walk_the_tokens_and_tab_leaves_them(answered, tokens):
    page, strip = answered.page, answered.run("B").get_by_role("toolbar")
    strip.locator(".token").first.focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    assert page.locator(":focus").inner_text() == tokens[2]["text"]
    assert "token 3" in page.locator("#inspector").inner_text()
    assert page.locator(":focus").get_attribute("aria-describedby") == "inspector"
    page.keyboard.press("End")
    assert f"token {len(tokens)}" in page.locator("#inspector").inner_text()
    page.keyboard.press("Escape")
    assert page.locator("#inspector").is_hidden()
    page.keyboard.press("Tab")
    assert page.locator(":focus").evaluate("one => one.tagName") == "SUMMARY"


def test_without_logprobs_there_are_no_marks(playground):
    playground.choose(seeds=1)
    for name in "AB":
        playground.setting(name).get_by_text("More").click()
        playground.setting(name).get_by_role("button", name="Logprobs: none").click()
    assert all(playground.answers())
    assert playground.page.locator(".run .token").count() == 0
