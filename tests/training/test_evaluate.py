import math

import pytest
from training.workbench.evaluate import TYPES, evaluate, said_probability

from vi.inference import ViModel
from vi.inference.completion import TokenAlternative, TokenLogprob


def test_the_probability_of_what_was_said_is_over_yes_and_no_alone():
    others = [
        TokenAlternative(token_id=number, text=text, logprob=math.log(share))
        for number, (text, share) in enumerate([("Yes", 0.6), (" no", 0.1), ("No", 0.1), ("The", 0.2)])
    ]
    tokens = [
        TokenLogprob(token_id=9, text='":"', logprob=0.0),
        TokenLogprob(token_id=0, text="Yes", logprob=math.log(0.6), alternatives=others),
    ]
    assert said_probability(tokens) == pytest.approx(0.75)
    assert said_probability(tokens[:1]) is None


@pytest.mark.slow
def test_the_table_has_a_fraction_for_every_type():
    with ViModel(show_progress=False) as model:
        table = evaluate(model, seed=0, per_type=4)
    assert {*TYPES, "grounding_f1", "grounding_iou", "yes_no_ece", "count_cot"} - {"grounding"} <= table.keys()
    assert all(0 <= value <= 1 for name, value in table.items() if name != "sampled_distinct")
