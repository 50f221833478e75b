"""The shortest way to the end of a grammar from where one stands, in bytes."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from typing import TypeAlias

import numpy as np
from llguidance import LLMatcher, LLTokenizer, TokenizerWrapper

from vi.inference.structured.grounding import GroundingWalk
from vi.inference.structured.json_state import JsonState, Mode

END = 256  # of a text, in the vocabulary of bytes
LONGEST_ENDING = 1 << 17  # bytes; a schema that demands more cannot be met by any model
MOST_TRIALS = 400  # values tried out to find the shortest; after that the first kind in order is taken
LONGEST_RUN = 1 << 13  # characters of one string
MOST_TRIED = 8192  # bytes that one search takes
BROAD = 90  # bytes; where so many may come, any character may
NARROW = 24  # bytes; so few are all tried, of more only some of each kind
CLOSERS = b"}],"
END_OF_THOUGHT = b"</think>"
DIGITS = b"0123456789"
KINDS = b'n"tf[-{'  # how a value may begin, digits aside, in the order of what it may cost


Choices: TypeAlias = Callable[[bytes], bytes]  # of the bytes that may come, those to try


class _Bytes:
    eos_token_id = END
    bos_token_id = None
    special_token_ids = (END,)
    tokens = (*(bytes([value]) for value in range(256)), b"<end>")

    def __call__(self, text: str | bytes) -> list[int]:
        return list(text.encode() if isinstance(text, str) else text)


def byte_tokenizer() -> LLTokenizer:
    """The vocabulary of the 256 bytes, in which a grammar is walked for its endings."""
    return LLTokenizer(TokenizerWrapper(_Bytes()))


class Place:
    """A place in a grammar: its matcher over bytes, where in the document that is, and the rules on top.

    close: what stands behind the document.
    """

    def __init__(
        self, matcher: LLMatcher, state: JsonState, rule: GroundingWalk | None = None, close: bytes = b""
    ) -> None:
        self.matcher = matcher
        self.state = state
        self.rule = rule
        self.close = close

    def copy(self) -> Place:
        rule = self.rule.copy() if self.rule is not None else None
        return Place(self.matcher.deep_copy(), self.state.copy(), rule, self.close)

    def take(self, piece: bytes) -> bool:
        """Go on by ``piece``; False, and unchanged, where the grammar has no such text."""
        if self.matcher.try_consume_tokens(list(piece)) < len(piece):
            return False
        if self.rule is None:
            self.state.feed(piece)
            return True
        for byte in piece:
            self.state.feed(bytes([byte]))
            self.rule.observe(self.state)
        return True

    def next_bytes(self) -> bytes:
        """Every byte that may come next."""
        bits = np.frombuffer(self.matcher.compute_bitmask(), dtype=np.uint8)
        allowed = bytes(np.flatnonzero(np.unpackbits(bits, bitorder="little")[:END]).tolist())
        wanted = self.rule.may_follow(self.state) if self.rule is not None else None
        return allowed if wanted is None else bytes(byte for byte in allowed if byte in wanted)

    def forced(self) -> bytes:
        return self.matcher.compute_ff_bytes()

    def takes(self, piece: bytes) -> bool:
        if self.matcher.validate_tokens(list(piece)) < len(piece):
            return False
        return self.rule is None or self.rule.permits(self.state, piece)

    def ended(self) -> bool:
        return self.matcher.is_accepting()


class Ending:
    """Finds endings in one grammar.

    required: names of keys that objects must have, in their order. samples: texts that fit the grammar's expressions.
    """

    def __init__(self, required: Iterable[str] = (), samples: Iterable[str] = ()) -> None:
        self._names = tuple(_inside_quotes(name) for name in required)
        self._samples = tuple(samples)

    def find(self, place: Place) -> bytes | None:
        """A shortest text from ``place``, which stays as it is, to the end of the grammar; None where none was found.

        Optional keys and items are left out, texts closed, what is required filled with as little as may be. From the
        same place it is the same text, whoever else looks for one.
        """
        return _Way(self._names, self._samples).finish(place.copy(), LONGEST_ENDING, None)


class _Way:
    """One search for an ending."""

    def __init__(self, names: tuple[bytes, ...], samples: tuple[str, ...]) -> None:
        self._names, self._samples = names, samples
        self._turn = 0  # objects take their keys in order, so the next is mostly the one after the last
        self._trials = 0

    def finish(self, place: Place, limit: int, depth: int | None) -> bytes | None:
        """Steps until the grammar may end or, with a ``depth``, until a value at that depth is complete."""
        out = bytearray()
        while not (place.ended() if depth is None else _value_complete(place, depth)):
            step = self._step(place, limit - len(out))
            if step and depth is not None:
                step = _within_value(place.state, step, depth)
            if not step or len(out) + len(step) > limit or not place.take(step):
                return None
            out += step
        return bytes(out)

    def _step(self, place: Place, limit: int) -> bytes | None:
        forced = place.forced()
        if forced:
            return forced
        mode, allowed = place.state.mode, place.next_bytes()
        if mode is Mode.BEFORE:
            return _closing(place, END_OF_THOUGHT) or allowed[:1]  # in the middle of a character, which comes first
        if mode is Mode.TEXT and (closing := _closing(place, place.close)):
            return closing
        if mode in (Mode.AFTER, Mode.SCALAR, Mode.FIRST_ITEM, Mode.FIRST_KEY):
            closer = next((bytes([byte]) for byte in CLOSERS if byte in allowed), None)
            if closer:
                return closer
        if mode in (Mode.VALUE, Mode.FIRST_ITEM):
            return self._value(place, allowed, limit)
        if mode is Mode.IN_KEY and len(allowed) > 1 and not _leaf_complete(place):
            name = self._required_name(place)
            if name:
                return name
        return self._leaf(place)

    def _leaf(self, place: Place) -> bytes | None:
        """Shortest text after which the string, number or expression at hand may end, with a string's closing quote."""
        quoted = place.state.mode in (Mode.STRING, Mode.IN_KEY)
        quote = b'"' if quoted else b""
        if _leaf_complete(place):
            return quote or None
        for sample in self._samples:
            text = _inside_quotes(sample) if quoted else sample.encode()
            starts = [n for n in range(len(text), -1, -1) if place.takes(text[n:] + quote)]
            for start in starts:
                trial = place.copy()
                if trial.take(text[start:]) and _leaf_complete(trial):
                    return text[start:] + quote
        run = _run(place) if len(place.next_bytes()) > BROAD else None
        return run or _search(place, _some_of_each_kind) or _search(place, bytes)

    def _required_name(self, place: Place) -> bytes | None:
        written = place.state.text
        for offset in range(len(self._names)):
            turn = (self._turn + offset) % len(self._names)
            name = self._names[turn]
            if name.startswith(written) and place.takes(rest := name[len(written) :] + b'":'):
                self._turn = turn + 1
                return rest
        return None

    def _value(self, place: Place, allowed: bytes, limit: int) -> bytes | None:
        """The shortest of the ways in which a value may go, or only how it begins where there is one kind."""
        kinds = [bytes([byte]) for byte in KINDS if byte in allowed and byte not in DIGITS]
        digits = bytes(byte for byte in DIGITS if byte in allowed)
        number = _digit(place, digits) or _search(place, _some_of_each_kind, digits) if digits else None
        if number is not None:
            kinds.insert(0, number)
        if len(kinds) == 1 or self._trials > MOST_TRIALS:
            return kinds[0]
        best: bytes | None = None
        for first in kinds:
            self._trials += 1
            trial, bound = place.copy(), limit if best is None else len(best) - 1
            if len(first) > bound or not trial.take(first):
                continue
            rest = self.finish(trial, bound - len(first), place.state.depth)
            if rest is not None:
                best = first + rest
        return best


def _inside_quotes(text: str) -> bytes:
    """A text as JSON writes it between quotes."""
    return json.dumps(text, ensure_ascii=False)[1:-1].encode(errors="replace")


def _closing(place: Place, tag: bytes) -> bytes:
    """The rest of the tag that closes the free text at hand, of which the beginning may stand there already."""
    if not tag:
        return b""
    written = next(n for n in range(len(tag) - 1, -1, -1) if place.state.text.endswith(tag[:n]))
    trial = place.copy()
    closed = trial.take(tag[written:]) and (trial.ended() or bool(trial.forced()))
    return tag[written:] if closed else b""


def _value_complete(place: Place, depth: int) -> bool:
    if place.state.depth < depth or place.ended():
        return True
    if place.state.depth > depth:
        return False
    return place.state.mode is Mode.AFTER or (place.state.mode is Mode.SCALAR and _leaf_complete(place))


def _within_value(state: JsonState, step: bytes, depth: int) -> bytes:
    """Of what comes next, the part that belongs to the value at a depth."""
    state = state.copy()
    for count, byte in enumerate(step):
        if state.mode is Mode.SCALAR and state.depth == depth and byte in CLOSERS:
            return step[:count]
        state.feed(bytes([byte]))
        if state.depth < depth or (state.depth == depth and state.mode is Mode.AFTER):
            return step[: count + 1]
    return step


def _leaf_complete(place: Place) -> bool:
    """Whether the string, number or expression at hand may end here."""
    if place.ended():
        return True
    if place.state.mode is Mode.TEXT:
        return bool(_closing(place, place.close))
    allowed = place.next_bytes()
    if place.state.mode in (Mode.STRING, Mode.IN_KEY):
        return b'"'[0] in allowed
    return place.state.mode is Mode.SCALAR and any(byte in allowed for byte in CLOSERS)


def _digit(place: Place, digits: bytes) -> bytes | None:
    """A number of one digit behind which the document can go on."""
    ways = (bytes([digit, closer]) for digit in digits for closer in CLOSERS)
    return next((way[:1] for way in ways if place.takes(way)), None)


def _run(place: Place) -> bytes | None:
    """For texts of any characters with a least length: one character, again and again."""
    trial, filler = place.copy(), b"a"
    for count in range(1, LONGEST_RUN + 1):
        if not trial.take(filler):
            return None
        if _leaf_complete(trial):
            return filler * count
    return None


def _search(place: Place, choices: Choices, first: bytes | None = None) -> bytes | None:
    """Breadth first; places of one depth with the same continuations count as one. first: the bytes to begin with."""
    level, tried = [(b"", place)], 0
    while level and tried < MOST_TRIED:
        following: dict[bytes, tuple[bytes, Place]] = {}
        for path, here in level:
            for byte in choices(here.next_bytes()) if path or first is None else first:
                there, longer = here.copy(), path + bytes([byte])
                tried += 1
                if not there.take(bytes([byte])):
                    continue
                if _leaf_complete(there):
                    return longer
                following.setdefault(there.next_bytes(), (longer, there))
        level = list(following.values())
    return None


def _some_of_each_kind(allowed: bytes) -> bytes:
    """Few bytes that stand for all: whole characters of ASCII first, of letters and digits the first and the last."""
    if len(allowed) <= NARROW:
        return allowed
    plain = bytes(byte for byte in allowed if 32 <= byte < 127 and byte not in b'"\\')
    chosen = bytearray()
    for first, last in (b"az", b"AZ", b"09"):
        run = [byte for byte in plain if first <= byte <= last]
        chosen += bytes({*run[:1], *run[-1:]})
    chosen += bytes(byte for byte in plain if not chr(byte).isalnum())
    return bytes(chosen) or allowed[:NARROW]
