import io
import json
import sys
from pathlib import Path
from typing import Any

import pytest
from corpus.read.samples import parquet, tarred, zipped
from hypothesis import given
from hypothesis import strategies as st

from daneel.corpus import fields
from daneel.corpus.build import build
from daneel.corpus.read import Dropped, Item, ReadSettings, plan, read
from daneel.corpus.recipe import load_recipe
from daneel.errors import UsageError

ENGLISH = ["The ship landed on the dark side of the moon.", "Nobody answered the captain's question."]
CHINESE = ["飞船降落在月球的背面。", "没有人回答船长的问题。"]
BOTH = list(zip(ENGLISH, CHINESE, strict=True))
PAIRS = [list(pair) for pair in BOTH]
TMX = """<?xml version="1.0"?>
<tmx version="1.4"><header/><body>{units}</body></tmx>"""
UNIT = '<tu><tuv xml:lang="en-US"><seg>{0}</seg></tuv><tuv xml:lang="zh"><seg>{1}</seg></tuv></tu>'


def rows(found: list[dict[str, Any]]) -> bytes:
    return b"".join(json.dumps(row, ensure_ascii=False).encode() + b"\n" for row in found)


FILES = {
    "a.tsv": "".join(f"{a}\t{b}\tsomebody\n" for a, b in BOTH).encode(),
    "header.tsv": ("en\tzh\n" + "".join(f"{a}\t{b}\n" for a, b in BOTH)).encode("utf-8-sig"),
    "tabbed.txt": "".join(f"{a}\t{b}\r\n" for a, b in BOTH).encode("gb18030"),
    "wide.txt": "".join(f"{a}\t{b}\n" for a, b in BOTH).encode("utf-16"),
    "a.csv": ("id,source,target\n" + "".join(f'{n},"{a}",{b}\n' for n, (a, b) in enumerate(BOTH))).encode(),
    "text_en.csv": ("id,text_en,text_zh\n" + "".join(f"{n},{a},{b}\n" for n, (a, b) in enumerate(BOTH))).encode(),
    "a.tmx": TMX.format(units="".join(UNIT.format(a, b) for a, b in BOTH)).encode(),
    "a.jsonl": rows([{"source": a, "target": b} for a, b in BOTH]),
    "opus.jsonl": rows([{"id": n, "translation": {"en": a, "zh": b}} for n, (a, b) in enumerate(BOTH)]),
    "list.json": json.dumps([{"en": a, "zh": b, "score": 1} for a, b in BOTH], indent=1).encode(),
    "a.parquet": parquet({"src": ENGLISH, "n": [1, 2], "tgt": CHINESE}),
    "opus.parquet": parquet({"id": ["1", "2"], "translation": [{"en": a, "zh": b} for a, b in BOTH]}),
}
MOSES = {"corpus.en": "\n".join(ENGLISH).encode(), "corpus.zh": "\n".join(CHINESE).encode("gb18030")}


def sides(*paths: Path | str, columns: str = "text") -> list[list[str] | str]:
    found = read(paths, ReadSettings(text_column=columns), "pairs")
    return [each.reason if isinstance(each, Dropped) else fields.part(each.text) for each in found]


@pytest.mark.parametrize("name", FILES)
def test_every_form_gives_the_same_pairs(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(FILES[name])
    assert sides(tmp_path / name) == PAIRS
    assert sides(f"{tmp_path}/*{Path(name).suffix}") == PAIRS


@pytest.mark.parametrize(
    ("one", "two"),
    [
        ("corpus.en", "corpus.zh"), ("corpus.en-zh.en", "corpus.en-zh.zh"), ("book.en.txt", "book.zh-CN.txt"),
        ("train_en.txt", "train_zh.txt"), ("english.txt", "fanyi.txt"),
    ],
)  # fmt: skip
def test_two_files_with_a_sentence_a_line(tmp_path: Path, one: str, two: str) -> None:
    for name, text in zip((one, two), MOSES.values(), strict=True):
        (tmp_path / name).write_bytes(text)
    assert sides(tmp_path) == PAIRS
    assert sides(tmp_path / two, tmp_path / one) == [pair[::-1] for pair in PAIRS]


def test_columns_or_languages_can_be_named(tmp_path: Path) -> None:
    other = [pair[::-1] for pair in PAIRS]
    for name in ("header.tsv", "opus.jsonl", "list.json", "opus.parquet", "a.tmx"):
        (tmp_path / name).write_bytes(FILES[name])
        assert sides(tmp_path / name, columns="zh,en") == other
    (tmp_path / "a.csv").write_text("de,en,zh\nx,y,z\n")
    assert sides(tmp_path / "a.csv", columns="en, zh") == [["y", "z"]]
    (reason,) = sides(tmp_path / "a.csv")
    assert reason == "no source and target: name the two as the text column, such as en,zh; there are: de, en, zh"
    for name, text in MOSES.items():
        (tmp_path / name).write_bytes(text)
        (tmp_path / "corpus.de").write_text("eins\nzwei")
    names = [tmp_path / f"corpus.{code}" for code in ("de", "en", "zh")]
    assert sides(*names, columns="zh,en")[1:] == other
    for wrong in ("en", "en,", "en,en", "en,zh,de"):
        with pytest.raises(UsageError, match="names no source and target: give two columns or languages"):
            sides(tmp_path, columns=wrong)


def test_pairs_in_archives_and_through_a_pipe(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.zip").write_bytes(zipped({"README": "about", **MOSES, "other.zh": "x", "b/a.tsv": FILES["a.tsv"]}))
    assert sorted(map(str, sides(tmp_path / "a.zip"))) == sorted(
        map(str, [*PAIRS, *PAIRS, "tells about the folder: name the file itself to read it",
                  ".zh files are not read: 1 of them"])
    )  # fmt: skip
    (tmp_path / "a.tar.gz").write_bytes(tarred({name: FILES[name] for name in ("a.tmx", "opus.parquet", "list.json")}))
    assert sides(tmp_path / "a.tar.gz") == PAIRS * 3
    for name in ("header.tsv", "a.tmx", "list.json", "a.jsonl", "a.parquet"):
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(FILES[name])))
        assert sides("-") == PAIRS


def test_what_is_no_pair_is_listed_and_the_rest_is_read(tmp_path: Path) -> None:
    (tmp_path / "a.tsv").write_text("one column\n\nleft\t \nleft\tright\nagain\n", "utf-8")
    (tmp_path / "b.jsonl").write_text('{"source": "a"}\nnot\n{"source": "a", "target": "b"}\n', "utf-8")
    (tmp_path / "c.tmx").write_text(TMX.format(units=UNIT.format("a", "b") + "<tu>"), "utf-8")
    (tmp_path / "d.html").write_text("<html>Hi</html>")
    (tmp_path / "e.txt").write_text("a line\n")
    (tmp_path / "f.csv").write_text("en,zh\nHi\n")
    found = sides(tmp_path)
    assert found[:4] == [
        ["left", "right"],
        "2 rows, the first is row 1, with one field",
        "row 3, with an empty side",
        ["a", "b"],
    ]
    assert found[4:6] == [
        "row 1, no source and target: name the two as the text column, such as en,zh; there are: source",
        "row 2, not JSON",
    ]
    assert found[6] == ["a", "b"]
    assert str(found[7]).startswith("row 2, not well-formed TMX from here on")
    assert str(found[8]).startswith("holds no pairs: they are read from .tsv")
    assert found[9:] == [
        "lines without a tab: two files with a sentence a line make pairs, and so does a .tsv",
        "row 2, with fewer fields than the header",
    ]


def test_two_files_must_have_the_same_lines(tmp_path: Path) -> None:
    (tmp_path / "a.en").write_text("one\ntwo\nthree")
    (tmp_path / "a.zh").write_text("一\n二\n")
    (tmp_path / "b.en").write_text("one\n\ntwo\n\n")
    (tmp_path / "b.zh").write_text("一\n\n二")
    assert sides(tmp_path) == [
        f"the lines do not answer each other, there are not as many on both sides ({tmp_path.name}/a.en 3, a.zh 2)",
        ["one", "一"], ["two", "二"],
    ]  # fmt: skip


def test_bad_rows_are_counted_each(tmp_path: Path) -> None:
    manifest = corpus(tmp_path, [*(f"{a}\t{b}" for a, b in BOTH), *["no tab here"] * 7, "left\t"])
    assert (manifest["read"], manifest["kept"], manifest["lost"]) == (10, 2, 8)
    assert [(each["what"], each["documents"]) for each in manifest["steps"] if each["step"] == "read"] == [
        ("with one field", 7),
        ("with an empty side", 1),
    ]
    assert [each["reason"] for each in manifest["dropped"]] == [
        "7 rows, the first is row 3, with one field",
        "row 10, with an empty side",
    ]


def test_quotes_of_a_sentence_are_not_those_of_a_table(tmp_path: Path) -> None:
    lines = ['"Stop," he said. "Wait."\t“停。”', '"Go!"\t“走！”', '"He said ""go""."\t他说“走”。']
    (tmp_path / "a.tsv").write_text("\n".join(lines), "utf-8")
    assert sides(tmp_path / "a.tsv") == [
        ['"Stop," he said. "Wait."', "“停。”"], ['"Go!"', "“走！”"], ['He said "go".', "他说“走”。"],
    ]  # fmt: skip


def test_a_first_line_that_only_resembles_a_header_is_a_pair(tmp_path: Path) -> None:
    (tmp_path / "a.tsv").write_text("Hi.\t嗨。\nno\tnein\n", "utf-8")
    assert sides(tmp_path / "a.tsv") == [["Hi.", "嗨。"], ["no", "nein"]]


def test_entities_in_a_tmx_are_not_followed(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("SECRET")
    head = f'<!DOCTYPE tmx [<!ENTITY x SYSTEM "file://{secret}">]>'
    (tmp_path / "a.tmx").write_text(head + TMX.format(units=UNIT.format("a &x;", "b")).split("?>")[1], "utf-8")
    assert "SECRET" not in str(sides(tmp_path / "a.tmx"))


def test_a_large_file_of_rows_is_divided_and_a_long_pair_is_listed(tmp_path: Path) -> None:
    many = rows([{"source": f"{n} {ENGLISH[n % 2]}", "target": CHINESE[n % 2]} for n in range(200)])
    (tmp_path / "a.jsonl").write_bytes(many + rows([{"source": "x" * 5000, "target": "y"}]))
    small = ReadSettings(part_bytes=2000)
    items = [item for item in plan([tmp_path / "a.jsonl"], small, None, "pairs") if isinstance(item, Item)]
    assert len(items) > 5
    found = list(read([tmp_path / "a.jsonl"], small, "pairs"))
    assert [each.source for each in found if not isinstance(each, Dropped)] == [f"a.jsonl#{n}" for n in range(1, 201)]
    assert [each.reason for each in found if isinstance(each, Dropped)] == ["row 201, longer than 0 MB"]


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=30), min_size=1, max_size=4))
def test_texts_are_joined_and_parted(texts: list[str]) -> None:
    assert fields.part(fields.join(texts)) == [text.replace("\u241e", " ").strip() for text in texts]


def corpus(tmp_path: Path, lines: list[str], *changes: str) -> dict[str, Any]:
    (tmp_path / "a.tsv").write_text("\n".join(lines), "utf-8")
    return build([tmp_path / "a.tsv"], tmp_path / "out", recipe=load_recipe("parallel", changes), heldout=0.3)


def parts(tmp_path: Path) -> dict[str, list[dict[str, str]]]:
    return {
        part: [json.loads(line) for line in (tmp_path / f"out/{part}.jsonl").read_text("utf-8").splitlines()]
        for part in ("train", "heldout")
    }


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
    found = parts(tmp_path)
    assert sum(map(len, found.values())) == 40
    assert found["heldout"]
    assert {row["source"] for row in found["train"]}.isdisjoint(row["source"] for row in found["heldout"])
    assert {(row["source"], row["target"]) for row in found["train"] + found["heldout"]} == {
        tuple(line.split("\t")) for line in good + more
    }


def test_neither_source_nor_target_is_in_both_parts(tmp_path: Path) -> None:
    # Each target is shared by two sources, each source but the first has two targets; groups of six.
    lines = []
    for group in range(30):
        for n in range(3):
            source = f"Lighthouse number {group} has a keeper named {'ABC'[n]}, and a lamp."
            lines += [f"{source}\t{group}号灯塔有看守人和灯，第{m}种说法。" for m in (n, n + 1)]
    manifest = corpus(tmp_path, lines)
    found = parts(tmp_path)
    assert 0.2 * 180 <= len(found["heldout"]) <= 0.4 * 180
    for side in ("source", "target"):
        assert {row[side] for row in found["train"]}.isdisjoint(row[side] for row in found["heldout"])
    assert "all that share a sentence on either side together" in manifest["split"]["how"]


def test_the_languages_of_the_sides_can_be_asked_for(tmp_path: Path) -> None:
    lines = [f"{a}\t{b}" for a, b in BOTH]
    more = [
        "Das Schiff landete auf der dunklen Seite.\t飞船降落在背面了。",
        "没有人回答船长。\tNobody did answer the captain.",
    ]
    manifest = corpus(tmp_path, [*lines, *more, "Ciao bella.\t你好美女。"], "pairs.languages=en,zh")
    assert [each["what"] for each in manifest["steps"]] == ["the source is not en", "turned round"]
    assert manifest["languages"] == {"en-zh": 4}
    assert {"source": "Nobody did answer the captain.", "target": "没有人回答船长。"} in [
        row for part in parts(tmp_path).values() for row in part
    ]


@pytest.mark.parametrize("name", ["a.jsonl", "flat.jsonl", "a.json", "a.tmx"])
def test_rows_of_either_order_give_pairs_of_one_direction(tmp_path: Path, name: str) -> None:
    both = [{"en": ENGLISH[0], "zh": CHINESE[0]}, {"zh-CN": CHINESE[1], "en-US": ENGLISH[1]}]
    units = "".join(
        "<tu>" + "".join(f'<tuv xml:lang="{key}"><seg>{text}</seg></tuv>' for key, text in row.items()) + "</tu>"
        for row in both
    )
    (tmp_path / name).write_bytes({
        "a.jsonl": rows([{"translation": row} for row in both]),
        "flat.jsonl": rows(both),
        "a.json": json.dumps([{"translation": row} for row in both]).encode(),
        "a.tmx": TMX.format(units=units).encode(),
    }[name])  # fmt: skip
    assert sides(tmp_path / name) == PAIRS
    turned = read([tmp_path / name], ReadSettings(), "pairs", ("zh", "en"))
    assert [fields.part(each.text) for each in turned if not isinstance(each, Dropped)] == [
        pair[::-1] for pair in PAIRS
    ]
    build([tmp_path / name], tmp_path / "out", recipe=load_recipe("parallel", ["pairs.languages=zh,en"]), heldout=0)
    assert [row["source"] for row in parts(tmp_path)["train"]] == CHINESE


def test_a_tmx_says_which_language_is_the_source(tmp_path: Path) -> None:
    text = TMX.format(units="".join(UNIT.format(*pair) for pair in BOTH)).replace(
        "<header/>", '<header srclang="ZH-cn"/>'
    )
    (tmp_path / "a.tmx").write_text(text, "utf-8")
    assert sides(tmp_path / "a.tmx") == [pair[::-1] for pair in PAIRS]
    (tmp_path / "a.tmx").write_text(text.replace("ZH-cn", "*all*").replace("<tu>", '<tu srclang="zh">'), "utf-8")
    assert sides(tmp_path / "a.tmx") == [pair[::-1] for pair in PAIRS]


def test_all_parts_of_a_large_file_have_one_direction(tmp_path: Path) -> None:
    turned = [{"zh": f"{n}{CHINESE[0]}", "en": f"{n} {ENGLISH[0]}"} for n in range(200)]
    (tmp_path / "a.jsonl").write_bytes(rows([{"en": ENGLISH[0], "zh": CHINESE[0]}, *turned]))
    small = ReadSettings(part_bytes=2000)
    assert len(list(plan([tmp_path / "a.jsonl"], small, None, "pairs"))) > 5
    found = [each for each in read([tmp_path / "a.jsonl"], small, "pairs") if not isinstance(each, Dropped)]
    assert len(found) == 201
    assert all(ENGLISH[0] in fields.part(each.text)[0] for each in found)


def test_languages_say_which_of_two_files_comes_first(tmp_path: Path) -> None:
    for name, text in MOSES.items():
        (tmp_path / name).write_bytes(text)
    (tmp_path / "a.zip").write_bytes(zipped(MOSES))
    for path in (tmp_path / "corpus.en", tmp_path / "a.zip"):
        given = [path, tmp_path / "corpus.zh"] if path.suffix == ".en" else [path]
        found = list(read(given, ReadSettings(), "pairs", ("zh", "en")))
        assert [fields.part(each.text) for each in found if not isinstance(each, Dropped)] == [
            pair[::-1] for pair in PAIRS
        ]


def test_sides_without_a_language_are_not_of_the_same(tmp_path: Path) -> None:
    assert corpus(tmp_path, ["1984\t一九八四", "3,14 %\t3.14 %", "2042 !\t2042 ！！"])["kept"] == 3


def test_files_that_do_harm_stop_nothing(tmp_path: Path) -> None:
    (tmp_path / "a.tsv").write_bytes(bytes(range(256)) * 50)
    harmful = ["[" * 100_000, json.dumps({"source": "a \ud800", "target": "b"}), '{"source": "c", "target": "d"}']
    (tmp_path / "b.jsonl").write_text("\n".join(harmful))
    (tmp_path / "c.json").write_text("[" * 100_000)
    (tmp_path / "d.en").mkdir()
    (tmp_path / "d.zh").write_bytes(b"\xff\x00" * 100)
    found = sides(tmp_path)
    assert found[:4] == ["binary", ["a \ufffd", "b"], ["c", "d"], "row 1, not JSON"]
    assert all(isinstance(each, str) for each in found[4:])
