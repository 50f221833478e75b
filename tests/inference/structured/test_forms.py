import pytest
from tests.inference.structured.forms import forms

WRONG = ("", "x", "{", '{"vqa":1}', '{"first":{}}', "[1]", "NaN", '{"x":1.5}', '"ab"x', "\x00", '{"a":}')


@pytest.mark.parametrize("name", forms())
def test_every_form_has_a_judge_that_rejects(name):
    rejected = 0
    for text in WRONG:
        try:
            forms()[name].judge(text)
        except Exception:
            rejected += 1
    assert rejected >= 6
