"""One request on its way: what was generated so far, what may be shown of it, and why it ended."""

from __future__ import annotations

import time
from itertools import takewhile

import numpy as np

from vi.inference.completion import Completion, FinishReason, Timings, TokenAlternative, TokenLogprob, TokenScore, Usage
from vi.inference.engine.request import Request
from vi.inference.engine.vocabulary import Vocabulary
from vi.inference.errors import ViError
from vi.inference.sampling.loops import LoopDetector
from vi.inference.sampling.sampler import Choice, Row
from vi.inference.sampling.seen import SeenTokens
from vi.inference.sampling.stopping import StopStrings


class Clock:
    """When a request reached its milestones, in ``time.perf_counter`` seconds."""

    def __init__(self) -> None:
        self.submitted = time.perf_counter()
        self.admitted: float | None = None
        self.first_token: float | None = None
        self.last_token: float | None = None

    def admit(self) -> None:
        self.admitted = time.perf_counter()

    def token(self) -> None:
        self.last_token = time.perf_counter()
        if self.first_token is None:
            self.first_token = self.last_token

    def timings(self, num_tokens: int) -> Timings:
        """prefill: admission to first token. time_to_first_token and total: since submission, so with the waiting."""
        total = time.perf_counter() - self.submitted
        if self.admitted is None or self.first_token is None or self.last_token is None:
            return Timings(prefill=0.0, time_to_first_token=0.0, per_token=0.0, total=total)
        steps = max(num_tokens - 1, 1)
        return Timings(
            prefill=self.first_token - self.admitted,
            time_to_first_token=self.first_token - self.submitted,
            per_token=(self.last_token - self.first_token) / steps,
            total=total,
        )


class Sequence:
    """A request's state between steps; it knows no device. ``finish_reason`` is None until it has ended.

    token_ids: the generated ones, an end-of-sequence token among them. The random number of a token depends on the
    seed and its place in this list alone.
    """

    def __init__(self, request: Request, vocabulary: Vocabulary) -> None:
        self.request = request
        self.clock = Clock()
        self.token_ids: list[int] = []
        self.finish_reason: FinishReason | None = None
        self.cached_tokens = 0  # of the prompt, found computed when this request was admitted
        self._vocabulary = vocabulary
        self._constraint = vocabulary.constrain(request.grammar) if request.grammar is not None else None
        penalised = request.config.repetition_penalty != 1
        self._seen = SeenTokens(request.prompt.token_ids if penalised else (), exclude=vocabulary.banned_ids)
        self._detokenizer = vocabulary.texts.detokenizer()
        self._stop_strings = StopStrings(request.config.stop_strings)
        self._pieces: list[str] = []
        self._loops = LoopDetector() if request.config.loop_detection else None
        self._lengths: list[int] = []  # of the text after each token, kept for the detector
        self._sound: int | None = None  # how many tokens there are before a loop, once there is one
        self._logprobs: list[TokenLogprob | None] = []  # None: the model was not heard yet
        self.unreported: list[int] = []  # places in token_ids of which the model's opinion is asked for and not known
        self._alternatives = request.config.logprobs
        self._has_boxes = request.grammar is not None and request.grammar.rule is not None
        self._scores: list[tuple[float | None, bool]] = []  # (logprob, forced) of each token of an answer with boxes
        self._options = self._constraint.options() if self._constraint is not None else None
        self._no_choice = False  # whether the grammar leaves one token for this step

    def admit(self, cached_tokens: int = 0) -> None:
        """The device begins to work on this request."""
        self.clock.admit()
        self.cached_tokens = cached_tokens

    def row(self) -> Row:
        """What the sampler must know to choose the next token."""
        allowed = self._constraint.allowed(self._tokens_left) if self._constraint is not None else None
        scored = self._constraint is not None and self._has_boxes and self._constraint.in_groundings
        if allowed is not None and (scored or self._alternatives is not None):
            self._no_choice = int(allowed.sum()) == 1
        scored = scored and not self._no_choice
        parting = self._parting(allowed)
        return Row(self.request.config, self._seen.ids, allowed, len(self.token_ids), scored, parting)

    def accept(self, choice: Choice) -> str:
        """Take the chosen token; returns the text that may now be shown, often empty."""
        self.clock.token()
        if self._alternatives is not None:
            self._logprobs.append(self._logprob(choice, forced=self._no_choice))
        elif self._has_boxes:
            self._scores.append((choice.logprob, self._no_choice))
        if choice.parting and self._options is not None:
            self._options.weigh(choice.token_id, choice.parting)
        return self._take(choice.token_id)

    def may_wait(self, token_id: int) -> bool:
        """Whether ``accept`` may be put off: behind this token nothing is forced, and only its text can end it."""
        if token_id in self._vocabulary.eos_token_ids or self._tokens_left <= 1:
            return False
        return self._constraint is None or self._constraint.goes_on(token_id)

    def fast_forward(self) -> str:
        """Take the tokens that the grammar forces next, unsampled; returns the text as ``accept`` does.

        Where logprobs are asked for, what the model says of these tokens is ``unreported`` until ``report``.
        """
        if self._constraint is None or self.finish_reason is not None:
            return ""
        if not self.token_ids:
            self._constraint.allowed(self._tokens_left)  # which tells it what the budget is
        released = ""
        for token_id in self._constraint.forced()[: self._tokens_left]:
            if self._alternatives is not None:
                self.unreported.append(len(self._logprobs))
                self._logprobs.append(None)
            elif self._has_boxes:
                self._scores.append((None, True))
            released += self._take(token_id)
            if self.finish_reason is not None:
                break
        return released

    def report(self, place: int, choice: Choice) -> None:
        """What the model says of a token that was forced."""
        self.unreported.remove(place)
        self._logprobs[place] = self._logprob(choice, forced=True)

    def _parting(self, allowed: np.ndarray | None) -> np.ndarray | None:
        """The tokens at which options part, whether or not the budget has room for them; None where none do."""
        if self._options is None or self._constraint is None or allowed is None:
            return None
        withheld = self._constraint.withheld
        return self._options.parting(allowed if withheld is None else allowed | withheld)

    @property
    def _squeezed(self) -> bool:
        return self._constraint is not None and self._constraint.squeezed

    @property
    def _ending(self) -> FinishReason:
        """Why a text that is complete ended there: it is length where the budget had it completed."""
        return "length" if self._squeezed else "stop"

    @property
    def _tokens_left(self) -> int:
        return self.request.config.max_new_tokens - len(self.token_ids)

    def _take(self, token_id: int) -> str:
        self.token_ids.append(token_id)
        if token_id in self._vocabulary.eos_token_ids:
            return self.finish(self._ending)
        if self.request.config.repetition_penalty != 1:
            self._seen.add(token_id)
        if self._constraint is not None:
            self._constraint.advance(token_id)
        if self._options is not None:
            self._options.follow(token_id)
        released = self._show(self._detokenizer.push(token_id))
        if self.finish_reason is not None:
            return released
        if self._constraint is not None and self._constraint.done:
            return released + self.finish(self._ending)
        if self._loops is not None and self._goes_round(token_id, released):
            return released + self.finish("loop")
        if self._tokens_left <= 0:
            return released + self.finish("length")
        return released

    def _goes_round(self, token_id: int, released: str) -> bool:
        assert self._loops is not None
        self._lengths.append(len(released) + (self._lengths[-1] if self._lengths else 0))
        loop = self._loops.push(token_id, released)
        self._sound = None if loop is None else loop.sound
        return loop is not None

    def finish(self, reason: FinishReason) -> str:
        """End here; returns the text that was held back, unless a stop string completes in it."""
        released = self._show(self._detokenizer.flush())
        if self.finish_reason is None or (reason == "cancelled" and self.unreported):
            self.finish_reason = reason
            held = self._stop_strings.flush()
            self._pieces.append(held)
            released += held
        return released

    def completion(self) -> Completion:
        """The outcome; only once ``finish_reason`` is known.

        Of a loop it holds what came before, and with a grammar the shortest ending from there, of which there are no
        logprobs.
        """
        assert self.finish_reason is not None
        prompt, text, sound = self.request.prompt, "".join(self._pieces), self._sound
        ending: list[int] = []
        if sound is not None:
            text = text[: self._lengths[sound - 1] if sound else 0]
            ending = self._ending_after(sound)
        if ending:
            text = self._vocabulary.tokenizer.decode([*self.token_ids[:sound], *ending])
        return Completion(
            token_ids=[*self.token_ids[:sound], *ending],
            text=text,
            finish_reason=self.finish_reason,
            usage=Usage(
                prompt_tokens=len(prompt.token_ids),
                image_tokens=prompt.image_tokens,
                cached_tokens=self.cached_tokens,
                completion_tokens=len(self.token_ids),
            ),
            timings=self.clock.timings(len(self.token_ids)),
            truncated=self._squeezed or bool(ending),
            probabilities=self._probabilities(),
            logprobs=None if self._alternatives is None else self.reported()[:sound],
            scores=self.scores()[:sound] if self._has_boxes and self._alternatives is None else None,
        )

    def _ending_after(self, sound: int) -> list[int]:
        """What completes the text of a grammar after its first ``sound`` tokens; nothing where there is no such way."""
        if self.request.grammar is None:
            return []
        constraint = self._vocabulary.constrain(self.request.grammar)
        try:
            for token_id in self.token_ids[:sound]:
                constraint.advance(token_id)
            return constraint.ending()
        except ViError:
            return []  # the text stays as it is, and is read as one that was cut

    def _show(self, text: str) -> str:
        released, stopped = self._stop_strings.push(text)
        if stopped:
            self.finish_reason = "stop_string"
        self._pieces.append(released)
        return released

    def reported(self, start: int = 0) -> list[TokenLogprob]:
        """Every token's from ``start`` up to the first that the model was not heard of yet; for any thread."""
        return list(takewhile(lambda logprob: logprob is not None, self._logprobs[start:]))  # type: ignore[arg-type]

    def scores(self) -> list[TokenScore]:
        """What confidences need of each token so far, none but in an answer with boxes; for any thread."""
        if not self._has_boxes:
            return []
        known = self._scores
        if self._alternatives is not None:
            known = [(None, True) if told is None else (told.logprob, told.forced) for told in self._logprobs]
        return [
            TokenScore(text=self._vocabulary.spell(token_id), logprob=logprob, forced=forced)
            for token_id, (logprob, forced) in zip(self.token_ids, known, strict=False)
        ]

    def _probabilities(self) -> dict[str, dict[str, float]]:
        if self._options is None or self.finish_reason == "loop":  # of which some are no part of the answer
            return {}
        if self.finish_reason in ("stop", "length"):
            self._options.end()
        return self._options.found

    def _logprob(self, choice: Choice, forced: bool) -> TokenLogprob:
        assert choice.logprob is not None  # as the config asks for it
        spell = self._vocabulary.spell
        shares: list[float | None] = [*choice.probabilities] or [None] * (1 + len(choice.alternatives))
        alternatives = [
            TokenAlternative(token_id=token_id, text=spell(token_id), logprob=logprob, probability=share)
            for (token_id, logprob), share in zip(choice.alternatives, shares[1:], strict=True)
        ]
        return TokenLogprob(
            token_id=choice.token_id,
            text=spell(choice.token_id),
            logprob=choice.logprob,
            probability=shares[0],
            alternatives=alternatives,
            forced=forced,
            survivors=choice.survivors,
        )
