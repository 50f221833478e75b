"""Where the tokens of an answer point: at what they copy and at what they are asked about."""

from __future__ import annotations

from training.workbench.points import points
from training.workbench.question import Question


def words(text):
    """Tokens as a tokenizer of words would cut them: each with the blank before it."""
    spans, start = [], 0
    for end in [*(i for i, c in enumerate(text) if c == " " and i), len(text)]:
        spans.append((start, end))
        start = end
    return spans


def pointed(question, text):
    """What each word of the answer points at, as text; a second where two are pointed at."""
    asked, told = words(question.prompt), words(text)
    both = [question.prompt[a:b] for a, b in asked] + [text[a:b] for a, b in told]
    rows = points(question, text, asked, told).tolist()
    return {text[a:b].strip(): [both[i].strip() for i in row if i >= 0] for (a, b), row in zip(told, rows, strict=True)}


def question(kind, prompt, **truth):
    return Question(kind, "vqa", prompt, "", "", truth)


def test_an_answer_about_one_part_points_at_the_last_word_of_its_name():
    told = pointed(question("size", "How big is the red bolt here?"), "It is small.")
    assert told == {"It": ["bolt"], "is": ["bolt"], "small.": ["bolt"]}


def test_where_two_parts_are_compared_a_second_head_points_at_the_other():
    told = pointed(question("relation", "Is the red bolt above the blue nut now?"), "Yes.")
    assert told == {"Yes.": ["bolt", "nut"]}


def test_what_is_not_there_is_copied_from_the_question():
    told = pointed(
        question("unanswerable", "What color is the tall tree today?", thing="tall tree"), "I see no tall tree here."
    )
    assert told["tall"] == ["tall"]
    assert told["tree"] == ["tree"]
    assert told["here."] == []


def test_each_phrase_of_a_grounding_is_copied_from_its_own_place_in_the_sentence():
    text = '{"sentence":"I see a red nut and a red nut.","phrase":"a red nut" "phrase":"a red nut"'
    prompt, told = "Find all.", [(i, i + 1) for i in range(len(text))]
    rows = points(question("grounding", prompt), text, [(0, len(prompt))], told)[:, 0] - 1  # one token precedes it
    for phrase, place in (
        (text.index('"a red'), text.index("a red")),
        (text.rindex('"a red'), text.index("a red nut.")),
    ):
        copy = slice(phrase + 1, phrase + 1 + len("a red nut"))
        assert rows[copy].tolist() == list(range(place, place + len("a red nut")))
    assert set(rows[: text.index('"phrase"')]) == {-2}
