"""What follows from a forward call: tokens are chosen at once, and taken at leisure while the next call runs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from typing import Any

from array_api_compat import array_namespace

from vi.inference.engine.block_table import BlockTable
from vi.inference.engine.failure import as_inference_error
from vi.inference.engine.scheduler import Chunk
from vi.inference.engine.underway import Underway
from vi.inference.engine.vocabulary import Vocabulary
from vi.inference.sampling.limits import Limits
from vi.inference.sampling.sampler import Choice, Row, choose, like, report_forced, rows_of


class Collector:
    """Gives every request its next token. Between two forward calls stands only what the second one needs.

    A token behind which the next step is known is put off: the cache is told of it, and while the device computes that
    step its request takes it (text, stop strings, loops, grammar), and the masks for the step after are made. A request
    that ends on such a token is found one step late; what was computed for it meanwhile is dropped.
    """

    def __init__(self, underway: Underway, vocabulary: Vocabulary, fast_forward: bool) -> None:
        self._underway = underway
        self._vocabulary = vocabulary
        self._fast_forward = fast_forward
        self._banned: Any = None  # on the device, once there are logits to tell which that is
        self._limits: Limits | None = None
        self._put_off: list[tuple[BlockTable, Choice]] = []
        self._rows: dict[BlockTable, Row] = {}  # what the sampler is to know, made while the device computed
        self._ahead: tuple[list[BlockTable], Any] = ([], None)  # requests, and what their rows may choose from

    def meanwhile(self, chunks: Sequence[Chunk]) -> Callable[[], None] | None:
        """What to do while these are computed; None where there is nothing."""
        tables = [chunk.table for chunk in chunks if chunk.complete]
        jobs = self._underway.jobs
        if self._put_off or any(jobs[table].sequence.request.grammar is not None for table in tables):
            return partial(self._catch_up, tables)
        return None

    def settle(self) -> None:
        """Have the requests take the tokens that were put off."""
        put_off, self._put_off = self._put_off, []
        for table, choice in put_off:
            if table in self._underway:
                self._take(table, choice)

    def collect(self, chunks: Sequence[Chunk], logits: Any) -> None:
        """Book what was computed, and choose the next token of every request that is ready for it.

        logits: [R, V], a row for each place that the chunks want, in order.
        """
        self.settle()
        if self._banned is None:
            self._banned = like(logits, self._vocabulary.banned, array_namespace(logits).bool)
            self._limits = Limits(self._banned)
        wanted = [(chunk.table, place) for chunk in chunks for place in chunk.wanted]
        for chunk in chunks:
            if chunk.table in self._underway:  # else it has ended while this was computed
                self._underway.computed(chunk)
        ready = [i for i, (table, place) in enumerate(wanted) if self._awaits(table, place)]
        if len(ready) < len(wanted):
            self._report(logits, wanted)
        tables = [wanted[i][0] for i in ready]
        for table, choice in zip(tables, self._choose(rows_of(logits, ready), tables), strict=True):
            if choice is not None:
                self._accept(table, choice)
        self._rows, self._ahead = {}, ([], None)

    def forget(self) -> None:
        """Nobody is answered any more."""
        self._put_off, self._rows = [], {}

    def _catch_up(self, tables: Sequence[BlockTable]) -> None:
        self.settle()
        self._rows, jobs = {}, self._underway.jobs
        with suppress(Exception):  # it will come again, where it can be told to the request
            for table in tables:
                if table in jobs:
                    self._rows[table] = jobs[table].sequence.row()
            if self._limits is not None:
                self._ahead = (list(self._rows), self._limits.of([row.allowed for row in self._rows.values()]))

    def _awaits(self, table: BlockTable, place: int) -> bool:
        """Whether the logits at this place are about the request's next token."""
        return place == len(table.token_ids) - 1 and not table.closed and table in self._underway

    def _report(self, logits: Any, wanted: Sequence[tuple[BlockTable, int]]) -> None:
        """Tell requests what the model says of tokens that were forced."""
        jobs = self._underway.jobs
        owed = [i for i, (table, place) in enumerate(wanted) if table in jobs and place in table.owed]
        known = [(table, place - table.num_prompt + 1) for table, place in (wanted[i] for i in owed)]
        sequences = [jobs[table].sequence for table, _ in known]
        token_ids = [sequence.token_ids[place] for sequence, (_, place) in zip(sequences, known, strict=True)]
        counts = [sequence.request.config.logprobs or 0 for sequence in sequences]
        if not known:
            return
        told = report_forced(rows_of(logits, owed), token_ids, counts, self._banned)
        for sequence, (_, place), choice in zip(sequences, known, told, strict=True):
            sequence.report(place, choice)
        for table in dict.fromkeys(table for table, _ in known):
            if table.follow(jobs[table].sequence):
                self._underway.forget(table).resolve()

    def _choose(self, logits: Any, tables: list[BlockTable]) -> Sequence[Choice | None]:
        """One token for each, None for those that fail on it."""
        if not tables:
            return []
        try:
            rows = [self._rows.get(table) or self._underway.jobs[table].sequence.row() for table in tables]
            prepared, limits = self._ahead
            if prepared != tables and self._limits is not None:
                limits = self._limits.of([row.allowed for row in rows])
            return choose(logits, rows, self._banned, limits)
        except Exception as error:
            failure = as_inference_error(error)
        if len(tables) == 1:
            self._underway.fail(tables[0], failure)
            return [None]
        return [self._choose(logits[i : i + 1], [table])[0] for i, table in enumerate(tables)]

    def _accept(self, table: BlockTable, choice: Choice) -> None:
        if self._underway.jobs[table].sequence.may_wait(choice.token_id):
            table.token_ids.append(choice.token_id)
            self._put_off.append((table, choice))
        else:
            self._take(table, choice)

    def _take(self, table: BlockTable, choice: Choice) -> None:
        """Take the token, and those that the grammar forces after it."""
        job = self._underway.jobs[table]
        sequence = job.sequence
        try:
            text = sequence.accept(choice)
            if self._fast_forward:
                text += sequence.fast_forward()
        except Exception as error:
            self._underway.fail(table, as_inference_error(error))
            return
        ended = table.follow(sequence)
        if ended:
            self._underway.forget(table)  # before the caller hears of the end, so the blocks are free by then
        job.show(text)
        if ended:
            job.resolve()
