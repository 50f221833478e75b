"""The frame of thinking, whole and cut off."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vi.inference.task_types.thinking import split_thinking, with_thinking


@pytest.mark.parametrize(
    ("text", "thinking", "answer"),
    [
        ("three", None, "three"),
        (" three ", None, " three "),
        ("", None, ""),
        ("A sign says <think> in red.", None, "A sign says <think> in red."),
        ("<think>a</think><answer>b</answer>", "a", "b"),
        ("\n<think>\na\n</think>\n<answer>\nb\n</answer>\n", "a", "b"),
        ("<think></think><answer>b</answer>", "", "b"),
        ("<think>a</think>b", "a", "b"),
        ("<answer>b</answer>", None, "b"),
        ("<think>", "", ""),
        ("<think>a", "a", ""),
        ("<think>a</thi", "a", ""),
        ("<think>a</think>", "a", ""),
        ("<think>a</think><ans", "a", ""),
        ("<think>a</think><answer>", "a", ""),
        ("<think>a</think><answer>b", "a", "b"),
        ("<think>a</think><answer>b</answ", "a", "b"),
        ("<think>a</think><answer></answer></answer>", "a", "</answer>"),
        ("<think>a</think><answer>b</answer> and so on", "a", "b"),
    ],
)
def test_a_frame_comes_apart(text, thinking, answer):
    assert split_thinking(text) == (thinking, answer)


@given(thinking=st.text().filter(lambda text: "</think>" not in text), answer=st.text())
def test_a_whole_frame_gives_back_what_went_in(thinking, answer):
    text = f"<think>{thinking}</think><answer>{answer}</answer>"
    assert split_thinking(text) == (thinking.strip(), answer.strip())


@given(thinking=st.text("ab <>/"), answer=st.text("ab <>/"), data=st.data())
def test_a_cut_frame_gives_a_beginning_of_what_went_in(thinking, answer, data):
    text = f"<think>{thinking}</think><answer>{answer}</answer>"
    cut = data.draw(st.integers(len("<think>"), len(text)))
    found_thinking, found_answer = split_thinking(text[:cut])
    assert thinking.lstrip().startswith(found_thinking)
    assert answer.lstrip().startswith(found_answer)


def test_the_request_to_think_follows_the_system_prompt():
    assert with_thinking("Be brief.").startswith("Be brief.\nThink")
