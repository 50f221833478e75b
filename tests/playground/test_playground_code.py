"""The call as code does what the page did; and the page's own reading of texts, by its modules."""

from __future__ import annotations

import json
import shlex
import shutil
import subprocess

import pytest

pytest.importorskip("playwright", reason="playwright is not installed: pip install playwright")

from vi.cli import main


def code(playground, language, setting="B"):
    """What "As code" shows."""
    page = playground.page
    page.get_by_role("button", name="As code").click()
    page.get_by_role("dialog").get_by_label("Setting").select_option(label=f"Setting {setting}")
    page.get_by_role("tab", name=language).click()
    text = page.locator("#code-panel").inner_text()
    page.get_by_role("dialog").get_by_role("button", name="Copy").click()
    page.get_by_role("button", name="Copied").wait_for()
    assert page.evaluate("() => navigator.clipboard.readText()").strip() == text.strip()
    page.keyboard.press("Escape")
    page.get_by_role("dialog").wait_for(state="hidden")
    return text


@pytest.fixture
def answered(playground):
    """A page that asked with a quotation, a stop string and values by hand; and the raw text of B's answer."""
    playground.pick("wood.jpg")
    playground.choose(prompt='What\'s "visible" here? $HOME', task="freeform", seeds=1)
    setting = playground.setting("B")
    setting.get_by_label("Temperature", exact=True).fill("1.3")
    setting.get_by_role("button", name="Top k: none").click()
    setting.get_by_label("Seed", exact=True).fill("11")
    setting.get_by_text("More").click()
    setting.get_by_label("Stop strings", exact=True).fill("it's\nno such words")
    setting.get_by_label("Stop strings", exact=True).blur()
    playground.answers()
    return playground, playground.run("B").get_by_label("The model's own text").text_content()


@pytest.mark.slow  # it loads a model of its own, as the command line does
def test_the_python_gives_the_answer_of_the_page(answered):
    playground, raw = answered
    text = code(playground, "Python")
    compile(text, "page", "exec")
    namespace: dict = {"print": lambda *_: None}
    exec(text, namespace)
    assert namespace["error"] is None
    assert namespace["answer"].raw_output == raw


def test_curl_gives_the_answer_of_the_page(answered, tmp_path):
    if shutil.which("curl") is None:
        pytest.skip("curl is not installed")
    playground, raw = answered
    done = subprocess.run(["sh", "-ec", code(playground, "curl")], cwd=tmp_path, capture_output=True, timeout=120)
    assert json.loads(done.stdout)["response"]["raw_output"] == raw


@pytest.mark.slow
def test_the_command_line_gives_the_answer_of_the_page(answered, site, tmp_path, monkeypatch, capsys):
    playground, raw = answered
    fetch, command = code(playground, "Command line").split("\n", 1)
    monkeypatch.chdir(tmp_path)
    with site.client() as client:
        (tmp_path / "wood.jpg").write_bytes(client.get(shlex.split(fetch)[-1]).content)
    program, *arguments = shlex.split(command.replace("\\\n", ""))
    assert program == "vi-infer"
    monkeypatch.setattr("sys.argv", [program, *arguments, "--json"])
    with pytest.raises(SystemExit) as ended:
        main()
    assert not ended.value.code
    assert json.loads(capsys.readouterr().out)["answer"]["raw_output"] == raw


def test_code_of_an_address_names_the_address(open_page):
    playground = open_page(complains=True)  # there is no such picture
    playground.page.get_by_label("Address of a picture or clip").fill("https://example.com/a%20b.png?x='1'")
    playground.page.get_by_role("button", name="Take").click()
    for language in ("Python", "Command line", "curl"):
        assert "https://example.com/a%20b.png" in code(playground, language)
    parts = shlex.split(code(playground, "curl"))
    body = json.loads(parts[parts.index("-d") + 1])
    assert body["source"] == "https://example.com/a%20b.png?x='1'"


@pytest.fixture(scope="module")
def modules(browser, site):
    """Calls a function of one of the page's modules."""
    page = browser.new_context().new_page()
    page.goto(site.url)

    def call(name, function, *arguments):
        run = "async ([name, function_, given]) => (await import(`/playground/${name}`))[function_](...given)"
        return page.evaluate(run, [name, function, list(arguments)])

    yield call
    page.context.close()


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        (json.dumps({"vqa": {"answer": 'A "red" gear\nand {more} \\ ü'}}), 'A "red" gear\nand {more} \\ ü'),
        ('<answer>{"freeform":{"caption":"two"}}</answer>', "two"),
        ("A gear, not JSON.", "A gear, not JSON."),
    ],
)
def test_what_is_read_of_an_unfinished_text_is_the_beginning_of_what_is_read_of_the_whole(modules, text, answer):
    assert modules("answers.js", "readSoFar", text) == answer
    for end in range(text.find("{") + 1 if "{" in text else 1, len(text.removesuffix("</answer>"))):
        assert answer.startswith(modules("answers.js", "readSoFar", text[:end]))


@pytest.mark.parametrize(("one", "other"), [("a red gear", "a gear"), ("", "a"), ("two nuts.", "one nut."), ("x", "x")])
def test_the_differences_of_two_texts_leave_what_they_share(modules, one, other):
    parts = modules("answers.js", "differences", one, other)
    assert "".join(part["text"] for part in parts if part["kind"] != "gone") == one
    assert ([part["kind"] for part in parts] == ["same"]) == (one == other)


@pytest.mark.parametrize(
    ("p", "text"), [(0, "0 %"), (1, "100 %"), (0.99999, "> 99.9 %"), (0.0001, "< 0.1 %"), (0.5, "50 %"), (None, "?")]
)
def test_a_probability_is_never_rounded_to_certainty(modules, p, text):
    assert modules("ui.js", "percent", p) == text
