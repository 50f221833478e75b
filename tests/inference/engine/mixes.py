"""Random requests for the numpy model, and the tokens each gives alone, computed without cache, blocks or batch."""

from __future__ import annotations

import hashlib
from functools import cache, lru_cache

import numpy as np
from hypothesis import strategies as st
from tests.inference.engine.numpy_model import PICTURE, WIDTH, NumpyModel, vocabulary_facts

from vi.inference.engine.request import Request
from vi.inference.engine.sequence import Sequence
from vi.inference.engine.vocabulary import Vocabulary
from vi.inference.generation_config import GenerationConfig
from vi.inference.preprocess.prompt import Prompt
from vi.inference.sampling.sampler import choose
from vi.inference.structured.grammar import json_grammar

GRAMMARS = [
    None,
    json_grammar(
        {
            "type": "object",
            "properties": {"answer": {"enum": ["a bolt", "two red nuts", "none"]}},
            "required": ["answer"],
            "additionalProperties": False,
        }
    ),
    json_grammar({"type": "array", "items": {"type": "integer", "minimum": 0, "maximum": 99}, "maxItems": 4}),
    json_grammar({"const": "two red nuts, one washer"}),
]


@cache
def the_model() -> NumpyModel:
    return NumpyModel(vocabulary_facts().vocab_size)


@cache
def the_vocabulary() -> Vocabulary:
    return Vocabulary(vocabulary_facts())


def prompt(before: int, pictures: tuple[tuple[int, int], ...], after: int, words: int = 0) -> Prompt:
    """``before`` words, pictures of (rows, columns) each closed by a word, and ``after`` words.

    Words differ with ``words`` behind the pictures only; equal pictures have equal pixels.
    """
    ids: list[int] = [10 + i % 60 for i in range(before)]
    positions = [[i] * 3 for i in range(before)]
    pixels = [np.zeros((0, WIDTH))]
    at = before
    for rows, columns in pictures:
        ids += [PICTURE] * (rows * columns) + [9]
        positions += [[at, at + r, at + c] for r in range(rows) for c in range(columns)]
        at += max(rows, columns)
        positions.append([at] * 3)
        at += 1
        pixels.append(np.random.default_rng((rows, columns)).normal(size=(rows * columns, WIDTH)))
    ids += [70 + (words * 31 + i * 7) % 200 for i in range(after)]
    positions += [[at + i] * 3 for i in range(after)]
    media = {"pixels": np.concatenate(pixels)} if pictures else {}
    return Prompt(
        token_ids=ids,
        media=media,
        image_tokens=ids.count(PICTURE),
        positions=np.array(positions, dtype=np.int64).T,
        media_key=hashlib.sha256(media["pixels"].tobytes()).digest() if media else b"",
        placeholder_id=PICTURE,
    )


@st.composite
def requests(draw: st.DrawFn) -> Request:
    config = GenerationConfig(
        max_new_tokens=draw(st.integers(1, 14)),
        do_sample=draw(st.booleans()),
        temperature=draw(st.sampled_from([0.0, 0.7, 1.5])),
        top_k=draw(st.sampled_from([None, 3, 50])),
        top_p=draw(st.sampled_from([0.6, 1.0])),
        repetition_penalty=draw(st.sampled_from([1.0, 1.05, 1.5])),
        seed=draw(st.integers(0, 50)),
        stop_strings=draw(st.sampled_from([(), ("a", "e "), ("nut",)])),
        logprobs=draw(st.sampled_from([None, None, 0, 2])),
    )
    pictures = draw(st.lists(st.sampled_from([(1, 3), (2, 2), (3, 4)]), max_size=2))
    text = prompt(draw(st.integers(1, 30)), tuple(pictures), draw(st.integers(1, 9)), draw(st.integers(0, 2)))
    return Request(text, config, draw(st.sampled_from(GRAMMARS)))


def alone(request: Request) -> Sequence:
    """The finished request, by the whole text's logits at every token."""
    sequence = Sequence(request, the_vocabulary())
    while sequence.finish_reason is None:
        (choice,) = choose(whole(request.prompt, tuple(sequence.token_ids)), [sequence.row()], the_vocabulary().banned)
        sequence.accept(choice)
    return sequence


def whole(text: Prompt, answer: tuple[int, ...]) -> np.ndarray:
    """Logits [1, V] after prompt and answer."""
    return _whole(tuple(text.token_ids), text.positions.tobytes(), text.media_key, answer, _Held(text))


class _Held:
    """The prompt beside its cache key, which says all there is to know of it."""

    def __init__(self, text: Prompt) -> None:
        self.text = text

    def __eq__(self, other: object) -> bool:
        return True

    def __hash__(self) -> int:
        return 0


@lru_cache(maxsize=20_000)
def _whole(
    token_ids: tuple[int, ...], positions: bytes, key: bytes, answer: tuple[int, ...], held: _Held
) -> np.ndarray:
    text, model = held.text, the_model()
    behind = text.next_position + np.arange(len(answer))
    every = np.concatenate([text.positions, np.broadcast_to(behind, (3, len(answer)))], axis=1)
    places = [place for place, token_id in enumerate(token_ids) if token_id == PICTURE]
    features = dict(zip(places, model.encode(text.media["pixels"]), strict=True)) if places else {}
    return model.logits([*token_ids, *answer], every, features)[-1:]
