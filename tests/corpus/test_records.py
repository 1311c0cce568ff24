import json
from pathlib import Path
from typing import Any

import pytest

from daneel.corpus.records import is_records, read_records
from daneel.errors import DataError

ASKED = [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello"}]


def write(path: Path, *rows: Any) -> Path:
    path.write_text("\n".join(row if isinstance(row, str) else json.dumps(row) for row in rows), "utf-8")
    return path


@pytest.mark.parametrize(
    ("row", "messages"),
    [
        ({"messages": ASKED}, ASKED),
        ({"prompt": "Hi", "completion": "Hello"}, ASKED),
        ({"prompt": ASKED[:1], "completion": ASKED[1:]}, ASKED),
        ({"instruction": "Hi", "input": "", "output": "Hello"}, ASKED),
        (
            {"instruction": "Sum up", "input": "A text.", "output": "Hello"},
            [{"role": "user", "content": "Sum up\n\nA text."}, ASKED[1]],
        ),
        (
            {"system": "Be brief", "instruction": "Hi", "output": "Hello", "history": []},
            [{"role": "system", "content": "Be brief"}, *ASKED],
        ),
        ({"conversations": [{"from": "human", "value": "Hi"}, {"from": "gpt", "value": "Hello"}]}, ASKED),
        ({"conversations": ASKED}, ASKED),
        ({"prompt": "Hi", "response": "Hello"}, ASKED),
        ({"question": "Hi", "answer": "Hello", "id": 3}, ASKED),
        (
            {"context": "塔里有灯。", "question": "灯在哪里？", "answer": "塔里。"},
            [{"role": "user", "content": "塔里有灯。\n\n灯在哪里？"}, {"role": "assistant", "content": "塔里。"}],
        ),
        ({"messages": [{"role": "user", "content": [{"type": "text", "text": "Hi"}]}, ASKED[1]]}, ASKED),
        ({"messages": [{"message": "Hi", "attrs": []}, {"message": "Hello"}], "name": "x"}, ASKED),
    ],
)
def test_forms_of_conversation(tmp_path: Path, row: dict[str, Any], messages: list[dict[str, str]]) -> None:
    path = write(tmp_path / "a.jsonl", row)
    (record,) = read_records(path)
    assert (record.text, record.messages, record.where) == (None, messages, f"{path}:1")
    assert is_records(path)


def test_text_and_empty_lines(tmp_path: Path) -> None:
    path = write(tmp_path / "a.jsonl", "\ufeff" + json.dumps({"text": "公元"}), "", {"text": "b", "label": "x"})
    assert [(record.text, record.where) for record in read_records(path)] == [
        ("公元", f"{path}:1"),
        ("b", f"{path}:3"),
    ]
    assert not is_records(path)


def test_a_json_list_and_a_folder(tmp_path: Path) -> None:
    (tmp_path / "b.json").write_text(json.dumps([{"prompt": "Hi", "completion": "Hello"}] * 2, indent=1))
    write(tmp_path / "a.jsonl", {"messages": ASKED})
    records = list(read_records(tmp_path))
    assert [record.messages for record in records] == [ASKED] * 3
    assert records[2].where == f"{tmp_path / 'b.json'}: row 2"
    assert is_records(tmp_path)
    (tmp_path / "notes.txt").write_text("a story")
    assert not is_records(tmp_path)


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("{", r"a\.jsonl:2 is not JSON: "),
        ("[1]", r"a\.jsonl:2: not a JSON object: use"),
        (
            {"ask": "?", "reply": "!"},
            r"a\.jsonl:2: in no known form \(it has ask, reply\): use",
        ),
        ({}, r"in no known form \(it has no keys\)"),
        ({"text": "  "}, r'a\.jsonl:2: an empty "text"'),
        ({"text": 3}, r"in no known form \(it has text\)"),
        ({"messages": [{"content": "x"}]}, r'a\.jsonl:2: message 1 has no "role"'),
        ({"messages": ["x"]}, r'message 1 has no "role"'),
        ({"messages": [*ASKED, {"role": "user", "content": 3}]}, r'message 3 has no "content" that is text'),
        ({"messages": ASKED[:1]}, r"no assistant's message"),
        (
            {"messages": [*ASKED, {"role": "robot", "content": "Beep"}]},
            'message 3 has the role "robot": it must be one of system, developer, user, assistant, tool, function',
        ),
        ({"question": "?", "choices": ["a", "b"], "answer": "A"}, r"in no known form \(it has question, choices"),
        (
            {"messages": [{"role": "user", "content": [{"type": "image", "url": "a.png"}]}, ASKED[1]]},
            'message 1 has no "content" that is text',
        ),
        ({"prompt": "Hi", "completion": None}, r'message 2 has no "content"'),
    ],
)
def test_a_bad_line_is_named(tmp_path: Path, row: Any, message: str) -> None:
    path = write(tmp_path / "a.jsonl", {"messages": ASKED}, row)
    records = read_records(path)
    next(records)
    with pytest.raises(DataError, match=message):
        next(records)


def test_wrong_files(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="does not exist"):
        list(read_records(tmp_path / "none.jsonl"))
    with pytest.raises(DataError, match=r"holds no \.jsonl"):
        list(read_records(tmp_path))
    (tmp_path / "a.jsonl").write_bytes('{"text": "你好"}'.encode("gb18030"))
    with pytest.raises(DataError, match=r"a\.jsonl:1 is not UTF-8 \(byte 11\)"):
        list(read_records(tmp_path))
    (tmp_path / "a.jsonl").write_bytes(b"")
    assert list(read_records(tmp_path)) == []
    assert not is_records(tmp_path)
    assert not is_records(tmp_path / "none.jsonl")
    (tmp_path / "story.txt").write_text("{}")
    assert not is_records(tmp_path / "story.txt")
