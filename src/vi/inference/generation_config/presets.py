"""Named configurations: the documented use cases, common configurations and parameter examples, as data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any


@dataclass(frozen=True)
class Preset:
    """``values`` are the parameters the preset sets; all others stay with the model, the run or the defaults."""

    description: str
    values: Mapping[str, Any]


def _preset(description: str, **values: Any) -> Preset:
    return Preset(description, MappingProxyType(values))


# A preset with a temperature samples: without do_sample=True its values would do nothing.
PRESETS: Mapping[str, Preset] = MappingProxyType(
    {
        "quality-inspection": _preset(
            "Consistent answers for inspection.", temperature=0.1, top_p=0.9, max_new_tokens=256, do_sample=True
        ),
        "detailed": _preset(
            "Detailed description, slightly varied.", temperature=0.5, top_p=0.95, max_new_tokens=512, do_sample=True
        ),
        "creative": _preset(
            "Creative or exploratory text.", temperature=0.8, top_p=1.0, max_new_tokens=1024, do_sample=True
        ),
        "deterministic": _preset(
            "The most likely token at every step.", temperature=0.0, top_p=1.0, max_new_tokens=256, do_sample=False
        ),
        "short-caption": _preset("A brief caption.", max_new_tokens=50, temperature=0.3, do_sample=True),
        "detailed-description": _preset(
            "A long description with some variety.", max_new_tokens=512, temperature=0.7, top_p=0.95, do_sample=True
        ),
        "object-list": _preset(
            "Which objects are visible: greedy, repeatable.", temperature=0.0, do_sample=False, seed=42
        ),
        "artistic": _preset(
            "An artistic description that avoids repeating itself.",
            max_new_tokens=300,
            temperature=0.9,
            top_p=0.95,
            do_sample=True,
            repetition_penalty=1.2,
        ),
        "focused": _preset("Draws among the 10 likeliest tokens at most.", top_p=0.8, top_k=10, do_sample=True),
        "balanced": _preset("Neither rigid nor wild.", temperature=0.7, top_p=0.95, top_k=50, do_sample=True),
        "wide": _preset(
            "The widest documented choice: the 100 likeliest tokens (top_k=None lifts that too).",
            top_p=1.0,
            top_k=100,
            do_sample=True,
        ),
    }
)
