"""Several pictures of one prompt, and clips as pictures: token ids and arrays of transformers' own processors, and what
``generate`` writes after them."""

from __future__ import annotations

import numpy as np
import pytest
import torch
import transformers
from tests.families import TINY
from tests.inference.preprocess.pictures import assert_same_arrays, noise
from tests.inference.preprocess.stock_processors import PROCESSORS, stock_processor

from vi.inference.engine.request import Request
from vi.inference.engine.start import start_engine
from vi.inference.generation_config import GenerationConfig
from vi.inference.loading.loader import load
from vi.inference.media.clip import Clip
from vi.inference.preprocess.chat import ChatPrompt
from vi.inference.preprocess.families import get_family
from vi.inference.runs.files import RunFiles

PICTURES = [noise(150, 70), noise(40, 90), noise(64, 64)]
CLIP = Clip.of([noise(90, 60, seed) for seed in range(3)], [0, 0.5, 62])
TIMES = ["\nFrame from 00:00.0:", "\nFrame from 00:00.5:", "\nFrame from 01:02.0:"]
INTRO = "You are provided the following series of 3 frames from a 0:01:33 [H:MM:SS] video.\n"
UNCUT = {"smolvlm": {"do_image_splitting": False}, "idefics3": {"do_image_splitting": False}}
UNCUT["internvl"] = {"crop_to_patches": False}
MAIN = ("smolvlm", "internvl")
NAMES = [pytest.param(name, marks=() if name in MAIN else pytest.mark.slow) for name in PROCESSORS]


class Models:
    """One tiny checkpoint in our hands and in transformers'."""

    def __init__(self, name, folder):
        self.name, self.family = name, get_family(name)
        self.loaded = load(RunFiles(None, folder), device="cpu")
        self.chat = ChatPrompt(self.loaded)
        self.oracle = transformers.AutoModelForImageTextToText.from_pretrained(folder)
        self.oracle.generation_config.eos_token_id = None
        self.tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
        self.encode = transformers.AutoImageProcessor.from_pretrained(folder, backend="pil")

    def stock(self, pictures, texts, **options):
        """(token ids, arrays) as transformers makes them. texts: [K + 1] what stands around the pictures' places, None
        where the chat template says."""
        processor, token = stock_processor(self.name, self.encode)
        inputs = self.encode(
            images=[pictures], return_tensors="np", **self.family.options(self.loaded.config) | options
        )
        places = [processor.replace_image_token(inputs, index) for index in range(len(pictures))]
        (start, end), mark = self.family.brackets, self.family.template_token or token
        if texts is None:
            pieces = self.rendered(len(pictures)).split(mark)
        else:
            before, after = self.rendered(1).split(f"{start}{mark}{end}")
            pieces = [before + texts[0], *texts[1:-1], texts[-1] + after]
            places = [f"{start}{place}{end}" for place in places]
        whole = pieces[0] + "".join(place + piece for place, piece in zip(places, pieces[1:], strict=True))
        return self.tokenizer(whole, add_special_tokens=False)["input_ids"], dict(inputs)

    def rendered(self, count):
        parts = [{"type": "image"}] * count
        messages = [{"role": "user", "content": [*parts, {"type": "text", "text": "Which?"}]}]
        return self.tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True)

    def generate(self, ids, arrays):
        media = {
            name: torch.as_tensor(np.asarray(array)) for name, array in arrays.items() if name not in self.family.layout
        }
        ids = torch.tensor([ids])
        if self.family.mrope:
            media["mm_token_type_ids"] = (ids == self.loaded.placeholder_id).int()
        if self.family.token_types is not None:
            types = self.family.token_types(ids.numpy(), self.loaded.placeholder_id)
            media["token_type_ids"] = torch.as_tensor(types)
        forbidden = list(self.loaded.media_token_ids)
        output = self.oracle.generate(
            input_ids=ids,
            attention_mask=torch.ones_like(ids),
            suppress_tokens=forbidden,
            do_sample=False,
            max_new_tokens=8,
            **media,
        )
        return output[0, ids.shape[1] :].tolist()

    def answer(self, prompt):
        """Greedily, by the engine that the product would start."""
        config = GenerationConfig(do_sample=False, max_new_tokens=8, repetition_penalty=1.0, logprobs=0)
        engine = start_engine(self.loaded)
        try:
            completion = engine.submit(Request(prompt, config, None)).completion()
        finally:
            engine.close()
        return [entry.token_id for entry in completion.logprobs]


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    folder, made = tmp_path_factory.mktemp("several"), {}

    def make(name):
        if name not in made:
            made[name] = Models(name, TINY[name](folder / name))
        return made[name]

    return make


def assert_same(models, prompt, ids, arrays):
    assert prompt.token_ids == ids
    media = {name: array for name, array in arrays.items() if name not in models.family.layout}
    assert_same_arrays(prompt.media, media)
    ours, theirs = models.answer(prompt), models.generate(ids, arrays)
    assert len(ours) > 1
    assert ours == theirs[: len(ours)]


@pytest.mark.parametrize("name", NAMES)
def test_several_pictures_are_asked_about_as_transformers_asks(models, name):
    these = models(name)
    ids, arrays = these.stock(PICTURES, None)
    assert_same(these, these.chat.build("Which?", picture=PICTURES), ids, arrays)


@pytest.mark.parametrize("name", NAMES)
def test_a_clip_is_its_frames_as_pictures_with_their_times_in_words(models, name):
    these = models(name)
    ids, arrays = these.stock(CLIP.frames, [INTRO + TIMES[0], *TIMES[1:], "\n\n"], **UNCUT.get(name, {}))
    assert_same(these, these.chat.build("Which?", clip=CLIP), ids, arrays)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["qwen2_5_vl", "qwen3_vl", "qwen3_5", "mistral3"])  # processors that need torchvision
def test_generate_answers_several_pictures_with_the_same_tokens(models, name):
    these = models(name)
    prompt = these.chat.build("Which?", picture=PICTURES)
    options = these.family.options(these.loaded.config)
    assert_same_arrays(prompt.media, these.encode(images=PICTURES, return_tensors="np", **options))
    assert prompt.token_ids.count(prompt.placeholder_id) == prompt.image_tokens
    assert_same(these, prompt, prompt.token_ids, prompt.media)


def test_the_order_of_pictures_is_part_of_what_a_prompt_is_found_by(models):
    chat = models("smolvlm").chat
    forth, back = (chat.build("Which?", picture=shown) for shown in (PICTURES[:2], PICTURES[1::-1]))
    assert forth.media_key != back.media_key
    assert forth.media_key == chat.build("Which else?", picture=tuple(PICTURES[:2])).media_key
