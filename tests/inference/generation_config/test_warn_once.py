from __future__ import annotations

import logging

from vi.inference.generation_config import WarnOnce, resolve


def test_one_warning_per_cause_and_model(caplog):
    logger = logging.getLogger("vi.inference.test")
    first, second = WarnOnce(logger), WarnOnce(logger)
    with caplog.at_level(logging.WARNING):
        for temperature in (0.3, 0.5, 0.7):
            first(resolve({"temperature": temperature}).notices)
        first(resolve({"top_p": 0.5}).notices)
        second(resolve({"temperature": 0.9}).notices)
        first(resolve().notices)
    said = [record.getMessage().split(" ")[0] for record in caplog.records]
    assert said == ["temperature=0.3", "top_p=0.5", "temperature=0.9"]


def test_a_text_with_percent_signs_is_logged_as_it_is(caplog):
    resolved = resolve().lower_max_new_tokens(5, "the prompt takes 90 %d of the context")
    with caplog.at_level(logging.WARNING):
        WarnOnce(logging.getLogger("vi.inference.test"))(resolved.notices)
    assert "90 %d of the context" in caplog.text
