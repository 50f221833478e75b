"""``--explain`` and ``--explain-html``: how every token of the answers was chosen."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from vi.cli.choices import ALTERNATIVES

if TYPE_CHECKING:
    from vi.cli.report import Report
    from vi.inference.generation_config import GenerationConfig
    from vi.inference.media.sources import SourceItem
    from vi.inference.task_types.response import PredictionResponse


class Explanation:
    """table: whether to print one for each answer. page: where to write a page about all of them, if at all."""

    def __init__(self, table: bool, page: Path | None) -> None:
        self._table, self._page = table, page
        self._answers: list[tuple[str, PredictionResponse]] = []

    def config(self, config: GenerationConfig) -> GenerationConfig:
        """The call's settings, with log-probabilities where an explanation needs them."""
        if config.logprobs or not (self._table or self._page):
            return config
        return config.model_copy(update={"logprobs": ALTERNATIVES})

    def add(self, report: Report, item: SourceItem, answer: PredictionResponse | None) -> None:
        """Print the table of an answer; beside JSON on standard error."""
        if answer is None:
            return
        if self._table:
            from vi.cli.token_table import token_table

            report.table(token_table(answer))
        if self._page is not None:
            self._answers.append((item.label, answer))

    def write(self) -> None:
        """Write the page. Raises ConfigError where it cannot be written."""
        if self._page is not None and self._answers:
            from vi.cli.explain_page import write_page

            write_page(self._page, self._answers)
