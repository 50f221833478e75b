"""Options that several commands share: a parameter that is a dataclass stands for one option per field."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import is_dataclass
from functools import wraps
from typing import Any


def with_groups(command: Callable[..., Any]) -> Callable[..., Any]:
    """``command``, whose parameters that are dataclasses become their fields, behind its own options.

    The fields are annotated as options are, and have defaults.
    """
    signature = inspect.signature(command, eval_str=True)
    groups: dict[str, Any] = {
        name: one.annotation for name, one in signature.parameters.items() if is_dataclass(one.annotation)
    }
    fields = {
        name: [one.replace(kind=inspect.Parameter.KEYWORD_ONLY) for one in _parameters(group)]
        for name, group in groups.items()
    }
    own = [one.replace(kind=inspect.Parameter.KEYWORD_ONLY) for name, one in signature.parameters.items()]

    @wraps(command)
    def with_options(**given: Any) -> Any:
        made = {
            name: group(**{one.name: given.pop(one.name) for one in fields[name]}) for name, group in groups.items()
        }
        return command(**given, **made)

    parameters = [one for one in own if one.name not in groups] + [one for some in fields.values() for one in some]
    with_options.__signature__ = signature.replace(parameters=parameters)  # type: ignore[attr-defined]
    with_options.__annotations__ = {one.name: one.annotation for one in parameters}
    return with_options


def _parameters(group: Any) -> list[inspect.Parameter]:
    return list(inspect.signature(group, eval_str=True).parameters.values())
