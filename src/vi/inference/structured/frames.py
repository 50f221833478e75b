"""How much text a schema can demand: bounds that say when a token budget must be watched."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from vi.inference.structured.patterns import demand_of

LONGEST_NUMBER = 24  # digits that a number begun anyhow may still need
LONGEST_FORMAT = 64  # characters of a date, an address or another format
UNTOLD = 256  # bytes for what cannot be told
UNBOUNDED = 1 << 30  # characters


@dataclass(frozen=True)
class Piece:
    """A text that must still come: ``text`` as it stands, and ``loose`` bytes whose characters are not known."""

    text: str = ""
    loose: int = 0

    def __add__(self, other: Piece) -> Piece:
        return Piece(self.text + other.text, self.loose + other.loose)

    @property
    def size(self) -> int:
        return len(self.text.encode()) + self.loose


@dataclass(frozen=True)
class Frames:
    """What a document of a schema is made of.

    heaviest: for each part of the schema, the most text that a value of it, once begun, can still demand, without the
    parts inside it that are not begun. required: names that some object must have, in their order. unions: whether a
    later value may decide what an object around it demands. free_strings: no string has a pattern or a format.
    string_room: characters that any string has room for. samples: for the patterns, a short text that fits.
    """

    heaviest: tuple[Piece, ...] = ()
    required: tuple[str, ...] = ()
    unions: bool = False
    free_strings: bool = False
    string_room: int = 0
    samples: tuple[str, ...] = ()


UNKNOWN = Frames()


def frames_of(schema: dict[str, Any]) -> Frames:
    """The Frames of a schema whose keywords are known to be enforceable."""
    nodes = list(_nodes(schema))
    measure = _Measure(schema)
    names = dict.fromkeys(name for node in nodes for name in _required(node))
    return Frames(
        heaviest=tuple(dict.fromkeys(measure.begun(node) for node in nodes)),
        required=tuple(names),
        unions=any(keyword in node for node in nodes for keyword in ("anyOf", "oneOf")),
        free_strings=not any(key in node for node in nodes for key in ("pattern", "format", "patternProperties")),
        string_room=min((node["maxLength"] for node in nodes if "maxLength" in node), default=UNBOUNDED),
        samples=tuple(dict.fromkeys(_samples(nodes))),
    )


def _samples(nodes: list[dict[str, Any]]) -> Iterator[str]:
    for node in nodes:
        for pattern in [node["pattern"]] if "pattern" in node else node.get("patternProperties", ()):
            sample = demand_of(pattern).least
            if sample is not None:
                yield sample + "a" * (node.get("minLength", 0) - len(sample))


def smallest(schema: dict[str, Any]) -> Piece | None:
    """A least document, or at least as much as that takes; None where none ends, as a part demands its own kind."""
    return _Measure(schema).smallest(schema)


class _Measure:
    """Smallest documents of the parts of one schema."""

    def __init__(self, root: dict[str, Any]) -> None:
        self._root = root
        self._memo: dict[int, Piece | None] = {}
        self._open: set[int] = set()

    def smallest(self, node: Any) -> Piece | None:
        """A least text of a part from its beginning; None where there is none that ends."""
        if not isinstance(node, dict):
            return None if node is False else Piece("0")
        key = id(node)
        if key in self._memo:
            return self._memo[key]
        if key in self._open:
            return None
        self._open.add(key)
        found = self._smallest(node)
        self._open.discard(key)
        if found is not None or not self._open:  # None inside a circle may be the circle's, not the part's
            self._memo[key] = found
        return found

    def _smallest(self, node: dict[str, Any]) -> Piece | None:
        if "const" in node:
            return Piece(_text(node["const"]))
        if "enum" in node:
            return min((Piece(_text(value)) for value in node["enum"]), key=_size, default=None)
        parts: list[Piece | None] = []
        if "$ref" in node:
            parts.append(self.smallest(resolve(self._root, node["$ref"])))
        for keyword in ("anyOf", "oneOf"):
            if keyword in node:
                ends = [end for each in node[keyword] if (end := self.smallest(each)) is not None]
                parts.append(min(ends, key=_size) if ends else None)
        parts += [self.smallest(each) for each in node.get("allOf", ())]
        if not parts or "type" in node:
            kinds = node.get("type", _implied(node))
            ends = [end for k in ([kinds] if isinstance(kinds, str) else kinds) if (end := self._typed(k, node))]
            parts.append(min(ends, key=_size) if ends else None)
        total = Piece()
        for part in parts:
            if part is None:
                return None
            total += part
        return total

    def _typed(self, kind: str, node: dict[str, Any]) -> Piece | None:
        if kind == "object":
            return self._object(node)
        if kind == "array":
            return self._array(node)
        return _leaf(kind, node)

    def _object(self, node: dict[str, Any]) -> Piece | None:
        total = Piece("{}")
        for name in _required(node):
            value = self.smallest(node.get("properties", {}).get(name, node.get("additionalProperties", True)))
            if value is None:
                return None
            total += Piece(f"{_text(name)}:,") + value
        missing = node.get("minProperties", 0) - len(_required(node))
        return total + Piece(loose=UNTOLD * missing) if missing > 0 else total

    def _array(self, node: dict[str, Any]) -> Piece | None:
        total, prefix = Piece("[]"), node.get("prefixItems", [])
        for index in range(node.get("minItems", 0)):
            item = self.smallest(prefix[index] if index < len(prefix) else node.get("items", True))
            if item is None:
                return None
            total += item + Piece(",")
        return total

    def begun(self, node: dict[str, Any]) -> Piece:
        """The most that this part can demand once begun, without what is inside it and not begun."""
        candidates = [self.smallest(node) or Piece()]
        candidates += [Piece(_text(value)) for value in node.get("enum", ())]
        required = set(_required(node))
        optional = [name for name in node.get("properties", {}) if name not in required]
        key = max((Piece(f"{_text(name)}:,") for name in optional), key=_size, default=Piece())
        value = max(
            (self.smallest(node["properties"][name]) or Piece() for name in optional), key=_size, default=Piece()
        )
        items = self.smallest(node.get("items", True)) or Piece()
        candidates += [(self._object(node) or Piece()) + key + value, (self._array(node) or Piece()) + items]
        candidates += [_leaf("string", node)] if "pattern" in node or "format" in node else []
        return max(candidates, key=_size)


def resolve(root: dict[str, Any], reference: str) -> Any:
    """What a reference within a schema points to; True (anything) where it cannot be told."""
    node: Any = root
    for name in reference.lstrip("#").split("/")[1:]:
        name = unquote(name).replace("~1", "/").replace("~0", "~")
        if not isinstance(node, dict) or name not in node:
            return True
        node = node[name]
    return node


def _leaf(kind: str, node: dict[str, Any]) -> Piece:
    if kind == "string":
        loose = demand_of(node["pattern"]).most if "pattern" in node else 0
        loose += LONGEST_FORMAT if "format" in node else 0
        return Piece('""', loose + node.get("minLength", 0))
    if kind in ("number", "integer"):
        bounded = any(key in node for key in ("minimum", "maximum", "multipleOf", "exclusiveMinimum"))
        limits = [len(_text(node[key])) for key in ("minimum", "maximum") if key in node]
        return Piece("0", max([LONGEST_NUMBER if kind == "number" else 1, *limits]) if bounded else 1)
    return Piece({"null": "null", "boolean": "false"}.get(kind, ""))


def _implied(node: dict[str, Any]) -> str:
    for kind, keys in (
        ("object", ("properties", "required", "additionalProperties", "patternProperties")),
        ("array", ("items", "prefixItems", "minItems")),
        ("string", ("pattern", "minLength", "maxLength", "format")),
    ):
        if any(key in node for key in keys):
            return kind
    return "integer"


def _required(node: dict[str, Any]) -> list[str]:
    names, properties = set(node.get("required", ())), node.get("properties", {})
    return [name for name in properties if name in names] + [
        name for name in node.get("required", ()) if name not in properties
    ]


def _nodes(node: Any) -> Iterator[dict[str, Any]]:
    if isinstance(node, dict):
        yield node
        for keyword in ("properties", "patternProperties", "$defs", "definitions"):
            for child in node.get(keyword, {}).values():
                yield from _nodes(child)
        for keyword in ("allOf", "anyOf", "oneOf", "prefixItems"):
            for child in node.get(keyword, ()):
                yield from _nodes(child)
        for keyword in ("items", "additionalProperties"):
            yield from _nodes(node.get(keyword))


def _text(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _size(piece: Piece) -> int:
    return piece.size
