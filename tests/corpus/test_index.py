import json
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from daneel.corpus import index_build
from daneel.corpus.document import Document, digest
from daneel.corpus.index import CopyIndex, Passage, share_out
from daneel.corpus.index_build import CERTAIN, write_index
from daneel.corpus.words import Words
from daneel.errors import DataError

LAMP = (
    "Every evening the keeper climbed the ninety-one steps, trimmed the wick, and wrote in the book of the light "
    "what the sea had done that day. Nobody read it. “Nobody,” he said, “has to.”"
)
SNOW = "夜里下了一场大雪，他没有睡，坐在窗前听着风从山那边吹过来，像有人在很远的地方叫他的名字。"


def document(text: str, source: str = "a.txt", title: str = "A") -> Document:
    return Document(text, source, title, "", "en", "", digest(text))


def hashes(text: str) -> list[int]:
    return list(map(int, Words([text]).hashes))


def truth(text: str, corpus: list[str], least: int) -> set[tuple[int, int]]:
    """Word numbers of the maximal shared passages, by comparing every place with every place."""
    here = hashes(text)
    longest = [0] * len(here)
    for there in map(hashes, corpus):
        row = [0] * (len(there) + 1)
        for i in reversed(range(len(here))):
            row = [1 + row[j + 1] if here[i] == there[j] else 0 for j in range(len(there))] + [0]
            longest[i] = max(longest[i], *row)
    ends = [i + n for i, n in enumerate(longest)]
    return {(i, ends[i]) for i, n in enumerate(longest) if n >= least and (i == 0 or ends[i] > ends[i - 1])}


def numbers(text: str, found: list[Passage]) -> set[tuple[int, int]]:
    starts = Words([text]).starts.tolist()
    return {(starts.index(p.start), starts.index(p.start) + p.units) for p in found}


_FEW_WORDS = st.lists(st.sampled_from(["a", "B", "的", "是", "c,", "\n"]), max_size=70).map(" ".join)


@settings(max_examples=200, deadline=None)
@given(st.lists(_FEW_WORDS, max_size=4), _FEW_WORDS, st.integers(CERTAIN, 12))
def test_passages_are_those_of_brute_force(corpus: list[str], text: str, least: int) -> None:
    index = CopyIndex.of([document(each) for each in corpus])
    assert numbers(text, index.passages(text, least)) == truth(text, corpus, least)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10_000), st.integers(CERTAIN, 60))
def test_every_planted_passage_is_found_where_it_stands(seed: int, size: int) -> None:
    chance = np.random.default_rng(seed)
    corpus = [[f"w{n}" for n in chance.integers(0, 5000, 400)] for _ in range(5)]
    of, at = int(chance.integers(5)), int(chance.integers(400 - size))
    text = " ".join(["new"] * 10 + corpus[of][at : at + size] + ["old"] * 10)
    index = CopyIndex.of([document(" ".join(words), f"{n}.txt") for n, words in enumerate(corpus)])
    (found,) = index.passages(text)
    assert (found.units, found.source) == (size, f"{of}.txt")
    assert found.copied == " ".join(corpus[of][at : at + size])
    assert text[found.start : found.end] == found.copied
    assert found.before == "".join(f"{word} " for word in corpus[of][max(0, at - 12) : at])
    assert found.after == "".join(f" {word}" for word in corpus[of][at + size : at + size + 12])


def test_case_quotes_and_line_breaks_do_not_count() -> None:
    index = CopyIndex.of([document("Intro.", "0.txt"), document(LAMP, "lamp.txt", "The lamp")])
    text = 'So: WHAT THE SEA\n  had done\nthat day... NOBODY READ IT. "nobody" he said - HAS TO -'
    (found,) = index.passages(text)
    assert (found.units, found.source, found.title) == (15, "lamp.txt", "The lamp")
    assert text[found.start : found.end] == text[4:-2]
    assert found.copied == "what the sea had done that day. Nobody read it. “Nobody,” he said, “has to"
    assert found.before.endswith("in the book of the light ")
    assert found.after == ""


def test_chinese_is_found_by_characters() -> None:
    index = CopyIndex.of([document(LAMP), document(SNOW, "雪.txt", "雪")])
    found = index.passages("昨天，他没有睡\n坐在窗前听着雨从山那边吹过来像有人。")
    assert [(p.units, p.copied, p.source) for p in found] == [
        (10, "他没有睡，坐在窗前听着", "雪.txt"),
        (10, "从山那边吹过来，像有人", "雪.txt"),
    ]
    assert found[0].before == "夜里下了一场大雪，"
    assert index.passages("坐在窗前听着风") == []


def test_passages_do_not_cross_documents() -> None:
    first, second = LAMP[:63], LAMP[63:]
    index = CopyIndex.of([document(first, "1"), document(second, "2")])
    assert [p.source for p in index.passages(LAMP)] == ["1", "2"]
    assert CopyIndex.of([document(each) for each in LAMP.split()]).passages(LAMP) == []


def test_of_equal_passages_the_first_document_is_named() -> None:
    index = CopyIndex.of([document(f"{n} {LAMP} {n}", str(n)) for n in range(40)])
    assert [p.source for p in index.passages(f"x {LAMP} y")] == ["0"]


def test_spans_share_overlapping_passages_out_and_leave_nothing_copied() -> None:
    words = [f"w{n}" for n in range(60)]
    index = CopyIndex.of([document(" ".join(words[:30]), "1"), document(" ".join(words[20:]), "2")])
    text = "new " + ", ".join(words) + " new"
    first, second = index.passages(text)
    assert (first.units, second.units) == (30, 40)
    spans = share_out(text, [first, second])
    assert [span.passage.source for span in spans] == ["1", "2"]
    assert text[spans[0].start : spans[0].end] == ", ".join(words[:20]) + ","
    assert text[spans[1].start : spans[1].end] == ", ".join(words[20:])


def test_an_index_on_disk_is_the_one_in_memory_and_its_bytes_do_not_change(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    chance = np.random.default_rng(0)
    documents = [
        document("".join(chr(0x4E00 + n) for n in chance.integers(0, 3000, 500)), f"{n}.txt") for n in range(40)
    ]
    documents += [document(LAMP, "lamp"), document("", "empty")]
    write_index([documents], tmp_path / "one")
    # Small batches, groups and parts: nothing of the result may depend on them.
    monkeypatch.setattr(index_build, "_CHARACTERS", 700)
    monkeypatch.setattr(index_build, "_IN_MEMORY", 1000)
    write_index((documents[n : n + 3] for n in range(0, 42, 3)), tmp_path / "two")
    names = sorted(path.name for path in (tmp_path / "one").iterdir())
    assert names == sorted(path.name for path in (tmp_path / "two").iterdir())
    for name in names:
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes(), name
    for text in (documents[7].text[100:180], LAMP):
        found = CopyIndex.open(tmp_path / "two").passages(text)
        assert found == CopyIndex.of(documents).passages(text)
        assert [p.copied for p in found] == [text.rstrip("”.")]


@pytest.mark.parametrize("most", [0, 20, 60, 119, 120, 121, 239, 240, 241])
def test_fingerprints_may_go_to_disk_with_any_document_the_last_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, most: int
) -> None:
    chance = np.random.default_rng(1)
    chinese = ["".join(chr(0x4E00 + n) for n in chance.integers(0, 3000, 240)) for _ in range(5)]
    for count in (1, 2, 5):
        write_index([[document(text) for text in chinese[:count]]], tmp_path / "whole")
        with monkeypatch.context() as patch:
            patch.setattr(index_build, "_CHARACTERS", 1)
            patch.setattr(index_build, "_IN_MEMORY", most)
            write_index([[document(text) for text in chinese[:count]]], tmp_path / "parted")
        for name in ("hashes.npy", "positions.npy", "buckets.npy", "texts.txt"):
            assert (tmp_path / "whole" / name).read_bytes() == (tmp_path / "parted" / name).read_bytes(), name


def test_texts_too_short_for_a_fingerprint_make_an_index_that_finds_nothing(tmp_path: Path) -> None:
    write_index([[document("Too short.")]], tmp_path / "index")
    index = CopyIndex.open(tmp_path / "index")
    assert index.passages(LAMP) == index.passages("") == []
    assert CopyIndex.of([]).passages(LAMP) == []


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_index([[document(LAMP), document(SNOW, "雪", "雪")]], tmp_path / "corpus" / "index")
    return tmp_path / "corpus" / "index"


def test_a_missing_index_is_said(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="corpus has no copy index: build the corpus again"):
        CopyIndex.open(tmp_path / "corpus" / "index")


def test_another_version_is_said(folder: Path) -> None:
    meta = json.loads((folder / "meta.json").read_text())
    (folder / "meta.json").write_text(json.dumps(meta | {"version": 99}))
    with pytest.raises(DataError, match="another version"):
        CopyIndex.open(folder)


def _damages(data: bytes) -> Iterator[bytes]:
    yield b""
    yield data[:-1]
    chance = np.random.default_rng(len(data))
    for _ in range(60):
        some = bytearray(data)
        some[int(chance.integers(len(data)))] = int(chance.integers(256))
        yield bytes(some)


def test_a_damaged_index_is_one_line_or_a_wrong_answer(folder: Path) -> None:
    for path in sorted(folder.iterdir()):
        whole = path.read_bytes()
        said = 0
        for data in _damages(whole):
            path.write_bytes(data)
            # Whatever else is raised fails the test.
            with suppress(DataError):
                CopyIndex.open(folder).passages(LAMP + SNOW)
                continue
            said += 1
        assert said >= 2, path.name
        path.write_bytes(whole)


def test_pickles_are_refused(folder: Path) -> None:
    np.save(folder / "hashes.npy", np.array([print], object), allow_pickle=True)
    with pytest.raises(DataError, match="damaged"):
        CopyIndex.open(folder)
