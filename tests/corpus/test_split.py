from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from daneel.corpus.document import Document, digest, words
from daneel.corpus.split import _CHAPTER, _blocks, split


def document(text: str, name: str = "a") -> Document:
    return Document(text, f"{name}.txt", name, "", "en", "", digest(text))


def prose(count: int, start: int = 0) -> str:
    """Sentences of ten words, paragraphs of five sentences; every word differs."""
    spoken = [f"w{n}" for n in range(start, start + count)]
    sentences = [" ".join(spoken[n : n + 10]) + "." for n in range(0, count, 10)]
    return "\n\n".join(" ".join(sentences[n : n + 5]) for n in range(0, len(sentences), 5))


def size(documents: list[Document]) -> int:
    return sum(words(each.text) for each in documents)


def test_whole_documents_where_there_are_enough() -> None:
    documents = [document(prose(1000, n * 1000), f"d{n}") for n in range(30)]
    parts = split(documents, 0.1, 1)
    assert parts.unit == "documents"
    assert parts.reason == "whole documents are held out: 3 of 30"
    assert sorted(map(id, parts.train + parts.heldout)) == sorted(map(id, documents))
    assert split(documents, 0.1, 1) == parts
    assert split(documents, 0.1, 2).heldout != parts.heldout


def test_nothing_held_out_when_asked() -> None:
    documents = [document(prose(100))]
    assert (split(documents, 0, 1).train, split(documents, 0, 1).heldout) == (documents, [])


def test_one_document_is_split_in_blocks_that_never_overlap() -> None:
    text = prose(30_000)
    parts = split([document(text)], 0.1, 1)
    assert parts.unit == "blocks"
    assert "one document could not be parted" in parts.reason
    assert "blocks of about 2,000 words are held out" in parts.reason
    assert 0.5 * 3000 <= size(parts.heldout) <= 1.5 * 3000
    both = sorted(parts.train + parts.heldout, key=lambda part: int(part.source.split("#")[1]))
    assert "".join(part.text for part in both) == text
    for part in both:
        assert part.text.strip().endswith(".")
        assert part.sha256 == digest(part.text)
    # Neighbours stay one text.
    kinds = [part in parts.heldout for part in both]
    assert all(a != b for a, b in pairwise(kinds))


def test_chapters_come_before_blocks() -> None:
    chapters = [f"Chapter {n}\n\n{prose(1500, n * 1500)}\n\n" for n in range(1, 21)]
    text = "".join(chapters)
    parts = split([document(text)], 0.1, 3)
    assert "of 20 chapters are held out" in parts.reason
    joined = [part.text for part in parts.heldout]
    assert all(part.startswith("Chapter") for part in joined)
    assert [text for text, _ in _blocks(text, 2000)] == chapters


def test_chinese_chapters() -> None:
    text = "".join(
        f"第{n}回 标题在此\n\n{'话说唐僧师徒四众，自从离了火焰山。' * 60}\n\n" for n in "一二三四五六七八九十"
    )
    assert [kind for _, kind in _blocks(text, 1000)] == ["chapters"] * 10


def test_two_unequal_documents_are_split_in_blocks() -> None:
    parts = split([document(prose(20_000), "long"), document(prose(19_000, 20_000), "other")], 0.1, 1)
    assert parts.unit == "blocks"
    assert "2 documents could not be parted" in parts.reason
    assert 0.05 < size(parts.heldout) / 39_000 < 0.16


def test_too_little_text_says_so() -> None:
    parts = split([document("word")], 0.1, 1)
    assert parts.heldout == []
    assert "too little text" in parts.reason


def test_documents_can_be_demanded() -> None:
    documents = [document(prose(20_000), "long"), document(prose(10_000, 20_000), "other")]
    assert split(documents, 0.3, 1, "documents").unit == "documents"
    assert split([document(prose(900, n * 900), f"d{n}") for n in range(20)], 0.1, 1, "blocks").unit == "blocks"


@settings(max_examples=150, deadline=None)
@given(
    text=st.lists(
        st.sampled_from(["word ", "字", "。", ". ", "\n", "\n\n", "Chapter 2\n", "第三回 x\n", "x" * 30]),
        max_size=200,
    ).map("".join),
    limit=st.integers(1, 40),
    share=st.sampled_from([0.05, 0.1, 0.3, 0.5]),
    seed=st.integers(0, 99),
)
def test_blocks_are_the_text_whatever_it_is(text: str, limit: int, share: float, seed: int) -> None:
    assert "".join(block for block, _ in _blocks(text, limit)) == text
    if not words(text):
        return
    parts = split([document(text)], share, seed)
    assert parts.train
    assert size(parts.train + parts.heldout) == words(text)
    assert size(parts.heldout) <= 1.5 * share * words(text) + 1


@pytest.mark.parametrize("text", ["字" * 5000, "word " * 5000, ("word " * 10 + "\n") * 500])
def test_text_without_paragraphs_is_cut_too(text: str) -> None:
    sizes = [words(block) for block, _ in _blocks(text, 500)]
    if " " in text:
        assert max(sizes) <= 1000


@pytest.mark.parametrize(
    "line",
    ["I saw it too", "I was there", "part of the crowd followed", "Part of the plan", "book in hand she",
     "letter by letter", "第二节课开始了。", "第一回他来的时候下着雨。\n\n她", "  I\nbar"],
)  # fmt: skip
def test_prose_is_no_heading(line: str) -> None:
    assert not _CHAPTER.search(f"It was late.\n{line}\nand nobody knew.")


@pytest.mark.parametrize(
    "line",
    ["CHAPTER I", "CHAPTER THIRTEEN - IN LONDON", "Chapter Twenty-One",
     "Chapter 12. The Storm", "Part Two", "BOOK THE FIRST", "II", "XIV. The Return", "# Dusk",
     "第十二章 归来", "第三回", "三", "Epilogue"],
)  # fmt: skip
def test_headings(line: str) -> None:
    assert _CHAPTER.search(f"It was late.\n\n{line}\n\nNobody knew.")
