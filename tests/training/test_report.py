from training.workbench.bars import GOALS, SHIPPED, Bar
from training.workbench.figures import Figure, ratio
from training.workbench.outcomes import Outcome
from training.workbench.report import as_markdown, side_by_side, wrong_answers


def cells(table: str) -> dict[str, list[str]]:
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines()]
    return {row[0]: row[1:] for row in rows}


def test_each_figure_stands_beside_its_bar():
    table = {"count": Figure(0.98, 50, (0.9, 0.99)), "count_cot": Figure(0.96, 50), "surface": Figure(1.0, 50)}
    found = cells(as_markdown(table))
    assert found["count"] == ["0.980", "0.900 to 0.990", "50", "0.970", "yes"]
    assert found["count_cot"] == ["0.960", "", "50", "0.980", "no, by 0.020"]
    assert found["surface"] == ["1.000", "", "50", "", ""]


def test_the_table_is_markdown_whose_columns_stand_straight():
    lines = as_markdown({"count": Figure(0.5, 1000), "half_size_jpeg40": Figure(0.25, 7)}).splitlines()
    assert len({len(line) for line in lines}) == 1
    assert set(lines[1]) == set("|-:")


def test_a_bar_beside_a_figure_that_was_not_asked_is_none():
    assert Bar(-0.03, "full_size").threshold({"count": 1.0}) is None
    assert Bar(-0.03, "full_size").threshold({"full_size": 1.0}) == 0.97


def test_the_shipped_runs_bars_are_no_higher_than_the_goals():
    assert all(least <= GOALS[name].least for name, least in SHIPPED.items() if name in GOALS)


def test_two_runs_are_set_side_by_side_and_a_sure_change_is_told():
    right = [True] * 50 + [False] * 50
    one, other = {"count": ratio(right, [1] * 100)}, {"count": ratio([True] * 100, [1] * 100)}
    found = cells(side_by_side(one, other, ("old", "new")))
    assert found["count"][:3] == ["0.500", "1.000", "+0.500"]
    assert found["count"][-1] == "yes"
    assert cells(side_by_side(one, one, ("old", "new")))["count"][-2:] == ["+0.000 to +0.000", ""]


def test_wrong_answers_come_by_row_with_question_truth_and_answer():
    wrong = [Outcome("count", number, f"How many? {number}", {"count": 2}, "3", False) for number in (5, 1, 3)]
    told = wrong_answers([*wrong, Outcome("kind", 0, "What?", {}, "A nut.", True)], 2)
    assert told.startswith("count: 3 wrong\n  scene 1: How many? 1\n    truth   {'count': 2}\n    answer  3\n  scene 3")
    assert "scene 5" not in told
    assert "kind" not in told
