"""What a prompt shows beside its words, pictures or a clip: the text of its places, its arrays and positions."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from copy import copy
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np

from vi.inference.errors import ConfigError
from vi.inference.preprocess.clip_positions import clip_positions
from vi.inference.preprocess.families import get_family
from vi.inference.preprocess.frame_texts import frame_texts
from vi.inference.preprocess.positions import mrope_positions, plain_positions
from vi.inference.preprocess.qwen_pixels import QwenPixels

if TYPE_CHECKING:
    from PIL import Image

    from vi.inference.loading.loaded import LoadedModel
    from vi.inference.media.clip import Clip
    from vi.inference.preprocess.clips import ClipEncoder
    from vi.inference.preprocess.pixel_budget import PixelBudget

FRAME_PIXELS = 768 * 28 * 28  # as many as Qwen2-VL's video processor leaves of a frame, width times height
TOKENS_PER_SECOND = 4  # of Qwen2.5-VL where its config.json is silent, as in transformers

Positions = Callable[[Sequence[int]], np.ndarray]


class Marks(NamedTuple):
    """How a chat template is asked for a picture or a clip, what it writes, and the texts that go there instead."""

    part: Literal["image", "video"]
    written: str
    texts: tuple[str, ...] = ()

    @property
    def shown(self) -> str:
        """What a user calls it."""
        if self.part == "video":
            return "a clip"
        return f"{len(self.texts)} pictures" if len(self.texts) > 1 else "a picture"


@dataclass(frozen=True)
class Shown:
    """Pictures or a clip, or nothing, ready for a prompt.

    place_id: the token that holds one place. positions: token ids [S] -> int64 [A, S]. media, key, seen_size: as in
    ``Prompt``.
    """

    marks: Marks
    place_id: int
    positions: Positions
    media: dict[str, Any] = field(default_factory=dict)
    key: bytes = b""
    seen_size: tuple[int, int] | None = None


class PictureWay:
    """How one model is shown pictures; any number of threads at once."""

    def __init__(self, loaded: LoadedModel) -> None:
        self._config, self._kind = loaded.config, loaded.family
        self._encoder = loaded.pictures
        self._family = get_family(loaded.family)
        self._place_id = loaded.placeholder_id
        self._place = loaded.tokenizer.id_to_token(loaded.placeholder_id) or ""
        self._written = self._family.template_token or self._place

    @property
    def at_most_pixels(self) -> int | None:
        """What a larger picture is shrunk to anyway, width times height; None where nobody knows."""
        return self._encoder.max_pixels

    def within(self, budget: PixelBudget) -> PictureWay:
        """The same with a caller's bounds on pixels. Raises ConfigError where the architecture does not go by them."""
        if not isinstance(self._encoder, QwenPixels):
            message = f"min_pixels and max_pixels are for Qwen's families; {self._kind} sizes pictures in its own way."
            raise ConfigError(message, "Leave them out.")
        bounded = copy(self)
        bounded._encoder = self._encoder.within(budget)
        return bounded

    def nothing(self) -> Shown:
        """Words alone."""
        return Shown(Marks("image", self._written), self._place_id, self._positions([]))

    def show(self, pictures: Sequence[Image.Image], *, whole: bool = False) -> Shown:
        """RGB pictures, at least one, each in its own place. Raises PromptError for a shape that the model's way of
        preparing refuses. whole: see ``PictureEncoder.encode``."""
        encoded, family = self._encoder.encode(pictures, whole=whole), self._family
        arrays = encoded.arrays
        texts = tuple(family.placeholders(arrays, self._config, self._place))
        sizes = family.seen_sizes(arrays, self._config) if family.seen_sizes is not None else []
        return Shown(
            Marks("image", self._written, texts),
            self._place_id,
            self._positions(arrays["image_grid_thw"].tolist() if "image_grid_thw" in arrays else []),
            {name: array for name, array in arrays.items() if name not in family.layout},
            encoded.key,
            sizes[0] if sizes else None,
        )

    def show_clip(self, clip: Clip) -> Shown:
        """The frames of a clip, each a picture of its own with its time in words before it, all in one place."""
        frames, words, (start, end) = self.show(clip.frames, whole=True), frame_texts(clip), self._family.brackets
        places = zip(words.times, frames.marks.texts, strict=True)
        text = "".join([words.intro, *(f"{time}{start}{place}{end}" for time, place in places), words.outro])
        return replace(frames, marks=Marks("image", f"{start}{self._written}{end}", (text,)))

    def fit_frames(self, num_frames: int, width: int, height: int) -> tuple[int, int]:
        """(width, height) in pixels that the frames of a clip are made smaller to before they are prepared."""
        most = self.at_most_pixels or FRAME_PIXELS
        shrink = math.sqrt(min(1.0, most / (width * height)))
        return max(1, round(width * shrink)), max(1, round(height * shrink))

    def _positions(self, grids: list[list[int]]) -> Positions:
        if not self._family.mrope:
            return lambda token_ids: plain_positions(len(token_ids))
        merge = self._config["vision_config"].get("spatial_merge_size", 2)
        return partial(mrope_positions, image_token_id=self._place_id, grids=grids, merge=merge)


class ClipWay:
    """How one model of Qwen's families is shown clips; any number of threads at once."""

    def __init__(self, encoder: ClipEncoder, config: Any, place_id: int, brackets: tuple[str, str, str]) -> None:
        """config: ``config.json``. brackets: the tokens that a template writes for a clip, the place in the middle."""
        self._encoder = encoder
        self._place_id = place_id
        self._brackets = brackets
        self._tokens_per_second = config.get("vision_config", {}).get("tokens_per_second", TOKENS_PER_SECOND)

    @classmethod
    def of(cls, loaded: LoadedModel) -> ClipWay | None:
        """None for a model without a way of its own for clips."""
        names = ("vision_start_token_id", "video_token_id", "vision_end_token_id")
        ids = [loaded.config.get(name) for name in names]
        start, place, end = (None if token_id is None else loaded.tokenizer.id_to_token(token_id) for token_id in ids)
        if loaded.clips is None or not (start and place and end) or ids[1] is None:
            return None
        return cls(loaded.clips, loaded.config, ids[1], (start, place, end))

    def within(self, budget: PixelBudget) -> ClipWay:
        """The same with a caller's bounds on the pixels of each frame."""
        bounded = copy(self)
        bounded._encoder = self._encoder.within(budget)
        return bounded

    def fit_frames(self, num_frames: int, width: int, height: int) -> tuple[int, int]:
        """(width, height) in pixels that the frames of a clip are resized to. PromptError, as ``show_clip``."""
        return self._encoder.fit(num_frames, width, height)

    def show_clip(self, clip: Clip) -> Shown:
        """Raises PromptError for frames of a shape that the model's way of preparing refuses."""
        encoder = self._encoder
        encoded = encoder.encode(clip)
        positions = partial(
            clip_positions,
            video_token_id=self._place_id,
            runs=encoder.runs(encoded),
            merge=encoder.merge_size,
            interval=encoder.interval(encoded, self._tokens_per_second),
        )
        text = encoder.text(encoded, *self._brackets)
        marks = Marks("video", "".join(self._brackets), (text,))
        return Shown(marks, self._place_id, positions, encoded.arrays, encoded.key, encoded.seen_size)
