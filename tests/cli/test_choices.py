import pytest
from tests.cli.choosing import DRAWN, FAVOURITE, FORCED, HELD, answer, token

from vi.cli.choices import choices, shown
from vi.cli.token_table import token_table
from vi.inference import ConfigError
from vi.inference.task_types import GenericResponse


@pytest.mark.parametrize(
    ("made", "by"), [(FORCED, "grammar"), (FAVOURITE, "model"), (DRAWN, "draw"), (HELD, "restricted")]
)
def test_who_decided_is_told(made, by):
    (choice,) = choices(answer(made))
    assert choice.by == by


def test_what_each_filter_removed_is_counted():
    (choice,) = choices(answer(FAVOURITE))
    assert choice.removed == {"grammar": 20, "top_k": 60, "top_p": 16}
    (unknown,) = choices(answer(token("a", 0.5, None, left=None)))
    assert set(unknown.removed.values()) == {0}


def test_an_answer_without_probabilities_is_refused_with_what_to_do():
    with pytest.raises(ConfigError, match="logprobs=5"):
        choices(GenericResponse(prompt="?", result="a"))


def test_texts_can_be_read_and_steer_no_terminal():
    assert shown(" a\n") == "␣a↵"
    assert shown("\x1b[31m") == "\N{REPLACEMENT CHARACTER}[31m"
    assert shown("") == "∅"


def test_the_table_has_a_row_a_token_in_their_order():
    table = token_table(answer(FORCED, FAVOURITE, DRAWN))
    assert [cell.plain for cell in table.columns[0].cells] == ["{", "a", "␣<b>&"]
    assert [cell.plain for cell in table.columns[3].cells] == ["grammar", "model", "draw"]
    assert table.columns[5].cells
    assert "a 0.70→0.700" in [cell.plain for cell in table.columns[5].cells][2]
