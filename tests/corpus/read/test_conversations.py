import io
import json
import sys
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from corpus.read.samples import jsonl, tarred, zipped

from daneel.corpus import fields
from daneel.corpus.build import build, read_corpus
from daneel.corpus.read import Dropped, ReadSettings, read
from daneel.corpus.recipe import load_recipe
from daneel.corpus.record_forms import FORMS
from daneel.corpus.records import read_records
from daneel.errors import DataError


def chat(asked: str, answered: str) -> dict[str, Any]:
    return {"messages": [{"role": "user", "content": asked}, {"role": "assistant", "content": answered}]}


def test_conversations_are_cleaned_and_stay_conversations(tmp_path: Path) -> None:
    rows: list[Any] = [
        chat(f"What is on planet {n}?", f"On planet {n} there is a lamp, and it is late.") for n in range(9)
    ]
    rows.append({"instruction": "写一句诗", "output": "灯塔的光照在cafÃ©的海面上。"})
    rows.append(chat("Who are you?", "Write to daneel.olivaw@example.net, or to nobody."))
    rows.append(rows[0])
    lines = [json.dumps(row, ensure_ascii=False) for row in rows]
    (tmp_path / "a.jsonl").write_text("\n".join([*lines[:4], "{broken", *lines[4:], '{"messages": []}']), "utf-8")
    out = tmp_path / "out"
    manifest = build([tmp_path / "a.jsonl"], out, recipe=load_recipe("chat"))
    assert (manifest["kind"], manifest["kept"], manifest["lost"]) == ("conversations", 11, 3)
    assert [(each["source"], each["reason"]) for each in manifest["dropped"][:2]] == [
        ("a.jsonl", "row 5, not JSON"),
        ("a.jsonl", "row 14, no assistant's message to learn from"),
    ]
    found = [record.messages for part in ("train", "heldout") for record in read_records(out / f"{part}.jsonl")]
    said = {messages[1]["content"] for messages in found if messages}
    assert "On planet 3 there is a lamp, and it is late." in said
    assert "灯塔的光照在café的海面上。" in said
    assert "daneel.olivaw" not in " ".join(said)
    with pytest.raises(DataError, match=r"is a corpus of conversations, not of texts: name .*train\.jsonl"):
        read_corpus(out)


def test_texts_are_no_conversations(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("A story.")
    with pytest.raises(DataError, match=r"holds no conversations: they are read from \.jsonl"):
        build([tmp_path / "a.txt"], tmp_path / "out", recipe=load_recipe("chat"))


TURNS = [("user", "灯塔在哪里？"), ("assistant", "在海的那一边。")]
SHARED = [{"from": {"user": "human", "assistant": "gpt"}[role], "value": text} for role, text in TURNS]
DIALOGUE = [{"speaker": {"user": "USER", "assistant": "SYSTEM"}[role], "utterance": text} for role, text in TURNS]
ROWS: dict[str, dict[str, Any]] = {
    "messages": chat(TURNS[0][1], TURNS[1][1]),
    "sharegpt": {"conversations": SHARED},
    "alpaca": {"instruction": TURNS[0][1], "input": "", "output": TURNS[1][1]},
    "prompt": {"prompt": TURNS[0][1], "completion": TURNS[1][1]},
    "response": {"prompt": TURNS[0][1], "response": TURNS[1][1]},
    "question": {"question": TURNS[0][1], "answer": TURNS[1][1]},
    "parts": {"messages": [{"role": role, "content": [{"type": "text", "text": text}]} for role, text in TURNS]},
    "kdconv": {"messages": [{"message": text} for _, text in TURNS], "name": "灯塔"},
    "dialogue": {"dialogue_id": "7_1", "services": [], "turns": DIALOGUE},
}


def said(*paths: Path | str, column: str = "text") -> list[str | list[tuple[str, str]]]:
    found = read(paths, ReadSettings(text_column=column), "conversations")
    return [
        each.reason
        if isinstance(each, Dropped)
        else list(zip(json.loads(each.about["form"])["roles"], fields.part(each.text), strict=True))
        for each in found
    ]


@pytest.mark.parametrize("form", ROWS)
def test_every_form_in_every_file(tmp_path: Path, form: str, monkeypatch: pytest.MonkeyPatch) -> None:
    row = ROWS[form]
    (tmp_path / "a.jsonl").write_bytes(jsonl(row, row))
    (tmp_path / "b.json").write_text(json.dumps([row, row], indent=1, ensure_ascii=False), "utf-8")
    pq.write_table(pa.Table.from_pylist([{"n": 1, **row}] * 2), tmp_path / "c.parquet")
    (tmp_path / "d.zip").write_bytes(zipped({"a.jsonl": jsonl(row), "b.json": json.dumps(row)}))
    (tmp_path / "e.tar.gz").write_bytes(tarred({"a.jsonl": jsonl(row, row)}))
    assert said(tmp_path) == [TURNS] * 10
    assert said(f"{tmp_path}/*.parquet") == [TURNS] * 2
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO((tmp_path / "b.json").read_bytes())))
    assert said("-") == [TURNS] * 2


def test_the_column_of_the_turns_can_be_named(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_bytes(jsonl({"dialog": SHARED}, {"other": 1}))
    pq.write_table(pa.table({"dialog": [SHARED], "id": [1]}), tmp_path / "b.parquet")
    assert said(tmp_path, column="dialog") == [TURNS, f'row 2, no "dialog" (it has other): {FORMS}', TURNS]
    assert said(tmp_path) == [
        f"row 1, in no known form (it has dialog): {FORMS}",
        f"row 2, in no known form (it has other): {FORMS}",
        f"in no known form (it has dialog, id): {FORMS}",
    ]


def test_one_system_prompt_for_all_leaves_something_to_hold_out(tmp_path: Path) -> None:
    system = {"role": "system", "content": "You keep a lighthouse."}
    rows = [{"messages": [system, *chat(f"What is on planet {n}?", f"Lamp {n}.")["messages"]]} for n in range(40)]
    (tmp_path / "a.jsonl").write_text("\n".join(map(json.dumps, rows)), "utf-8")
    manifest = build(
        [tmp_path / "a.jsonl"], tmp_path / "out", recipe=load_recipe("chat", ["near_duplicates.threshold=1"])
    )
    assert 2 <= manifest["counts"]["heldout"]["documents"] <= 5


def test_examples_show_no_personal_data(tmp_path: Path) -> None:
    rows = [chat("Who are you?", f"Write to keeper@example.net about lamp {n // 2}.") for n in range(20)]
    (tmp_path / "a.jsonl").write_text("\n".join(map(json.dumps, rows)), "utf-8")
    build([tmp_path / "a.jsonl"], tmp_path / "out", recipe=load_recipe("chat"), heldout=0)
    for name in ("manifest.json", "card.md", "report.html", "train.jsonl"):
        assert "keeper@example.net" not in (tmp_path / "out" / name).read_text("utf-8")


def test_rows_that_do_harm_stop_nothing(tmp_path: Path) -> None:
    rows = [json.dumps(chat("Hi \ud800", "Yes?")), "[" * 100_000, json.dumps(chat("Who?", "I."))]
    (tmp_path / "a.jsonl").write_text("\n".join(rows))
    manifest = build([tmp_path / "a.jsonl"], tmp_path / "out", recipe=load_recipe("chat"), heldout=0)
    assert (manifest["kept"], manifest["lost"]) == (2, 1)
