"""Many sources in one call: order, failures in place, interrupts, and what is kept of them."""

from __future__ import annotations

import gc
import os
import signal
import threading
import time
import weakref

import numpy as np
import pytest
from tests.inference.asking import ENDLESS, GREEDY, SAMPLED, Requests, answer, but_the_clock, failure, picture, tokens

from vi.inference import InferenceError, PromptError, SourceError, ViModel

SIZES = [(64, 48), (200, 100), (30, 90), (100, 100), (48, 64)]


@pytest.fixture
def folder(tmp_path):
    """Five pictures, the second and the tenth of them broken, and one in a sub-folder."""
    for name, size in zip(("shot1", "shot3", "shot20"), SIZES, strict=False):
        picture(size).save(tmp_path / f"{name}.png")
    (tmp_path / "shot2.png").write_bytes(b"")
    (tmp_path / "shot10.jpg").write_text("not a picture")
    (tmp_path / "deeper").mkdir()
    picture(SIZES[3]).save(tmp_path / "deeper" / "shot4.png")
    return tmp_path


def ask(model, source, prompt="Which one?", **options):
    options = {"task_type": "generic", "generation_config": GREEDY, "show_progress": False} | options
    return model(source, prompt, **options)


def test_a_list_gives_what_each_source_gives_alone_in_order(tiny_model):
    sources = [picture(size) for size in SIZES]
    together = [but_the_clock(answer(outcome)) for outcome in ask(tiny_model, sources)]
    assert together == [but_the_clock(answer(ask(tiny_model, source))) for source in sources]
    assert len({fact["raw_output"] for fact in together}) == len(SIZES)


def test_one_source_in_a_list_gives_a_list_and_none_an_empty_one(tiny_model):
    assert len(ask(tiny_model, [picture()])) == len(ask(tiny_model, (picture(),))) == 1
    assert ask(tiny_model, []) == []


def test_an_iterator_of_sources_is_a_list_of_them(tiny_model):
    outcomes = ask(tiny_model, (picture(size) for size in SIZES[:2]))
    assert outcomes[0][0].raw_output == answer(ask(tiny_model, picture(SIZES[0]))).raw_output
    assert len(outcomes) == 2


def test_a_folder_is_answered_in_natural_order_and_failures_stay_in_place(tiny_model, folder):
    outcomes = ask(tiny_model, folder)
    assert [error is None for _, error in outcomes] == [True, False, True, False, True]
    assert "shot2.png is empty" in str(failure(outcomes[1]))
    assert "shot10.jpg is not a picture" in str(failure(outcomes[3]))
    alone = [answer(ask(tiny_model, folder / f"{name}.png")).raw_output for name in ("shot1", "shot3", "shot20")]
    assert [answer(outcomes[i]).raw_output for i in (0, 2, 4)] == alone


def test_recursive_looks_into_sub_folders(tiny_model, folder):
    outcomes = ask(tiny_model, str(folder), recursive=True)
    assert len(outcomes) == 6
    assert outcomes[0][0].raw_output == answer(ask(tiny_model, folder / "deeper" / "shot4.png")).raw_output


def test_each_source_has_its_own_prompt(tiny_model):
    prompts = ["First?", None, "Third?"]
    outcomes = ask(tiny_model, [picture()] * 3, prompts, task_type="freeform")
    assert [answer(outcome).prompt for outcome in outcomes] == ["First?", "Describe this picture.", "Third?"]


def test_a_bad_prompt_among_good_ones_fails_alone(tiny_model):
    outcomes = ask(tiny_model, [picture()] * 3, ["First?", " ", "Third?"])
    assert [error is None for _, error in outcomes] == [True, False, True]
    assert isinstance(failure(outcomes[1]), PromptError)


def test_every_kind_of_source_may_stand_in_a_list(tiny_model, folder):
    pixels = np.asarray(picture(SIZES[0]))
    sources = [picture(SIZES[0]), pixels, folder / "shot1.png", str(folder / "shot1.png"), folder]
    outcomes = ask(tiny_model, sources)
    assert len({answer(outcome).raw_output for outcome in outcomes[:5]}) == 1
    assert len(outcomes) == 4 + 5


def test_a_batch_of_arrays_is_refused_with_the_way_to_pass_it(tiny_model):
    batch = np.stack([np.asarray(picture())] * 2)
    assert "list(array)" in str(failure(ask(tiny_model, batch)))
    assert len(ask(tiny_model, list(batch))) == 2


def test_random_seeds_differ_within_a_list(tiny_model):
    outcomes = ask(tiny_model, [picture()] * 4, generation_config={**SAMPLED, "seed": -1})
    assert len({answer(outcome).generation["seed"].value for outcome in outcomes}) == 4
    assert len({tuple(tokens(answer(outcome))) for outcome in outcomes}) == 4


def test_timings_say_how_long_the_source_took(tiny_model):
    timings = answer(ask(tiny_model, picture())).timings
    assert timings.load > 0
    assert 0 < timings.prefill <= timings.time_to_first_token <= timings.total


@pytest.mark.skipif(os.name != "posix", reason="sends itself a signal")
def test_an_interrupt_cancels_everything_ahead(tiny_model, monkeypatch):
    requests = Requests(monkeypatch)

    def interrupt():
        while len(requests.running()) < 3:
            time.sleep(0.05)
        os.kill(os.getpid(), signal.SIGINT)

    threading.Thread(target=interrupt, daemon=True).start()
    with pytest.raises(KeyboardInterrupt) as caught:
        tiny_model([picture()] * 6, "Go on.", **ENDLESS)
    assert requests.wanted() == []
    assert caught.traceback  # still held, and yet nothing goes on
    assert answer(ask(tiny_model, picture())).finish_reason


class Odd(str):
    """Text that fails where no text does."""

    def encode(self, *options):
        raise RuntimeError("odd")


def test_a_failure_that_nobody_foresaw_is_one_of_ours_and_logged_with_its_traceback(tiny_model, caplog):
    outcomes = ask(tiny_model, [picture()] * 3, ["First?", Odd("Second?"), "Third?"])
    assert [error is None for _, error in outcomes] == [True, False, True]
    error = failure(outcomes[1])
    assert isinstance(error, InferenceError)
    assert "RuntimeError: odd" in str(error)
    assert isinstance(error.__cause__, RuntimeError)
    (record,) = caplog.records
    assert "in encode" in caplog.text
    assert record.name.startswith("vi.inference")
    with pytest.raises(InferenceError, match="odd"):
        ask(tiny_model, picture(), Odd("Second?"), stream=True)


def test_an_error_that_is_kept_keeps_no_pixels_and_no_model(tiny_checkpoint):
    class Watched(np.ndarray):
        """An array that can be watched, as its base cannot."""

    def device_threads():
        return [thread for thread in threading.enumerate() if thread.name == "vi-device"]

    before = len(device_threads())
    model = ViModel(pretrained_model_name_or_path=tiny_checkpoint, device="cpu")
    pixels = np.asarray(picture()).view(Watched)
    held = weakref.ref(pixels)
    errors = [failure(outcome) for outcome in ask(model, [pixels], "long " * 3000)]
    errors += [failure(ask(model, pixels, "long " * 3000)), failure(ask(model, "missing.png"))]
    del model, pixels
    gc.collect()
    assert held() is None
    assert len(device_threads()) == before
    assert [type(error) for error in errors] == [PromptError, PromptError, SourceError]
