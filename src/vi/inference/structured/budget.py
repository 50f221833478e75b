"""What of a grammar still fits into the tokens that are left."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from llguidance import LLMatcher

from vi.inference.errors import SchemaError
from vi.inference.structured.grammar import Grammar
from vi.inference.structured.grounding import GroundingWalk
from vi.inference.structured.json_state import JsonState, Mode
from vi.inference.structured.shortest import Place
from vi.inference.structured.tables import Compiled, TokenizerTables
from vi.inference.structured.texts import NEVER, Text

MOST_VERIFIED = 2048  # tokens tried one by one where the budget is near its end: those of the lowest ids
MOST_SEARCHED = 24  # of those, tokens behind which a new ending is looked for
SPARE = {
    Mode.STRING: 0,
    Mode.IN_KEY: 2,
    Mode.BEFORE: 8,
    Mode.TEXT: 9,
}  # tokens by which plain text can put the ending off


class Budget:
    """A request's way to the end of its grammar, known in tokens once the budget is near.

    matcher: gives the request's own, walked by its owner, who calls ``follow`` after each token.
    """

    def __init__(
        self, grammar: Grammar, compiled: Compiled, tables: TokenizerTables, matcher: Callable[[], LLMatcher]
    ) -> None:
        self._frames = grammar.frames
        self._compiled = compiled
        self._tables = tables
        self._matcher = matcher
        self._state = JsonState(grammar.marker, grammar.json)
        self._close = grammar.close
        self._rule = GroundingWalk(grammar.rule) if grammar.rule is not None else None
        self._written = bytearray()
        self._place: Place | None = None  # kept up only once an ending was looked for
        self._placed = 0  # how many of the written bytes it has taken
        # Whether what follows a string does not depend on what is in it.
        self._even = grammar.json and grammar.rule is None and self._frames.free_strings and not self._frames.unions
        self._text: Text | None = None  # the free text at hand, once the budget was near in it
        self._ending: list[int] | None = None  # tokens from here to the end, where known
        self._shortest = False  # whether that is the shortest
        self._proven: dict[int, list[int]] = {}  # endings behind tokens, those that the last ``narrow`` relied on
        self.decisive = False  # whether the last ``narrow`` left out what may well have been wanted

    def follow(self, token_id: int) -> None:
        """Keep up with a token that the matcher has taken."""
        spelling = self._tables.spelling(token_id)
        self._feed(spelling)
        self._written += spelling
        proven, self._proven = self._proven.get(token_id), {}
        if self._text is not None:
            if self._tables.within_string[token_id]:
                return  # the ending is what it was
            proven = self._text.behind.get(token_id)
            self._text = None
        ending, self._ending = self._ending, None
        if ending and ending[0] == token_id:
            self._ending = ending[1:]
        elif ending and self._ends(ending[1:]):
            self._ending = ending[1:]  # no way is shorter by more than the one token
        elif ending is not None and self._ends(ending):
            self._ending = ending
            self._shortest &= self._tables.spelling(ending[0])[:1] in (b'"', b"<") if ending else True
        if proven is not None and (self._ending is None or len(proven) < len(self._ending)):
            self._ending, self._shortest = proven, False

    def repeats(self, allowed: np.ndarray) -> np.ndarray | None:
        """This mask, as one array for all requests, where it holds behind tokens that ``goes_on`` too; else None."""
        return self._compiled.texts.shared(allowed) if self._is_free(allowed) else None

    def goes_on(self, token_id: int) -> bool:
        """Whether behind this token of a free text whatever may come here may come again."""
        if self._state.mode is not Mode.STRING or not self._tables.within_string[token_id]:
            return False
        return len(self._state.text) + 2 * self._tables.longest <= self._frames.string_room

    @property
    def in_groundings(self) -> bool:
        return b"groundings" in self._state.keys

    def permits(self, token_id: int) -> bool:
        """Whether the rule besides the grammar takes a token."""
        return self._rule is None or self._rule.permits(self._state, self._tables.spelling(token_id))

    def within_rule(self, allowed: np.ndarray) -> np.ndarray:
        """Of ``allowed`` bool [V], what the rule besides the grammar takes."""
        return allowed if self._rule is None else self._rule.narrow(allowed, self._state, self._tables)

    def _feed(self, spelling: bytes) -> None:
        if self._rule is None:
            self._state.feed(spelling)
            return
        for byte in spelling:
            self._state.feed(bytes([byte]))
            self._rule.observe(self._state)

    def far(self, tokens_left: int) -> bool:
        """Whether any token may come without a thought of the end; costs nothing."""
        frame = self._compiled.frame
        return frame is not None and tokens_left - 1 >= (self._state.depth + 1 + self._tables.most_openers) * frame

    def ending(self) -> list[int]:
        """Tokens of the shortest way to the end that was found. Raises SchemaError where there is none."""
        if self._ending is not None and self._shortest:
            return self._ending
        at_beginning = not self._written
        found = self._compiled.first if at_beginning and self._compiled.first else self._search(self._here())
        if at_beginning and found:
            self._compiled.first[:] = found
        if found is None and self._ending is None:
            raise SchemaError(
                "No finite text was found that completes this grammar with this model's vocabulary.",
                "Simplify its patterns or lengths; parts that demand another of their own kind never end.",
            )
        ways = [way for way in (found, self._ending) if way is not None]
        self._ending, self._shortest = min(ways, key=len), True
        return self._ending

    def narrow(self, allowed: np.ndarray, tokens_left: int) -> np.ndarray:
        """Of ``allowed`` bool [V], the tokens behind which an ending fits; the shortest one's first is always there."""
        kept = None if self._text is None else self._text.known(allowed, tokens_left)
        if kept is not None:
            self.decisive = False
            return kept
        text = self._free_text(allowed)
        if text is not None and tokens_left > len(text.ending):
            return self._narrow_text(text, allowed, tokens_left)
        frame, ending = self._compiled.frame, self._ending
        if ending is None or frame is None or tokens_left - 1 - len(ending) < 2 * frame:
            ending = self.ending()
        spare = tokens_left - 1 - len(ending)
        kept = np.zeros_like(allowed)
        if spare >= 0:
            if frame is not None:
                around = self._state.depth if self._frames.unions else 0
                kept = allowed & ((1 + self._tables.openers + around) * frame <= spare)
            if self._in_free_text(allowed) and spare >= SPARE[self._state.mode]:
                kept |= allowed & self._tables.plain
            self._verify(allowed & ~kept, kept, ending, tokens_left)
        if ending:
            kept[ending[0]] = True
        else:
            kept[self._tables.eos_token_ids] = allowed[self._tables.eos_token_ids]
        in_text = self._state.mode in SPARE
        self.decisive = (spare < 0 or not in_text) and bool((allowed & ~kept).any())
        return kept

    def _free_text(self, allowed: np.ndarray) -> Text | None:
        """The Text that this place is in, None where it is in none."""
        if not self._is_free(allowed):
            self._text = None
        elif self._text is None:
            before = bytes(self._written[: len(self._written) - len(self._state.text)])
            self._text = self._compiled.texts.get(before) or self._new_text(before)
            if self._text is not None:
                self._ending, self._shortest = self._text.ending, True
        return self._text

    def _is_free(self, allowed: np.ndarray) -> bool:
        closable = self._tables.in_free_text
        in_string = self._even and self._state.mode is Mode.STRING
        return in_string and len(closable) > 0 and bool(allowed[closable].all())

    def _new_text(self, before: bytes) -> Text | None:
        ending, tables = self.ending(), self._tables
        if not tables.spelling(ending[0]).startswith(b'"'):
            return None
        text = Text.closed_by(ending, tables.plain, tables.openers, self._compiled.frame)
        self._compiled.texts.keep(before, text)
        return text

    def _narrow_text(self, text: Text, allowed: np.ndarray, tokens_left: int) -> np.ndarray:
        self.decisive = False
        kept = allowed & (text.least <= tokens_left)
        unknown = allowed & text.unknown & ~kept
        if unknown.any():
            self._learn(text, np.flatnonzero(unknown).tolist())
            kept = allowed & (text.least <= tokens_left)
        kept[text.ending[0]] = True
        return text.tell(allowed, tokens_left, kept)

    def _learn(self, text: Text, token_ids: list[int]) -> None:
        """Find out with how many tokens left these tokens of a text may still be taken."""
        length = len(text.ending)
        known: dict[tuple[object, ...], list[int] | None] = {}
        for token_id in token_ids:
            if self._ends([token_id, *text.ending[1:]]):
                needed = length + 1
            else:
                needed = length + 2 if self._ends([token_id, *text.ending]) else NEVER
                if b'"' in self._tables.spelling(token_id) and (found := self._behind(token_id, known)) is not None:
                    needed = min(needed, len(found) + 1)
                    text.behind[token_id] = found
            text.least[token_id] = min(int(text.least[token_id]), needed)
            text.unknown[token_id] = False

    def _in_free_text(self, allowed: np.ndarray) -> bool:
        """Whether plain characters leave every ending as it is: inside a string of any text that may close here."""
        mode = self._state.mode
        if mode not in SPARE or not self._frames.free_strings or not allowed[self._tables.printable].all():
            return False
        return mode in (Mode.BEFORE, Mode.TEXT) or b'"' in self._here().next_bytes()

    def _verify(self, open_tokens: np.ndarray, kept: np.ndarray, ending: list[int], tokens_left: int) -> None:
        """Add to ``kept`` the tokens of ``open_tokens`` behind which an ending within the budget is found."""
        alike = open_tokens & self._tables.plain & (self._state.mode is Mode.BEFORE)  # a thought goes on behind them
        unresolved = []
        for token_id in np.flatnonzero(open_tokens & ~alike)[:MOST_VERIFIED].tolist():
            if self._keeps(token_id, ending, tokens_left):
                kept[token_id] = True
            else:
                unresolved.append(token_id)
        if alike.any() and self._keeps(int(alike.argmax()), ending, tokens_left):
            kept |= alike
        if self._state.mode in SPARE:
            unresolved = [token_id for token_id in unresolved if b'"' in self._tables.spelling(token_id)]
        self._look_behind(unresolved[:MOST_SEARCHED], kept, tokens_left)

    def _keeps(self, token_id: int, ending: list[int], tokens_left: int) -> bool:
        """Whether the known ending, whole or without its first token, fits behind a token."""
        longer = len(ending) + 1 < tokens_left and self._ends([token_id, *ending])
        return token_id in self._tables.eos_token_ids or longer or self._ends([token_id, *ending[1:]])

    def _look_behind(self, token_ids: list[int], kept: np.ndarray, tokens_left: int) -> None:
        """Add to ``kept`` those of some tokens behind which a new ending is found that fits."""
        known: dict[tuple[object, ...], list[int] | None] = {}  # places that look alike mostly end alike
        for token_id in token_ids:
            found = self._behind(token_id, known)
            if found is not None and len(found) < tokens_left:
                kept[token_id] = True
                self._proven[token_id] = found

    def _behind(self, token_id: int, known: dict[tuple[object, ...], list[int] | None]) -> list[int] | None:
        """A new ending behind a token, None where none was found. known: endings by what the place looks like."""
        there = self._here().copy()
        if not there.take(self._tables.spelling(token_id)):
            return None
        looks = (there.next_bytes(), there.state.mode, there.state.depth)
        found = known.get(looks)
        if found is None or not self._ends([token_id, *found]):
            found = known[looks] = self._search(there)
        return found if found is not None and self._ends([token_id, *found]) else None

    def _here(self) -> Place:
        if self._place is None:
            matcher = self._compiled.bytes.deep_copy()
            matcher.consume_tokens(list(self._written))
            rule = self._rule.copy() if self._rule is not None else None
            self._place = Place(matcher, self._state.copy(), rule, self._close)
        elif self._placed < len(self._written):
            self._place.take(bytes(self._written[self._placed :]))
        self._placed = len(self._written)
        return self._place

    def _search(self, place: Place) -> list[int] | None:
        text = self._compiled.ending.find(place)
        return None if text is None else self._tables.tokens_of(text)

    def _ends(self, token_ids: list[int]) -> bool:
        """Whether these tokens lead from here to where the grammar may end."""
        way = [*token_ids, self._tables.eos_token_ids[0]]
        if self._matcher().validate_tokens(way) < len(way):
            return False
        return self._rule is None or self._rule.permits(self._state, b"".join(map(self._tables.spelling, token_ids)))
