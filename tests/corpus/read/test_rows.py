import io
import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from corpus.read.samples import CHINESE, ENGLISH, jsonl, reasons, texts, zipped
from hypothesis import given
from hypothesis import strategies as st

from daneel.corpus.read import Item, Raw, ReadSettings, plan, read
from daneel.corpus.read.json_values import values
from daneel.corpus.read.rows import line_ranges


def test_rows_of_json_with_what_they_say(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_bytes(
        jsonl({"text": "one", "title": "T", "license": "CC0", "author": 3})
        + b"\n"
        + jsonl({"text": CHINESE, "licence": "CC-BY", "language": "zh"}, {"text": " "}, {"prompt": 1, "completion": 2})
        + b'{"text": "lone \\ud800 surrogate"}\nnot JSON\n[1]\n'
        + b"[" * 100_000
    )
    found = {each.source: each for each in read([path]) if isinstance(each, Raw)}
    assert {source: each.text for source, each in found.items()} == {
        "rows.jsonl#1": "one",
        "rows.jsonl#3": CHINESE,
        "rows.jsonl#6": "lone \ufffd surrogate",
    }
    assert found["rows.jsonl#1"].about == {"title": "T", "licence": "CC0"}
    assert found["rows.jsonl#3"].about == {"licence": "CC-BY", "language": "zh"}
    dropped = [each.reason for each in read([path]) if not isinstance(each, Raw)]
    assert dropped == [
        "row 4, with an empty text",
        'row 5, without "text": conversations go to `daneel train` as they are, or to the recipe `chat`',
        "2 rows, the first is row 7, not JSON",
        "row 8, not a JSON object",
    ]


def test_the_case_of_a_column_does_not_count(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_bytes(jsonl({"TEXT": "灯塔", "id": 1}, {"Text": "x", "text": "y"}))
    (tmp_path / "b.csv").write_text("id,Text\n1,lamp\n")
    pq.write_table(pa.table({"TEXT": ["ship"]}), tmp_path / "c.parquet")
    assert list(texts(tmp_path).values()) == ["灯塔", "y", "lamp", "ship"]


def test_another_column_is_named_in_the_settings(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_bytes(jsonl({"content": "x", "id": 1}))
    assert reasons(tmp_path / "a.jsonl") == {
        "a.jsonl": 'row 1, no "text" that is text: name the text column, one of: content, id'
    }
    assert texts(tmp_path / "a.jsonl", ReadSettings(text_column="content")) == {"a.jsonl#1": "x"}


def test_large_files_of_rows_are_divided_and_rows_keep_their_numbers(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_bytes(b"".join(jsonl({"text": f"{n} {CHINESE[: n % 40]}"}) for n in range(500)))
    small = ReadSettings(part_bytes=1000)
    items = [item for item in plan([path], small) if isinstance(item, Item)]
    assert len(items) > 20
    assert sum(item.size for item in items) == path.stat().st_size
    assert texts(path, small) == texts(path)
    assert texts(path)["rows.jsonl#500"].startswith("499")


@given(st.lists(st.integers(min_value=0, max_value=30), max_size=40), st.integers(min_value=1, max_value=60))
def test_ranges_begin_and_end_at_lines(lengths: list[int], limit: int) -> None:
    data = b"".join(b"x" * length + b"\n" for length in lengths) + b"end"
    ranges = list(line_ranges(io.BytesIO(data), limit))
    assert b"".join(data[start:end] for start, end, _ in ranges) == data
    for start, _, first in ranges:
        assert start == 0 or data[start - 1 : start] == b"\n"
        assert first == data.count(b"\n", 0, start) + 1


def test_a_row_that_is_too_long_is_dropped_and_the_next_is_read(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_bytes(jsonl({"text": "x" * (3 << 20)}, {"text": "after"}))
    settings = ReadSettings(row_bytes=1 << 20)
    assert texts(path, settings) == {"rows.jsonl#2": "after"}
    assert reasons(path, settings) == {"rows.jsonl": "row 1, longer than 1 MB"}


def test_a_very_long_text_of_a_row_comes_in_parts(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_bytes(jsonl({"text": CHINESE * 100}))
    found = texts(path, ReadSettings(part_bytes=1000))
    assert list(found)[:2] == ["rows.jsonl#1.1", "rows.jsonl#1.2"]
    assert "".join(found.values()) == CHINESE * 100


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
def test_rows_in_other_encodings(tmp_path: Path, encoding: str) -> None:
    rows = jsonl({"text": CHINESE}, {"text": CHINESE[:20]}).decode()
    (tmp_path / "a.jsonl").write_bytes(rows.encode(encoding))
    table = f"text,title\n{CHINESE},题目\n"
    (tmp_path / "b.csv").write_bytes(table.encode(encoding))
    assert texts(tmp_path) == {"a.jsonl#1": CHINESE, "a.jsonl#2": CHINESE[:20], "b.csv#2": CHINESE}


def test_csv_with_quoted_lines_and_other_separators(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text('title,text\nT,"one\n""two"", three"\n\nU\nV,\n', "utf-8")
    (tmp_path / "b.csv").write_text("id;text\n1;a, b\n", "utf-8")
    (tmp_path / "c.csv").write_text("id,body\n1,x\n", "utf-8")
    # Tab-separated values have no quoting: one sign must not swallow the rest of the file.
    (tmp_path / "d.tsv").write_text('text\tlicense\n"said ""yes"""\tCC0\n"Well, she said\tCC0\nnext\tCC0\n', "utf-8")
    assert texts(tmp_path) == {
        "a.csv#2": 'one\n"two", three', "b.csv#2": "a, b",
        "d.tsv#2": 'said "yes"', "d.tsv#3": '"Well, she said', "d.tsv#4": "next",
    }  # fmt: skip
    found = [(each.source, each.reason) for each in read([tmp_path]) if not isinstance(each, Raw)]
    top = tmp_path.name
    assert found == [
        (f"{top}/a.csv", "row 4, with fewer fields than the header"),
        (f"{top}/a.csv", "row 5, with an empty text"),
        (f"{top}/c.csv", 'no "text" that is text: name the text column, one of: id, body'),
    ]
    assert next(each.about for each in read([tmp_path / "a.csv"]) if isinstance(each, Raw)) == {"title": "T"}


def test_a_quote_that_is_never_closed_ends_a_table_within_bounds(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text('text\ngood\n"open' + "x" * 3000 + "\n" + "y" * 3000, "utf-8")
    (tmp_path / "b.csv").write_text("text\ngood\n" + "z" * (2 << 20) + "\n", "utf-8")
    settings = ReadSettings(row_bytes=1 << 20)
    assert texts(tmp_path, settings)["b.csv#2"] == "good"
    assert reasons(tmp_path, settings)["b.csv"].startswith("row 3, not CSV (a line longer than 1 MB)")


def test_parquet_by_row_groups(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    columns = {"text": [f"{n} {CHINESE}" for n in range(10)], "author": ["A"] * 10, "n": list(range(10))}
    pq.write_table(pa.table(columns), path, row_group_size=3)
    small = ReadSettings(part_bytes=10)
    items = [item for item in plan([path], small) if isinstance(item, Item)]
    assert [(item.start, item.end, item.first) for item in items] == [(0, 1, 1), (1, 2, 4), (2, 3, 7), (3, 4, 10)]
    assert len(list(plan([path]))) == 1
    whole = texts(path)
    assert list(whole) == [f"a.parquet#{n}" for n in range(1, 11)]
    assert whole["a.parquet#10"] == f"9 {CHINESE}"
    large = ReadSettings(part_bytes=1000)
    assert texts(path, large) == whole
    assert all(each.about == {"author": "A"} for each in read([path]) if isinstance(each, Raw))


def test_parquet_without_text(tmp_path: Path) -> None:
    strings = pa.array(["x", "x", None]).dictionary_encode()
    pq.write_table(pa.table({"body": strings, "text": [1, 2, 3]}), tmp_path / "a.parquet")
    assert reasons(tmp_path) == {"a.parquet": 'column "text" holds int64, not text: name another as the text column'}
    body = ReadSettings(text_column="body")
    assert texts(tmp_path, body) == {"a.parquet#1": "x", "a.parquet#2": "x"}
    assert reasons(tmp_path, body) == {"a.parquet": "row 3, with an empty text"}
    none = ReadSettings(text_column="content")
    assert reasons(tmp_path, none)["a.parquet"].endswith("one of: body, text")
    data = (tmp_path / "a.parquet").read_bytes()
    (tmp_path / "b.parquet").write_bytes(data[: len(data) // 2])
    (tmp_path / "c.parquet").write_bytes(data[:4] + bytes(60) + data[64:])
    found = reasons(tmp_path, body)
    assert found["b.parquet"].startswith("damaged: ")
    assert found["c.parquet"].startswith("damaged: ")


def test_json_is_one_array_or_one_record_or_one_after_another(tmp_path: Path) -> None:
    rows = [{"text": ENGLISH, "title": "T"}, {"text": CHINESE, "licence": "CC0"}]
    (tmp_path / "a.json").write_text(json.dumps(rows, indent=2, ensure_ascii=False), "utf-8-sig")
    (tmp_path / "b.json").write_text(json.dumps(rows[1], indent=2, ensure_ascii=False), "gb18030")
    (tmp_path / "c.json").write_bytes(jsonl(*rows))
    (tmp_path / "d.json").write_text("\n".join(json.dumps(row, indent=2) for row in rows), "utf-16")
    (tmp_path / "e.zip").write_bytes(zipped({"a.json": json.dumps(rows)}))
    both = [ENGLISH, CHINESE]
    assert list(texts(tmp_path).values()) == [*both, CHINESE, *both, *both, *both]
    assert list(texts(tmp_path))[:3] == ["a.json#1", "a.json#2", "b.json#1"]
    assert not reasons(tmp_path)
    assert [each.about for each in read([tmp_path / "a.json"]) if isinstance(each, Raw)] == [
        {"title": "T"},
        {"licence": "CC0"},
    ]


def test_what_is_wrong_in_json_is_listed_and_what_stands_before_it_is_read(tmp_path: Path) -> None:
    cases = {
        '[{"text": "one"}, {"text": ': "row 2, not JSON (Expecting value): nothing from here on is read",
        '[{"text": "one"}': "row 2, the array is cut off: nothing from here on is read",
        '[{"text": "one"}, 12, "x"]': "2 rows, the first is row 2, not a JSON object",
        '[{"text": "one"},\n ' + "[" * 100_000: "row 2, nested too deeply: nothing from here on is read",
        '[{"text": "one"},\n{"text": "'
        + "x" * (3 << 20)
        + '"}]': "row 2, longer than 1 MB: nothing from here on is read",
    }
    settings = ReadSettings(row_bytes=1 << 20)
    for text, reason in cases.items():
        (tmp_path / "a.json").write_text(text)
        assert texts(tmp_path / "a.json", settings) == {"a.json#1": "one"}
        assert reasons(tmp_path / "a.json", settings)["a.json"] == reason
    (tmp_path / "a.json").write_text("[]")
    assert reasons(tmp_path / "a.json") == {"a.json": "no text in it"}


@given(
    st.lists(st.fixed_dictionaries({"text": st.text(st.characters(exclude_categories=["Cs"]), max_size=50)})),
    st.sampled_from([None, 1]),
)
def test_values_are_those_that_were_written(rows: list[dict[str, str]], indent: int | None) -> None:
    written = json.dumps(rows, indent=indent, ensure_ascii=False).encode()
    for block in (1, 7, 1 << 20):
        found = values(io.BytesIO(written), "utf-8", 1 << 20, block)
        assert [value for value, _ in found] == rows


def test_a_list_of_lines_is_a_text(tmp_path: Path) -> None:
    poem = ["風柳搖搖無定枝，陽臺雲雨夢中歸。", "他年蓬島音塵絕，留取尊前舊舞衣。"]
    lines = ReadSettings(text_column="lines")
    (tmp_path / "a.jsonl").write_bytes(jsonl({"lines": poem}, {"lines": []}, {"lines": ["x", 1]}, {"lines": None}))
    pq.write_table(pa.table({"lines": [poem], "author": ["續姬"]}), tmp_path / "b.parquet")
    assert texts(tmp_path, lines) == {"a.jsonl#1": "\n".join(poem), "b.parquet#1": "\n".join(poem)}
    assert reasons(tmp_path / "a.jsonl", lines) == {
        "a.jsonl": 'row 3, no "lines" that is text: name the text column, one of: lines'
    }
    found = [each.reason for each in read([tmp_path / "a.jsonl"], lines) if not isinstance(each, Raw)]
    assert found[0] == "2 rows, the first is row 2, with an empty text"


def test_a_licence_goes_to_what_states_none(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text(ENGLISH)
    (tmp_path / "b.jsonl").write_bytes(jsonl({"text": "x"}, {"text": "y", "license": "MIT"}))
    (tmp_path / "c.zip").write_bytes(zipped({"a.txt": CHINESE}))
    found = read([tmp_path], ReadSettings(licence="cc by-sa 4.0"))
    assert [each.about["licence"] for each in found if isinstance(each, Raw)] == [
        "CC-BY-SA-4.0", "CC-BY-SA-4.0", "MIT", "CC-BY-SA-4.0",
    ]  # fmt: skip
