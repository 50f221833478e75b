"""Pictures to tensors, and to the text that holds their place in the prompt."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from vi.inference.errors import PromptError
from vi.inference.preprocess.families import Family

if TYPE_CHECKING:
    import torch
    from PIL import Image

NOT_FOR_THE_MODEL = ("rows", "cols")  # say how a picture was cut into tiles; ``forward`` does not take them


@dataclass(frozen=True)
class EncodedPictures:
    """tensors: what the model's ``forward`` takes, by name. placeholders: one text a picture, in order."""

    tensors: dict[str, torch.Tensor]
    placeholders: list[str]


def encode_pictures(
    pictures: Sequence[Image.Image], image_processor: Any, family: Family, config: Any, image_token: str
) -> EncodedPictures:
    """Resize, normalise and cut RGB pictures as the checkpoint's image processor says.

    Raises PromptError for a picture whose shape the processor refuses (such as 1 x 5000 pixels).
    """
    if not pictures:
        return EncodedPictures({}, [])
    extra = {"return_row_col_info": True} if "return_row_col_info" in _accepted(image_processor) else {}
    try:
        inputs = dict(image_processor(images=list(pictures), return_tensors="pt", **extra))
    except ValueError as error:
        sizes = ", ".join(f"{picture.width}x{picture.height}" for picture in pictures)
        raise PromptError(f"A picture of {sizes} pixels cannot be prepared for this model: {error}.") from error
    placeholders = family.placeholders(inputs, config, image_token)
    return EncodedPictures(
        {name: tensor for name, tensor in inputs.items() if name not in NOT_FOR_THE_MODEL}, placeholders
    )


def _accepted(image_processor: Any) -> frozenset[str]:
    kwargs = getattr(image_processor, "valid_kwargs", None)
    return frozenset(getattr(kwargs, "__annotations__", {}))
