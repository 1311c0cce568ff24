import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daneel.corpus import fields
from daneel.corpus.build import build
from daneel.corpus.pairs import load_pairs, plan_pairs
from daneel.corpus.read import Dropped
from daneel.corpus.recipe import load_recipe
from daneel.errors import DataError

ENGLISH = ["The ship landed on the dark side of the moon.", "Nobody answered the captain's question."]
CHINESE = ["飞船降落在月球的背面。", "没有人回答船长的问题。"]
TMX = """<?xml version="1.0"?>
<tmx version="1.4"><header/><body>{units}</body></tmx>"""
UNIT = '<tu><tuv xml:lang="en-US"><seg>{0}</seg></tuv><tuv xml:lang="zh"><seg>{1}</seg></tuv></tu>'


def sides(*paths: Path) -> list[list[str] | str]:
    found = [each for item in plan_pairs(paths) for each in load_pairs(item)]
    return [each.reason if isinstance(each, Dropped) else fields.part(each.text) for each in found]


@pytest.fixture(params=["tsv", "tabbed", "aligned", "tmx", "rows", "translation"])
def files(request: pytest.FixtureRequest, tmp_path: Path) -> list[Path]:
    both = list(zip(ENGLISH, CHINESE, strict=True))
    written: dict[str, dict[str, str]] = {
        "tsv": {"a.tsv": "".join(f"{a}\t{b}\tsomebody\n" for a, b in both)},
        "tabbed": {"a.txt": "".join(f"{a}\t{b}\r\n" for a, b in both)},
        "aligned": {"a.en.txt": "\n".join(ENGLISH), "b.zh.txt": "\n".join(CHINESE)},
        "tmx": {"a.tmx": TMX.format(units="".join(UNIT.format(a, b) for a, b in both))},
        "rows": {"a.jsonl": "\n".join(json.dumps({"source": a, "target": b}) for a, b in both)},
        "translation": {"a.jsonl": "\n".join(json.dumps({"translation": {"en": a, "zh": b}}) for a, b in both)},
    }
    for name, text in written[request.param].items():
        encoding = "gb18030" if request.param == "tabbed" else "utf-8-sig"
        (tmp_path / name).write_text(text, encoding)
    return sorted(tmp_path.iterdir())


def test_every_form_gives_the_same_pairs(files: list[Path]) -> None:
    assert sides(*files) == [list(pair) for pair in zip(ENGLISH, CHINESE, strict=True)]


def test_what_is_no_pair_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.tsv").write_text("one column\n\nleft\t \nleft\tright\n", "utf-8")
    (tmp_path / "b.jsonl").write_text('{"source": "a"}\nnot\n{"source": "a", "target": "b"}\n', "utf-8")
    (tmp_path / "c.tmx").write_text(TMX.format(units=UNIT.format("a", "b") + "<tu>"), "utf-8")
    found = sides(tmp_path)
    assert found[:3] == ["one column, where two are separated by a tab", "a side is empty", ["left", "right"]]
    assert [each for each in found[3:] if isinstance(each, list)] == [["a", "b"]] * 2
    assert str(found[-1]).startswith("not well-formed TMX from here on")


def test_two_files_must_have_the_same_lines(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("one\ntwo\nthree")
    (tmp_path / "b.txt").write_text("eins\nzwei")
    with pytest.raises(DataError, match="one file has more lines than the other, from line 3 on"):
        sides(tmp_path / "a.txt", tmp_path / "b.txt")
    with pytest.raises(DataError, match="two files with a sentence a line make pairs"):
        sides(tmp_path / "a.txt")


def test_entities_in_a_tmx_are_not_followed(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("SECRET")
    head = f'<!DOCTYPE tmx [<!ENTITY x SYSTEM "file://{secret}">]>'
    (tmp_path / "a.tmx").write_text(head + TMX.format(units=UNIT.format("a &x;", "b")).split("?>")[1], "utf-8")
    assert "SECRET" not in str(sides(tmp_path / "a.tmx"))


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=30), min_size=1, max_size=4))
def test_texts_are_joined_and_parted(texts: list[str]) -> None:
    assert fields.part(fields.join(texts)) == [text.replace("\u241e", " ").strip() for text in texts]


def corpus(tmp_path: Path, lines: list[str], *changes: str) -> dict[str, Any]:
    (tmp_path / "a.tsv").write_text("\n".join(lines), "utf-8")
    return build([tmp_path / "a.tsv"], tmp_path / "out", recipe=load_recipe("parallel", changes), heldout=0.3)


def test_false_pairs_are_dropped_and_no_source_is_in_both_parts(tmp_path: Path) -> None:
    sea = [f"The keeper of lighthouse number {n} went down to the sea." for n in range(20)]
    good = [f"{line}\t第{n}号灯塔的看守人走到海边去了。" for n, line in enumerate(sea)]
    more = [f"{line}\t{n}号灯塔的守塔人下到了海边去。" for n, line in enumerate(sea)]
    bad = {
        "both sides are the same": "The same sentence stands here twice.\tThe same sentence stands here twice.",
        "one side is more than 3 times as long as the other": "Short one here.\t" + CHINESE[0] * 6,
        "both sides are en": f"{ENGLISH[0]}\tThis is not a translation into any other language at all.",
        "exact duplicate": good[3],
    }
    manifest = corpus(tmp_path, good + more + list(bad.values()))
    assert {each["what"] for each in manifest["steps"] if each["dropped"]} == set(bad)
    assert (manifest["kept"], manifest["kind"], manifest["languages"]) == (40, "pairs", {"en-zh": 40})
    parts = {
        part: [json.loads(line) for line in (tmp_path / f"out/{part}.jsonl").read_text("utf-8").splitlines()]
        for part in ("train", "heldout")
    }
    assert sum(map(len, parts.values())) == 40
    assert parts["heldout"]
    assert {row["source"] for row in parts["train"]}.isdisjoint(row["source"] for row in parts["heldout"])
    assert {(row["source"], row["target"]) for row in parts["train"] + parts["heldout"]} == {
        tuple(line.split("\t")) for line in good + more
    }


def test_the_languages_of_the_sides_can_be_asked_for(tmp_path: Path) -> None:
    lines = [f"{a}\t{b}" for a, b in zip(ENGLISH, CHINESE, strict=True)]
    manifest = corpus(tmp_path, [*lines, f"{CHINESE[0]}\t{ENGLISH[0]}"], "pairs.languages=en,zh")
    assert [each["what"] for each in manifest["steps"]] == ["the source is not en"]


def test_files_that_do_harm_stop_nothing(tmp_path: Path) -> None:
    (tmp_path / "a.tsv").write_bytes(bytes(range(256)) * 50)
    rows = ["[" * 100_000, json.dumps({"source": "a \ud800", "target": "b"}), '{"source": "c", "target": "d"}']
    (tmp_path / "b.jsonl").write_text("\n".join(rows))
    assert sides(tmp_path) == ["binary", "not JSON", ["a \ufffd", "b"], ["c", "d"]]
