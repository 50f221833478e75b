"""A system prompt, pictures and a user's words to token ids, so that what a user writes is never more than text."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from jinja2 import TemplateError
from tokenizers import Tokenizer

from vi.inference.errors import LoadError, PromptError
from vi.inference.preprocess.families import get_family
from vi.inference.preprocess.pixels import encode_pictures
from vi.inference.preprocess.prompt import Prompt

if TYPE_CHECKING:
    from PIL import Image

    from vi.inference.loading.loader import LoadedModel

SENTINEL = re.compile("\ue000([0-9]+)\ue001")  # stands for a text while the template is rendered and cut


class ChatPrompt:
    """Builds the prompts of one model; any number of threads may call it at once.

    The template is rendered with a sentinel for every text, cut at its special tokens, and only then are the texts put
    in and each piece encoded by a tokenizer that knows no special tokens. So ``<|im_end|>`` in a user's prompt is ten
    ordinary characters, while merges across the border of template and text are the usual ones.
    """

    def __init__(self, loaded: LoadedModel) -> None:
        self.context_length = loaded.context_length
        self._config = loaded.config
        self._family = get_family(loaded.config.model_type)
        self._image_processor = loaded.image_processor
        self._tokenizer = loaded.tokenizer
        if not self._tokenizer.chat_template:
            raise LoadError(
                "This checkpoint has no chat template, so it cannot be asked a question.",
                "Put chat_template.jinja beside its tokenizer.json.",
            )
        self._image_token_id = int(loaded.config.image_token_id)
        self._image_token = self._tokenizer.convert_ids_to_tokens(self._image_token_id)
        self._special_ids = {token.content: i for i, token in self._tokenizer.added_tokens_decoder.items()}
        self._special = _pattern(self._tokenizer.added_tokens_decoder.values())
        self._plain = _without_added_tokens(self._tokenizer.backend_tokenizer)
        self._adds_bos = self._tokenizer("")["input_ids"][:1] == [self._tokenizer.bos_token_id]

    def build(
        self, user_prompt: str, *, picture: Image.Image | None = None, system_prompt: str | None = None
    ) -> Prompt:
        """The prompt of one turn: the system's words, an RGB picture, the user's words.

        Raises PromptError when the tokens leave no room for an answer in the model's context, when the picture's shape
        is refused, and for text that is not Unicode (a lone surrogate).
        """
        pictures = [] if picture is None else [picture]
        encoded = encode_pictures(pictures, self._image_processor, self._family, self._config, self._image_token)
        template, texts = self._render(user_prompt, system_prompt, len(pictures))
        placeholders = iter(encoded.placeholders)
        template = re.sub(re.escape(self._image_token), lambda _: next(placeholders), template)
        token_ids = self._encode(template, texts)
        seen_size = encoded.seen_sizes[0] if encoded.seen_sizes else None
        prompt = Prompt(token_ids, encoded.tensors, token_ids.count(self._image_token_id), seen_size)
        if self.room(prompt) < 1:
            raise PromptError(
                f"The prompt is {len(token_ids):,} tokens long, {prompt.image_tokens:,} of them for the picture; this "
                f"model's context is {self.context_length:,} tokens, and the answer needs at least one.",
                "Shorten the prompt or pass a smaller picture.",
            )
        return prompt

    def room(self, prompt: Prompt) -> int:
        """How many tokens an answer may have before the model's context is full."""
        return self.context_length - len(prompt.token_ids)

    def _render(self, user_prompt: str, system_prompt: str | None, num_pictures: int) -> tuple[str, list[str]]:
        """The chat template around sentinels, and the texts that they stand for."""
        texts: list[str] = []
        messages: list[dict[str, Any]] = []
        if system_prompt:
            messages.append({"role": "system", "content": [_text_part(system_prompt, texts)]})
        parts: list[dict[str, str]] = [{"type": "image"}] * num_pictures
        messages.append({"role": "user", "content": [*parts, _text_part(user_prompt, texts)]})
        try:
            template = self._tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True)
        except TemplateError as error:
            raise LoadError(f"This checkpoint's chat template cannot be rendered: {error}.") from error
        found = [int(index) for index in SENTINEL.findall(template)]
        if found != list(range(len(texts))) or template.count(self._image_token) != num_pictures:
            raise LoadError(
                "This checkpoint's chat template does not show a system prompt, a picture and a user prompt once each.",
                "Replace its chat_template.jinja with the one its authors publish.",
            )
        return template, texts

    def _encode(self, template: str, texts: Sequence[str]) -> list[int]:
        """Token ids of the template, with ``texts`` in place of the sentinels."""
        bos = self._tokenizer.bos_token
        token_ids = [self._tokenizer.bos_token_id] if self._adds_bos and not template.startswith(bos) else []
        for index, piece in enumerate(self._special.split(template)):
            if index % 2:  # the pattern's only group: a special token
                token_ids.append(self._special_ids[piece.strip() if piece not in self._special_ids else piece])
            elif piece:
                plain = SENTINEL.sub(lambda match: texts[int(match[1])], piece)
                token_ids += self._plain.encode(plain, add_special_tokens=False).ids
        return token_ids


def _text_part(text: str, texts: list[str]) -> dict[str, str]:
    """A content part whose words are a sentinel; white space around them stays, because templates may trim it."""
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise PromptError(
            f"Character {error.start} of the prompt, {text[error.start]!r}, is half a character."
        ) from None
    core = text.strip()
    if not core:
        return {"type": "text", "text": text}
    before, after = text.split(core, 1)
    texts.append(core)
    return {"type": "text", "text": f"{before}\ue000{len(texts) - 1}\ue001{after}"}


def _pattern(added_tokens: Any) -> re.Pattern[str]:
    """Matches an added token, the longest first, with the white space that it swallows."""
    tokens = sorted(added_tokens, key=lambda token: -len(token.content))
    left_right = [
        (r"\s*" if token.lstrip else "") + re.escape(token.content) + (r"\s*" if token.rstrip else "")
        for token in tokens
    ]
    return re.compile(f"({'|'.join(left_right) or '(?!)'})")


def _without_added_tokens(backend: Tokenizer) -> Tokenizer:
    """A tokenizer over the same vocabulary that finds no special token in any text."""
    plain = Tokenizer(backend.model)
    if backend.normalizer is not None:
        plain.normalizer = backend.normalizer
    if backend.pre_tokenizer is not None:
        plain.pre_tokenizer = backend.pre_tokenizer
    return plain
