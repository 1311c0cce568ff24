"""What holds for every kind: nothing is raised, any process gives the same, big libraries are imported when needed."""

import json
import multiprocessing
import subprocess
import sys
from pathlib import Path

import pytest
from corpus.read.samples import CHINESE, ENGLISH, epub, jsonl, package, pdf, reasons, tarred, texts, xhtml, zipped
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from daneel.corpus.read import SUFFIXES, Dropped, Item, Makes, Raw, ReadSettings, load, plan, read

BOOK = epub(
    package(
        "<dc:title>T</dc:title>",
        '<item id="a" href="a.xhtml" media-type="application/xhtml+xml"/>',
        '<itemref idref="a"/>',
    ),
    {"a.xhtml": xhtml(f"<p>{ENGLISH}</p>")},
)
SEEDS = [
    BOOK, pdf("Page"), zipped({"a.txt": ENGLISH, "b.jsonl": jsonl({"text": "x"})}), tarred({"a.txt": b"x" * 600}),
    jsonl({"text": CHINESE}), b"<html><body><p>x</p></body></html>", b"\\documentclass{a}\\begin{document}x",
    b'text,title\n"a",b\n', CHINESE.encode("gb18030"), b"PAR1" + bytes(20) + b"PAR1", "\ufeff文".encode("utf-16-le"),
]  # fmt: skip


@st.composite
def _files(draw: st.DrawFn) -> bytes:
    """Random bytes, or a good file with some bytes changed, cut out or put in."""
    if draw(st.booleans()):
        return draw(st.binary(max_size=300))
    data = bytearray(draw(st.sampled_from(SEEDS)))
    for _ in range(draw(st.integers(min_value=0, max_value=4))):
        at = draw(st.integers(min_value=0, max_value=len(data)))
        data[at : at + draw(st.integers(min_value=0, max_value=9))] = draw(st.binary(max_size=6))
    return bytes(data)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    data=_files(),
    suffix=st.sampled_from([*SUFFIXES, ""]),
    part=st.sampled_from([16, 200, 1 << 24]),
    makes=st.sampled_from(["documents", "documents", "pairs", "conversations"]),
)
def test_any_bytes_under_any_suffix_are_texts_or_reasons(
    tmp_path: Path, data: bytes, suffix: str, part: int, makes: Makes
) -> None:
    path = tmp_path / f"x{suffix}"
    path.write_bytes(data)
    found = list(read([path], ReadSettings(part_bytes=part, document_bytes=1 << 20), makes))
    path.unlink()
    assert found
    for each in found:
        assert isinstance(each, Raw | Dropped)
        if isinstance(each, Raw):
            assert each.text.strip()
            each.text.encode()
            assert len(each.text) <= max(part, 4)
        else:
            assert each.reason
            assert "\n" not in each.reason


def _folder(top: Path) -> Path:
    top.mkdir()
    for n in range(4):
        (top / f"{n}.txt").write_text(f"{n} {ENGLISH}\n" * 200)
    (top / "a.zip").write_bytes(zipped({f"{n}.md": f"{n} {CHINESE}" for n in range(50)}))
    (top / "b.jsonl").write_bytes(b"".join(jsonl({"text": f"{n} {CHINESE}"}) for n in range(100)))
    (top / "c.pdf").write_bytes(pdf("Page"))
    (top / "d.epub").write_bytes(BOOK)
    return top


def _loaded(item: Item) -> list[Raw | Dropped]:
    return list(load(item))


def test_other_processes_give_the_same(tmp_path: Path) -> None:
    top = _folder(tmp_path / "top")
    small = ReadSettings(part_bytes=3000)
    here = list(read([top], small))
    items = list(plan([top], small))
    assert len(items) > 20
    with multiprocessing.get_context("spawn").Pool(2) as pool:
        there = pool.map(_loaded, [item for item in items if isinstance(item, Item)])
    assert [each for group in there for each in group] == here


def test_the_standard_input_is_read_as_what_it_is(tmp_path: Path) -> None:
    code = "import json, sys; from daneel.corpus.read import read; print(json.dumps([vars(r) for r in read(['-'])]))"

    def piped(data: bytes) -> list[dict[str, str]]:
        done = subprocess.run([sys.executable, "-c", code], input=data, capture_output=True, check=True, cwd=tmp_path)
        found: list[dict[str, str]] = json.loads(done.stdout)
        return found

    (text,) = piped(CHINESE.encode("gb18030"))
    assert (text["text"], text["source"]) == (CHINESE, "stdin")
    assert [row["source"] for row in piped(jsonl({"text": "a"}, {"text": "b"}))] == ["stdin#1", "stdin#2"]
    assert [row["source"] for row in piped(zipped({"a.txt": "x"}))] == ["stdin/a.txt"]
    assert [row["text"] for row in piped(pdf("Page"))] == ["Page"]
    assert [row["reason"] for row in piped(b"")] == ["empty"]


def test_large_libraries_wait_until_they_are_needed(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text(CHINESE, "utf-8")
    (tmp_path / "b.jsonl").write_bytes(jsonl({"text": "x"}))
    code = (
        "import sys; from pathlib import Path; from daneel.corpus.read import read; "
        "assert len(list(read([Path('.')]))) == 2; "
        "print([m for m in ('trafilatura', 'lxml', 'pypdfium2', 'docx', 'pylatexenc', 'pyarrow', 'huggingface_hub', "
        "'charset_normalizer', 'numpy', 'torch') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, cwd=tmp_path, text=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("name", ["x.txt", "x.jsonl", "x.csv", "x.pdf", "x.zip", "x.tar.gz", "x.parquet", "x.html"])
def test_an_empty_file_is_told(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"")
    assert not texts(tmp_path)
    assert set(reasons(tmp_path)) == {name}
