"""The project's pages, and the Python blocks in them."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
README = ROOT / "README.md"
PAGES = [README, *sorted((ROOT / "docs").glob("*.md"))]
_BLOCK = re.compile(r"^```python\n(.*?)^```$", flags=re.S | re.M)
_LINK = re.compile(r"\]\(([^)\s#]*)(?:#([^)\s]*))?\)")
_HEADING = re.compile(r"^#+ (.+)$", flags=re.M)


def python_blocks(page: Path) -> list[str]:
    """The code of each ``python`` block, with empty lines before it so that errors name the page's own lines."""
    text = page.read_text(encoding="utf-8")
    return ["\n" * text.count("\n", 0, found.start(1)) + found[1] for found in _BLOCK.finditer(text)]


def broken_links(page: Path) -> list[str]:
    """Links to files of the project, or to headings in its pages, that lead nowhere."""
    broken = []
    for target, heading in _LINK.findall(page.read_text(encoding="utf-8")):
        path = page.parent / target if target else page
        if "://" not in target and not (path.exists() and (not heading or heading in _anchors(path))):
            broken.append(f"{target}#{heading}" if heading else target)
    return broken


def _anchors(page: Path) -> list[str]:
    headings = _HEADING.findall(page.read_text(encoding="utf-8"))
    return [re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings]
