"""Scenes put into words: parts, lists, captions and traces that are true of the scene."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from training.workbench.scenes import Part, Scene

SURFACE = {
    "wood": "wood",
    "steel": "steel",
    "paper": "paper",
    "dark mat": "a dark mat",
    "conveyor belt": "a conveyor belt",
}
DEFECT = {"crack": "a crack", "scratch": "a scratch", "rust": "rust", "missing piece": "a missing piece"}
_COLUMNS, _ROWS = ("left", "", "right"), ("top", "", "bottom")
_WORDS = ("no", "one", "two", "three", "four", "five", "six")


def a(name: str) -> str:
    """The name with its indefinite article."""
    return ("an " if name[0] in "aeiou" else "a ") + name


def region(part: Part) -> str:
    """One of nine: top left, top, top right, left, center, right, bottom left, bottom, bottom right."""
    column, row = _COLUMNS[min(2, int(part.x * 3))], _ROWS[min(2, int(part.y * 3))]
    return f"{row} {column}".strip() or "center"


def at_region(name: str) -> str:
    """``in the center``, ``on the left``, ``at the top right``."""
    return {"center": "in the center", "left": "on the left", "right": "on the right"}.get(name, f"at the {name}")


def reading_order(parts: Sequence[Part]) -> list[Part]:
    """From left to right."""
    return sorted(parts, key=lambda p: p.x)


def groups(parts: Sequence[Part]) -> list[list[Part]]:
    """Parts of one colour and kind together; groups and parts from left to right."""
    together: dict[tuple[str, str], list[Part]] = {}
    for part in reading_order(parts):
        together.setdefault((part.colour, part.kind), []).append(part)
    return list(together.values())


def group_name(group: Sequence[Part]) -> str:
    """``a red bolt`` or ``2 red bolts``."""
    name = f"{group[0].colour} {group[0].kind}"
    return a(name) if len(group) == 1 else f"{len(group)} {name}s"


def join(names: Sequence[str]) -> str:
    """``a, b and c``."""
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def listing(parts: Sequence[Part], sized: bool) -> str:
    """All parts, left to right; with their sizes where ``sized``."""
    if not parts:
        return "no parts"
    if sized:
        return join([a(f"{p.size} {p.colour} {p.kind}") for p in reading_order(parts)])
    return join([group_name(g) for g in groups(parts)])


def evidence(parts: Sequence[Part], scene: Scene, noun: str, defects: bool = False) -> str:
    """The trace: the parts that an answer rests on, each with its place, and its defect where ``defects``."""
    if not parts:
        return f"I see no {noun}."
    names = [a(f"{p.size} {p.colour} {p.kind}") + (with_defect(p) if defects else "") for p in reading_order(parts)]
    return f"I see {join([f'{n} {at_region(region(p))}' for n, p in zip(names, reading_order(parts), strict=True)])}."


def with_defect(part: Part) -> str:
    """`` with a crack``; an empty text where the part has no defect."""
    return f" with {DEFECT[part.defect]}" if part.defect else ""


def what_is_wrong(rng: np.random.Generator, part: Part, name: str) -> str:
    """A sentence about the one part of that name."""
    if not part.defect:
        return f"The {name} has no defect."
    flaw = DEFECT[part.defect]
    return f"The {name} has {flaw}." if rng.random() < 0.7 else _sentence(f"{flaw}: the {name}.")


def count_answer(rng: np.random.Generator, count: int, noun: str) -> str:
    """``3``, or a sentence with the number."""
    if rng.random() < 0.6:
        return str(count)
    if count == 1:
        return f"There is 1 {noun}."
    return f"There are {count} {noun}s." if count else f"There are no {noun}s."


def yes_no(rng: np.random.Generator, yes: bool, name: str | None) -> str:
    """``Yes.`` or ``No.``, sometimes with the fact repeated."""
    if name is None or rng.random() < 0.6:
        return "Yes." if yes else "No."
    return f"Yes, there is {a(name)}." if yes else f"No, there is no {name}."


def _on(surface: str) -> str:
    return f"on {SURFACE[surface]}"


def caption(rng: np.random.Generator, scene: Scene) -> str:
    """One sentence; several true wordings of the same scene."""
    on, count = _on(scene.surface), len(scene.parts)
    if not count:
        return str(rng.choice([f"Nothing lies {on}.", f"An empty surface: {SURFACE[scene.surface]}, no parts."]))
    names = listing(scene.parts, sized=False)
    number = f"{_WORDS[count]} part{'s' if count > 1 else ''}"
    lie = "lies" if count == 1 else "lie"
    sentences = [
        f"{names} {on}.",
        f"{names} {lie} {on}.",
        f"{number} {on}: {names}.",
        f"A picture of {names} {on}.",
        f"The picture shows {names} {on}.",
        f"{SURFACE[scene.surface]} with {names}.",
    ]
    return _sentence(str(rng.choice(sentences)))


def detail(rng: np.random.Generator, scene: Scene) -> str:
    """Every part with size and place, in one of several orders of words."""
    return " ".join(_detail(rng, scene, defects=False))


def inspection(rng: np.random.Generator, scene: Scene) -> str:
    """As ``detail``, and each part's defect."""
    lines = _detail(rng, scene, defects=True)
    if scene.parts and not any(part.defect for part in scene.parts):
        lines.append("No part is defective.")
    return " ".join(lines)


def _detail(rng: np.random.Generator, scene: Scene, defects: bool) -> list[str]:
    on, count = _on(scene.surface), len(scene.parts)
    if not count:
        return [f"The picture shows {SURFACE[scene.surface]}.", "There are no parts."]
    number = f"{_WORDS[count]} part{'s' if count > 1 else ''}"
    lie = "lie" if count > 1 else "lies"
    openings = [
        f"{number} {lie} {on}.",
        f"The surface is {SURFACE[scene.surface]}.",
        f"The picture shows {number} {on}.",
    ]
    lines = [_sentence(str(rng.choice(openings)))]
    for part in reading_order(scene.parts):
        name, where = a(f"{part.size} {part.colour} {part.kind}"), at_region(region(part))
        lines.append(
            _sentence(str(rng.choice([f"{name} is {where}.", f"{name} lies {where}.", f"{where} there is {name}."])))
        )
        if defects and part.defect:
            lines.append(f"It has {DEFECT[part.defect]}.")
    return lines


def artistic(rng: np.random.Generator, scene: Scene) -> str:
    """The same facts with more feeling."""
    if not scene.parts:
        return f"Silence {_on(scene.surface)}: no parts, only light."
    names, on = listing(scene.parts, sized=False), _on(scene.surface)
    rest = "rests" if len(scene.parts) == 1 else "rest"
    sentences = [
        f"{names} {rest} {on}, quiet in the light.",
        f"In soft light {on}, {names} {rest} like jewels.",
        f"A still life {on}: {names}.",
        f"Quiet {on}, {names} wait for a hand.",
    ]
    return _sentence(str(rng.choice(sentences)))


def grounded(rng: np.random.Generator, together: Sequence[Sequence[Part]], surface: str) -> tuple[str, list[str]]:
    """(sentence, phrases): each phrase is an exact substring of the sentence and names one group."""
    if not together:
        return f"There are no parts {_on(surface)}.", []
    phrases = [group_name(g) for g in together]
    lie = "lies" if sum(map(len, together)) == 1 else "lie"
    sentence = str(
        rng.choice(
            [
                f"There is {join(phrases)} {_on(surface)}.",
                f"I see {join(phrases)}.",
                f"On {SURFACE[surface]} {lie} {join(phrases)}.",
            ]
        )
    )
    return sentence, phrases


def grounded_defects(rng: np.random.Generator, together: Sequence[Sequence[Part]]) -> tuple[str, list[str]]:
    """As ``grounded``, of groups of defective parts."""
    if not together:
        return "No part is defective.", []
    phrases = [group_name(g) for g in together]
    return str(rng.choice([f"Defective: {join(phrases)}.", f"I see damage on {join(phrases)}."])), phrases


def _sentence(text: str) -> str:
    return text[0].upper() + text[1:]
