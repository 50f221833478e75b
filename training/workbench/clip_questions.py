"""Questions about a clip with true answers, as ``questions.py`` has them about scenes.

What ``Question.truth`` holds (``clip_grade.py`` reads it), by type:

* clip_direction: ``{"direction": "left" | "right" | "up" | "down"}``, or, where it is asked over which edge a part
  comes in, ``{"side": "left" | "right" | "top" | "bottom"}``.
* clip_event: ``{"event": one of clips.ACTIONS, "part": [colour, kind] or None, "direction": as above or None, "side":
  as above or None, "defect": one of DEFECTS or None, "count": of those that pass}`` for what happens;
  ``{"part": [colour, kind] or None}`` for who it is that enters, leaves or gets a defect, None where nobody does;
  ``{"yes": bool}`` for whether one does; ``{"seconds": float, "tolerance": float}`` for when, which is the moment at
  which its centre crosses the edge.
* clip_moves: ``{"part": [colour, kind] or None}``, or ``{"yes": bool}``.
* clip_count: ``{"count": int}``.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from training.workbench import tell
from training.workbench.asking import ask
from training.workbench.clips import Clip, is_inside
from training.workbench.question import Question
from training.workbench.scenes import Part

# share of each question in training
CLIP_MIX = {"clip_direction": 0.36, "clip_event": 0.34, "clip_moves": 0.16, "clip_count": 0.14}
# the actions of a clip that such a question can be about
ABOUT = {
    "clip_direction": ("move", "enter", "leave"),
    "clip_event": ("enter", "leave", "move", "damage", "turn", "still", "pass"),
    "clip_moves": ("move", "enter", "leave", "turn", "still"),
    "clip_count": ("pass",),
}
TOLERANCE = 0.5  # seconds
COMES_FROM = {"left": "right", "right": "left", "up": "bottom", "down": "top"}  # direction of motion -> edge behind it
GOES_TO = {"left": "left", "right": "right", "up": "top", "down": "bottom"}
_TO = {"left": "to the left", "right": "to the right", "up": "up", "down": "down"}
_FROM = {side: f"from the {side}" for side in GOES_TO.values()}


def clip_question(rng: np.random.Generator, clip: Clip, kind: str, unseen: bool = False) -> Question | None:
    """A question of that type about the clip, or None where it is not about such clips."""
    if clip.action not in ABOUT[kind]:
        return None
    return {"clip_direction": _direction, "clip_event": _event, "clip_moves": _moves, "clip_count": _count}[kind](
        rng, clip, unseen
    )


def _direction(rng: np.random.Generator, clip: Clip, unseen: bool) -> Question:
    actor, direction = clip.motions[0].last, _way(clip)
    name = _name(actor)
    if clip.action == "enter" and rng.random() < 0.3:
        side = COMES_FROM[direction]
        answer = f"{_FROM[side].capitalize()}." if rng.random() < 0.6 else f"The {name} enters {_FROM[side]}."
        prompt = ask(rng, "clip_side", unseen, part=name)
        return Question("clip_direction", "vqa", prompt, answer, seen_to_move(clip), {"side": side})
    answer = f"{_TO[direction].capitalize()}." if rng.random() < 0.6 else f"The {name} moves {_TO[direction]}."
    prompt = ask(rng, "clip_direction", unseen, part=name)
    return Question("clip_direction", "vqa", prompt, answer, seen_to_move(clip), {"direction": direction})


def _event(rng: np.random.Generator, clip: Clip, unseen: bool) -> Question:
    style = rng.random()
    if clip.action in ("enter", "leave") and style < 0.5:
        return (_which if style < 0.3 else _when)(rng, clip, unseen)
    if clip.action == "damage" and style < 0.3:
        return _which(rng, clip, unseen)
    if style < 0.7 and clip.action != "pass":
        return _does(rng, clip, unseen)
    task = "vqa" if rng.random() < 0.5 else "freeform"
    return Question(
        "clip_event", task, ask(rng, "clip_happens", unseen), happens(rng, clip), seen_to_move(clip), _facts(clip)
    )


def _which(rng: np.random.Generator, clip: Clip, unseen: bool) -> Question:
    form, verb, nobody = {
        "enter": ("clip_which_enters", "enters", "No part enters."),
        "leave": ("clip_which_leaves", "leaves", "No part leaves."),
        "damage": ("clip_which_damaged", "gets a defect", ""),
    }[clip.action]
    if clip.action != "damage" and rng.random() < 0.15:  # asked about what does not happen
        form, nobody = {
            "enter": ("clip_which_leaves", "No part leaves."),
            "leave": ("clip_which_enters", "No part enters."),
        }[clip.action]
        return Question("clip_event", "vqa", ask(rng, form, unseen), nobody, seen_to_move(clip), {"part": None})
    actor = clip.motions[0].last
    answer = f"The {_name(actor)}." if rng.random() < 0.6 else f"The {_name(actor)} {verb}."
    truth = {"part": [actor.colour, actor.kind]}
    return Question("clip_event", "vqa", ask(rng, form, unseen), answer, seen_to_move(clip), truth)


def _when(rng: np.random.Generator, clip: Clip, unseen: bool) -> Question:
    actor, seconds = clip.motions[0].last, clip.motions[0].crossing()
    told = f"at {round(seconds * 2) / 2:g} seconds".replace("at 1 seconds", "at 1 second")
    doing = {"enter": "enters", "leave": "leaves"}[clip.action]
    answer = f"{told.capitalize()}." if rng.random() < 0.6 else f"The {_name(actor)} {doing} {told}."
    prompt = ask(rng, "clip_when", unseen, part=_name(actor), does=clip.action, doing=doing)
    truth = {"seconds": seconds, "tolerance": TOLERANCE}
    return Question("clip_event", "vqa", prompt, answer, seen_to_move(clip), truth)


def _does(rng: np.random.Generator, clip: Clip, unseen: bool) -> Question:
    does = (
        clip.action if clip.action in ("enter", "leave") and rng.random() < 0.6 else str(rng.choice(["enter", "leave"]))
    )
    yes = clip.action == does
    answer = "Yes." if yes else "No."
    if rng.random() < 0.4:
        answer = f"Yes, the {_name(clip.motions[0].last)} {does}s." if yes else f"No, no part {does}s."
    prompt = ask(rng, "clip_does", unseen, does=does, doing=f"{does}s")
    return Question("clip_event", "vqa", prompt, answer, seen_to_move(clip), {"yes": yes})


def happens(rng: np.random.Generator, clip: Clip) -> str:
    """One sentence on what happens; several true wordings of the same clip."""
    if clip.action == "still" or not clip.motions:
        return str(rng.choice(["Nothing happens.", "Nothing moves.", "All parts lie still."]))
    if clip.action == "pass":
        count = len(clip.motions)
        return f"{count} parts pass {_TO[_way(clip)]}." if count > 1 else f"1 part passes {_TO[_way(clip)]}."
    name, actor = f"the {_name(clip.motions[0].last)}", clip.motions[0].last
    if rng.random() < 0.3:
        name = tell.a(_name(actor))
    name = name[0].upper() + name[1:]
    if clip.action == "turn":
        return f"{name} turns."
    if clip.action == "damage":
        return f"{name} gets {tell.DEFECT[actor.defect or '']}."
    if clip.action == "move":
        return f"{name} moves {_TO[_way(clip)]}."
    if clip.action == "enter":
        return f"{name} enters {_FROM[COMES_FROM[_way(clip)]]}."
    side = GOES_TO[_way(clip)]
    return f"{name} leaves {'to' if side in ('left', 'right') else 'at'} the {side}."


def _facts(clip: Clip) -> dict[str, Any]:
    actor = clip.motions[0].last if clip.motions and clip.action != "pass" else None
    sides = {"enter": COMES_FROM, "leave": GOES_TO}.get(clip.action)
    return {
        "event": clip.action if clip.motions else "still",
        "part": [actor.colour, actor.kind] if actor else None,
        "direction": clip.direction,
        "side": sides[_way(clip)] if sides else None,
        "defect": actor.defect if actor and clip.action == "damage" else None,
        "count": len(clip.motions) if clip.action == "pass" else 0,
    }


def _moves(rng: np.random.Generator, clip: Clip, unseen: bool) -> Question:
    actor = clip.motions[0].last if clip.motions else None
    if clip.action == "turn" or rng.random() < 0.6:
        verb, form = ("turns", "clip_turns") if clip.action == "turn" else ("moves", "clip_moves")
        if actor is None:
            answer = str(rng.choice(["Nothing.", "Nothing moves."]))
        else:
            answer = f"The {_name(actor)}." if rng.random() < 0.6 else f"The {_name(actor)} {verb}."
        truth = {"part": [actor.colour, actor.kind] if actor else None}
        return Question("clip_moves", "vqa", ask(rng, form, unseen), answer, seen_to_move(clip), truth)
    asked, yes = actor, True
    if actor is None or (clip.scene.parts and rng.random() < 0.5):
        asked, yes = clip.scene.parts[int(rng.integers(len(clip.scene.parts)))], False
    assert asked is not None
    name = _name(asked)
    answer = "Yes." if yes else "No."
    if rng.random() < 0.4:
        answer = f"Yes, the {name} moves." if yes else f"No, the {name} lies still."
    prompt = ask(rng, "clip_does_move", unseen, part=name)
    return Question("clip_moves", "vqa", prompt, answer, seen_to_move(clip), {"yes": yes})


def _count(rng: np.random.Generator, clip: Clip, unseen: bool) -> Question:
    count = len(clip.motions)
    answer = str(count)
    if rng.random() < 0.4:
        answer = f"{count} parts pass." if count > 1 else "1 part passes." if count else "No parts pass."
    return Question("clip_count", "vqa", ask(rng, "clip_count", unseen), answer, seen_to_move(clip), {"count": count})


def seen_to_move(clip: Clip) -> str:
    """The trace: the part that does something, where it is first and where it is last; of a belt, what passes."""
    if not clip.motions:
        return "I see nothing move."
    if clip.action == "pass":
        names = [tell.a(f"{m.last.size} {_name(m.last)}") for m in clip.motions]
        return f"I see {tell.join(names)} pass. That makes {len(names)}."
    motion = clip.motions[0]
    begin, end = (_where(motion.at(t)) for t in (motion.start, motion.stop))
    name = tell.a(f"{motion.last.size} {_name(motion.last)}")
    if clip.action == "turn":
        return f"I see {name} {begin}. It turns."
    if clip.action == "damage":
        return f"I see {name} {begin}, then with {tell.DEFECT[motion.last.defect or '']}."
    return f"I see {name} {begin}, then {end}."


def _where(part: Part) -> str:
    return tell.at_region(tell.region(part)) if is_inside(part) else "outside"


def _name(part: Part) -> str:
    return f"{part.colour} {part.kind}"


def _way(clip: Clip) -> str:
    assert clip.direction is not None
    return clip.direction
