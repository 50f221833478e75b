"""Where in a compact JSON text one stands, told from its bytes as they come."""

from __future__ import annotations

import json
from enum import Enum
from typing import TypeAlias

QUOTE, BACKSLASH = ord('"'), ord("\\")
OPEN_OBJECT, CLOSE_OBJECT = ord("{"), ord("}")
OPEN_ARRAY, CLOSE_ARRAY = ord("["), ord("]")
COMMA, COLON = ord(","), ord(":")
TAIL = 16  # bytes of a free text that are kept

Path: TypeAlias = "tuple[str | int, ...]"  # the keys and indices that lead to a part of a document


class Mode(Enum):
    """What the next byte belongs to."""

    BEFORE = "in the text ahead of the document"
    TEXT = "in a document that is not JSON"
    VALUE = "a value begins"
    FIRST_ITEM = "an array was opened: a value begins, or it closes"
    FIRST_KEY = "an object was opened: a key begins, or it closes"
    KEY = "a key begins"
    IN_KEY = "inside a key"
    COLON = "a key is complete"
    STRING = "inside a string"
    SCALAR = "inside a number, true, false or null"
    AFTER = "a value is complete"


class JsonState:
    """A walk over the bytes of one compact JSON document that is known to be well formed.

    marker: text ahead of the document ends with it (``<answer>`` behind a chain of thought); empty where there is none.
    json: whether the document is JSON; of another nothing is told.
    ``stack`` has the opening byte of every container that is open, ``keys`` beside it the key under which an object
    stands now, ``indices`` which item of an array comes or is being written. ``text`` is what was written of the string
    or scalar at hand, as raw JSON without its quotes; of other text, the last bytes.
    """

    __slots__ = ("_document", "_escaped", "_marker", "indices", "keys", "mode", "stack", "text")

    def __init__(self, marker: bytes = b"", json: bool = True) -> None:
        self._marker = marker
        self._document = Mode.VALUE if json else Mode.TEXT
        self._escaped = False
        self.mode = Mode.BEFORE if marker else self._document
        self.stack: list[int] = []
        self.keys: list[bytes] = []
        self.indices: list[int] = []
        self.text = b""

    def copy(self) -> JsonState:
        twin = JsonState.__new__(JsonState)
        twin._marker, twin._document, twin._escaped = self._marker, self._document, self._escaped
        twin.mode, twin.text = self.mode, self.text
        twin.stack, twin.keys, twin.indices = self.stack.copy(), self.keys.copy(), self.indices.copy()
        return twin

    @property
    def depth(self) -> int:
        return len(self.stack)

    def feed(self, piece: bytes) -> None:
        """Take the next bytes."""
        if self.mode is Mode.BEFORE:
            piece = self._skip(piece)
        if self.mode is Mode.TEXT:
            self.text = (self.text + piece)[-TAIL:]
            return
        if self.mode is Mode.STRING and not self._escaped and QUOTE not in piece and BACKSLASH not in piece:
            self.text += piece  # most of what models write
            return
        for byte in piece:
            self._step(byte)

    def _skip(self, piece: bytes) -> bytes:
        """Look for the marker; returns what stands behind it."""
        seen = self.text + piece
        at = seen.find(self._marker)
        if at < 0:
            self.text = seen[-len(self._marker) :]
            return b""
        self.mode, self.text = self._document, b""
        return seen[at + len(self._marker) :]

    def _step(self, byte: int) -> None:
        if self.mode in (Mode.STRING, Mode.IN_KEY):
            self._in_string(byte)
        elif byte == QUOTE:
            self.text = b""
            self.mode = Mode.IN_KEY if self.mode in (Mode.KEY, Mode.FIRST_KEY) else Mode.STRING
        elif byte in (OPEN_OBJECT, OPEN_ARRAY):
            self._open(byte)
        elif byte in (CLOSE_OBJECT, CLOSE_ARRAY):
            self._close()
        elif byte == COMMA:
            self._next()
        elif byte == COLON:
            self.mode = Mode.VALUE
        elif self.mode is not Mode.AFTER:  # behind a document nothing is looked at
            self.text = self.text + bytes([byte]) if self.mode is Mode.SCALAR else bytes([byte])
            self.mode = Mode.SCALAR

    def _in_string(self, byte: int) -> None:
        if byte == QUOTE and not self._escaped:
            if self.mode is Mode.IN_KEY:
                self.keys[-1] = self.text
            self.mode = Mode.COLON if self.mode is Mode.IN_KEY else Mode.AFTER
            return
        self._escaped = byte == BACKSLASH and not self._escaped
        self.text += bytes([byte])

    def _open(self, byte: int) -> None:
        self.stack.append(byte)
        self.keys.append(b"")
        self.indices.append(0)
        self.mode = Mode.FIRST_KEY if byte == OPEN_OBJECT else Mode.FIRST_ITEM

    def _close(self) -> None:
        if self.stack:
            self.stack.pop()
            self.keys.pop()
            self.indices.pop()
        self.mode = Mode.AFTER

    def _next(self) -> None:
        if not self.stack:
            return
        self.indices[-1] += 1
        self.mode = Mode.KEY if self.stack[-1] == OPEN_OBJECT else Mode.VALUE


def path_of(state: JsonState) -> Path:
    """What leads to the value that begins or is being written."""
    return tuple(
        json.loads(b'"' + key + b'"') if opened == OPEN_OBJECT else index
        for opened, key, index in zip(state.stack, state.keys, state.indices, strict=True)
    )
