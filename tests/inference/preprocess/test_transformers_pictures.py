from __future__ import annotations

import pytest
from tests.inference.preprocess.pictures import assert_same_arrays, noise
from transformers.models.gemma3.image_processing_pil_gemma3 import Gemma3ImageProcessorPil
from transformers.models.qwen2_vl.image_processing_pil_qwen2_vl import Qwen2VLImageProcessorPil

from vi.inference.errors import PromptError
from vi.inference.preprocess.qwen_pixels import QwenPixels
from vi.inference.preprocess.transformers_pictures import TransformersPictures


def test_a_wrapped_processor_gives_what_it_gives_alone():
    stock, options = Gemma3ImageProcessorPil(size={"height": 32, "width": 32}), {"do_pan_and_scan": False}
    shown = [noise(90, 40), noise(20, 30)]
    encoded = TransformersPictures(stock, options).encode(shown)
    assert_same_arrays(encoded.arrays, stock(images=shown, return_tensors="np", **options))
    assert encoded.key != TransformersPictures(stock, options).encode(shown[:1]).key


def test_a_wrapped_processor_refuses_in_the_words_of_ours():
    with pytest.raises(PromptError) as wrapped:
        TransformersPictures(Qwen2VLImageProcessorPil(), {}).encode([noise(1, 900)])
    with pytest.raises(PromptError) as ours:
        QwenPixels({}).encode([noise(1, 900)])
    assert str(wrapped.value) == str(ours.value)
