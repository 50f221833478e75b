"""What is asked of each source: which source, in which words, with which settings."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import repeat
from typing import TYPE_CHECKING, Any

from vi.inference.call import Call, CallOptions, lists_clips, make_call
from vi.inference.errors import PromptError, ViError
from vi.inference.generation_config import GenerationConfig
from vi.inference.media.items import SourceItem
from vi.inference.media.sources import expand
from vi.inference.media.tables import Row

if TYPE_CHECKING:
    from vi.inference.media.policy import MediaPolicy
    from vi.inference.runs.record import RunRecord
    from vi.inference.task_types import Task


@dataclass(frozen=True)
class Ask:
    """One request to be: what is asked, of which source, in which words (or what is wrong with it).

    policy: what may be read. given: the source as the caller gave it, where that is not the item itself.
    """

    call: Call
    item: SourceItem
    prompt: str | ViError
    policy: MediaPolicy
    given: Any = None


def prompts_for(user_prompt: str | Sequence[str] | None, count: int, task: Task) -> list[str | PromptError]:
    """One prompt per source; of a list, one that is empty or not text is its own error, in its place.

    Raises PromptError where the counts differ, and where the one prompt for all is empty or missing.
    """
    if user_prompt is None or isinstance(user_prompt, str):
        return [task.user_prompt(user_prompt)] * count
    if not isinstance(user_prompt, Sequence) or isinstance(user_prompt, (bytes, bytearray)):
        raise PromptError(
            f"user_prompt is of type {type(user_prompt).__name__}, which is not text.",
            "It takes a string, or a list with one per source.",
        )
    if len(user_prompt) != count:
        raise PromptError(
            f"user_prompt has {len(user_prompt)} prompts for {count} source{'s' if count != 1 else ''}.",
            "Pass one string for all, or one per source.",
        )
    return [_own_prompt(prompt, task) for prompt in user_prompt]


class Asks:
    """Requests about any number of sources, made as they are needed.

    sources: what ``ViModel.iter`` takes. Raises at once what is wrong for all of them.
    """

    def __init__(
        self,
        record: RunRecord,
        sources: Any,
        user_prompt: str | Iterable[str | None] | None,
        options: CallOptions,
        policy: MediaPolicy,
        recursive: bool = False,
    ) -> None:
        self._record, self._options = record, options
        self._call = make_call(record, options)
        self._last: tuple[Any, Call] | None = None  # rows that are alike mostly follow one another
        self._lists_clips = lists_clips(record, options.task_type)
        self._sources = sources if _several(sources) else [sources]
        self._given = user_prompt
        self._policy, self._recursive = policy, recursive

    def __iter__(self) -> Iterator[Ask]:
        """Raises PromptError where prompts for each run out. What is wrong with one prompt is in its Ask."""
        one_for_all = self._given is None or isinstance(self._given, str)
        prompts: Iterator[str | None] = repeat(self._given) if one_for_all else iter(self._given)  # type: ignore
        for source in self._sources:
            if isinstance(source, Row):
                yield self._of_row(source, next(prompts, None))
                continue
            for item, given in self._items(source):
                prompt = next(prompts, _NONE_LEFT)
                if prompt is _NONE_LEFT:
                    raise PromptError("There are fewer prompts than sources.", "Pass one for all, or one per source.")
                yield Ask(self._call, item, _own_prompt(prompt, self._call.task), self._policy, given)

    def _items(self, source: Any) -> Iterator[tuple[SourceItem, Any]]:
        if isinstance(source, SourceItem):
            yield source, source
            return
        found = expand(source, self._recursive, self._policy, clips=self._lists_clips)
        yield from ((item, item.value if found.many else source) for item in found.items)

    def _of_row(self, row: Row, prompt: str | None) -> Ask:
        """What a row says goes before what the call says."""
        try:
            if row.error is not None:
                raise row.error
            call = self._call_of(row)
            words: str | ViError = call.task.user_prompt(row.prompt if row.prompt is not None else prompt)
        except ViError as error:
            call, words = self._call, error
        return Ask(call, row.source, words, self._policy, row)

    def _call_of(self, row: Row) -> Call:
        if row.task is None and not row.generation_config:
            return self._call
        said = (row.task, repr(row.generation_config))  # as 1 == True
        if self._last is not None and self._last[0] == said:
            return self._last[1]
        options = self._options
        if row.task is not None:
            options = replace(options, task_type=row.task)
        if row.generation_config:
            common = GenerationConfig.coerce(options.generation_config).model_dump(exclude_unset=True)
            options = replace(options, generation_config=common | dict(row.generation_config))
        self._last = said, make_call(self._record, options)
        return self._last[1]


_NONE_LEFT: Any = object()


def _several(sources: Any) -> bool:
    """Whether it is many sources rather than one that can be iterated over: a text, bytes, a file, an array."""
    one = isinstance(sources, (str, bytes, bytearray)) or hasattr(sources, "read") or hasattr(sources, "shape")
    return isinstance(sources, Iterable) and not one


def _own_prompt(prompt: str | None, task: Task) -> str | PromptError:
    try:
        return task.user_prompt(prompt)
    except PromptError as error:
        return error
