"""Text for pictures: what the font can show, how wide it is, where its lines break."""

from __future__ import annotations

import unicodedata
from bisect import bisect_right
from functools import cached_property

from PIL import ImageFont

_UNSEEN = {"Cc", "Cf", "Cs", "Mn", "Me"}  # controls, joiners, lone surrogates, marks that stack on a letter
_NO_CHARACTER = "\uffff"
_STAND_INS = dict.fromkeys("‐‑‒–—―−", "-") | {"×": "x", "→": "->", "ß": "ss", "æ": "ae", "ø": "o", "ł": "l"}


class Lettering:
    """Pillow's bundled font at ``size`` pixels: basic Latin letters; what it lacks is shown as near as may be."""

    def __init__(self, size: int) -> None:
        self.size = size
        self.font = ImageFont.load_default(size=size)
        self._shown: dict[str, str] = {}

    @cached_property
    def line_height(self) -> int:
        """Pixels from one line to the next."""
        return round(self.size * 1.3)

    def width(self, text: str) -> int:
        """Pixels that one line of ``text``, as ``show`` gives it, takes."""
        return -int(-self.font.getlength(text) // 1)

    def show(self, text: str) -> str:
        """``text`` as this font can draw it, on one line.

        A letter it lacks loses its accent (é is e) or is taken apart (① is 1), a dash is a hyphen; any other character
        it lacks stays, drawn as a hollow box. White space becomes single spaces; characters that show nothing go.
        """
        return " ".join("".join(map(self._show, unicodedata.normalize("NFC", text))).split())

    def _show(self, character: str) -> str:
        if character not in self._shown:
            self._shown[character] = self._nearest(character)
        return self._shown[character]

    def _nearest(self, character: str) -> str:
        if character.isspace():
            return " "
        if unicodedata.category(character) in _UNSEEN:
            return ""
        if self._has(character):
            return character
        if character in _STAND_INS:
            return _STAND_INS[character]
        parts = [c for c in unicodedata.normalize("NFKD", character) if unicodedata.category(c) not in _UNSEEN]
        return "".join(parts) if parts and all(map(self._has, parts)) else character

    def _has(self, character: str) -> bool:
        return bytes(self.font.getmask(character)) != self._hollow_box

    @cached_property
    def _hollow_box(self) -> bytes:
        return bytes(self.font.getmask(_NO_CHARACTER))

    def wrap(self, text: str, width: int) -> list[str]:
        """Lines of at most ``width`` pixels, broken at spaces, inside a word only where it alone is wider.

        Line breaks of ``text`` stay; empty lines go. A line has at least one character, however narrow ``width`` is.
        """
        lines = []
        for paragraph in text.splitlines():
            line = ""
            for word in self.show(paragraph).split():
                longer = f"{line} {word}" if line else word
                if self.width(longer) <= width:
                    line = longer
                    continue
                pieces = self._pieces(word, width)
                lines += [line] * bool(line) + pieces[:-1]
                line = pieces[-1]
            lines += [line] * bool(line)
        return lines

    def _pieces(self, word: str, width: int) -> list[str]:
        pieces = []
        while word:
            fitting = self._fitting(word, width) or 1
            pieces.append(word[:fitting])
            word = word[fitting:]
        return pieces

    def _fitting(self, text: str, width: int) -> int:
        """How many characters of ``text`` fit into ``width`` pixels; none is narrower than one pixel."""
        counts = range(1, min(len(text), width) + 1)
        return bisect_right(counts, width, key=lambda count: self.width(text[:count]))

    def shorten(self, text: str, width: int) -> str:
        """``text`` on one line of at most ``width`` pixels, its end … where it is cut; empty where nothing fits."""
        shown = self.show(text)
        if not shown or self.width(shown) <= width:
            return shown
        cut = shown[: self._fitting(shown, width - self.width("…"))].rstrip()
        return f"{cut}…" if cut else ""
