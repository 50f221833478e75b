"""What went wrong while a request ran, as the caller may keep it."""

from __future__ import annotations

import traceback

from vi.inference.errors import InferenceError, ViError


def as_inference_error(error: BaseException) -> InferenceError:
    """The error itself if it is one of ours, or one that tells it; without what it would keep in memory.

    Call it in the frame that caught the error. Tracebacks hold frames, and those caches, pixels and the model, for as
    long as somebody holds the error: the frames are emptied, and the catching one, which still runs, is left out.
    """
    if error.__traceback__ is not None:
        error.__traceback__ = error.__traceback__.tb_next
    link: BaseException | None = error
    while link is not None:
        traceback.clear_frames(link.__traceback__)
        link = link.__cause__ or link.__context__
    if isinstance(error, InferenceError):
        return error
    if isinstance(error, ViError):
        failure = InferenceError(error.message, error.hint)
    else:
        failure = InferenceError(f"The model failed on this request ({type(error).__name__}: {error}).")
    failure.__cause__ = error
    return failure
