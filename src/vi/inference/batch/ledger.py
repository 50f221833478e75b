"""Which rows of the output answer which rows of the input; what is still to be asked, and what is no longer true."""

from __future__ import annotations

from array import array
from collections import defaultdict
from collections.abc import Iterable
from itertools import pairwise
from pathlib import Path

from vi.inference.batch.columns import OutputRow
from vi.inference.batch.failures import OutputMismatch
from vi.inference.batch.keys import Key

_UNKNOWN = -1


class Ledger:
    """Counts rows by their keys, so that equal rows of the input get one row of the output each.

    Memory: about 500 bytes for a row that was there before, 8 for a new one.
    """

    def __init__(self, path: Path, *, retry_errors: bool = False) -> None:
        self._path = path  # of the output, for errors
        self._retry_errors = retry_errors
        self._free: dict[str, list[int]] = {}  # key -> numbers of the records that no row of the input has taken
        self._errors: dict[str, list[int]] = defaultdict(list)  # as above, of errors that are asked again
        self._sources: set[str] = set()  # of the records
        self._found: set[str] = set()  # those of them that the input has
        self._places = array("q")  # record -> number of its row in the input
        self.failures: dict[int, str] = {}  # record -> the type of its error
        self.num_damaged = 0

    def add_existing(self, rows: Iterable[OutputRow | None], call: str, model: str) -> None:
        """Take note of the rows that are there. Raises OutputMismatch where they answer another call or model."""
        for number, row in enumerate(rows):
            self._places.append(_UNKNOWN)
            key = Key.parse(row["key"]) if row else None
            if row is None or key is None:
                self.num_damaged += 1
                continue
            self._check(key, call, model)
            self._sources.add(key.source)
            failed = row["error_type"] is not None
            if failed:
                self.failures[number] = row["error_type"]
            if failed and self._retry_errors:
                self._errors[_short(key)].append(number)
            elif failed:  # an answer goes before it
                self._free.setdefault(_short(key), []).insert(0, number)
            else:
                self._free.setdefault(_short(key), []).append(number)

    def take(self, index: int, key: Key) -> int | None:
        """The record that answers row ``index`` of the input, which is that row's from now on; None where none does."""
        if key.source in self._sources:
            self._found.add(key.source)
        numbers = self._free.get(_short(key))
        if not numbers:
            return None
        number = numbers.pop()
        self._places[number] = index
        return number

    def add(self, index: int) -> None:
        """Take note of a record that was appended for row ``index`` of the input."""
        self._places.append(index)

    @property
    def num_stale(self) -> int:
        """Records whose source is in the input and was answered again, because it or what is asked of it changed."""
        return sum(1 for source, _ in self._left() if source in self._found)

    @property
    def num_gone(self) -> int:
        """Records whose source is not in the input; they are kept."""
        return sum(1 for source, _ in self._left() if source not in self._found)

    def order(self, *, ordered: bool) -> list[int] | None:
        """Numbers of the records that stay, in their order: those of sources that are gone, then the input's.

        None where the file is in that order already, or for ``ordered=False`` where all of them stay. Call it when the
        input has been read to its end.
        """
        gone = sorted(number for source, number in self._left() if source not in self._found)
        taken = [number for number, place in enumerate(self._places) if place != _UNKNOWN]
        all_stay = len(gone) + len(taken) == len(self._places)
        if not ordered:
            return None if all_stay else sorted(gone + taken)
        in_order = all(self._places[a] < self._places[b] for a, b in pairwise(taken))
        if all_stay and in_order:
            return None
        return gone + sorted(taken, key=self._places.__getitem__)

    def _check(self, key: Key, call: str, model: str) -> None:
        changes = ((key.model != model, "another model"), (key.call != call, "another prompt or configuration"))
        changed = [what for differs, what in changes if differs]
        if changed:
            raise OutputMismatch(
                f"{self._path} has answers of {' and '.join(changed)}, which would be mixed with these.",
                "Name another place, or remove it to ask everything again.",
            )

    def _left(self) -> Iterable[tuple[str, int]]:
        """(source, number) of the records that no row of the input has taken."""
        for records in (self._free, self._errors):
            for key, numbers in records.items():
                yield from ((key[: key.index(".")], number) for number in numbers)


def _short(key: Key) -> str:
    """What tells records apart, as call and model are the same for all."""
    return f"{key.source}.{key.content}.{key.ask}"
