"""In plain words: what each value would do, what is ignored, and why."""

from __future__ import annotations

from typing import Any, NamedTuple

from vi.inference.generation_config.config import ConfigLike, GenerationConfig
from vi.inference.generation_config.effects import greedy_causes, ineffective, why_greedy
from vi.inference.generation_config.resolution import ResolvedConfig, merge


class Explanation(NamedTuple):
    """One parameter: its value, who set it, and what it does."""

    parameter: str
    value: Any
    origin: str
    effect: str


def explain(config: ConfigLike | ResolvedConfig = None) -> list[Explanation]:
    """One row per parameter, in the order of the fields. Draws no seed: -1 stays -1. Raises ``ConfigError``."""
    resolved = config if isinstance(config, ResolvedConfig) else merge(config)
    return [
        Explanation(name, getattr(resolved.config, name), origin, effect(name, resolved))
        for name, origin in resolved.origins.items()
    ]


def effect(name: str, resolved: ResolvedConfig) -> str:
    """What parameter ``name`` does beside the others."""
    config, origins = resolved.config, resolved.origins
    causes = greedy_causes(config)
    why = why_greedy(config, origins)
    if name in ineffective(config, origins):
        return f"No effect: decoding is greedy because of {why}."
    if name in ("temperature", "top_p", "top_k", "seed") and causes and name not in causes:
        return "Not needed: greedy decoding always gives the same text." if name == "seed" else "Not used: greedy."
    if name == "do_sample" and config.do_sample and causes:
        return f"No effect: decoding is greedy because of {why}."
    if name == "seed" and origins["seed"] == "drawn":
        return f"Drawn for this call; seed={config.seed} gives the same text again."
    return _EFFECTS[name](config)


def _temperature(config: GenerationConfig) -> str:
    if config.temperature == 0:
        return "Greedy: the likeliest token at each step, whatever do_sample says."
    if config.temperature == 1:
        return "Draws with the model's own probabilities."
    if config.temperature < 1:
        return "Makes likely tokens likelier: less varied than the model's own probabilities."
    return "Makes unlikely tokens likelier: more varied" + (
        ", sometimes unpredictable." if config.temperature >= 1.5 else "."
    )


def _top_p(config: GenerationConfig) -> str:
    if config.top_p == 1:
        return "No limit."
    if config.top_p == 0:
        return "Greedy: only the likeliest token is left."
    return f"Draws among the likeliest tokens that together reach {config.top_p * 100:g} % of the probability."


def _top_k(config: GenerationConfig) -> str:
    if config.top_k is None:
        return "No limit: all tokens are considered."
    return f"Draws among the {config.top_k} likeliest tokens." if config.top_k > 1 else "Greedy: one token is left."


def _do_sample(config: GenerationConfig) -> str:
    if config.do_sample:
        return "Tokens are drawn at random among those that temperature, top_k and top_p leave."
    return "Greedy: the likeliest token at each step; the same input gives the same text."


def _repetition_penalty(config: GenerationConfig) -> str:
    penalty = config.repetition_penalty
    if penalty == 1:
        return "No penalty."
    return f"Scores of tokens already used are lowered by a factor of {penalty:g}, sampling or not."


def _seed(config: GenerationConfig) -> str:
    if config.seed == -1:
        return "A fresh seed is drawn for every call, and the answer reports it."
    return "Fixes every draw: the same input gives the same text."


def _stop_strings(config: GenerationConfig) -> str:
    if not config.stop_strings:
        return "None: the answer ends where the model ends it, or at max_new_tokens."
    return f"The answer ends before {' or '.join(map(repr, config.stop_strings))}."


def _logprobs(config: GenerationConfig) -> str:
    if config.logprobs is None:
        return "Off."
    return "Reports each token's log-probability" + (
        f" and its {config.logprobs} likeliest alternatives." if config.logprobs else "."
    )


def _loop_detection(config: GenerationConfig) -> str:
    if config.loop_detection:
        return "An answer that repeats itself without end is ended; what was sound of it is kept."
    return "Off: an answer may repeat itself up to max_new_tokens."


_EFFECTS = {
    "max_new_tokens": lambda config: f"The answer ends after {config.max_new_tokens} tokens at the latest.",
    "temperature": _temperature,
    "top_p": _top_p,
    "top_k": _top_k,
    "do_sample": _do_sample,
    "repetition_penalty": _repetition_penalty,
    "seed": _seed,
    "stop_strings": _stop_strings,
    "logprobs": _logprobs,
    "loop_detection": _loop_detection,
}
