import pytest
from joint_step import document, split, through

from daneel.corpus.steps import repeated_lines
from daneel.corpus.steps.repeated_lines import RepeatedLines


def test_lines_that_many_documents_have_are_removed_whatever_their_case_and_signs() -> None:
    documents = [
        document(f"Story {n}\n\nShare this on Facebook!\n\nOnce upon {n}.\n  SHARE THIS ON FACEBOOK", str(n))
        for n in range(12)
    ]
    kept, notes = through(RepeatedLines(), split(documents, [5, 0, 3]))
    assert [each.text for each in kept] == [f"Story {n}\n\nOnce upon {n}." for n in range(12)]
    assert {note.what for _, note in notes} == {"lines repeated across documents removed"}
    assert {(note.example, note.times) for _, note in notes} == {("Share this on Facebook!", 2)}


def test_chinese_lines_count_by_half_a_word_a_character() -> None:
    documents = [document(f"第{n}篇\n版权所有，翻印必究。\n何处春深好\n正文{n}", str(n)) for n in range(10)]
    kept, notes = through(RepeatedLines(), [documents])
    assert [each.text for each in kept] == [f"第{n}篇\n何处春深好\n正文{n}" for n in range(10)]
    assert notes[0][1].example == "版权所有，翻印必究。"


def test_refrains_dialogue_short_lines_and_rare_lines_stay() -> None:
    refrain = "\n".join(f"verse {n}\nand so we sailed the sea\n" for n in range(30))
    said = "“What do you mean by that?”\nCHAPTER I\n「你這話是什麼意思呢？」\n* * *\n"
    documents = [document(f"{said}text {n}", str(n)) for n in range(20)]
    documents += [document("All of nine have this line", f"nine{n}") for n in range(9)]
    documents.append(document(refrain, "song"))
    assert through(RepeatedLines(), split(documents, [7, 7])) == (documents, [])


def test_the_share_holds_beside_the_number() -> None:
    documents = [document(f"this line is in some documents\n{n}" if n < 20 else f"{n}", str(n)) for n in range(100)]
    assert through(RepeatedLines(share=0.21), [documents])[1] == []
    assert len(through(RepeatedLines(share=0.2), [documents])[1]) == 20


def test_a_document_of_nothing_else_is_dropped() -> None:
    documents = [document("This page has been removed\n", str(n)) for n in range(10)]
    kept, notes = through(RepeatedLines(), [documents])
    assert not kept
    assert {(note.what, note.dropped) for _, note in notes} == {("nothing but lines repeated across documents", True)}


def test_tasks_count_parts_of_the_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    documents = [document("\n".join(f"this is line number {k}" for k in range(n, n + 40)), str(n)) for n in range(40)]
    expected = through(RepeatedLines(), [documents])
    assert expected[1]
    monkeypatch.setattr(repeated_lines, "_LINES", 7)
    assert through(RepeatedLines(), split(documents, [9, 9])) == expected


def test_nothing_at_all() -> None:
    assert through(RepeatedLines(), []) == ([], [])
    assert through(RepeatedLines(), [[], [document("", "a")]]) == ([document("", "a")], [])
