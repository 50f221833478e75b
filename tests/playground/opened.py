"""The playground in a browser: what a person does on it, and what it shows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from playwright.sync_api import BrowserContext, Locator, Page

PATIENCE = 120_000  # milliseconds for an answer: the machine may be busy


@dataclass
class Playground:
    """A page that is open. complaints: errors and warnings of its console, and exceptions nobody caught."""

    page: Page
    url: str
    complaints: list[str] = field(default_factory=list)

    @classmethod
    def open(cls, context: BrowserContext, url: str, fragment: str = "") -> Playground:
        """Open the page and wait for its first picture, or for the form that asks for a key."""
        page = context.new_page()
        page.set_default_timeout(20_000)
        found = cls(page, url)
        page.on("pageerror", lambda error: found.complaints.append(str(error)))
        page.on("console", lambda said: said.type in ("error", "warning") and found.complaints.append(said.text))
        page.goto(f"{url}/{fragment}")
        page.locator(".stage :is(img, video), .key").first.wait_for()
        return found

    @property
    def runs(self) -> Locator:
        return self.page.locator(".run")

    def run(self, setting: str, row: int = 0) -> Locator:
        """One answer's card, by the letter of its setting."""
        return self.page.get_by_label(f"Answers of setting {setting}").locator(".run").nth(row)

    def setting(self, name: str) -> Locator:
        return self.page.get_by_label(f"Setting {name}", exact=True)

    def pick(self, sample: str) -> None:
        self.page.get_by_role("button", name=f"Sample {sample}").click()
        self.page.locator(".stage .name", has_text=sample).wait_for()

    def bring(self, *files: Path | dict[str, Any]) -> None:
        """Choose files in the dialog of the operating system."""
        with self.page.expect_file_chooser() as chooser:
            self.page.get_by_role("button", name="Choose a file").click()
        chooser.value.set_files(list(files))

    def choose(self, *, prompt: str | None = None, task: str | None = None, seeds: int | None = None) -> None:
        if prompt is not None:
            self.page.get_by_label("Prompt", exact=True).fill(prompt)
        if task is not None:
            self.page.get_by_label("Task").select_option(task)
        if seeds is not None:
            self.page.get_by_label("Seeds each").fill(str(seeds))
            self.page.get_by_label("Seeds each").blur()

    def ask(self) -> None:
        self.page.get_by_role("button", name="Ask").click()

    def answers(self) -> list[str]:
        """Ask, wait until all is answered, and give what the cards say."""
        self.ask()
        self.wait()
        return self.said()

    def wait(self) -> None:
        self.page.get_by_role("button", name="Ask").wait_for(timeout=PATIENCE)

    def said(self) -> Sequence[str]:
        return self.page.locator(".run .said").all_inner_texts()
