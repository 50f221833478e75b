"""What the values do together: whether decoding is greedy, and which sampling values then do nothing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from vi.inference.generation_config.config import GenerationConfig


class Notice(NamedTuple):
    """Something the caller should know. ``cause`` is the same for every occurrence of the same thing."""

    cause: str
    text: str


# Each value makes decoding greedy on its own; beside it, what would let it sample.
_GREEDY = {
    "do_sample": (False, "do_sample=True"),
    "temperature": (0.0, "temperature above 0"),
    "top_p": (0.0, "top_p above 0"),
    "top_k": (1, "top_k above 1"),
}
_NEUTRAL = {"top_p": 1.0, "top_k": None}  # limits nothing, so nothing is lost


def greedy_causes(config: GenerationConfig) -> tuple[str, ...]:
    """The fields that make decoding greedy (the likeliest token at each step); empty if tokens are drawn."""
    return tuple(name for name, (value, _) in _GREEDY.items() if getattr(config, name) == value)


def set_by_caller(origin: str) -> bool:
    """Whether a value came with the call or with ``ViModel(generation_config=...)``."""
    return origin in ("call", "model") or origin.startswith("preset:")


def ineffective(config: GenerationConfig, origins: Mapping[str, str]) -> tuple[str, ...]:
    """Sampling values that the caller set and that do nothing because decoding is greedy.

    A value that asks for what happens anyway is none: ``top_p=1.0``, ``top_k=None``, and a fixed seed beside a
    greedy setting that the caller chose too (the text is repeatable, as asked).
    """
    causes = greedy_causes(config)
    if not causes:
        return ()
    chosen_greedy = any(set_by_caller(origins[name]) for name in causes)
    names = []
    for name in ("temperature", "top_p", "top_k", "seed"):
        neutral = name in _NEUTRAL and getattr(config, name) == _NEUTRAL[name]
        repeatable = name == "seed" and config.seed >= 0 and chosen_greedy
        if set_by_caller(origins[name]) and name not in causes and not neutral and not repeatable:
            names.append(name)
    return tuple(names)


def why_greedy(config: GenerationConfig, origins: Mapping[str, str]) -> str:
    """``do_sample=False (default) and temperature=0.0 (call)``."""
    return " and ".join(f"{name}={getattr(config, name)} ({origins[name]})" for name in greedy_causes(config))


def no_effect(config: GenerationConfig, origins: Mapping[str, str]) -> Notice | None:
    """The notice about values that do nothing, with what would give them an effect; None if there are none."""
    names = ineffective(config, origins)
    if not names:
        return None
    causes = greedy_causes(config)
    values = ", ".join(f"{name}={getattr(config, name)}" for name in names)
    remedy = " and ".join(_GREEDY[name][1] for name in causes)
    text = (
        f"{values} {'has' if len(names) == 1 else 'have'} no effect: decoding is greedy because of "
        f"{why_greedy(config, origins)}. To sample, set {remedy}."
    )
    return Notice(f"no effect: {', '.join(names)}; greedy by {', '.join(causes)}", text)
