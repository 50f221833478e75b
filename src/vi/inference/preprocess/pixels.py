"""Pictures to tensors, and to the text that holds their place in the prompt."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from vi.inference.errors import PromptError
from vi.inference.preprocess.families import Family

if TYPE_CHECKING:
    import torch
    from PIL import Image


@dataclass(frozen=True)
class EncodedPictures:
    """tensors: what the model's ``forward`` takes, by name. placeholders: one text a picture, in order.

    seen_sizes: (width, height) in pixels of each picture after resizing; empty where the architecture has no such size.
    """

    tensors: dict[str, torch.Tensor]
    placeholders: list[str]
    seen_sizes: list[tuple[int, int]] = field(default_factory=list)


def encode_pictures(
    pictures: Sequence[Image.Image], image_processor: Any, family: Family, config: Any, image_token: str
) -> EncodedPictures:
    """Resize, normalise and cut RGB pictures as the checkpoint's image processor says.

    Raises PromptError for a picture whose shape the processor refuses (such as 1 x 5000 pixels).
    """
    if not pictures:
        return EncodedPictures({}, [])
    try:
        inputs = dict(image_processor(images=list(pictures), return_tensors="pt", **family.options))
    except ValueError as error:
        sizes = ", ".join(f"{picture.width}x{picture.height}" for picture in pictures)
        raise PromptError(f"A picture of {sizes} pixels cannot be prepared for this model: {error}.") from error
    placeholders = family.placeholders(inputs, config, image_token)
    tensors = {name: tensor for name, tensor in inputs.items() if name not in family.layout}
    seen_sizes = family.seen_sizes(inputs, config) if family.seen_sizes is not None else []
    return EncodedPictures(tensors, placeholders, seen_sizes)
