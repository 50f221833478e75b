"""What a request will take, told without running the model."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Estimate(BaseModel):
    """Sizes and numbers of one request, and whether it fits.

    picture_size, seen_size: (width, height) in pixels, as the source is and as the model sees it; None where the
    architecture cuts pictures into tiles. frames: of a clip that the model sees, 0 for a picture. image_tokens: of
    the picture or clip, a part of prompt_tokens; image_tokens_before: without the call's bounds on pixels.
    max_new_tokens: the cap, lowered to what the context leaves. cache_bytes: for the keys and values of prompt and
    a whole answer; cache_size: what is there for all requests; both None where the model runs one request at a
    time. why_not: empty where it fits.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    source: str
    picture_size: tuple[int, int]
    seen_size: tuple[int, int] | None
    frames: int = 0
    image_tokens: int
    image_tokens_before: int
    prompt_tokens: int
    max_new_tokens: int
    context_length: int
    cache_bytes: int | None
    cache_size: int | None
    why_not: str = ""

    @property
    def fits(self) -> bool:
        """Whether the request would be answered rather than refused."""
        return not self.why_not
