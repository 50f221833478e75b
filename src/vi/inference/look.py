"""What a request is about: the picture, the pictures or the clip that its source turns out to be."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, TypeAlias

from vi.inference.errors import PromptError
from vi.inference.media.clip import Clip
from vi.inference.media.content import open_content
from vi.inference.media.image import Picture, load_picture
from vi.inference.media.items import SourceItem
from vi.inference.media.kinds import ClipFound
from vi.inference.media.picture_cache import PictureCache
from vi.inference.media.policy import MediaPolicy

if TYPE_CHECKING:
    from vi.inference.asks import Ask
    from vi.inference.preprocess.chat import ChatPrompt

Seen: TypeAlias = Picture | Clip | list[Picture]


def look(ask: Ask, chat: ChatPrompt, pictures: PictureCache) -> Seen:
    """The source as ``chat`` takes it. A video is a clip whatever its name; of a task about clips so is a picture.

    pictures: those that were decoded last.
    Raises SourceError as ``load_picture`` and ``load_clip`` do, PromptError for frames of a shape that the model
    refuses and for a clip among several pictures.
    """
    if ask.item.kind == "pictures":
        return _pictures(ask, chat, pictures)
    item = _held(ask.item, ask.policy)
    if not (item.is_clip or ask.call.is_about_clips):
        try:
            return pictures.load(item, ask.policy, chat.at_most_pixels)
        except ClipFound:
            item = replace(item, is_clip=True)
    return _clip(item, ask, chat)


def _pictures(ask: Ask, chat: ChatPrompt, pictures: PictureCache) -> list[Picture]:
    if ask.item.error is not None:
        raise ask.item.error
    try:
        items = [_held(item, ask.policy) for item in ask.item.value]
        return [pictures.load(item, ask.policy, chat.at_most_pixels) for item in items]
    except ClipFound as error:
        raise PromptError(f"{error.message} A clip is not asked about together with pictures.", "Ask alone.") from None


def _held(item: SourceItem, policy: MediaPolicy) -> SourceItem:
    """An open file's content in its place, as such a file can be read only once."""
    if item.kind != "stream" or item.error is not None:
        return item
    with open_content(item, policy) as file:
        return replace(item, kind="bytes", value=file.read())


def _clip(item: SourceItem, ask: Ask, chat: ChatPrompt) -> Clip:
    if item.error is not None:
        raise item.error
    if item.kind == "clip":
        return item.value.at_most(ask.policy.max_frames)
    if item.kind in ("image", "array"):
        pixels = load_picture(item, ask.policy).pixels
        return replace(Clip.of([pixels], [0.0]), label=item.label)
    from vi.inference.media.video import load_clip  # FFmpeg comes with the first clip

    return load_clip(item, fps=ask.call.fps, fit=chat.fit_frames, policy=ask.policy)
