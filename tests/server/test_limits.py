"""The limits and the page that lists them."""

from __future__ import annotations

from pathlib import Path

import pytest

from vi.server.limits import Limits

PAGE = Path(__file__).parents[2] / "docs" / "server.md"


@pytest.mark.parametrize(("name", "field"), Limits.model_fields.items(), ids=Limits.model_fields)
def test_the_page_has_each_with_its_default(name, field):
    assert f"| `{name}` | {field.default} |" in PAGE.read_text(encoding="utf-8")
