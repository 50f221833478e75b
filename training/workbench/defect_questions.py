"""Questions about what is wrong with parts.

Whether a part is defective must be seen: for scenes of any number of parts yes and no are asked for equally often, and
so are they for a part of any name. A part is defective with a chance of ``SHARE`` whatever the others are, so it is
enough to drop some of the questions whose answer comes too often.
"""

from __future__ import annotations

from collections import Counter

import numpy as np

from training.workbench import tell
from training.workbench.asking import ask
from training.workbench.defects import SHARE
from training.workbench.question import Question
from training.workbench.scenes import Part, Scene

_NOTHING = 0.25  # share of "which" and "what" questions where nothing is wrong


def defect(rng: np.random.Generator, scene: Scene, unseen: bool) -> Question | None:
    """Whether one part is defective, or any; None where the answer would be told too often."""
    if rng.random() < 0.35:
        return _any(rng, scene, unseen)
    chosen = _chosen(rng, scene, 0.5)
    if chosen is None:
        return None
    part, name = chosen
    answer = "Yes." if part.defect else "No."
    if rng.random() < 0.4:
        answer = f"{answer[:-1]}, the {name} has {tell.DEFECT[part.defect] if part.defect else 'no defect'}."
    think = tell.evidence([part], scene, name, defects=True)
    return Question("defect", "vqa", ask(rng, "defect", unseen, part=name), answer, think, {"yes": bool(part.defect)})


def defect_which(rng: np.random.Generator, scene: Scene, unseen: bool) -> Question | None:
    """Which part is defective and how, where it is one or none; or what is wrong with a part."""
    if rng.random() < 0.4:
        return _what(rng, scene, unseen)
    wrong = _defective(scene)
    if len(wrong) > 1 or (wrong and _same_name(scene, wrong[0]) > 1) or not scene.parts:
        return None
    # of scenes with n parts, none is defective 1 - SHARE to n * SHARE times as often as one is
    often = (1 - SHARE) / (len(scene.parts) * SHARE)
    if not wrong and rng.random() > _NOTHING / (1 - _NOTHING) / often:
        return None
    think = tell.evidence(wrong, scene, "defective part", defects=True)
    prompt = ask(rng, "defect_which", unseen)
    if not wrong:
        return Question("defect_which", "vqa", prompt, "No part is defective.", think, {"none": True})
    name = f"{wrong[0].colour} {wrong[0].kind}"
    return Question("defect_which", "vqa", prompt, tell.what_is_wrong(rng, wrong[0], name), think, _truth(wrong[0]))


def _what(rng: np.random.Generator, scene: Scene, unseen: bool) -> Question | None:
    chosen = _chosen(rng, scene, 1 - _NOTHING)
    if chosen is None:
        return None
    part, name = chosen
    return Question(
        "defect_which",
        "vqa",
        ask(rng, "defect_what", unseen, part=name),
        tell.what_is_wrong(rng, part, f"{part.colour} {part.kind}"),
        tell.evidence([part], scene, name, defects=True),
        _truth(part),
    )


def _any(rng: np.random.Generator, scene: Scene, unseen: bool) -> Question | None:
    wrong = _defective(scene)
    whole = (1 - SHARE) ** len(scene.parts)  # chance that no part of so many is defective
    often, seldom = (whole, 1 - whole) if not wrong else (1 - whole, whole)
    if not scene.parts or rng.random() > seldom / often:
        return None
    answer = "Yes." if wrong else "No."
    if rng.random() < 0.4:
        answer = f"{answer[:-1]}, {_how_many(wrong)}."
    think = tell.evidence(wrong, scene, "defective part", defects=True)
    return Question("defect", "vqa", ask(rng, "defect_any", unseen), answer, think, {"yes": bool(wrong)})


def _how_many(wrong: list[Part]) -> str:
    if not wrong:
        return "no part is defective"
    return "1 part is defective" if len(wrong) == 1 else f"{len(wrong)} parts are defective"


def _chosen(rng: np.random.Generator, scene: Scene, share: float) -> tuple[Part, str] | None:
    """A part and a name that it has alone; parts with a defect are that share of what is chosen."""
    keep = min(1.0, SHARE * (1 - share) / ((1 - SHARE) * share))  # of those without
    by_kind = rng.random() < 0.3
    kinds = Counter(part.kind for part in scene.parts)
    for place in rng.permutation(len(scene.parts)):
        part = scene.parts[int(place)]
        alone = kinds[part.kind] == 1 if by_kind else _same_name(scene, part) == 1
        if alone and (part.defect or rng.random() < keep):
            return part, part.kind if by_kind else f"{part.colour} {part.kind}"
    return None


def _defective(scene: Scene) -> list[Part]:
    return [part for part in scene.parts if part.defect]


def _same_name(scene: Scene, part: Part) -> int:
    return sum((other.colour, other.kind) == (part.colour, part.kind) for other in scene.parts)


def _truth(part: Part) -> dict:
    if not part.defect:
        return {"none": True}
    return {"colour": part.colour, "kind": part.kind, "defect": part.defect}
