"""A system prompt, pictures and a user's words to token ids, so that what a user writes is never more than text."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from vi.inference.errors import LoadError, PromptError
from vi.inference.preprocess.families import get_family
from vi.inference.preprocess.pixels import EncodedPictures
from vi.inference.preprocess.plain_text import PlainText
from vi.inference.preprocess.positions import mrope_positions, plain_positions
from vi.inference.preprocess.prompt import Prompt

if TYPE_CHECKING:
    from PIL import Image

    from vi.inference.loading.loaded import LoadedModel

SYSTEM, USER = "\ue0000\ue001", "\ue0001\ue001"  # stand for texts while the template is rendered and cut
SENTINEL = re.compile(f"{SYSTEM}|{USER}")
CACHED_FRAMES = 64

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
        self._config = loaded.config
        self._family = get_family(loaded.family)
        self._pictures = loaded.pictures
        self._tokenizer = loaded.tokenizer
        self._placeholder_id = loaded.placeholder_id
        self._image_token = loaded.tokenizer.id_to_token(loaded.placeholder_id) or ""
        self._template_token = self._family.template_token or self._image_token
        self._text = PlainText(loaded.tokenizer)
        loaded.tokenizer.template  # noqa: B018 -- a template that is missing or broken speaks up now
        says_the_date = "strftime_now" in (loaded.tokenizer.chat_template or "")
        self._frame = self._make_frame if says_the_date else lru_cache(CACHED_FRAMES)(self._make_frame)

    def build(
        self, user_prompt: str, *, picture: Image.Image | None = None, system_prompt: str | None = None
    ) -> Prompt:
        """``draft``, which raises PromptError also when it leaves no room for an answer in the model's context."""
        prompt = self.draft(user_prompt, picture=picture, system_prompt=system_prompt)
        self._require_room(prompt)
        return prompt

    def draft(
        self, user_prompt: str, *, picture: Image.Image | None = None, system_prompt: str | None = None
    ) -> Prompt:
        """The prompt of one turn, however long: the system's words, an RGB picture, the user's words.

        Raises PromptError when the picture's shape is refused, and for text that is not Unicode (a lone surrogate).
        """
        encoded = EncodedPictures({}, b"") if picture is None else self._pictures.encode([picture])
        placeholders, seen_size = self._places(encoded.arrays) if encoded.arrays else ((), None)
        user, words = _with_sentinel(user_prompt, USER)
        token_ids: list[int] = []
        for piece in self._frame(system_prompt or "", user, placeholders):
            if isinstance(piece, list):
                token_ids += piece
            else:
                before, after, first = piece
                token_ids += self._text.encode(before + words + after, first=first)
        return Prompt(
            token_ids,
            {name: array for name, array in encoded.arrays.items() if name not in self._family.layout},
            token_ids.count(self._placeholder_id) if placeholders else 0,
            seen_size,
            self._positions(token_ids, encoded.arrays),
            encoded.key,
            self._placeholder_id,
        )

    @property
    def at_most_pixels(self) -> int | None:
        """What a larger picture is shrunk to anyway, width times height; None where nobody knows."""
        return self._pictures.max_pixels

    def room(self, prompt: Prompt) -> int:
        """How many tokens an answer may have before the model's context is full."""
        return self.context_length - len(prompt.token_ids)

    def _require_room(self, prompt: Prompt) -> None:
        length, places = len(prompt.token_ids), prompt.image_tokens
        if self.room(prompt) < 1:
            raise PromptError(
                f"The prompt is {length:,} tokens long, {places:,} of them for the picture; this model's context "
                f"is {self.context_length:,} tokens, and the answer needs at least one.",
                "Shorten the prompt or pass a smaller picture.",
            )

    def _places(self, arrays: dict[str, Any]) -> tuple[tuple[str, ...], tuple[int, int] | None]:
        """The text that holds each picture's place, and the size of the first one as the model sees it."""
        family = self._family
        sizes = family.seen_sizes(arrays, self._config) if family.seen_sizes is not None else []
        return tuple(family.placeholders(arrays, self._config, self._image_token)), (sizes[0] if sizes else None)

    def _positions(self, token_ids: Sequence[int], arrays: dict[str, Any]) -> np.ndarray:
        if not self._family.mrope:
            return plain_positions(len(token_ids))
        grids = arrays["image_grid_thw"].tolist() if "image_grid_thw" in arrays else []
        merge = self._config["vision_config"].get("spatial_merge_size", 2)
        return mrope_positions(token_ids, self._placeholder_id, grids, merge)

    def _make_frame(self, system_prompt: str, user: str, placeholders: tuple[str, ...]) -> Frame:
        """Everything but the user's words: token ids, and the text before and behind the words where they stand.

        user: a sentinel in its white space. The third of a text's parts: whether it begins the prompt.
        """
        system, words = _with_sentinel(system_prompt, SYSTEM)
        template, places = self._render(system, user, len(placeholders)), iter(placeholders)
        template = re.sub(re.escape(self._template_token), lambda _: next(places), template)
        bos = self._tokenizer.bos_token
        adds_bos = self._tokenizer.adds_bos and bos is not None and bos not in template
        frame: list[Any] = [[self._tokenizer.bos_token_id] if adds_bos else []]
        first = True
        for piece in self._text.cut(template):
            if isinstance(piece, int):
                frame[-1].append(piece)
            elif USER in piece:  # split before the system's words are put in: they may hold anything
                before, after = (part.replace(SYSTEM, words) for part in piece.split(USER))
                frame += [(before, after, first), []]
            else:
                frame[-1] += self._text.encode(piece.replace(SYSTEM, words), first=first)
            first = False
        return tuple(frame)

    def _render(self, system: str, user: str, num_pictures: int) -> str:
        """The chat template around the sentinels."""
        messages: list[dict[str, Any]] = []
        if system:
            messages.append({"role": "system", "content": [{"type": "text", "text": system}]})
        parts: list[dict[str, str]] = [{"type": "image"}] * num_pictures
        messages.append({"role": "user", "content": [*parts, {"type": "text", "text": user}]})
        template = self._tokenizer.apply_chat_template(messages, add_generation_prompt=True)
        expected = SENTINEL.findall(system + user)
        if SENTINEL.findall(template) != expected or template.count(self._template_token) != num_pictures:
            raise LoadError(
                "This checkpoint's chat template does not show a system prompt, a picture and a user prompt once each.",
                "Replace its chat_template.jinja with the one its authors publish.",
            )
        return template


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
