"""Asking, and what the page says of the answers: all of it by clicking, against the server's own replies."""

from __future__ import annotations

import json

import pytest

pytest.importorskip("playwright", reason="playwright is not installed: pip install playwright")

from vi.workbench import sample


def predicted(site, picture, prompt, task, config, **more):
    """What /v1/predict answers without the page."""
    fields = {"user_prompt": prompt, "task_type": task, "generation_config": json.dumps(config), **more}
    with site.client() as client:
        reply = client.post("/v1/predict", data=fields, files={"file": sample(picture).read_bytes()})
    assert reply.status_code == 200, reply.text
    return reply.json()["response"]


def test_settings_side_by_side_give_what_the_server_gives_for_each_seed(playground, site):
    playground.pick("parts.png")
    playground.choose(prompt="Create an artistic description", task="freeform", seeds=2)
    playground.setting("B").get_by_label("Preset of setting B").select_option("artistic")
    playground.setting("B").get_by_label("Seed", exact=True).fill("5")
    playground.setting("B").get_by_label("Seed", exact=True).blur()
    playground.answers()
    artistic = {"max_new_tokens": 300, "temperature": 0.9, "top_p": 0.95, "do_sample": True, "repetition_penalty": 1.2}
    for row in (0, 1):
        answer = predicted(
            site, "parts.png", "Create an artistic description", "freeform", {**artistic, "seed": 5 + row}
        )
        card = playground.run("B", row)
        card.get_by_text("How it came about").click()
        assert card.get_by_role("heading").inner_text() == f"seed {5 + row}"
        assert card.get_by_label("The model's own text").inner_text() == answer["raw_output"]
        assert f"{answer['usage']['completion_tokens']} tokens" in card.locator(".state").inner_text()


def test_what_is_stable_and_what_varies_is_counted_and_marked(playground):
    playground.choose(seeds=4)
    playground.setting("B").get_by_label("Temperature", exact=True).fill("1.4")
    playground.answers()
    texts = [run.get_by_label("The model's own text").text_content() for run in playground.runs.all()]
    greedy, drawn = texts[:4], texts[4:]
    assert len(set(greedy)) == 1
    assert len(set(drawn)) > 1
    assert playground.page.locator("#summary").inner_text() == f"8 answers, {len(set(texts))} distinct"
    assert (
        playground.page.get_by_label("Answers of setting A")
        .locator("h3")
        .inner_text()
        .endswith("stable: all 4 the same")
    )
    assert (
        f"varies: {len(set(drawn))} distinct of 4" in playground.page.get_by_label("Answers of setting B").inner_text()
    )
    badges = playground.page.locator(".run .badge").all_inner_texts()
    assert len(set(zip(badges, texts, strict=True))) == len(set(texts)) == len(set(badges))
    most = badges.index("answer 1")
    for run, badge in zip(playground.runs.all(), badges, strict=True):
        differs = badge != badges[most]
        assert (run.locator(".said mark, .said del").count() > 0) == differs
        assert run.locator(".token.odd").count() == differs
    for row in playground.page.locator(".summary li").all():
        number = row.locator(".badge").inner_text()
        assert row.locator(".dots i").count() == badges.count(f"answer {number}")


def test_answers_are_written_side_by_side_while_they_stream(playground):
    watched = """() => {
        window.seen = {together: 0, tokens: 0, caret: 0};
        new MutationObserver(() => {
            const running = [...document.querySelectorAll('.run[data-state=running]')];
            seen.together = Math.max(seen.together, running.length);
            seen.tokens = Math.max(seen.tokens, ...running.map((run) => run.querySelectorAll('.token').length));
            seen.caret ||= document.querySelectorAll('.caret').length;
        }).observe(document.body, {subtree: true, childList: true, attributes: true});
    }"""
    playground.page.evaluate(watched)
    playground.choose(task="freeform", prompt="Describe this picture.", seeds=2)
    playground.answers()
    seen = playground.page.evaluate("() => seen")
    assert seen["together"] > 1
    assert seen["tokens"] > 3
    assert seen["caret"] > 0


def test_thinking_folds_away_with_its_tokens(playground, site):
    playground.pick("bearings.jpg")
    playground.choose(prompt="How many bearings are there?", seeds=1)
    playground.page.get_by_label("Think first").check()
    playground.answers()
    thinking = playground.run("A").locator(".thinking")
    answer = predicted(
        site, "bearings.jpg", "How many bearings are there?", "vqa", {"do_sample": False, "temperature": 0}, cot="true"
    )
    assert playground.run("A").locator(".said").inner_text() == answer["result"]["answer"]
    assert thinking.locator(".token").first.is_hidden()
    thinking.locator("summary").click()
    assert thinking.locator(".token").first.is_visible()
    assert answer["thinking"] in "".join(thinking.locator(".token").all_text_contents())
    assert "think" not in "".join(playground.run("A").locator(":scope > .tokens .token").all_text_contents())


def test_stop_ends_what_is_being_written(playground, site):
    playground.page.evaluate("""() => new MutationObserver(() => {
        const isWriting = document.querySelector('.run[data-state=running]');
        if (isWriting) document.querySelector('.button.stop')?.click();
    }).observe(document.body, {subtree: true, childList: true, attributes: true})""")
    playground.choose(task="freeform", prompt="Describe this picture.", seeds=10)
    playground.ask()
    playground.wait()
    assert playground.page.locator(".run[data-state=stopped]").count() > 0
    assert playground.page.locator(".run[data-state=running], .run[data-state=waiting]").count() == 0
    assert site.until(site.is_idle)


def test_what_the_server_refuses_is_said_where_the_answer_would_be(open_page):
    playground = open_page(complains=True)
    playground.choose(seeds=1)
    playground.page.get_by_label("Address of a picture or clip").fill("http://127.0.0.1:9/none.png")
    playground.page.get_by_role("button", name="Take").click()
    playground.ask()
    playground.wait()
    assert playground.page.locator(".run[data-state=failed]").count() == 2
    assert "127.0.0.1" in playground.run("A").get_by_role("alert").inner_text()
    assert playground.page.locator("#summary").inner_text() == "0 answers, 0 distinct, 2 failed"


def test_a_warning_of_the_answer_is_shown(playground):
    playground.choose(seeds=1)
    playground.setting("A").get_by_label("Preset of setting A").select_option("")
    playground.setting("A").get_by_label("Top k", exact=True).fill("7")
    playground.answers()
    assert "top_k" in playground.run("A").locator(".warning").inner_text()
