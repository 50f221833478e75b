"""OpenAI's messages: what is asked, about which pictures, and what was said before."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from vi.inference.preprocess.turns import Turn
from vi.server.asking import require_prompt, web_source
from vi.server.envelope import ApiError
from vi.server.limits import Limits

_SYSTEM = ("system", "developer")


class Strict(BaseModel):
    """A part of a request, in which nothing is ignored."""

    model_config = ConfigDict(extra="forbid", strict=True, protected_namespaces=())


class Url(Strict):
    """http(s) or data:. detail is accepted and means nothing here: a model's own rule sizes pictures."""

    url: str
    detail: Literal["auto", "low", "high"] | None = None


class TextPart(Strict):
    type: Literal["text"]
    text: str


class ImagePart(Strict):
    type: Literal["image_url"]
    image_url: Url


class VideoPart(Strict):
    type: Literal["video_url"]
    video_url: Url


Part = Annotated[TextPart | ImagePart | VideoPart, Field(discriminator="type")]


class Message(Strict):
    """``system`` (or ``developer``) replaces the task's own instruction; ``user`` and ``assistant`` take turns, and the
    last message asks. What an answer has beside its content is taken, so that it can be sent back, and not used."""

    role: Literal["system", "developer", "user", "assistant", "tool", "function"]
    content: str | list[Part] | None = None
    name: str | None = None
    reasoning_content: str | None = None
    refusal: None = None
    tool_calls: None = None
    function_call: None = None
    audio: None = None


@dataclass(frozen=True)
class Conversation:
    """system: None where nothing is said. sources: all pictures in their order, or the one clip. history: the turns
    before the last, each with its share of the sources."""

    system: str | None
    history: tuple[Turn, ...]
    prompt: str
    sources: tuple[str, ...]

    @classmethod
    def of(cls, messages: Sequence[Message], limits: Limits) -> Conversation:
        """Raises ApiError 400 for messages that are no conversation, and for one beyond the limits."""
        begin = next((place for place, one in enumerate(messages) if one.role not in _SYSTEM), len(messages))
        _require_turns(messages, begin)
        texts = [_text(message, f"messages.{place}") for place, message in enumerate(messages)]
        shown = [_shown(message, f"messages.{place}") for place, message in enumerate(messages)]
        sources = [part for parts in shown for part in parts]
        _require_few(sources, limits, f"messages.{len(messages) - 1}")
        require_prompt("\n".join(texts), limits, "messages")
        roles: list[Literal["user", "assistant"]] = ["user", "assistant"]
        turns = enumerate(zip(texts[begin:-1], shown[begin:-1], strict=True))
        history = tuple(Turn(roles[place % 2], text, len(parts)) for place, (text, parts) in turns)
        return cls("\n".join(texts[:begin]) or None, history, texts[-1], tuple(url for _, url in sources))


def _require_turns(messages: Sequence[Message], begin: int) -> None:
    """System messages, then user and assistant in turns, the user last."""
    turns = messages[begin:]
    for place, message in enumerate(turns):
        if message.role != ("user", "assistant")[place % 2]:
            raise _no_conversation(begin + place, message.role)
    if len(turns) % 2 == 0:
        raise _no_conversation(len(messages) - 1, messages[-1].role)


def _no_conversation(place: int, role: str) -> ApiError:
    return ApiError(
        400,
        "conversation_not_supported",
        f"messages.{place} ({role}) is out of turn: system messages come first, then user and assistant take turns, and"
        " the last message is the user's.",
        "Join what one of them said in several messages.",
        param=f"messages.{place}",
    )


def _require_few(sources: Sequence[tuple[str, str]], limits: Limits, param: str) -> None:
    num_clips = sum(kind == "video_url" for kind, _ in sources)
    if len(sources) - num_clips > limits.pictures:
        said = f"There are {len(sources) - num_clips} pictures; the server takes {limits.pictures} at most."
        raise ApiError(400, "too_many_pictures", said, param=param)
    if num_clips and len(sources) > 1:
        raise ApiError(400, "too_many_clips", "A clip is asked about alone.", "Leave the others out.", param=param)


def _shown(message: Message, param: str) -> list[tuple[str, str]]:
    """(``image_url`` or ``video_url``, the URL) of a message's pictures, then of its clips."""
    parts = message.content if isinstance(message.content, list) else []
    pictures = [(part.type, web_source(part.image_url.url, param)) for part in parts if isinstance(part, ImagePart)]
    clips = [(part.type, web_source(part.video_url.url, param)) for part in parts if isinstance(part, VideoPart)]
    return [*pictures, *clips]


def _text(message: Message, param: str) -> str:
    """A message's words. Raises ApiError 400 where there are none, and for pictures that the user does not show."""
    if isinstance(message.content, str):
        return message.content
    parts = message.content or []
    if message.role != "user" and not all(isinstance(part, TextPart) for part in parts):
        raise ApiError(400, "invalid_value", "Only a user shows pictures.", "Send text.", param=param)
    text = "\n".join(part.text for part in parts if isinstance(part, TextPart))
    if not text.strip():
        raise ApiError(400, "invalid_prompt", "The message has no text.", "Say what to do.", param=param)
    return text
