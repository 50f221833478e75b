"""Which parts of a text are one of a few, and how likely each of them was, told from the places where they part."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from vi.inference.structured.frames import resolve
from vi.inference.structured.json_state import JsonState, Mode, Path, path_of

if TYPE_CHECKING:
    from vi.inference.structured.grammar import Grammar

BEGINS = (Mode.VALUE, Mode.FIRST_ITEM)
BEHIND_SCALAR = b",]}<"
DEEPEST = 32  # references within references
MARKS = ('"enum"', '"const"', '"boolean"', '"null"')  # a schema without them has no such parts
MOST_TOKENS = 4096  # among which options part; where more may come, it is not an option that is written


@dataclass(frozen=True)
class Finite:
    """schema: the JSON Schema of the text, as text; or choices: the texts that it may be."""

    schema: str = ""
    choices: tuple[str, ...] = ()

    def at(self, path: Path) -> dict[str, bytes] | None:
        """How each option is written by its name, where at least two may stand at ``path``; None elsewhere.

        A text is named as it is, any other value as its JSON.
        """
        if self.choices:
            return {option: option.encode() for option in self.choices} if len(self.choices) > 1 else None
        return _options(self.schema, path)


def finite(schema_text: str) -> Finite | None:
    """The finite parts of what a schema allows; None where it surely has none."""
    return Finite(schema_text) if any(mark in schema_text for mark in MARKS) else None


class OptionWalk:
    """One request's walk past its finite parts.

    At every step where options part, each token that may come has a probability under the model itself, among those
    tokens. It goes to the options that the token begins. A token that was not taken and begins several shares its
    probability out: as they turned out to be likely where the option that was taken is one of them, else evenly. So an
    option that parted from the taken one alone has exactly its probability under the form at temperature 1, and of
    those that went on together the sum is exact.
    """

    def __init__(self, grammar: Grammar, spelling: Callable[[int], bytes]) -> None:
        assert grammar.finite is not None
        self._finite = grammar.finite
        self._spelling = spelling
        self._state = JsonState(grammar.marker, grammar.json)
        self._close = grammar.close
        self._at_hand: _Part | None = None
        self._asked: list[tuple[int, tuple[str, ...]]] = []
        self.found: dict[str, dict[str, float]] = {}
        self._enter()

    def parting(self, allowed: np.ndarray) -> np.ndarray | None:
        """Int64 [N]: the tokens at which options part here, None where they do not. allowed: bool [V]."""
        self._asked = []
        if self._at_hand is None or np.count_nonzero(allowed) > MOST_TOKENS:
            return None
        ids = np.flatnonzero(allowed).tolist()
        if len(ids) > 1:
            begun = self._at_hand.begun_by()
            told = [(token_id, begun(self._spelling(token_id))) for token_id in ids]
            self._asked = [(token_id, names) for token_id, names in told if names]
        if len(self._asked) < 2:
            self._asked = []
            return None
        return np.array([token_id for token_id, _ in self._asked], dtype=np.int64)

    def weigh(self, taken: int, shares: Sequence[float]) -> None:
        """How likely each of the ``parting`` tokens was, and which token was taken."""
        if self._at_hand is not None and self._asked:
            self._at_hand.weigh(taken, self._asked, shares)

    def follow(self, token_id: int) -> None:
        """Keep up with the text."""
        piece = self._spelling(token_id)
        if self._at_hand is None and self._state.mode is Mode.STRING and b'"' not in piece:
            self._state.feed(piece)
            return
        for value in piece:
            self._take(bytes([value]))

    def end(self) -> None:
        """The text is complete."""
        if self._at_hand is not None:
            text = self._at_hand.written
            self._settle(text[: text.index(self._close)] if self._close and self._close in text else text)

    def _take(self, byte: bytes) -> None:
        state, part = self._state, self._at_hand
        before, depth = state.mode, state.depth
        state.feed(byte)
        if part is None:
            self._enter()
        elif state.mode is Mode.TEXT:
            part.written += byte
        elif before is Mode.SCALAR and depth == part.depth and state.mode is not Mode.SCALAR:
            self._settle(part.written)
        elif state.depth < part.depth:
            self._at_hand = None  # an empty array
        else:
            part.written += byte
            if state.mode is Mode.AFTER and state.depth == part.depth:
                self._settle(part.written)

    def _enter(self) -> None:
        """Whether a finite part begins here."""
        if self._state.mode is Mode.TEXT or self._state.mode in BEGINS:
            path = path_of(self._state)
            options = self._finite.at(path)
            if options is not None:
                in_json = self._state.mode is not Mode.TEXT
                self._at_hand = _Part(path, options, self._state.depth, None if in_json else self._close)

    def _settle(self, text: bytes) -> None:
        part, self._at_hand = self._at_hand, None
        assert part is not None
        shares = part.shares(text)
        if shares:
            self.found[".".join(map(str, part.path))] = shares
        self._enter()  # the byte behind a number may lead to the next


class _Part:
    """One finite part while it is written. close: what stands behind it where it is not JSON."""

    def __init__(self, path: Path, options: dict[str, bytes], depth: int, close: bytes | None) -> None:
        self.path = path
        self.depth = depth
        self.written = b""
        self._options = options
        self._close = close
        self._mass = 1.0  # of what was taken so far
        self._joint: list[tuple[tuple[str, ...], float]] = []  # of tokens that were not taken

    def begun_by(self) -> Callable[[bytes], tuple[str, ...]]:
        """Tells which options a token begins or goes on with; a token without a text ends the whole."""
        beginnings: dict[bytes, list[str]] = {}
        whole: dict[bytes, str] = {}
        for name, text in self._options.items():
            if text.startswith(self.written):
                rest = text[len(self.written) :]
                whole[rest] = name
                for length in range(1, len(rest) + 1):
                    beginnings.setdefault(rest[:length], []).append(name)

        def begun(piece: bytes) -> tuple[str, ...]:
            if not piece:
                return (whole[b""],) if b"" in whole else ()
            names = list(beginnings.get(piece, ()))
            for length in range(len(piece)):
                name = whole.get(piece[:length])
                if name is not None and self._may_follow(self._options[name], piece[length:]):
                    names.append(name)
            return tuple(names)

        return begun

    def _may_follow(self, option: bytes, rest: bytes) -> bool:
        if self._close is not None:
            return bool(self._close) and (self._close.startswith(rest) or rest.startswith(self._close))
        return option[-1:] in b'"]}' or rest[:1] in BEHIND_SCALAR

    def weigh(self, taken: int, asked: list[tuple[int, tuple[str, ...]]], shares: Sequence[float]) -> None:
        mass = 0.0
        for (token_id, names), share in zip(asked, shares, strict=True):
            if token_id == taken:
                mass = share
            else:
                self._joint.append((names, self._mass * share))
        self._mass *= mass

    def shares(self, text: bytes) -> dict[str, float]:
        """The probability of each option, now that ``text`` is what was taken; none where that is no option."""
        chosen = next((name for name, option in self._options.items() if option == text), None)
        if chosen is None:
            return {}
        weights = dict.fromkeys(self._options, 0.0)
        weights[chosen] = self._mass
        beside = []  # other spellings of what was taken
        for names, mass in self._joint:
            if len(names) > 1 and chosen in names:
                beside.append((names, mass))
                continue
            for name in names:
                weights[name] += mass / len(names)
        known = dict(weights)
        for names, mass in beside:
            total = sum(known[name] for name in names)
            for name in names:
                weights[name] += mass * (known[name] / total if total else 1 / len(names))
        total = sum(weights.values())
        return {name: weight / total for name, weight in weights.items()} if total else {}


@lru_cache(maxsize=4096)
def _options(schema_text: str, path: Path) -> dict[str, bytes] | None:
    root = _loaded(schema_text)
    nodes = [root]
    for step in path:
        nodes = [child for node in nodes for child in _children(root, node, step)]
    values = _values(root, {"anyOf": nodes}) if nodes else None
    if values is None:
        return None
    options = {}
    for value in values:
        written = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
        options[value if isinstance(value, str) else written] = written.encode(errors="replace")
    return options if len(options) > 1 else None


@lru_cache(maxsize=64)
def _loaded(schema_text: str) -> Any:
    return json.loads(schema_text)


def _children(root: Any, node: Any, step: str | int, depth: int = 0) -> Iterator[Any]:
    """The schemas of what stands under a key or an index."""
    if not isinstance(node, dict) or depth > DEEPEST:
        return
    if "$ref" in node:
        yield from _children(root, resolve(root, node["$ref"]), step, depth + 1)
    for keyword in ("anyOf", "oneOf", "allOf"):
        for member in node.get(keyword, ()):
            yield from _children(root, member, step, depth + 1)
    if isinstance(step, str):
        own = node.get("properties", {}).get(step, node.get("additionalProperties"))
    else:
        own = dict(enumerate(node.get("prefixItems", ()))).get(step, node.get("items"))
    if own is not None:
        yield own


def _values(root: Any, node: Any, depth: int = 0) -> list[Any] | None:
    """All values that a schema allows, None where they are not few."""
    if not isinstance(node, dict) or depth > DEEPEST:
        return None
    if "enum" in node:
        return list(node["enum"])
    if "const" in node:
        return [node["const"]]
    if "$ref" in node:
        return _values(root, resolve(root, node["$ref"]), depth + 1)
    for keyword in ("anyOf", "oneOf"):
        if keyword in node:
            found: list[Any] = []
            for member in node[keyword]:
                values = _values(root, member, depth + 1)
                if values is None:
                    return None
                found += values
            return found
    if len(node.get("allOf", ())) == 1:
        return _values(root, node["allOf"][0], depth + 1)
    kinds = node.get("type")
    kinds = kinds if isinstance(kinds, list) else [kinds]
    known: dict[str, list[Any]] = {"boolean": [True, False], "null": [None]}
    return [value for kind in kinds for value in known[kind]] if all(kind in known for kind in kinds) else None
