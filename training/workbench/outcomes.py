"""Cases asked by the public call, each in every way that it is wanted, and what came of each."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from typing import Any, TypeVar

from training.workbench import grade
from training.workbench.cases import CLIP_TYPES, TYPES, Case, ClipCase, clip_sheets, sheets
from training.workbench.clip_questions import ABOUT
from training.workbench.clips import ACTIONS
from vi.inference import ViModel
from vi.inference.completion import TokenLogprob
from vi.inference.media.sources import expand
from vi.inference.media.tables import Row

COT = "count_cot"
HALVED = ("count", "colour", "kind", "existence", "region")
HALF_SIZE = "half_size_jpeg40"
SAMPLED = "sampled"
WAYS = (*TYPES, COT, HALF_SIZE, SAMPLED, *CLIP_TYPES)
SEEDS = 8  # that a sampled caption is asked with
YES_NO = ("existence", "relation", "defect")
MOST_LOGPROBS = 20  # alternatives of a token, among which yes and no are looked for
SCENES = 32  # asked about together: a picture's second question comes when the first is on its way
_LONGEST_FIRST = ("grounding", "caption", "list")  # so that a batch does not wait for the last of these

Sheet = list[Case] | list[ClipCase]
Item = TypeVar("Item")


@dataclass(frozen=True)
class Outcome:
    """What came of one question. row: of the table; number: of its scene. right: of boxes, all of them and no others.

    overlaps: IoU of the told boxes that are right; told, true: how many were and should be. sure: (confidence, right)
    of what was said with one.
    """

    row: str
    number: int
    prompt: str
    truth: dict[str, Any]
    text: str
    right: bool
    overlaps: tuple[float, ...] = ()
    told: int = 0
    true: int = 0
    sure: tuple[tuple[float, bool], ...] = ()


@dataclass(frozen=True)
class Plan:
    """What is asked: so many questions of each type, in these ways (names of ``WAYS``).

    Half as many of each type of ``HALVED`` are asked at half the size; a tenth as many captions are sampled, each with
    every seed; a quarter as many clips are asked about, each whatever it has a question for.
    """

    seed: int
    per_type: int
    ways: tuple[str, ...] = WAYS

    def sheets(self) -> Iterator[Sheet]:
        """Everything that is asked about; clips first, as they take longest."""
        clip_types = [kind for kind in CLIP_TYPES if kind in self.ways]
        clips = clip_sheets(self.seed, self.num_clips, clip_types) if clip_types else ()
        return chain(clips, sheets(self.seed, self.wanted))

    @property
    def wanted(self) -> dict[str, int]:
        """Questions of each type of ``TYPES`` that is asked in any way."""
        wanted = {kind: self.per_type for kind in TYPES if self._is_plain(kind)}
        return {"caption": self.num_sampled, **wanted} if SAMPLED in self.ways else wanted

    @property
    def num_halved(self) -> int:
        return -(-self.per_type // 2)

    @property
    def num_sampled(self) -> int:
        return -(-self.per_type // 10)

    @property
    def num_clips(self) -> int:
        return -(-self.per_type // 4)

    @property
    def num_asked(self) -> int:
        """Of all questions in all ways; of clips about as many."""
        whole = (sum(map(self._is_plain, TYPES)) + (COT in self.ways)) * self.per_type
        halved = sum(map(self._is_halved, TYPES)) * self.num_halved
        of_clips = sum(ACTIONS[action] for kind in CLIP_TYPES if kind in self.ways for action in ABOUT[kind])
        sampled = (SAMPLED in self.ways) * self.num_sampled * SEEDS
        return whole + halved + sampled + round(of_clips * self.num_clips)

    def askings(self, case: Case | ClipCase) -> Iterator[Asking]:
        """The case in every way that it is asked."""
        kind = case.question.type
        if isinstance(case, ClipCase):
            yield Asking(kind, case)
        if self._is_plain(kind):
            yield Asking(kind, case, config={"logprobs": MOST_LOGPROBS} if kind in YES_NO else None)
        if kind == "count" and COT in self.ways:
            yield Asking(COT, case, cot=True)
        if self._is_halved(kind) and case.place < self.num_halved:
            yield Asking(f"{kind}_{HALF_SIZE}", case, halved=True)
        if kind == "caption" and SAMPLED in self.ways and case.place < self.num_sampled:
            for seed in range(SEEDS):
                yield Asking(SAMPLED, case, config={"do_sample": True, "temperature": 1.0, "seed": seed})

    def _is_plain(self, kind: str) -> bool:
        """Asked as it stands: because it is wanted, or to be set beside another way."""
        return (kind in TYPES and kind in self.ways) or self._is_halved(kind) or (kind == "count" and COT in self.ways)

    def _is_halved(self, kind: str) -> bool:
        return kind in HALVED and HALF_SIZE in self.ways


@dataclass(frozen=True)
class Asking:
    """A case and how it is asked: the picture halved, thinking first, with a configuration of its own."""

    row: str
    case: Case | ClipCase
    cot: bool = False
    halved: bool = False
    config: dict[str, Any] | None = None


def outcomes(model: ViModel, sheets: Iterable[Sheet], plan: Plan) -> Iterator[Outcome]:
    """What comes of every case in every way of the plan, a few scenes at a time. An error ends it: it never counts as a
    wrong answer."""
    for some in chunks(sheets, SCENES):
        yield from answered(model, [asking for sheet in some for case in sheet for asking in plan.askings(case)])


def answered(model: ViModel, askings: Sequence[Asking]) -> Iterator[Outcome]:
    """Outcomes, longest answers first; a picture is drawn once and its questions stand apart, so that the engine has
    what they share by the time of the next one."""
    pictures: dict[Any, Any] = {}
    ordered = sorted(askings, key=lambda one: (not one.cot, one.case.question.type not in _LONGEST_FIRST))
    for cot in (True, False):
        chosen = _one_kind_after_another([one for one in ordered if one.cot is cot])
        rows = (_row(place, one, pictures) for place, one in enumerate(chosen))
        for asking, (_, answer, error) in zip(chosen, model.iter(rows, cot=cot) if chosen else (), strict=True):
            if error is not None:
                raise error
            yield _outcome(asking, answer)


def chunks(items: Iterable[Item], size: int) -> Iterator[list[Item]]:
    """Lists of so many, the last one with what is left."""
    source = iter(items)
    while some := list(islice(source, size)):
        yield some


def _one_kind_after_another(askings: Sequence[Asking]) -> list[Asking]:
    rows: dict[tuple[str, int], list[Asking]] = {}
    for one in askings:
        rows.setdefault((one.row, (one.config or {}).get("seed", 0)), []).append(one)
    return [one for row in rows.values() for one in row]


def _row(place: int, asking: Asking, pictures: dict[Any, Any]) -> Row:
    """pictures: those that are drawn, and clips."""
    case, key = asking.case, (type(asking.case), asking.case.number, asking.halved)
    if key not in pictures:
        pictures[key] = case.halved() if asking.halved and isinstance(case, Case) else case.picture()
    (item,) = expand(pictures[key]).items
    return Row(place + 1, item, case.question.prompt, case.question.task, None, asking.config)


def _outcome(asking: Asking, answer: Any) -> Outcome:
    question, number = asking.case.question, asking.case.number
    if question.type == "grounding":
        return _of_boxes(asking, answer)
    text = _text(answer)
    right = grade.is_right(question, text)
    probability = said_probability(answer.logprobs or ())
    sure = () if probability is None else ((probability, right),)
    return Outcome(asking.row, number, question.prompt, question.truth, text, right, sure=sure)


def _of_boxes(asking: Asking, answer: Any) -> Outcome:
    question = asking.case.question
    truth, groundings = question.truth["boxes"], getattr(answer.result, "groundings", [])
    told = [(grade.phrase_name(each.phrase), [v / 1024 for v in box]) for each in groundings for box in each.grounding]
    found = grade.match_boxes(truth, told)
    confidences = [value for phrase in getattr(answer, "confidences", None) or () for value in phrase.boxes]
    return Outcome(
        asking.row,
        asking.case.number,
        question.prompt,
        question.truth,
        answer.raw_output,
        right=len(found) == len(told) == len(truth),
        overlaps=tuple(found.values()),
        told=len(told),
        true=len(truth),
        sure=tuple((value, place in found) for place, value in enumerate(confidences)),
    )


def said_probability(logprobs: Sequence[TokenLogprob]) -> float | None:
    """The probability of the yes or no that was said, over the two: under the model itself, at the first token that is
    one of them. None where there is none."""
    token = next((token for token in logprobs if _word(token.text) in ("yes", "no")), None)
    if token is None:
        return None
    shares = {"yes": 0.0, "no": 0.0}
    for each in {one.token_id: one for one in (*token.alternatives, token)}.values():
        if _word(each.text) in shares:
            shares[_word(each.text)] += math.exp(each.logprob)
    return shares[_word(token.text)] / sum(shares.values())


def _word(text: str) -> str:
    return text.strip(' "').lower()


def _text(answer: Any) -> str:
    return getattr(answer.result, "answer", None) or getattr(answer.result, "caption", None) or answer.raw_output
