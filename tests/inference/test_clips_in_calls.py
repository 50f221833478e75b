"""Clips through a whole call: what is seen of them, what the answer says of that, and what is not a clip."""

from __future__ import annotations

import base64
import io

import numpy as np
import pytest
import torch
import transformers
from PIL import Image
from tests.families import TINY
from tests.inference.asking import GREEDY, answer, but_the_clock, failure, picture, tokens
from tests.inference.media.films import film
from tests.tiny.qwen2 import CHAT_TEMPLATE

from vi.inference import Clip, ConfigError, PromptError, SourceError, ViModel
from vi.inference.batch.keys import source_part
from vi.inference.loading.loader import load
from vi.inference.media.policy import MediaPolicy
from vi.inference.media.sources import expand
from vi.inference.media.video import load_clip
from vi.inference.preprocess.chat import ChatPrompt
from vi.inference.runs.files import RunFiles
from vi.inference.task_types import TASKS

SETTINGS = GREEDY | {"max_new_tokens": 24}
FILM = film()  # 30 frames in one second


@pytest.fixture
def clip(tmp_path):
    (tmp_path / "clip.mp4").write_bytes(FILM)
    return tmp_path / "clip.mp4"


def ask(model, source, prompt="What moves?", **options):
    options = {"task_type": "generic", "generation_config": SETTINGS, "show_progress": False} | options
    return model(source, prompt, **options)


def gif(count: int) -> bytes:
    """``count`` pictures, each shown for half a second."""
    frames = [Image.new("RGB", (64, 48), (80 * number, 0, 0)) for number in range(count)]
    file = io.BytesIO()
    frames[0].save(file, "GIF", save_all=True, append_images=frames[1:], duration=500)
    return file.getvalue()


def test_an_answer_says_which_frames_it_is_about(tiny_model, clip):
    video = answer(ask(tiny_model, clip)).video
    assert video.timestamps == pytest.approx([0, 0.25, 0.5, 0.75], abs=0.02)
    assert (video.frame_indices, video.effective_fps, video.source_fps) == ([0, 7, 15, 22], 4, 30)
    assert answer(ask(tiny_model, picture())).video is None


@pytest.mark.parametrize("fps", [1, 6, 30])
def test_fps_says_how_many_frames_of_a_second_are_seen(tiny_model, clip, fps):
    assert len(answer(ask(tiny_model, clip, fps=fps)).video.timestamps) == fps


def test_a_clip_is_known_by_its_content_whatever_it_comes_in(tiny_model, clip, tmp_path):
    alone = but_the_clock(answer(ask(tiny_model, clip)))
    (tmp_path / "clip.jpg").write_bytes(FILM)
    text = base64.b64encode(FILM).decode()
    for source in (FILM, io.BytesIO(FILM), tmp_path / "clip.jpg", text, f"data:image/png;base64,{text}"):
        assert but_the_clock(answer(ask(tiny_model, source))) == alone


def test_a_clip_may_stand_among_pictures_and_a_damaged_one_fails_in_its_place(tiny_model, clip):
    alone = [but_the_clock(answer(ask(tiny_model, source))) for source in (clip, picture())]
    damaged = FILM[: len(FILM) // 2]
    outcomes = ask(tiny_model, [clip, damaged, picture(), clip])
    assert isinstance(failure(outcomes.pop(1)), SourceError)
    assert [but_the_clock(answer(outcome)) for outcome in outcomes] == [*alone, alone[0]]


def test_a_stream_ends_in_the_answer_of_the_call(tiny_model, clip):
    stream = ask(tiny_model, clip, stream=True)
    assert "".join(stream) == answer(ask(tiny_model, clip)).raw_output
    assert len(stream.get_final_completion().video.timestamps) == 4


def test_frames_beyond_the_policys_number_are_left_out_and_the_answer_warns(tiny_model, clip):
    response = answer(ask(tiny_model, clip, media_policy=MediaPolicy(max_frames=2)))
    assert len(response.video.timestamps) == 2
    assert any("max_frames=2" in warning for warning in response.warnings)
    assert answer(ask(tiny_model, clip)).warnings == []


@pytest.mark.parametrize("fps", [2, 4])
def test_an_estimate_says_what_a_clip_takes(tiny_model, clip, fps):
    estimate = tiny_model.estimate(clip, "What moves?", SETTINGS, task_type="generic", fps=fps)
    usage = answer(ask(tiny_model, clip, fps=fps)).usage
    assert (estimate.prompt_tokens, estimate.image_tokens) == (usage.prompt_tokens, usage.image_tokens)
    assert (estimate.frames, estimate.picture_size) == (fps, (96, 64))


def test_a_clip_longer_than_the_context_is_refused_with_what_to_do(tiny_model, tmp_path):
    long = film(range(0, 4500, 6), rate=1)
    assert not tiny_model.estimate(long, "What moves?", SETTINGS, fps=1 / 6, task_type="generic").fits
    error = failure(ask(tiny_model, long, fps=1 / 6))
    assert isinstance(error, PromptError)
    assert "for the clip" in str(error)
    assert "Lower fps" in str(error)


@pytest.mark.parametrize(
    ("source", "num_frames"), [(gif(3), 3), (gif(1), 1), (picture(), 1), (np.zeros((8, 9, 3), np.uint8), 1)]
)
def test_for_a_task_about_clips_a_picture_is_one(tiny_model, source, num_frames):
    response = answer(ask(tiny_model, source, task_type="video-freeform"))
    assert len(response.video.timestamps) == num_frames
    assert answer(ask(tiny_model, source)).video is None


def test_a_folder_holds_its_clips_for_a_task_about_clips_alone(tiny_model, clip):
    picture().save(clip.parent / "picture.png")
    assert len(ask(tiny_model, clip.parent, task_type="video-freeform")) == 2
    assert len(ask(tiny_model, clip.parent)) == 1
    told = tiny_model.iter(clip.parent, "What moves?", SETTINGS, task_type="video-freeform")
    assert [len(result.video.timestamps) for _, result, _ in told] == [4, 1]


def test_an_answer_about_a_clip_goes_through_json(tiny_model, clip):
    response = answer(ask(tiny_model, clip))
    assert type(response).model_validate_json(response.model_dump_json()) == response


def test_what_a_user_writes_holds_no_place_of_a_clip(tiny_model, clip):
    plain, marked = (answer(ask(tiny_model, clip, prompt)) for prompt in ("What?", "What? <|video_pad|><|vision_end|>"))
    assert plain.usage.image_tokens == marked.usage.image_tokens > 0
    assert marked.usage.prompt_tokens > plain.usage.prompt_tokens + 2


def test_both_runners_say_the_same_of_a_clip(tiny_model, tiny_checkpoint, clip):
    with ViModel(pretrained_model_name_or_path=tiny_checkpoint, device="cpu", runner="torch") as torch_model:
        outcomes = [answer(ask(model, clip, fps=10)) for model in (tiny_model, torch_model)]
    assert len({outcome.raw_output for outcome in outcomes}) == 1


def test_fps_that_is_none_is_refused(tiny_model, clip):
    assert isinstance(failure(ask(tiny_model, clip, fps=0)), ConfigError)


@pytest.mark.parametrize("family", ["smolvlm", pytest.param("llava_onevision", marks=pytest.mark.slow)])
def test_a_model_that_takes_pictures_only_sees_a_clip_as_pictures(tmp_path, clip, family):
    folder = TINY[family](tmp_path / "model", max_position_embeddings=4096)
    said = []
    for runner in ("torch", "openvino"):
        with ViModel(pretrained_model_name_or_path=folder, device="cpu", runner=runner) as model:
            response, alone = answer(ask(model, clip)), answer(ask(model, picture()))
            assert model.estimate(clip, "What moves?", SETTINGS, task_type="generic").frames == 4
        assert response.video.timestamps == pytest.approx([0, 0.25, 0.5, 0.75], abs=0.02)
        assert response.usage.image_tokens > alone.usage.image_tokens / 4
        said.append(response.raw_output)
    assert said[0] == said[1]


@pytest.mark.parametrize("family", ["qwen2_vl", "qwen2_5_vl", "qwen3_vl", "qwen3_5"])
def test_a_clip_is_answered_as_generate_answers_it(tmp_path, clip, family):
    """Ours from the file on; transformers with the same frames and its own template, positions and loop."""
    folder = TINY[family](tmp_path / "model")
    (folder / "chat_template.jinja").write_text(CHAT_TEMPLATE)
    settings = {"max_new_tokens": 8, "do_sample": False, "repetition_penalty": 1.0, "logprobs": 0}
    with ViModel(pretrained_model_name_or_path=folder, device="cpu", runner="torch") as model:
        response = answer(ask(model, clip, generation_config=settings))
    loaded = load(RunFiles(None, folder), device="cpu")
    chat = ChatPrompt(loaded)
    seen = load_clip(clip, fit=chat.fit_frames)
    prompt = chat.build("What moves?", clip=seen, system_prompt=TASKS["generic"].system_prompt)
    assert len(tokens(response)) > 1
    assert tokens(response) == generate(folder, loaded, prompt, seen)[: len(tokens(response))]


def generate(folder, loaded, prompt, clip):
    oracle = transformers.AutoModelForImageTextToText.from_pretrained(folder)
    oracle.generation_config.eos_token_id = None
    media = {name: torch.as_tensor(array) for name, array in prompt.media.items()}
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    system = {"role": "system", "content": TASKS["generic"].system_prompt}
    parts = [{"type": "video"}, {"type": "text", "text": "What moves?"}]
    text = tokenizer.apply_chat_template(
        [system, {"role": "user", "content": parts}], tokenize=False, add_generation_prompt=True
    )
    frames, rows, columns = (int(side) for side in prompt.media["video_grid_thw"][0])
    places = "<|video_pad|>" * (rows * columns // 4)
    mark = "<|vision_start|><|video_pad|><|vision_end|>"
    times = [sum(clip.timestamps[at : at + 2]) / 2 for at in range(0, len(clip.frames), 2)]
    in_words = "".join(f"<{time:.1f} seconds><|vision_start|>{places}<|vision_end|>" for time in times)
    at_once = f"<|vision_start|>{places * frames}<|vision_end|>"
    text = text.replace(mark, in_words if loaded.family.startswith("qwen3") else at_once)
    ids = torch.tensor([tokenizer(text, add_special_tokens=False)["input_ids"]])
    more = {"second_per_grid_ts": torch.tensor([2 / clip.effective_fps])} if loaded.family == "qwen2_5_vl" else {}
    output = oracle.generate(
        input_ids=ids,
        attention_mask=torch.ones_like(ids),
        mm_token_type_ids=(ids == prompt.placeholder_id).int() * 2,
        suppress_tokens=list(loaded.media_token_ids),
        do_sample=False,
        max_new_tokens=8,
        **media,
        **more,
    )
    return output[0, ids.shape[1] :].tolist()


def test_pictures_with_times_are_a_clip(tiny_model, tmp_path):
    shown = [picture((64, 48)), picture((48, 64)), np.zeros((48, 64, 3), np.uint8)]
    clip = Clip.of(shown, [10, 10.5, 14])
    response = answer(ask(tiny_model, clip, fps=1))
    assert (response.video.timestamps, response.video.frame_indices) == ([0, 0.5, 4], [0, 1, 2])
    fewer = answer(ask(tiny_model, clip, media_policy=MediaPolicy(max_frames=2)))
    assert fewer.video.timestamps == [0, 0.5]  # what is on screen at the beginning and half way
    assert any("max_frames=2" in warning for warning in fewer.warnings)
    assert [len(told.video.timestamps) for _, told, _ in tiny_model.iter([clip, clip], "What?", SETTINGS)] == [3, 3]


def test_a_batch_knows_a_clip_in_memory_by_its_frames_and_times(tiny_model):
    forth, slower = (expand(Clip.of([picture(), picture((48, 64))], times)).items[0] for times in ([0, 1], [0, 2]))
    back = expand(Clip.of([picture((48, 64)), picture()], [0, 1])).items[0]
    assert len({source_part(item, None) for item in (forth, slower, back)}) == 3
