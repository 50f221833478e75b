"""The project's pages, and the Python blocks in them."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
README = ROOT / "README.md"
PAGES = [README, *sorted((ROOT / "docs").glob("*.md"))]
_BLOCK = re.compile(r"^```python\n(.*?)^```$", flags=re.S | re.M)
_LINK = re.compile(r"\]\(([^)\s#]+)(?:#[^)\s]*)?\)")


def python_blocks(page: Path) -> list[str]:
    """The code of each ``python`` block, with empty lines before it so that errors name the page's own lines."""
    text = page.read_text(encoding="utf-8")
    return ["\n" * text.count("\n", 0, found.start(1)) + found[1] for found in _BLOCK.finditer(text)]


def local_links(page: Path) -> list[str]:
    """Links that lead to files of the project, without their anchors."""
    return [target for target in _LINK.findall(page.read_text(encoding="utf-8")) if "://" not in target]
