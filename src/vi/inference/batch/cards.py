"""Rows as cards of a page: the picture, its boxes, what was asked and answered."""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping
from html import escape
from typing import Any

from PIL import Image

from vi.inference.batch.columns import OutputRow, answer_text
from vi.inference.utils.visualize import phrase_colour

LONGEST_SIDE = 256  # pixels of a thumbnail
MOST_TEXT = 2000  # characters of a text on a card
_BOXES_SHOWN = 200


def thumbnail(picture: Image.Image) -> str:
    """``picture`` as a ``data:`` URI of a small JPEG, about 10 kB."""
    small = picture.copy()
    small.thumbnail((LONGEST_SIDE, LONGEST_SIDE))
    data = io.BytesIO()
    small.save(data, "JPEG", quality=74, optimize=True)
    return f"data:image/jpeg;base64,{base64.b64encode(data.getvalue()).decode()}"


def card(row: OutputRow, picture: str | None) -> str:
    """One row in HTML. picture: its thumbnail's URI, None where there is none."""
    failed = row["error_type"] is not None
    parts = [
        _picture(row, picture),
        f'<h3 title="{_text(row["source"])}">{_text(row["id"] or _name(row["source"]))}</h3>',
        _paragraph("ask", row["prompt"]),
        _paragraph("error", f"{row['error_type']}: {row['error']}") if failed else _answer(row),
        _details("Thinking", row["thinking"]),
        *(_paragraph("warning", warning) for warning in dict.fromkeys(row["warnings"] or ())),
        "" if failed else f'<p class="cost">{_text(_cost(row))}</p>',
    ]
    kind = "failed" if failed else "answered"
    return f'<article class="{kind}" tabindex="0">{"".join(parts)}</article>'


def _picture(row: OutputRow, picture: str | None) -> str:
    if picture is None:
        return '<div class="picture none">no picture</div>'
    boxes = (row["boxes"] or [])[:_BOXES_SHOWN]
    colours = _colours(row)
    shapes = "".join(_box(box, colours[box["phrase"]]) for box in boxes)
    overlay = f'<svg viewBox="0 0 1024 1024" preserveAspectRatio="none" aria-hidden="true">{shapes}</svg>'
    return (
        f'<div class="picture"><span><img src="{picture}" alt="{_text(row["source"])}" decoding="async">'
        f"{overlay if shapes else ''}</span></div>"
    )


def _box(box: Mapping[str, Any], colour: str) -> str:
    left, top, right, bottom = box["box"]
    left, right, top, bottom = min(left, right), max(left, right), min(top, bottom), max(top, bottom)
    return (
        f'<rect x="{left}" y="{top}" width="{right - left}" height="{bottom - top}" stroke="{colour}">'
        f"<title>{_text(box['phrase'])}</title></rect>"
    )


def _answer(row: OutputRow) -> str:
    said = _paragraph("answer", answer_text(row))
    colours = _colours(row)
    counts = {phrase: sum(box["phrase"] == phrase for box in row["boxes"] or ()) for phrase in colours}
    phrases = "".join(
        f'<li><i style="background:{colours[phrase]}"></i>{_text(phrase)} <small>{count}</small></li>'
        for phrase, count in counts.items()
    )
    return said + (f'<ul class="phrases">{phrases}</ul>' if phrases else "")


def _colours(row: OutputRow) -> dict[str, str]:
    phrases = dict.fromkeys(box["phrase"] for box in (row["boxes"] or [])[:_BOXES_SHOWN])
    return {phrase: "#{:02x}{:02x}{:02x}".format(*phrase_colour(index)) for index, phrase in enumerate(phrases)}


def _cost(row: OutputRow) -> str:
    facts = [row["finish_reason"], f"{row['completion_tokens']:,} tokens", f"{row['seconds']:.2f} s"]
    if row["confidence"] is not None:
        facts.append(f"confidence {row['confidence']:.2f}")
    if row["seed"]:
        facts.append(f"seed {row['seed']}")
    return " · ".join(map(str, facts))


def _paragraph(kind: str, text: str | None) -> str:
    return f'<p class="{kind}">{_text(text)}</p>' if text else ""


def _details(title: str, text: str | None) -> str:
    return f"<details><summary>{title}</summary><p>{_text(text)}</p></details>" if text else ""


def _name(source: str) -> str:
    return source.replace("\\", "/").rsplit("/", 1)[-1] or source


def _text(text: str | None) -> str:
    """Text as HTML, without control characters, bounded."""
    text = text or ""
    shown = text if len(text) <= MOST_TEXT else f"{text[:MOST_TEXT]}…"
    return escape("".join(c if c.isprintable() or c in "\r\n\t" else "\N{REPLACEMENT CHARACTER}" for c in shown))
