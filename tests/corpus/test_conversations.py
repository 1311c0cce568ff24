import json
from pathlib import Path
from typing import Any

import pytest

from daneel.corpus.build import build, read_corpus
from daneel.corpus.recipe import load_recipe
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
    reasons = {each["source"]: each["reason"] for each in manifest["dropped"]}
    assert reasons["a.jsonl#5"].startswith("a.jsonl:5 is not JSON")
    assert "assistant" in reasons["a.jsonl#14"]
    found = [record.messages for part in ("train", "heldout") for record in read_records(out / f"{part}.jsonl")]
    said = {messages[1]["content"] for messages in found if messages}
    assert "On planet 3 there is a lamp, and it is late." in said
    assert "灯塔的光照在café的海面上。" in said
    assert "daneel.olivaw" not in " ".join(said)
    with pytest.raises(DataError, match=r"is a corpus of conversations, not of texts: name .*train\.jsonl"):
        read_corpus(out)


def test_texts_are_no_conversations(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("A story.")
    with pytest.raises(DataError, match=r"holds no conversations: the chat recipe reads \.jsonl"):
        build([tmp_path / "a.txt"], tmp_path / "out", recipe=load_recipe("chat"))


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
