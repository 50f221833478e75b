from __future__ import annotations

import re

import pytest
from tests.docs.pages import PAGES, README, ROOT, broken_links, python_blocks

from vi.inference.generation_config import PRESETS, parameter_table

COMMANDS = [
    "pip install -c constraints.txt -e . && vi-infer demo",
    "pip install -c constraints.txt -e '.[test]' && pytest",
]


@pytest.mark.parametrize("page", [page for page in PAGES if python_blocks(page)], ids=lambda page: page.name)
def test_a_reader_can_run_the_python_of_a_page_from_top_to_bottom(page, readers_folder):
    namespace = {"__name__": "reader"}
    for block in python_blocks(page):
        exec(compile(block, str(page), "exec", dont_inherit=True), namespace)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_between_pages_lead_somewhere(page):
    assert broken_links(page) == []


def test_the_readme_opens_with_its_two_commands():
    assert re.findall(r"^pip install .*", README.read_text(encoding="utf-8"), flags=re.M)[:2] == COMMANDS


@pytest.mark.parametrize("row", parameter_table(), ids=lambda row: row.name)
def test_the_readmes_table_says_what_the_fields_say(row):
    line = f"| [`{row.name}`](docs/generation-config.md#parameters) | {row.range} | {row.default} |"
    assert line in README.read_text(encoding="utf-8").splitlines()


def test_the_readme_names_every_preset():
    text = README.read_text(encoding="utf-8")
    assert [name for name in PRESETS if f"`{name}`" not in text] == []


def test_ci_runs_the_readmes_second_command_wherever_the_readme_changes():
    script = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    pattern = re.search(r"grep -m1 -E '([^']+)' README\.md", script)
    assert pattern, "the command is read from the README"
    assert re.findall(pattern[1], README.read_text(encoding="utf-8"), flags=re.M)[:1] == COMMANDS[1:]


def test_every_dependency_has_a_tested_version():
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    lists = re.findall(r"^(?:dependencies|test|dev) = \[(.*?)\]$", project, flags=re.S | re.M)
    wanted = {name.lower().replace("_", "-") for names in lists for name in re.findall(r'"([\w.-]+)', names)}
    tested = set(re.findall(r"^([\w.-]+)==", (ROOT / "constraints.txt").read_text(encoding="utf-8"), flags=re.M))
    assert len(wanted) > 20
    assert wanted - tested == {"vi-inference"}
