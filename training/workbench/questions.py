"""Questions about a scene with true answers, the trace that leads to each, and what a grader needs to know."""

from __future__ import annotations

import math
from collections import Counter
from typing import Any

import numpy as np

from training.workbench import tell
from training.workbench.asking import ask
from training.workbench.defect_questions import defect, defect_which
from training.workbench.parts import COLOURS, KINDS
from training.workbench.question import Question
from training.workbench.scenes import Part, Scene
from training.workbench.things import absent_thing

# share of each question in training; what is harder or asked more often gets more
MIX = {
    "count": 0.14, "colour": 0.08, "kind": 0.05, "existence": 0.10, "size": 0.04, "region": 0.09, "relation": 0.08,
    "surface": 0.01, "unanswerable": 0.08, "list": 0.12, "caption": 0.07, "defect": 0.08, "defect_which": 0.06,
}  # fmt: skip


def random_question(rng: np.random.Generator, scene: Scene, kind: str, unseen: bool = False) -> Question | None:
    """A question of that type about the scene, or None where the scene gives no clear one."""
    return _ASKERS[kind](rng, scene, unseen)


def _count(rng: np.random.Generator, scene: Scene, unseen: bool) -> Question:
    style = rng.random()
    parts = list(scene.parts)
    if style < 0.3:
        prompt, noun, chosen = ask(rng, "count_all", unseen), "part", parts
    elif style < 0.65:
        kind = _present_or_random(rng, [p.kind for p in parts], KINDS)
        prompt, noun, chosen = (
            ask(rng, "count_kind", unseen, kinds=kind + "s"),
            kind,
            [p for p in parts if p.kind == kind],
        )
    else:
        colour = _present_or_random(rng, [p.colour for p in parts], tuple(COLOURS))
        prompt, noun = ask(rng, "count_colour", unseen, colour=colour), f"{colour} part"
        chosen = [p for p in parts if p.colour == colour]
    answer = tell.count_answer(rng, len(chosen), noun)
    think = f"{tell.evidence(chosen, scene, noun)} That makes {len(chosen)}."
    return Question("count", "vqa", prompt, answer, think, {"count": len(chosen)})


def _colour(rng: np.random.Generator, scene: Scene, unseen: bool) -> Question | None:
    part = _unique(rng, scene, lambda p: p.kind)
    if part is None:
        return None
    prompt = ask(rng, "colour", unseen, kind=part.kind)
    answer = f"{part.colour.capitalize()}." if rng.random() < 0.7 else f"The {part.kind} is {part.colour}."
    return Question("colour", "vqa", prompt, answer, tell.evidence([part], scene, part.kind), {"colour": part.colour})


def _kind(rng: np.random.Generator, scene: Scene, unseen: bool) -> Question | None:
    part = _unique(rng, scene, lambda p: p.colour)
    if part is None:
        return None
    prompt = ask(rng, "kind", unseen, colour=part.colour)
    answer = f"A {part.kind}." if rng.random() < 0.7 else f"The {part.colour} part is a {part.kind}."
    think = tell.evidence([part], scene, f"{part.colour} part")
    return Question("kind", "vqa", prompt, answer, think, {"kind": part.kind})


def _existence(rng: np.random.Generator, scene: Scene, unseen: bool) -> Question:
    named = {(p.colour, p.kind) for p in scene.parts}
    style, wanted = rng.random(), rng.random() < 0.5
    colour, kind = str(rng.choice(list(COLOURS))), str(rng.choice(KINDS))
    if scene.parts and (wanted or rng.random() < 0.6):  # a near miss keeps one of the two words true
        part = scene.parts[int(rng.integers(len(scene.parts)))]
        if wanted:
            colour, kind = part.colour, part.kind
        elif rng.random() < 0.5:
            colour = part.colour
        else:
            kind = part.kind
    if style < 0.65:
        name, there, seen = (
            f"{colour} {kind}",
            (colour, kind) in named,
            [p for p in scene.parts if (p.colour, p.kind) == (colour, kind)],
        )
    else:
        seen = [p for p in scene.parts if p.kind == kind]
        name, there = kind, bool(seen)
    prompt = ask(rng, "existence", unseen, part=name)
    prompt = prompt.replace(" a orange", " an orange")
    return Question(
        "existence", "vqa", prompt, tell.yes_no(rng, there, name), tell.evidence(seen, scene, name), {"yes": there}
    )


def _size(rng: np.random.Generator, scene: Scene, unseen: bool) -> Question | None:
    part = _unique(rng, scene, lambda p: (p.colour, p.kind))
    if part is None:
        return None
    name = f"{part.colour} {part.kind}"
    answer = f"{part.size.capitalize()}." if rng.random() < 0.7 else f"The {name} is {part.size}."
    prompt = ask(rng, "size", unseen, part=name)
    return Question("size", "vqa", prompt, answer, tell.evidence([part], scene, name), {"size": part.size})


def _region(rng: np.random.Generator, scene: Scene, unseen: bool) -> Question | None:
    part = _unique(rng, scene, lambda p: (p.colour, p.kind))
    if part is None or any(abs(v - edge) < 0.035 for v in (part.x, part.y) for edge in (1 / 3, 2 / 3)):
        return None
    name, region = f"{part.colour} {part.kind}", tell.region(part)
    where = tell.at_region(region)
    answer = f"{where[0].upper()}{where[1:]}." if rng.random() < 0.6 else f"The {name} is {where}."
    prompt = ask(rng, "region", unseen, part=name)
    return Question("region", "vqa", prompt, answer, tell.evidence([part], scene, name), {"region": region})


def _relation(rng: np.random.Generator, scene: Scene, unseen: bool) -> Question | None:
    once = [p for p in scene.parts if _names(scene)[p.colour, p.kind] == 1]
    if len(once) < 2:
        return None
    first, second = (once[int(i)] for i in rng.choice(len(once), 2, replace=False))
    name, other = f"{first.colour} {first.kind}", f"{second.colour} {second.kind}"
    if rng.random() < 0.3 and len(scene.parts) > 2:
        return _closest(rng, scene, first, name, unseen)
    side = str(rng.choice(["left of", "right of", "above", "below"]))
    gap = {
        "left of": second.x - first.x,
        "right of": first.x - second.x,
        "above": second.y - first.y,
        "below": first.y - second.y,
    }[side]
    if abs(gap) < 0.08:
        return None
    prompt = ask(rng, "relation", unseen, part=name, other=other, side=side)
    answer = tell.yes_no(rng, gap > 0, None)
    return Question("relation", "vqa", prompt, answer, tell.evidence([first, second], scene, name), {"yes": gap > 0})


def _closest(rng: np.random.Generator, scene: Scene, part: Part, name: str, unseen: bool) -> Question | None:
    stretch = math.sqrt(scene.aspect)
    far = sorted(
        (math.hypot((p.x - part.x) * stretch, (p.y - part.y) / stretch), i)
        for i, p in enumerate(scene.parts)
        if p is not part
    )
    if far[1][0] < far[0][0] * 1.25:
        return None
    near = scene.parts[far[0][1]]
    answer = f"{tell.a(f'{near.colour} {near.kind}').capitalize()}."
    prompt = ask(rng, "closest", unseen, part=name)
    return Question(
        "relation", "vqa", prompt, answer, tell.evidence([part, near], scene, name), {"part": [near.colour, near.kind]}
    )


def _surface(rng: np.random.Generator, scene: Scene, unseen: bool) -> Question:
    answer = f"{tell.SURFACE[scene.surface][0].upper()}{tell.SURFACE[scene.surface][1:]}."
    return Question(
        "surface",
        "vqa",
        ask(rng, "surface", unseen),
        answer,
        f"I see {tell.SURFACE[scene.surface]}.",
        {"surface": scene.surface},
    )


def _unanswerable(rng: np.random.Generator, scene: Scene, unseen: bool) -> Question:
    absent = [k for k in KINDS if all(p.kind != k for p in scene.parts)]
    thing = str(rng.choice(absent)) if rng.random() < 0.4 and absent else absent_thing(rng, unseen)
    prompt = ask(rng, "unanswerable", unseen, thing=thing)
    return Question(
        "unanswerable", "vqa", prompt, f"There is no {thing} in the picture.", f"I see no {thing}.", {"thing": thing}
    )


def _list(rng: np.random.Generator, scene: Scene, unseen: bool) -> Question:
    answer = tell.listing(scene.parts, sized=False)
    answer = f"{answer[0].upper()}{answer[1:]}." if scene.parts else "There are no parts."
    return Question(
        "list",
        _text_task(rng),
        ask(rng, "list", unseen),
        answer,
        tell.evidence(scene.parts, scene, "part"),
        _facts(scene),
    )


def _caption(rng: np.random.Generator, scene: Scene, unseen: bool) -> Question:
    style = str(rng.choice(["caption", "detail", "artistic", "inspect"], p=[0.53, 0.28, 0.13, 0.06]))
    words = {"caption": tell.caption, "detail": tell.detail, "artistic": tell.artistic, "inspect": tell.inspection}
    return Question(
        "caption",
        _text_task(rng),
        ask(rng, style, unseen),
        words[style](rng, scene),
        tell.evidence(scene.parts, scene, "part", defects=style == "inspect"),
        _facts(scene),
    )


def grounding(rng: np.random.Generator, scene: Scene, unseen: bool = False) -> Question:
    """Ground every part, or (one time in four) the parts that a phrase names, or (seldom) the defective ones."""
    style = rng.random()
    if style < 0.67 or not scene.parts:
        groups = tell.groups(scene.parts)
        prompt, sentence, phrases = ask(rng, "ground_all", unseen), *tell.grounded(rng, groups, scene.surface)
    elif style < 0.92:
        part = scene.parts[int(rng.integers(len(scene.parts)))]
        name = f"{part.colour} {part.kind}"
        groups = [[p for p in tell.reading_order(scene.parts) if (p.colour, p.kind) == (part.colour, part.kind)]]
        prompt = ask(rng, "ground_some", unseen, target=name if len(groups[0]) == 1 else name + "s")
        sentence, phrases = tell.grounded(rng, groups, scene.surface)
    else:
        groups = tell.groups([p for p in scene.parts if p.defect])
        prompt, sentence, phrases = ask(rng, "ground_defects", unseen), *tell.grounded_defects(rng, groups)
    answer = (
        sentence,
        [(phrase, [scene.box(p) for p in group]) for phrase, group in zip(phrases, groups, strict=True)],
    )
    truth = {"boxes": [[f"{p.colour} {p.kind}", *scene.box(p)] for group in groups for p in group]}
    return Question(
        "grounding",
        "phrase-grounding",
        prompt,
        answer,
        tell.evidence([p for g in groups for p in g], scene, "part"),
        truth,
    )


def _text_task(rng: np.random.Generator) -> str:
    return "vqa" if rng.random() < 0.5 else "freeform"


def _facts(scene: Scene) -> dict[str, Any]:
    return {
        "parts": [[p.size, p.colour, p.kind, tell.region(p)] for p in scene.parts],
        "defects": [p.defect for p in scene.parts],
        "surface": scene.surface,
    }


def _names(scene: Scene) -> Counter:
    return Counter((p.colour, p.kind) for p in scene.parts)


def _unique(rng: np.random.Generator, scene: Scene, key: Any) -> Part | None:
    counts = Counter(key(p) for p in scene.parts)
    once = [p for p in scene.parts if counts[key(p)] == 1]
    return once[int(rng.integers(len(once)))] if once else None


def _present_or_random(rng: np.random.Generator, present: list[str], every: tuple[str, ...]) -> str:
    return str(rng.choice(present if present and rng.random() < 0.85 else every))


_ASKERS = {
    "count": _count, "colour": _colour, "kind": _kind, "existence": _existence, "size": _size, "region": _region,
    "relation": _relation, "surface": _surface, "unanswerable": _unanswerable, "list": _list, "caption": _caption,
    "defect": defect, "defect_which": defect_which, "grounding": grounding,
}  # fmt: skip
