"""What is asked of each source: which source, in which words."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import repeat
from typing import TYPE_CHECKING, Any

from vi.inference.call import Call
from vi.inference.errors import PromptError
from vi.inference.media.sources import SourceItem, expand

if TYPE_CHECKING:
    from vi.inference.task_types import Task


@dataclass(frozen=True)
class Ask:
    """One request to be: what is asked, of which source, in which words (or what is wrong with the words).

    given: the source as the caller gave it, where that is not the item itself.
    """

    call: Call
    item: SourceItem
    prompt: str | PromptError
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


def asks_about(
    call: Call, sources: Any, user_prompt: str | Iterable[str] | None, recursive: bool = False
) -> Iterator[Ask]:
    """A request for each of any number of sources, read as they are needed.

    Raises PromptError for the one prompt for all at once, and while reading where prompts for each run out.
    """
    one_for_all = user_prompt is None or isinstance(user_prompt, str)
    prompts = (
        repeat(call.task.user_prompt(user_prompt)) if one_for_all else (_own_prompt(p, call.task) for p in user_prompt)
    )
    return _asks(call, sources, prompts, recursive)


def _asks(call: Call, sources: Any, prompts: Iterator[str | PromptError], recursive: bool) -> Iterator[Ask]:
    for source in sources if _several(sources) else [sources]:
        expanded = expand(source, recursive=recursive)
        for item in expanded.items:
            prompt = next(prompts, None)
            if prompt is None:
                raise PromptError(
                    "There are fewer prompts than sources.", "Pass one string for all, or one per source."
                )
            yield Ask(call, item, prompt, item.value if expanded.many else source)


def _several(sources: Any) -> bool:
    """Whether it is many sources rather than one that can be iterated over: a text, bytes, a file, an array."""
    one = isinstance(sources, (str, bytes, bytearray)) or hasattr(sources, "read") or hasattr(sources, "shape")
    return isinstance(sources, Iterable) and not one


def _own_prompt(prompt: str | None, task: Task) -> str | PromptError:
    try:
        return task.user_prompt(prompt)
    except PromptError as error:
        return error
