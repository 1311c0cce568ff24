import csv
import gzip
import json
import pickle
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from joint_step import document

from daneel.corpus.document import Document
from daneel.corpus.step import Note
from daneel.corpus.steps.decontaminate import Decontaminate
from daneel.errors import DataError, UsageError

_QUESTION = "Which of the three laws of robotics did the machine break when it opened the airlock?"
_CHINESE = "机器人三定律的第一定律是机器人不得伤害人类也不得坐视人类受到伤害"
_BEFORE = " ".join(f"before{n}" for n in range(100))
_AFTER = " ".join(f"after{n}" for n in range(100))


def _jsonl(path: Path, *rows: object) -> str:
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), "utf-8")
    return str(path)


def _apply(step: Decontaminate, *texts: str) -> tuple[list[Document | None], list[tuple[int, Note]]]:
    result = step.apply([document(text, str(n)) for n, text in enumerate(texts)])
    return result.documents, result.notes


def _texts(documents: list[Document | None]) -> list[str | None]:
    return [each.text if each else None for each in documents]


def test_a_passage_is_cut_with_its_margin_and_the_set_is_named(tmp_path: Path) -> None:
    step = Decontaminate((_jsonl(tmp_path / "laws.jsonl", {"q": [{"text": _QUESTION}], "a": "the second"}),))
    clean = f"{_BEFORE}\n{_AFTER}"
    documents, notes = _apply(
        step, clean, f"{_BEFORE} which of THE three laws… of robotics did the machine break when it opened. {_AFTER}"
    )
    assert documents[0] == document(clean, "0")
    text = _texts(documents)[1]
    assert text
    first, second = text.split("\n\n")
    assert _BEFORE.startswith(first)
    assert _AFTER.endswith(second)
    # Two hundred characters go, and no word is cut in two.
    assert 200 <= len(_BEFORE) - len(first) <= 210
    assert 200 <= len(_AFTER) - len(second) <= 210
    assert set(first.split()) <= set(_BEFORE.split())
    assert set(second.split()) <= set(_AFTER.split())
    [(place, note)] = notes
    assert (place, note.what, note.dropped) == (1, "passages of laws.jsonl cut", False)
    assert note.example == "which of THE three laws… of robotics did the machine break when it"


def test_twelve_words_of_a_long_item_are_no_passage(tmp_path: Path) -> None:
    step = Decontaminate((_jsonl(tmp_path / "laws.jsonl", {"q": _QUESTION}),))
    words = _QUESTION.split()
    twelve, thirteen = " ".join(words[:12]), " ".join(words[3:])
    assert len(thirteen.split()) == 13
    documents, _ = _apply(step, f"{_BEFORE} {twelve} {_AFTER}", f"{_BEFORE} {thirteen} {_AFTER}")
    assert _texts(documents)[0] == f"{_BEFORE} {twelve} {_AFTER}"
    assert "robotics" not in (_texts(documents)[1] or "")


def test_chinese_counts_characters(tmp_path: Path) -> None:
    step = Decontaminate((_jsonl(tmp_path / "定律.jsonl", {"问": _CHINESE}),))
    before, after = ("".join(chr(0x5000 + k + n) for n in range(400)) for k in (0, 1000))
    documents, notes = _apply(step, before + _CHINESE[5:23] + after, before + _CHINESE[5:22] + after)
    assert _texts(documents) == [f"{before[:200]}\n\n{after[200:]}", before + _CHINESE[5:22] + after]
    assert notes == [(0, Note("passages of 定律.jsonl cut", _CHINESE[5:23]))]


def test_short_items_are_looked_for_whole_and_the_shortest_not_at_all(tmp_path: Path) -> None:
    nine, seven = "what is the first law of the robots now", "who wrote the first law of robotics"
    name = _jsonl(tmp_path / "short.jsonl", nine, seven, "什么是机器人的第一条定律呢", "什么是机器人")
    step = Decontaminate((name,), action="drop")
    texts = [f"a {nine} b", f"a {nine[:-4]} b", f"a {seven} b", "问：什么是机器人的第一条定律呢？", "什么是机器人？"]
    documents, _ = _apply(step, *texts)
    assert _texts(documents) == [None, texts[1], texts[2], None, texts[4]]


def test_dropping_and_what_is_cut_too_often(tmp_path: Path) -> None:
    name = _jsonl(tmp_path / "laws.jsonl", _QUESTION)
    text = f"{_BEFORE} {_QUESTION} {_AFTER}"
    for step, given in (
        (Decontaminate((name,), action="drop"), text),
        (Decontaminate((name,), passages=1), f"{text}\n{text}"),
        (Decontaminate((name,)), _QUESTION),
    ):
        documents, [(place, note)] = _apply(step, given)
        assert documents == [None]
        assert (place, note.what, note.dropped) == (0, "holds passages of laws.jsonl", True)
    # The question holds four runs of thirteen words.
    assert _apply(Decontaminate((name,), hits=5), text) == ([document(text, "0")], [])
    assert _apply(Decontaminate((name,), hits=4), text)[1]


def test_every_format_is_read(tmp_path: Path) -> None:
    items = {kind: f"{kind} " + " ".join(f"{kind}{n}" for n in range(13)) for kind in "abcdefg"}
    _jsonl(tmp_path / "a.jsonl", {"deep": [{"er": [items["a"], 3, None]}]})
    (tmp_path / "b.json").write_text(json.dumps({"data": [items["b"]]}))
    with (tmp_path / "c.csv").open("w", newline="") as file:
        csv.writer(file).writerows([["id", "text"], ["1", f'"quoted",\n{items["c"]}']])
    (tmp_path / "d.tsv").write_text(f"1\t{items['d']}\n")
    pq.write_table(pa.table({"n": [1], "choices": [[items["e"]]]}), tmp_path / "e.parquet")
    (tmp_path / "f.txt").write_text(items["f"])
    (tmp_path / "g.jsonl.gz").write_bytes(gzip.compress(json.dumps(items["g"]).encode()))
    (tmp_path / "README.md").write_text(_QUESTION)
    step = Decontaminate((str(tmp_path),), action="drop")
    documents, notes = _apply(step, *items.values(), _QUESTION)
    assert _texts(documents) == [None] * 7 + [_QUESTION]
    assert {note.what for _, note in notes} == {f"holds passages of {tmp_path.name}"}


def test_each_test_set_has_its_note(tmp_path: Path) -> None:
    other = "another set asks how many moons of Jupiter the captain saw from the bridge that night"
    step = Decontaminate((_jsonl(tmp_path / "one.jsonl", _QUESTION), _jsonl(tmp_path / "two.jsonl", other)))
    _, notes = _apply(step, f"{_BEFORE} {_QUESTION} {other} {_AFTER}")
    assert [note.what for _, note in notes] == ["passages of one.jsonl cut", "passages of two.jsonl cut"]


def test_without_test_sets_there_is_no_step_and_settings_travel() -> None:
    with pytest.raises(UsageError, match=r"^\[decontaminate\] against = \[\]: name at least one test set"):
        Decontaminate()
    step = Decontaminate(("a",), hits=2)
    assert pickle.loads(pickle.dumps(step)) == step


def test_mistakes_name_the_test_set(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"absent\.jsonl does not exist"):
        _apply(Decontaminate((str(tmp_path / "absent.jsonl"),)), "a")
    with pytest.raises(DataError, match=r"few\.jsonl has no test item of 8 words"):
        _apply(Decontaminate((_jsonl(tmp_path / "few.jsonl", "Paris", {"a": "Rome"}),)), "a")
    for name, data in (("a.jsonl", b"{"), ("b.parquet", b"PAR1"), ("c.json.gz", b"\x1f\x8b\0"), ("d.json", b"\0\1\2")):
        (tmp_path / name).write_bytes(data)
        with pytest.raises(DataError, match=rf"{name} cannot be read"):
            _apply(Decontaminate((str(tmp_path / name),)), "a")
