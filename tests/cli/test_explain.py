"""``vi-infer predict --explain``, on a real checkpoint whose answers are noise."""


def test_the_table_comes_after_the_answer_and_the_page_has_every_source(ask, pictures, tmp_path):
    page = tmp_path / "tokens.html"
    result = ask(
        *pictures[:2], "-p", "Look", "--do-sample", "--temperature", "1.7", "--explain", "--explain-html", page
    )
    assert result.exit_code == 0
    assert result.stdout.count("Decided by") == 2
    text = page.read_text(encoding="utf-8")
    assert all(str(path) in text for path in pictures[:2])
    assert text.count("<li id=") == 24


def test_beside_json_the_table_is_on_standard_error_and_the_alternatives_asked_for_are_kept(ask, objects, pictures):
    result = ask(pictures[0], "-p", "Look", "--json", "--explain", "--logprobs", "2")
    (one,) = objects(result)
    assert {len(token["alternatives"]) for token in one["answer"]["logprobs"]} == {2}
    assert "Decided by" in result.stderr


def test_a_page_that_cannot_be_written_is_told(ask, pictures, tmp_path):
    (tmp_path / "file").write_text("")
    result = ask(pictures[0], "-p", "Look", "--explain-html", tmp_path / "file" / "page.html")
    assert result.exit_code == 2
    assert "cannot be written" in result.stderr
