from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from prose import TEXTS, document, prose

from daneel.corpus.divide import Division, divide
from daneel.corpus.document import Document, digest, words
from daneel.corpus.overlap import kin, shared, summarised
from daneel.corpus.pipeline import Batch, Row, summary, write_rows
from daneel.corpus.split import Unit
from daneel.corpus.words import Words


def batches(folder: Path, documents: list[Document], size: int = 7) -> list[Batch]:
    """Documents on disk as the last pass leaves them."""
    out = []
    for first in range(0, len(documents), size):
        some = documents[first : first + size]
        found = Words([each.text for each in some])
        batch = Batch(folder / f"{first:07}.parquet", found.counts.tolist(), ["en"] * len(some))
        batch.keys = [int(each.sha256[:16], 16) for each in some]
        write_rows(batch.path, [Row(each, "utf-8", 0, [], "") for each in some])
        np.savez(summary(batch.path), **summarised(found))  # type: ignore[arg-type]
        out.append(batch)
    return out


def parts(division: Division) -> tuple[list[Document], list[Document]]:
    rows = [pair for some, sizes in division.rows() for pair in zip(some, sizes, strict=True)]
    assert all(size == words(row.document.text) for (_, row), size in rows)
    train, heldout = ([row.document for (of, row), _ in rows if of == part] for part in ("train", "heldout"))
    assert division.training() == [(words(each.text), "en") for each in train]
    return train, heldout


def split(
    folder: Path, documents: list[Document], share: float, seed: int = 1, unit: Unit = "auto"
) -> tuple[list[Document], list[Document], Division]:
    division = divide(batches(folder, documents), share, seed, unit)
    return *parts(division), division


def size(documents: list[Document]) -> int:
    return sum(words(each.text) for each in documents)


def test_whole_documents_where_there_are_enough(tmp_path: Path) -> None:
    documents = [document(prose(1000, n * 1000), f"d{n}") for n in range(30)]
    train, heldout, division = split(tmp_path, documents, 0.1)
    assert division.unit == "documents"
    assert division.how == (
        "whole documents are held out: 3 of 30; 0.0 % of the held-out passages of 10 words stand in the training text "
        "too"
    )
    assert sorted(each.source for each in train + heldout) == sorted(each.source for each in documents)
    assert split(tmp_path, documents, 0.1)[1] == heldout
    assert split(tmp_path, documents, 0.1, 2)[1] != heldout


def test_nothing_held_out_when_asked(tmp_path: Path) -> None:
    documents = [document(prose(100))]
    train, heldout, division = split(tmp_path, documents, 0)
    assert (train, heldout, division.how) == (documents, [], "nothing is held out, as asked")


def test_one_document_is_split_in_blocks_that_never_overlap(tmp_path: Path) -> None:
    text = prose(30_000)
    train, heldout, division = split(tmp_path, [document(text)], 0.1)
    assert division.unit == "blocks"
    assert "one document could not be parted" in division.how
    assert "of 15 blocks of about 2,000 words are held out" in division.how
    assert 0.5 * 3000 <= size(heldout) <= 1.5 * 3000
    both = sorted(train + heldout, key=lambda part: int(part.source.split("#")[1]))
    assert "".join(part.text for part in both) == text
    kinds = [part in heldout for part in both]
    assert all(a != b for a, b in pairwise(kinds))


def test_two_unequal_documents_are_split_in_blocks(tmp_path: Path) -> None:
    documents = [document(prose(20_000), "long"), document(prose(19_000, 20_000), "other")]
    _, heldout, division = split(tmp_path, documents, 0.1)
    assert division.unit == "blocks"
    assert "2 documents could not be parted" in division.how
    assert 0.05 < size(heldout) / 39_000 < 0.16


def test_too_little_text_says_so(tmp_path: Path) -> None:
    _, heldout, division = split(tmp_path, [document("word")], 0.1)
    assert heldout == []
    assert division.how == "one document with too little text to hold anything out"


def test_documents_can_be_demanded(tmp_path: Path) -> None:
    documents = [document(prose(20_000), "long"), document(prose(10_000, 20_000), "other")]
    assert split(tmp_path, documents, 0.3, 1, "documents")[2].unit == "documents"
    documents = [document(prose(900, n * 900), f"d{n}") for n in range(20)]
    assert split(tmp_path, documents, 0.1, 1, "blocks")[2].unit == "blocks"


@settings(max_examples=60, deadline=None)
@given(text=TEXTS, share=st.sampled_from([0.05, 0.1, 0.3, 0.5]), seed=st.integers(0, 99))
def test_nothing_is_lost_whatever_the_text_is(
    text: str, share: float, seed: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    if not words(text):
        return
    train, heldout, _ = split(tmp_path_factory.mktemp("batches"), [document(text)], share, seed)
    assert train
    assert size(train + heldout) == words(text)
    assert size(heldout) <= 1.5 * share * words(text) + 1


@pytest.mark.parametrize("chinese", [False, True])
def test_a_collection_and_its_parts_are_on_one_side(tmp_path: Path, chinese: bool) -> None:
    def story(number: int) -> str:
        if not chinese:
            return prose(1500, number * 1500)
        signs = np.random.default_rng(number).integers(0x4E00, 0x9FA0, 1500)
        return "。\n\n".join("".join(map(chr, signs[n : n + 100])) for n in range(0, 1500, 100))

    texts = [story(number) for number in range(24)]
    # Each of two collections holds three stories that are there by themselves too, in another spelling.
    for number in (2, 9):
        texts.append("\n\n\n".join(text.upper().replace(".", ";\n") for text in texts[number : number + 3]))
    documents = [document(text, f"d{n}") for n, text in enumerate(texts)]
    sides = set()
    for seed in range(12):
        _, heldout, division = split(tmp_path, documents, 0.3, seed)
        assert division.unit == "documents"
        held = [f"d{n}.txt" in {each.source for each in heldout} for n in range(26)]
        assert held[2] == held[3] == held[4] == held[24]
        assert held[9] == held[10] == held[11] == held[25]
        assert division.shared == 0 < division.passages
        sides.add((held[24], held[25]))
    assert len(sides) > 1


def test_a_part_and_its_collection_alone_are_cut_and_stay_together(tmp_path: Path) -> None:
    documents = [document(prose(24_000), "all"), document(prose(4_000, 8_000), "part")]
    for seed in range(5):
        _, heldout, division = split(tmp_path, documents, 0.1, seed)
        assert heldout
        assert division.shared < 0.05 * division.passages


def test_what_is_shared_is_measured_and_said(tmp_path: Path) -> None:
    shared = prose(300)
    documents = [document(f"{shared}\n\n{prose(700, 1000 * n)}", f"d{n}") for n in range(1, 21)]
    _, heldout, division = split(tmp_path, documents, 0.1)
    assert len(heldout) == 2
    assert 0.25 < division.shared / division.passages < 0.35
    assert f"; {100 * division.shared / division.passages:.1f} % of the held-out passages of 10 words" in division.how


def test_texts_that_are_all_alike_are_split_all_the_same_and_that_is_said(tmp_path: Path) -> None:
    documents = [document(f"{prose(1000)} End {n}.", f"d{n}") for n in range(10)]
    _, heldout, division = split(tmp_path, documents, 0.2)
    assert heldout
    assert "could not all be kept on one side" in division.how
    assert division.shared > 0.5 * division.passages


def test_records_that_begin_alike_are_called_by_their_name(tmp_path: Path) -> None:
    some = batches(tmp_path, [document(prose(20, 20 * (n // 2)) + f" {n}", f"d{n}") for n in range(1200)])
    for batch in some:
        batch.keys = [int(digest(str(n // 2))[:16], 16) for n in range(len(batch.sizes))]
    division = divide(some, 0.1, 0, kind="conversations")
    assert " of 1,200 conversations are held out, all that begin alike together" in division.how


def test_ranges_of_passages_give_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    texts = [prose(1500, 1000 * n) for n in range(20)] + [prose(9000, 3000), prose(1500, 3000), prose(30), "word"]
    some = batches(tmp_path, [document(text, f"d{n}") for n, text in enumerate(texts)])
    summaries = [summary(batch.path) for batch in some]
    held = np.arange(24) % 3 == 0
    whole = kin(summaries, np.arange(24)), shared(summaries, held)
    monkeypatch.setattr("daneel.corpus.overlap._AT_ONCE", 100)
    ranges = kin(summaries, np.arange(24)), shared(summaries, held)
    assert whole[0].tolist() == ranges[0].tolist()
    assert whole[1] == ranges[1]
    # What each shares with the next is a third: no more than a neighbour is.
    assert whole[0].tolist() == [0, 1, 2, *[3] * 9, *range(12, 20), 3, 3, 0, 23]
