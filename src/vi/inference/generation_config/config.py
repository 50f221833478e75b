"""The parameters of generation, checked and frozen; bounds, default and help stand on each field once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, PrivateAttr, field_validator

from vi.inference.errors import ConfigError, did_you_mean
from vi.inference.generation_config.parameter import INT64_MAX
from vi.inference.generation_config.presets import PRESETS
from vi.inference.generation_config.rejection import rejecting, short, unknown

NonEmpty = Annotated[str, Field(min_length=1)]


class GenerationConfig(BaseModel):
    """How an answer is generated. Frozen; every wrong value is a ``ConfigError`` that names it and what is allowed.

    Numbers are numbers: a string or a boolean is refused. A whole float (256.0, as JSON writers produce) is accepted
    where an integer is asked for, since nothing is lost; 256.5 is refused. A NumPy scalar counts as what it holds.

    ``model_fields_set`` names the values that were given; only those take part when configurations are merged.
    ``repr`` shows exactly those, and ``eval`` of it gives an equal configuration. Equality compares all values.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    max_new_tokens: int = Field(default=1024, ge=1, le=4096, description="Most tokens to generate.")
    temperature: float = Field(
        default=1.0, ge=0.0, le=2.0, allow_inf_nan=False, description="Randomness of sampling; 0 is greedy."
    )
    top_p: float = Field(
        default=1.0,
        ge=0.0,
        le=1.0,
        allow_inf_nan=False,
        description="Nucleus sampling: consider the likeliest tokens that together reach this probability.",
    )
    top_k: int | None = Field(
        default=50, ge=1, le=100, description="Consider this many likeliest tokens; None considers all."
    )
    do_sample: bool = Field(
        default=False, description="Draw tokens at random; False takes the likeliest token at each step."
    )
    repetition_penalty: float = Field(
        default=1.05, ge=1.0, le=2.0, allow_inf_nan=False, description="Penalty on tokens already used; 1 is none."
    )
    seed: int = Field(
        default=0, ge=-1, le=INT64_MAX, description="Fixes what sampling draws; -1 takes a fresh seed for every call."
    )
    stop_strings: tuple[NonEmpty, ...] = Field(default=(), description="End the answer before any of these texts.")
    logprobs: int | None = Field(
        default=None,
        ge=0,
        le=20,
        description="Report log-probabilities, with this many alternatives per token; None is off.",
    )

    loop_detection: bool = Field(
        default=True, description="End an answer that repeats itself without end, with finish_reason loop."
    )

    _preset_of: dict[str, str] = PrivateAttr(default_factory=dict)  # field -> the preset that brought its value

    if not TYPE_CHECKING:  # so that editors and mypy see the fields as keywords

        def __init__(self, /, **values: Any) -> None:
            with rejecting(type(self)):
                super().__init__(**values)

        def __setattr__(self, name: str, value: Any) -> None:
            if not name.startswith("_"):
                raise ConfigError(
                    f"{name}={value!r} cannot be set on a GenerationConfig, which never changes.",
                    f"Make another: config.model_copy(update={{{name!r}: {value!r}}}).",
                )
            super().__setattr__(name, value)

    @field_validator("max_new_tokens", "top_k", "seed", "logprobs", mode="before")
    @classmethod
    def _whole(cls, value: Any) -> Any:
        value = _unboxed(value)
        return int(value) if isinstance(value, float) and value.is_integer() else value

    @field_validator("temperature", "top_p", "repetition_penalty", "do_sample", "loop_detection", mode="before")
    @classmethod
    def _plain(cls, value: Any) -> Any:
        return _unboxed(value)

    @field_validator("stop_strings", mode="before")
    @classmethod
    def _texts(cls, value: Any) -> Any:
        if isinstance(value, str):
            return (value,)
        return tuple(value or ()) if value is None or isinstance(value, list) else value

    @classmethod
    def preset(cls, name: str, **overrides: Any) -> GenerationConfig:
        """The preset ``name`` with ``overrides``. An unknown name is a ``ConfigError`` with the nearest one."""
        if not isinstance(name, str) or name not in PRESETS:
            near = did_you_mean(str(name), PRESETS)
            raise ConfigError(
                f"{short(name)} is not a preset.", f"{near} The presets are {', '.join(PRESETS)}.".lstrip()
            )
        values = PRESETS[name].values
        config = cls(**{**values, **overrides})
        config._preset_of.update({field: name for field in values if field not in overrides})
        return config

    @classmethod
    def coerce(cls, value: ConfigLike) -> GenerationConfig:
        """A dict of parameters, an instance, a preset's name, or None (nothing set), as a configuration."""
        if isinstance(value, cls):
            return value
        if value is None:
            return cls()
        if isinstance(value, str):
            return cls.preset(value)
        if not isinstance(value, Mapping):
            raise ConfigError(
                f"generation_config={short(value)} is of type {type(value).__name__}.",
                "It takes a dict of parameters, a GenerationConfig, a preset's name or None.",
            )
        for key in value:
            if not isinstance(key, str):
                raise ConfigError(*unknown(repr(key), cls.model_fields))
        return cls(**value)

    def origins(self, level: str) -> dict[str, str]:
        """Where each value that was set comes from: ``preset:<name>``, or else ``level``."""
        fields = (name for name in type(self).model_fields if name in self.model_fields_set)
        return {name: f"preset:{self._preset_of[name]}" if name in self._preset_of else level for name in fields}

    @classmethod
    def model_validate(cls, obj: Any, **options: Any) -> GenerationConfig:
        """As pydantic's, with ``ConfigError`` for what is wrong."""
        with rejecting(cls):
            return super().model_validate(obj, **options)

    @classmethod
    def model_validate_json(cls, json_data: str | bytes | bytearray, **options: Any) -> GenerationConfig:
        """As pydantic's, with ``ConfigError`` for what is wrong."""
        with rejecting(cls):
            return super().model_validate_json(json_data, **options)

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> GenerationConfig:
        """A copy with ``update`` checked like any other value (pydantic's own does not check)."""
        changes = dict(update or {})
        copy = type(self)(**{name: getattr(self, name) for name in self.model_fields_set} | changes)
        copy._preset_of.update({name: preset for name, preset in self._preset_of.items() if name not in changes})
        return copy

    def __repr_args__(self) -> Any:
        return [(name, getattr(self, name)) for name in type(self).model_fields if name in self.model_fields_set]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, GenerationConfig) and self.__dict__ == other.__dict__


ConfigLike: TypeAlias = GenerationConfig | Mapping[str, Any] | str | None


def _unboxed(value: Any) -> Any:
    """A zero-dimensional NumPy or torch scalar as the Python value it holds."""
    return value.item() if getattr(value, "ndim", None) == 0 and hasattr(value, "item") else value
