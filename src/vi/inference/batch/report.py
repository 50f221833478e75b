"""One page about a batch that needs nothing but itself: a gallery, what it cost, what failed."""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from html import escape
from importlib.resources import files
from pathlib import Path
from string import Template

from PIL import Image

from vi.inference.batch.cards import LONGEST_SIDE, card, thumbnail
from vi.inference.batch.columns import OutputRow
from vi.inference.batch.failures import writing
from vi.inference.batch.histogram import histogram
from vi.inference.batch.input import entries
from vi.inference.batch.keys import Key, source_part
from vi.inference.errors import ViError
from vi.inference.media.image import load_picture
from vi.inference.media.sources import SourceItem

MOST_CARDS = 300  # about 12 kB each
MOST_ERRORS = 60  # of these


def write_report(
    path: Path,
    rows: Callable[[], Iterable[OutputRow]],
    sources: Iterable[object],
    *,
    title: str,
    facts: Mapping[str, str],
) -> None:
    """Write the page. It has every row where there are up to 300, else the first 60 errors and answers evenly spread.

    rows: gives the output's rows anew each time. sources: the batch's input, read again until the pictures on the page
    are found. facts: what to say at the top. Raises ConfigError or OutputError where it cannot be written.
    """
    numbers, errors = _measured(rows())
    answered, failed = len(numbers["seconds"]), errors.total()
    shown = _chosen(rows(), answered, failed)
    pictures = _thumbnails({_source(row) for row in shown}, sources)
    counts = {name: f"{count:,}" for name, count in errors.most_common()}
    page = Template((files(__package__) / "report.html").read_text(encoding="utf-8")).substitute(
        title=escape(title),
        facts="".join(f"<dt>{escape(n)}</dt><dd>{escape(v)}</dd>" for n, v in {**facts, **counts}.items()),
        figures=histogram(numbers["completion_tokens"], "Tokens of an answer")
        + histogram(numbers["seconds"], "Time of an answer", " s")
        + histogram(numbers["confidence"], "Confidence of an answer", most=1.0, absent="measured with --logprobs 0"),
        heading=_heading(len(shown), answered + failed),
        cards="".join(card(row, pictures.get(_source(row))) for row in shown),
    )
    with writing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(page, encoding="utf-8", errors="backslashreplace")


def _heading(shown: int, total: int) -> str:
    return f"{total:,} rows" if shown == total else f"{shown:,} of {total:,} rows"


def _measured(rows: Iterable[OutputRow]) -> tuple[dict[str, array], Counter[str]]:
    """The numbers of every answer, and how many rows have each type of error."""
    numbers = {name: array("d") for name in ("completion_tokens", "seconds", "confidence")}
    errors: Counter[str] = Counter()
    for row in rows:
        if row["error_type"] is not None:
            errors[row["error_type"]] += 1
            continue
        for name in numbers:
            if row[name] is not None:
                numbers[name].append(row[name])
    return numbers, errors


def _chosen(rows: Iterable[OutputRow], answered: int, failed: int) -> list[OutputRow]:
    """The rows on the page, in the order of the output."""
    most_errors = failed if answered + failed <= MOST_CARDS else min(failed, max(MOST_ERRORS, MOST_CARDS - answered))
    step = max(1.0, answered / (MOST_CARDS - most_errors)) if answered else 1.0
    chosen: list[OutputRow] = []
    seen_errors = seen_answers = 0
    following = 0.0
    for row in rows:
        if row["error_type"] is not None:
            seen_errors += 1
            if seen_errors <= most_errors:
                chosen.append(row)
            continue
        if seen_answers >= following:
            chosen.append(row)
            following += step
        seen_answers += 1
    return chosen


def _thumbnails(wanted: set[str], sources: Iterable[object]) -> dict[str, str]:
    """Source part of a key -> thumbnail; a source that cannot be read has none."""
    left = set(wanted)
    found: dict[str, str] = {}
    for entry in entries(sources):
        part = source_part(entry.row.source, entry.row.id)
        if part not in left:
            continue
        left.remove(part)
        with suppress(ViError):
            found[part] = thumbnail(_picture(entry.row.source))
        if not left:
            break
    return found


def _picture(item: SourceItem) -> Image.Image:
    """A picture, or a clip's first frame."""
    if not item.is_clip:
        return load_picture(item, at_most_pixels=LONGEST_SIDE**2).pixels
    from vi.inference.media.video import load_clip

    return load_clip(item, max_frames=1).frames[0]


def _source(row: OutputRow) -> str:
    key = Key.parse(row["key"])
    return key.source if key else ""
