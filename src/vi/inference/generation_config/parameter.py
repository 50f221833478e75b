"""What a field of the configuration says about itself: type, bounds, default, help."""

from __future__ import annotations

from dataclasses import dataclass
from types import NoneType
from typing import Any, get_args, get_origin

from annotated_types import Ge, Le
from pydantic.fields import FieldInfo

INT64_MAX = 2**63 - 1


@dataclass(frozen=True)
class Parameter:
    """One generation parameter, read from its field. ``type`` is int, float, bool or str; bounds are inclusive."""

    name: str
    type: type
    minimum: float | None
    maximum: float | None
    optional: bool  # None is a value
    repeated: bool  # a tuple of ``type``
    default: Any
    description: str

    @classmethod
    def of(cls, name: str, field: FieldInfo) -> Parameter:
        """Read ``field``; its annotation is a plain type, ``type | None`` or ``tuple[type, ...]``."""
        annotation: Any = field.annotation
        repeated = get_origin(annotation) is tuple
        members = [member for member in get_args(annotation) if member not in (NoneType, Ellipsis)]
        bounds = {type(mark): mark for mark in field.metadata}
        return cls(
            name=name,
            type=_plain(members[0] if members else annotation),
            minimum=bounds[Ge].ge if Ge in bounds else None,
            maximum=bounds[Le].le if Le in bounds else None,
            optional=NoneType in get_args(annotation),
            repeated=repeated,
            default=field.default,
            description=field.description or "",
        )

    @property
    def type_name(self) -> str:
        """The type in the reference's words, such as ``integer or None``."""
        name = {int: "integer", float: "number", bool: "boolean", str: "string"}[self.type]
        return f"list of {name}s" if self.repeated else f"{name} or None" if self.optional else name

    @property
    def range(self) -> str:
        """What is allowed, without the type: ``0.0 to 2.0``."""
        if self.repeated:
            return "one string or a list of strings, none empty"
        if self.type is bool:
            return "True or False"
        return f"{self.minimum} to {_bound(self.maximum)}" + (", or None" if self.optional else "")

    @property
    def allowed(self) -> str:
        """What is allowed, with the type: ``a number from 0.0 to 2.0``."""
        if self.repeated or self.type is bool:
            return self.range
        return f"{'an integer' if self.type is int else 'a number'} from {self.range}"


def _plain(annotation: Any) -> type:
    """``str`` of ``Annotated[str, ...]``."""
    return annotation.__origin__ if hasattr(annotation, "__metadata__") else annotation


def _bound(value: float | None) -> str:
    return "2^63 - 1" if value == INT64_MAX else str(value)
