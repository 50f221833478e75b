"""A conversation about pictures or a clip to token ids; what a user writes is never more than text."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from copy import copy
from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from vi.inference.errors import LoadError, PromptError
from vi.inference.preprocess.plain_text import PlainText
from vi.inference.preprocess.prompt import Prompt
from vi.inference.preprocess.shown import ClipWay, Marks, PictureWay, Shown
from vi.inference.preprocess.turns import Turn

if TYPE_CHECKING:
    from PIL import Image

    from vi.inference.loading.loaded import LoadedModel
    from vi.inference.media.clip import Clip
    from vi.inference.preprocess.pixel_budget import PixelBudget

SYSTEM, USER = "\ue0000\ue001", "\ue0001\ue001"  # stand for texts while the template is rendered and cut
EARLIER = "\ue000{}\ue001"  # numbered from 2 on
SENTINEL = re.compile("\ue000[0-9]+\ue001")
CACHED_FRAMES = 64
ONE_TURN = "Put what was said before into the user's words."

Frame = tuple["list[int] | tuple[str, str, bool]", ...]


class ChatPrompt:
    """Builds the prompts of one model; any number of threads may call it at once.

    The template is rendered with a sentinel for every text, cut at its special tokens, and only then are the texts put
    in and each piece encoded by a tokenizer that knows no special tokens. So ``<|im_end|>`` in a user's prompt is ten
    ordinary characters, while merges across the border of template and text are the usual ones. All but the user's
    words is the same from prompt to prompt, and is kept.
    """

    def __init__(self, loaded: LoadedModel) -> None:
        self.context_length = loaded.context_length
        self._pictures = PictureWay(loaded)
        self._clips: ClipWay | PictureWay = ClipWay.of(loaded) or self._pictures
        self._tokenizer = loaded.tokenizer
        self._text = PlainText(loaded.tokenizer)
        loaded.tokenizer.template  # noqa: B018 -- a template that is missing or broken speaks up now
        says_the_date = "strftime_now" in (loaded.tokenizer.chat_template or "")
        self._frame = self._make_frame if says_the_date else lru_cache(CACHED_FRAMES)(self._make_frame)

    def within(self, budget: PixelBudget) -> ChatPrompt:
        """The same with a caller's bounds on pixels. Raises ConfigError where the architecture does not go by them."""
        if not budget:
            return self
        bounded = copy(self)
        bounded._pictures, bounded._clips = self._pictures.within(budget), self._clips.within(budget)
        return bounded

    def build(
        self,
        user_prompt: str,
        *,
        picture: Image.Image | Sequence[Image.Image] | None = None,
        clip: Clip | None = None,
        system_prompt: str | None = None,
        history: Sequence[Turn] = (),
    ) -> Prompt:
        """``draft``, which raises PromptError also when it leaves no room for an answer in the model's context."""
        prompt = self.draft(user_prompt, picture=picture, clip=clip, system_prompt=system_prompt, history=history)
        self._require_room(prompt, "picture" if clip is None else "clip")
        return prompt

    def draft(
        self,
        user_prompt: str,
        *,
        picture: Image.Image | Sequence[Image.Image] | None = None,
        clip: Clip | None = None,
        system_prompt: str | None = None,
        history: Sequence[Turn] = (),
    ) -> Prompt:
        """The prompt, however long: the system's words, what was said before, RGB pictures or a clip, the user's words.

        picture: one, or several that the words are about together, in their order; the first are those of ``history``.
        Raises PromptError when the shape of a picture or of frames is refused, for text that is not Unicode (a lone
        surrogate), and for a history that the model's template does not take.
        """
        shown = self._show(picture, clip)
        user, words = _with_sentinel(user_prompt, USER)
        token_ids: list[int] = []
        for piece in self._frame(system_prompt or "", tuple(history), user, shown.marks):
            if isinstance(piece, list):
                token_ids += piece
            else:
                before, after, first = piece
                token_ids += self._text.encode(before + words + after, first=first)
        num_places = token_ids.count(shown.place_id) if shown.marks.texts else 0
        positions = shown.positions(token_ids)
        return Prompt(token_ids, shown.media, num_places, shown.seen_size, positions, shown.key, shown.place_id)

    @property
    def at_most_pixels(self) -> int | None:
        """What a larger picture is shrunk to anyway, width times height; None where nobody knows."""
        return self._pictures.at_most_pixels

    def fit_frames(self, num_frames: int, width: int, height: int) -> tuple[int, int]:
        """(width, height) in pixels that the frames of a clip are resized to. Raises PromptError for a shape that the
        model refuses."""
        return self._clips.fit_frames(num_frames, width, height)

    def room(self, prompt: Prompt) -> int:
        """How many tokens an answer may have before the model's context is full."""
        return self.context_length - len(prompt.token_ids)

    def _show(self, picture: Image.Image | Sequence[Image.Image] | None, clip: Clip | None) -> Shown:
        if clip is not None:
            return self._clips.show_clip(clip)
        if picture is None:
            return self._pictures.nothing()
        return self._pictures.show(picture if isinstance(picture, Sequence) else [picture])

    def _require_room(self, prompt: Prompt, what: str) -> None:
        length, places = len(prompt.token_ids), prompt.image_tokens
        if self.room(prompt) < 1:
            raise PromptError(
                f"The prompt is {length:,} tokens long, {places:,} of them for the {what}; this model's context "
                f"is {self.context_length:,} tokens, and the answer needs at least one.",
                "Shorten the prompt or pass a smaller picture."
                if what == "picture"
                else "Lower fps, pass a shorter clip, or shorten the prompt.",
            )

    def _make_frame(self, system_prompt: str, history: tuple[Turn, ...], user: str, marks: Marks) -> Frame:
        """Everything but the user's words: token ids, and the text before and behind the words where they stand.

        user: a sentinel in its white space. The third of a text's parts: whether it begins the prompt.
        """
        words: dict[str, str] = {}  # by sentinel
        system, words[SYSTEM] = _with_sentinel(system_prompt, SYSTEM)
        before = []
        for number, turn in enumerate(history, start=2):
            text, words[EARLIER.format(number)] = _with_sentinel(turn.text, EARLIER.format(number))
            before.append(replace(turn, text=text))
        template, texts = self._render(system, before, user, marks), iter(marks.texts)
        template = re.sub(re.escape(marks.written), lambda _: next(texts), template)
        bos = self._tokenizer.bos_token
        adds_bos = self._tokenizer.adds_bos and bos is not None and bos not in template
        frame: list[Any] = [[self._tokenizer.bos_token_id] if adds_bos else []]
        first = True
        for piece in self._text.cut(template):
            if isinstance(piece, int):
                frame[-1].append(piece)
            elif USER in piece:  # split before the other words are put in: they may hold anything
                left, right = (_filled(part, words) for part in piece.split(USER))
                frame += [(left, right, first), []]
            else:
                frame[-1] += self._text.encode(_filled(piece, words), first=first)
            first = False
        return tuple(frame)

    def _render(self, system: str, history: Sequence[Turn], user: str, marks: Marks) -> str:
        """The chat template around the sentinels."""
        num_last = len(marks.texts) - sum(turn.num_pictures for turn in history)
        if num_last < 0:
            raise PromptError(
                f"What was said before shows more than {marks.shown}.", "Pass all pictures, in their order."
            )
        turns = [*history, Turn("user", user, num_last)]
        messages = [_message(turn.role, turn.text, turn.num_pictures * [marks.part]) for turn in turns]
        if system:
            messages.insert(0, _message("system", system))
        try:
            template = self._tokenizer.apply_chat_template(messages, add_generation_prompt=True)
        except LoadError as error:
            if history:
                raise PromptError(f"This model does not take this conversation. {error.message}", ONE_TURN) from None
            raise
        expected = SENTINEL.findall("".join([system, *(turn.text for turn in turns)]))
        if SENTINEL.findall(template) != expected or template.count(marks.written) != len(marks.texts):
            if history:
                raise PromptError("This model's chat template does not show what was said before.", ONE_TURN)
            raise LoadError(
                f"This checkpoint's chat template does not show a system prompt, {marks.shown} and a user prompt, "
                "once each.",
                "Replace its chat_template.jinja with the one its authors publish.",
            )
        return template


def _message(role: str, text: str, shown: Sequence[str] = ()) -> dict[str, Any]:
    return {"role": role, "content": [*({"type": part} for part in shown), {"type": "text", "text": text}]}


def _filled(text: str, words: Mapping[str, str]) -> str:
    """The words in the place of their sentinels; they may hold sentinels of their own."""
    return SENTINEL.sub(lambda found: words.get(found[0], found[0]), text)


def _with_sentinel(text: str, sentinel: str) -> tuple[str, str]:
    """(the text with a sentinel for its words, the words); white space around them stays, as templates may trim it."""
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise PromptError(
            f"Character {error.start} of the prompt, {text[error.start]!r}, is half a character."
        ) from None
    words = text.strip()
    if not words:
        return text, ""
    before, after = text.split(words, 1)
    return f"{before}{sentinel}{after}", words
