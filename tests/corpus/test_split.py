import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from prose import TEXTS, document, prose

from daneel.corpus.document import digest, words
from daneel.corpus.split import _CHAPTER, blocks, draw, parted

SIZES = st.lists(st.integers(1, 5000), min_size=2, max_size=80)


def keys(count: int) -> np.ndarray:
    return np.random.default_rng(7).integers(0, 1 << 63, count).astype(np.uint64)


@settings(max_examples=100, deadline=None)
@given(
    sizes=SIZES, share=st.sampled_from([0.05, 0.1, 0.3, 0.5]), seed=st.integers(-9, 1 << 70), whole=st.integers(1, 5)
)
def test_groups_stay_whole_and_something_is_left(sizes: list[int], share: float, seed: int, whole: int) -> None:
    groups = np.arange(len(sizes)) // whole
    target = share * sum(sizes)
    held = draw(np.array(sizes), keys(len(sizes)), groups, target, seed)
    assert not held.all()
    assert sum(np.array(sizes)[held]) <= 1.5 * target
    assert all(len(set(held[groups == group])) == 1 for group in groups)


def test_the_share_is_met_and_the_seed_chooses() -> None:
    sizes = np.random.default_rng(1).integers(100, 3000, 500)
    drawn = [draw(sizes, keys(500), np.arange(500), 0.1 * sizes.sum(), seed) for seed in range(4)]
    assert all(0.09 < sizes[held].sum() / sizes.sum() < 0.11 for held in drawn)
    assert len({tuple(held) for held in drawn}) == 4


def test_one_document_more_moves_few_others() -> None:
    sizes, every = np.random.default_rng(2).integers(100, 3000, 200), keys(200)
    before = draw(sizes, every, np.arange(200), 0.1 * sizes.sum(), 0)
    for gone in range(0, 200, 10):
        rest = np.arange(200) != gone
        after = draw(sizes[rest], every[rest], np.arange(199), 0.1 * sizes[rest].sum(), 0)
        assert (before[rest] != after).sum() <= 4


def test_the_order_of_the_documents_does_not_matter() -> None:
    sizes, every = np.random.default_rng(3).integers(100, 3000, 50), keys(50)
    turned = np.random.default_rng(4).permutation(50)
    held = draw(sizes, every, np.arange(50) // 3, 0.2 * sizes.sum(), 5)
    again = draw(sizes[turned], every[turned], (np.arange(50) // 3)[turned], 0.2 * sizes.sum(), 5)
    assert (held[turned] == again).all()


def test_blocks_are_cut_gently_and_neighbours_stay_one_text() -> None:
    text = prose(30_000)
    texts = [block for block, _ in blocks(text, 2000)]
    assert len(texts) == 15
    assert all(block.strip().endswith(".") for block in texts)
    held = [n in (3, 4, 9) for n in range(15)]
    parts = list(parted(document(text), texts, held))
    assert [side for side, _ in parts] == [False, True, False, True, False]
    assert "".join(part.text for _, part in parts) == text
    assert [part.source for _, part in parts] == [f"a.txt#{n}" for n in range(1, 6)]
    assert all(part.sha256 == digest(part.text) for _, part in parts)
    whole = document(text)
    assert list(parted(whole, texts, [True] * 15)) == [(True, whole)]


def test_chapters_come_beforeblocks() -> None:
    chapters = [f"Chapter {n}\n\n{prose(1500, n * 1500)}\n\n" for n in range(1, 21)]
    assert list(blocks("".join(chapters), 2000)) == [(text, "chapters") for text in chapters]


def test_chinese_chapters() -> None:
    text = "".join(
        f"第{n}回 标题在此\n\n{'话说唐僧师徒四众，自从离了火焰山。' * 60}\n\n" for n in "一二三四五六七八九十"
    )
    assert [kind for _, kind in blocks(text, 1000)] == ["chapters"] * 10


@settings(max_examples=150, deadline=None)
@given(text=TEXTS, limit=st.integers(1, 40))
def test_blocks_are_the_text_whatever_it_is(text: str, limit: int) -> None:
    assert "".join(block for block, _ in blocks(text, limit)) == text


@pytest.mark.parametrize("text", ["字" * 5000, "word " * 5000, ("word " * 10 + "\n") * 500])
def test_text_without_paragraphs_is_cut_too(text: str) -> None:
    sizes = [words(block) for block, _ in blocks(text, 500)]
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
