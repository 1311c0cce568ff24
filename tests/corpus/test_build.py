import json
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from daneel.corpus.build import Corpus, read_corpus
from daneel.corpus.build import build as write_corpus
from daneel.corpus.document import Document, digest
from daneel.corpus.recipe import load_recipe
from daneel.errors import DataError, UsageError


def build(paths: list[Path], out: Path, **settings: Any) -> Corpus:
    manifest = write_corpus(paths, out, **settings)
    corpus = read_corpus(out)
    assert corpus.manifest == manifest
    return corpus


@pytest.fixture
def stories(tmp_path: Path) -> Path:
    folder = tmp_path / "stories"
    folder.mkdir()
    for n in range(20):
        lines = " ".join(f"The keeper{n} of lamp{k} was at the door, and it is late." for k in range(30))
        (folder / f"s{n:02}.txt").write_text(f"Story {n}\nby A. Writer\n\n{lines}\n", "utf-8")
    (folder / "copy.md").write_text((folder / "s03.txt").read_text().upper().replace(" ", "  "))
    (folder / "zh.txt").write_bytes(("公元2042年，灯塔的看守人写下了最后一页日志。\r\n" * 20).encode("gb18030"))
    (folder / "hurt.txt").write_text("The cafÃ© was late, and it was the end of the day. " * 8, "utf-8")
    (folder / "bad.txt").write_bytes(bytes(range(256)))
    (folder / "rows.jsonl").write_text(
        '{"text": "A row of its own.", "author": "B", "licence": "CC0"}\n{"prompt": 1}\n'
    )
    return folder


def test_the_folder_and_what_it_says(stories: Path, tmp_path: Path) -> None:
    corpus = build([stories], tmp_path / "corpus", seed=1)
    manifest = corpus.manifest
    assert (manifest["read"], manifest["kept"]) == (26, 23)
    lost = {each["source"]: (each["step"], each["reason"]) for each in manifest["dropped"]}
    assert lost.keys() == {"stories/bad.txt", "stories/rows.jsonl", "stories/s03.txt"}
    assert lost["stories/bad.txt"] == ("read", "binary")
    assert lost["stories/s03.txt"][0] == "exact_duplicates"
    assert manifest["lost"] == 3
    assert manifest["languages"] == {"en": 22, "zh": 1}
    (fixed,) = (each for each in manifest["steps"] if each["what"] == "encoding damage repaired")
    assert (fixed["step"], fixed["documents"]) == ("unicode", 1)
    assert fixed["examples"][0]["source"] == "stories/hurt.txt"
    assert manifest["split"]["unit"] == "documents"
    assert manifest["split"]["how"].startswith("whole documents are held out: 3 of 23; ")
    assert 0 <= manifest["split"]["shared"] < manifest["split"]["passages"]
    rows = pq.read_table(tmp_path / "corpus/manifest.parquet").to_pylist()
    assert {row["source"]: row["encoding"] for row in rows}["stories/zh.txt"] == "gb18030"
    assert {row["source"]: row["dropped_by"] for row in rows}["stories/s03.txt"] == "exact_duplicates"
    assert len(corpus.train) + len(corpus.heldout) == 23
    everything = {document.source: document for document in corpus.train + corpus.heldout}
    first = everything["stories/s00.txt"]
    assert (first.title, first.author, first.language) == ("Story 0", "A. Writer", "en")
    row = everything["stories/rows.jsonl#1"]
    assert row == Document("A row of its own.", "stories/rows.jsonl#1", "rows", "B", "en", "CC0", digest(row.text))
    assert manifest["counts"]["train"]["words"] + manifest["counts"]["heldout"]["words"] > 6000


def test_what_is_written_is_read_again(stories: Path, tmp_path: Path) -> None:
    out = tmp_path / "corpus"
    corpus = build([stories], out)
    assert read_corpus(out) == corpus
    assert sorted(path.name for path in out.iterdir()) == [
        "card.md",
        "heldout.parquet",
        "index",
        "manifest.json",
        "manifest.parquet",
        "report.html",
        "statistics.json",
        "train.parquet",
    ]
    rows = pq.read_table(out / "manifest.parquet").to_pylist()
    parts = [row["split"] for row in rows if row["split"]]
    assert (parts.count("train"), parts.count("heldout")) == (len(corpus.train), len(corpus.heldout))
    assert "text" not in rows[0]
    assert str(tmp_path) not in (out / "manifest.json").read_text() + (out / "card.md").read_text()
    assert "| binary | 1 | 1 | stories/bad.txt |" in (out / "card.md").read_text()


def test_the_same_files_and_seed_give_the_same_bytes(stories: Path, tmp_path: Path) -> None:
    for out in ("a", "b"):
        build([stories], tmp_path / out, seed=3)
    files = [path.relative_to(tmp_path / "a") for path in (tmp_path / "a").rglob("*") if path.is_file()]
    assert len(files) > 7
    for path in files:
        assert (tmp_path / "a" / path).read_bytes() == (tmp_path / "b" / path).read_bytes(), path
    assert build([stories], tmp_path / "c", seed=4).heldout != read_corpus(tmp_path / "a").heldout


def test_a_document_more_moves_no_other_to_the_other_part(stories: Path, tmp_path: Path) -> None:
    before = build([stories], tmp_path / "a", seed=1)
    (stories / "late.txt").write_text("She came back with the boat in spring, and nobody asked her why. " * 40, "utf-8")
    after = build([stories], tmp_path / "b", seed=1)
    held = [{document.source for document in corpus.heldout} for corpus in (before, after)]
    assert len(held[0] ^ held[1]) <= 1


def test_names_tell_no_personal_data_where_it_is_masked(tmp_path: Path) -> None:
    folder = tmp_path / "letters"
    (folder / "jane@example.org").mkdir(parents=True)
    story = "\n\n".join(f"The keeper of lamp {n} was at the door, and it is late." for n in range(30))
    (folder / "jane@example.org" / "bob.miller@example.net.txt").write_text(story, "utf-8")
    (folder / "13812345678 的信.txt").write_text("看守人写下了最后一页日志。" * 40, "utf-8")
    (folder / "ann@example.org.txt").write_bytes(b"\0\1" * 99)
    row = {"text": "It was late, and she went home. " * 30, "title": "To max@example.org", "author": "me@example.org"}
    (folder / "rows.jsonl").write_text(json.dumps(row), "utf-8")
    out = tmp_path / "out"
    build([folder], out, recipe=load_recipe("default", ["privacy.action=mask"]), heldout=0)
    written = "".join(path.read_text("utf-8", "replace") for path in out.rglob("*.*") if path.suffix != ".npy")
    assert "letters/[EMAIL]/[EMAIL].txt" in written
    tables = [pq.read_table(path).to_pylist() for path in out.glob("*.parquet")]
    for value in ("jane@", "bob.miller", "ann@", "max@", "me@", "13812345678"):
        assert value not in written
        assert value not in str(tables)
    assert {row["title"] for row in tables[1]} >= {"To [EMAIL]", "[CN_MOBILE] 的信", "[EMAIL]"}


def test_where_test_sets_lie_is_not_told(stories: Path, tmp_path: Path) -> None:
    (tmp_path / "exam.jsonl").write_text(json.dumps({"q": "Which of the laws did the machine break that night?"}))
    recipe = load_recipe("default", [f"decontaminate.against={tmp_path}/exam.jsonl"])
    build([stories], tmp_path / "out", recipe=recipe)
    for name in ("manifest.json", "card.md", "report.html"):
        text = (tmp_path / "out" / name).read_text("utf-8")
        assert "exam.jsonl" in text
        assert str(tmp_path) not in text


def test_a_corpus_may_be_built_again_inside_its_own_source(stories: Path) -> None:
    first = build([stories], stories / "corpus")
    again = build([stories], stories / "corpus")
    assert (again.train, again.heldout) == (first.train, first.heldout)
    lost = {each["source"]: each["reason"] for each in again.manifest["dropped"]}
    assert lost["stories/corpus"] == "a corpus built by daneel"


def test_one_document_is_split_and_that_is_said(tmp_path: Path) -> None:
    path = tmp_path / "book.txt"
    path.write_text("\n\n".join(f"Paragraph {n} of the book is about the lamp{n}. " * 9 for n in range(400)), "utf-8")
    corpus = build([path], tmp_path / "corpus")
    assert corpus.manifest["split"]["unit"] == "blocks"
    assert "one document could not be parted" in corpus.manifest["split"]["how"]
    assert {document.source.split("#")[0] for document in corpus.train + corpus.heldout} == {"book.txt"}
    held = {line for document in corpus.heldout for line in document.text.split("\n") if line}
    assert held
    assert held.isdisjoint(line for document in corpus.train for line in document.text.split("\n"))


def test_a_folder_that_is_no_corpus_is_not_touched(stories: Path, tmp_path: Path) -> None:
    out = tmp_path / "mine"
    out.mkdir()
    assert build([stories], out).train  # an empty folder is fine
    (out / "manifest.json").write_text("{}")
    with pytest.raises(UsageError, match="mine exists and is not a corpus: name another"):
        build([stories], out)
    with pytest.raises(UsageError, match="is not a corpus"):
        build([stories], stories / "s00.txt")
    assert (stories / "s00.txt").is_file()


def test_nothing_usable_is_an_error_that_leaves_the_old_corpus(stories: Path, tmp_path: Path) -> None:
    out = tmp_path / "corpus"
    build([stories], out)
    before = (out / "train.parquet").read_bytes()
    with pytest.raises(DataError, match=r"no usable text in .*bad\.txt \(bad\.txt: binary\)"):
        build([stories / "bad.txt"], out)
    (tmp_path / "none").mkdir()
    with pytest.raises(DataError, match=r"no usable text in .*none \(no files\)"):
        build([tmp_path / "none"], out)
    assert (out / "train.parquet").read_bytes() == before


def test_a_senseless_share(stories: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"held-out share of 0\.9"):
        build([stories], tmp_path / "corpus", heldout=0.9)


def test_what_is_no_corpus_or_damaged(stories: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="is not a corpus: build one with"):
        read_corpus(stories)
    (tmp_path / "old").mkdir()
    for manifest in (
        '{"format": "daneel-corpus"}',
        '{"format": "daneel-corpus", "version": 2}',
        '{"format": "daneel-corpus", "version": 2, "kind": 3}',
    ):
        (tmp_path / "old/manifest.json").write_text(manifest)
        with pytest.raises(DataError, match="is damaged or of another version of daneel: build the corpus again"):
            read_corpus(tmp_path / "old")
    build([stories], tmp_path / "corpus")
    (tmp_path / "corpus/train.parquet").write_bytes(b"PAR1")
    with pytest.raises(DataError, match="is damaged"):
        read_corpus(tmp_path / "corpus")


def test_the_manifest_is_plain_json(stories: Path, tmp_path: Path) -> None:
    corpus = build([stories], tmp_path / "corpus")
    assert json.loads(json.dumps(corpus.manifest)) == corpus.manifest
