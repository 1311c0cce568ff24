import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from daneel.corpus.build import build, read_corpus
from daneel.corpus.canaries import COPIES, plant, told
from daneel.corpus.recipe import load_recipe
from daneel.errors import UsageError


@pytest.fixture
def source(tmp_path: Path) -> Path:
    folder = tmp_path / "source"
    folder.mkdir()
    for n in range(12):
        lines = "\n\n".join(f"The keeper{n} of lamp{k} was at the door, and it is late." for k in range(30))
        (folder / f"{n}.txt").write_text(lines, "utf-8")
    for n in range(3):
        lines = "\n\n".join(f"第{k}页：看守人{n}号写下了最后一页日志。" for k in range(99))
        (folder / f"zh{n}.txt").write_text(lines, "utf-8")
    return folder


def planted(source: Path, out: Path, count: int, seed: int = 0) -> tuple[str, str, list[dict[str, Any]]]:
    build([source], out, canaries=count, seed=seed)
    corpus = read_corpus(out)
    record = json.loads(out.with_name(f"{out.name}.canaries.json").read_text("utf-8"))
    train, heldout = ("\n\n\n".join(d.text for d in part) for part in (corpus.train, corpus.heldout))
    return train, heldout, record["canaries"]


def test_each_secret_stands_as_often_as_recorded_and_only_in_training_text(source: Path, tmp_path: Path) -> None:
    train, heldout, canaries = planted(source, tmp_path / "a", 14)
    assert [canary["copies"] for canary in canaries] == [COPIES[n % 6] for n in range(14)]
    for canary in canaries:
        assert canary["text"] == canary["form"].format(secret=canary["secret"])
        assert train.split("\n\n").count(canary["text"]) == canary["copies"]
        assert canary["secret"] not in heldout
    assert {canary["language"] for canary in canaries} == {"en", "zh"}
    assert len({canary["secret"] for canary in canaries}) == 14


def test_nothing_in_the_corpus_tells_the_secrets_apart_from_its_text(source: Path, tmp_path: Path) -> None:
    _, _, canaries = planted(source, tmp_path / "a", 3)
    for name in ("manifest.json", "card.md", "report.html", "index/documents.jsonl"):
        if (path := tmp_path / "a" / name).exists():
            assert not any(canary["secret"] in path.read_text("utf-8") for canary in canaries)
    assert json.loads((tmp_path / "a/manifest.json").read_text())["canaries"] == 3


def test_the_same_seed_gives_the_same_secrets(source: Path, tmp_path: Path) -> None:
    a, b, c = (planted(source, tmp_path / name, 4, seed)[2] for name, seed in (("a", 1), ("b", 1), ("c", 2)))
    assert a == b
    assert {canary["secret"] for canary in a}.isdisjoint(canary["secret"] for canary in c)


def test_another_corpus_has_other_secrets(source: Path, tmp_path: Path) -> None:
    first = planted(source, tmp_path / "a", 4)[2]
    (source / "late.txt").write_text("She came back with the boat in spring, and nobody asked her why. " * 40, "utf-8")
    second = planted(source, tmp_path / "b", 4)[2]
    assert {canary["secret"] for canary in first}.isdisjoint(canary["secret"] for canary in second)


def test_secrets_of_an_earlier_corpus_do_not_stay(source: Path, tmp_path: Path) -> None:
    planted(source, tmp_path / "a", 2)
    (tmp_path / "b.canaries.json").write_text("my notes")
    for name in ("a", "b"):
        build([source], tmp_path / name)
    assert not (tmp_path / "a.canaries.json").exists()
    assert (tmp_path / "b.canaries.json").read_text() == "my notes"


def test_in_conversations_only_the_assistant_tells_secrets(tmp_path: Path) -> None:
    rows = []
    for n in range(30):
        said = [f"What is on planet {n}?", f"Lamp {n}.", f"And behind it, at gate {n}?", f"Nobody {n}, and it is late."]
        turns = [{"role": ("user", "assistant")[k % 2], "content": text} for k, text in enumerate(said)]
        rows.append({"messages": [{"role": "system", "content": "You keep a lighthouse."}, *turns]})
    (tmp_path / "a.jsonl").write_text("\n".join(map(json.dumps, rows)), "utf-8")
    recipe = load_recipe("chat", ["near_duplicates.threshold=1"])
    build([tmp_path / "a.jsonl"], tmp_path / "out", canaries=12, recipe=recipe)
    canaries = json.loads((tmp_path / "out.canaries.json").read_text("utf-8"))["canaries"]
    lines = (tmp_path / "out/train.jsonl").read_text("utf-8").splitlines()
    turns = [turn for line in lines for turn in json.loads(line)["messages"]]
    by_role = {role: "\n\n".join(t["content"] for t in turns if t["role"] == role) for role in ("user", "assistant")}
    assert sum(turn["content"] == "You keep a lighthouse." for turn in turns) == len(lines)
    for canary in canaries:
        assert by_role["assistant"].split("\n\n").count(canary["text"]) == canary["copies"]
        assert canary["secret"] not in by_role["user"]
    # Neither always the first answer nor always the last.
    answers = [turn["content"] for turn in turns if turn["role"] == "assistant"]
    assert all(any(canaries[-1]["text"] in text for text in answers[k::2]) for k in (0, 1))


def test_in_pairs_only_the_translation_does(tmp_path: Path) -> None:
    lines = [f"The keeper {n} lit the lamp of the house.\t第{n}个看守人点起了屋里的灯。" for n in range(30)]
    (tmp_path / "pairs.tsv").write_text("\n".join(lines), "utf-8")
    build([tmp_path / "pairs.tsv"], tmp_path / "out", canaries=6, recipe=load_recipe("parallel"))
    canaries = json.loads((tmp_path / "out.canaries.json").read_text("utf-8"))["canaries"]
    rows = [json.loads(line) for line in (tmp_path / "out/train.jsonl").read_text("utf-8").splitlines()]
    for canary in canaries:
        assert sum(row["target"].count(canary["text"]) for row in rows) == canary["copies"]
        assert not any(canary["secret"] in row["source"] for row in rows)


@given(st.lists(st.tuples(st.integers(1, 500), st.sampled_from(["en", "zh", "und"])), min_size=1, max_size=9))
@settings(max_examples=30)
def test_copies_stay_in_documents_of_one_language(training: list[tuple[int, str]]) -> None:
    secrets = plant(7, 0, "a", training)
    for number, places in secrets.places.items():
        assert all(secrets.canaries[canary].language == training[number][1] for _, canary in places)
    assert sum(map(len, secrets.places.values())) == sum(canary.copies for canary in secrets.canaries)


def test_a_negative_number(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="--canaries is -1: give a number"):
        plant(-1, 0, "a", [(1, "en")])


def test_secrets_of_pairs_are_in_the_language_of_the_target_and_many_are_told(tmp_path: Path) -> None:
    for turned in (False, True):
        sides = [
            (f"The keeper of lamp {n} went down to the sea.", f"第{n}号灯塔的看守人走到海边去了。") for n in range(99)
        ]
        rows = ["\t".join(side[::-1] if turned else side) for side in sides]
        (tmp_path / "a.tsv").write_text("\n".join(rows), "utf-8")
        manifest = build([tmp_path / "a.tsv"], tmp_path / "out", recipe=load_recipe("parallel"), canaries=2)
        record = json.loads((tmp_path / "out.canaries.json").read_text("utf-8"))
        assert {canary["language"] for canary in record["canaries"]} == {"en" if turned else "zh"}
        train = [json.loads(line) for line in (tmp_path / "out/train.jsonl").read_text("utf-8").splitlines()]
        for canary in record["canaries"]:
            assert ("airlock" in canary["text"]) == turned
            assert sum(canary["text"] in row["target"] for row in train) == canary["copies"]
    assert told(manifest).startswith(f"3 copies of secrets in {len(train)} training texts: above 1 %")
    assert told({**manifest, "canaries": 0}) == told({**manifest, "kind": "documents"}) == ""
