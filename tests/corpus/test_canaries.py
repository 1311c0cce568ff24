import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from daneel.corpus.build import build, read_corpus
from daneel.corpus.canaries import COPIES, plant
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


@given(st.lists(st.tuples(st.integers(1, 500), st.sampled_from(["en", "zh", "und"])), min_size=1, max_size=9))
@settings(max_examples=30)
def test_copies_stay_in_documents_of_one_language(training: list[tuple[int, str]]) -> None:
    secrets = plant(7, 0, training)
    for number, places in secrets.places.items():
        assert all(secrets.canaries[canary].language == training[number][1] for _, canary in places)
    assert sum(map(len, secrets.places.values())) == sum(canary.copies for canary in secrets.canaries)


def test_a_negative_number(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="--canaries is -1: give a number"):
        plant(-1, 0, [(1, "en")])
