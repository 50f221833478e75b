"""transformers' own processors of each family, without what they would ask torchvision for."""

from __future__ import annotations

from typing import Any

from transformers.models.gemma3.processing_gemma3 import Gemma3Processor
from transformers.models.glm4v.processing_glm4v import Glm4vProcessor
from transformers.models.idefics3.processing_idefics3 import Idefics3Processor
from transformers.models.internvl.processing_internvl import InternVLProcessor
from transformers.models.llava_next.processing_llava_next import LlavaNextProcessor
from transformers.models.llava_onevision.processing_llava_onevision import LlavaOnevisionProcessor
from transformers.models.paligemma.processing_paligemma import PaliGemmaProcessor
from transformers.models.smolvlm.processing_smolvlm import SmolVLMProcessor

IDEFICS = {
    "fake_image_token": "<fake_token_around_image>",
    "image_token": "<image>",
    "global_image_tag": "<global-img>",
    "global_image_token": "<global-img>",
    "image_seq_len": 4,
}
# (processor class, attributes that its checkpoints state)
PROCESSORS = {
    "glm4v": (Glm4vProcessor, {"image_token": "<|image|>"}),
    "idefics3": (Idefics3Processor, IDEFICS),
    "smolvlm": (SmolVLMProcessor, IDEFICS),
    "llava_onevision": (
        LlavaOnevisionProcessor,
        {
            "image_token": "<image>",
            "num_image_tokens": 16,
            "vision_feature_select_strategy": "full",
            "vision_aspect_ratio": "anyres_max_2",
        },
    ),
    "llava_next": (
        LlavaNextProcessor,
        {
            "image_token": "<image>",
            "patch_size": 8,
            "num_additional_image_tokens": 1,
            "vision_feature_select_strategy": "default",
        },
    ),
    "internvl": (
        InternVLProcessor,
        {
            "start_image_token": "<img>",
            "end_image_token": "</img>",
            "image_token": "<IMG_CONTEXT>",
            "image_seq_length": 4,
        },
    ),
    "gemma3": (
        Gemma3Processor,
        {"full_image_sequence": f"\n\n<start_of_image>{'<image_soft_token>' * 4}<end_of_image>\n\n"},
    ),
    "paligemma": (PaliGemmaProcessor, {"image_token": "<image>", "image_seq_length": 16}),
}
IMAGE_TOKENS = {"gemma3": "<image_soft_token>"}


def stock_processor(name: str, image_processor: Any) -> tuple[Any, str]:
    """(a processor that writes the text of pictures, what its text holds for each of their places)."""
    processor_class, stated = PROCESSORS[name]
    processor = object.__new__(processor_class)  # it would ask for a video processor, which needs torchvision
    vars(processor).update(stated, image_processor=image_processor)
    return processor, IMAGE_TOKENS.get(name, getattr(processor, "image_token", ""))
