"""Texts with gaps: what hides, and that nothing is lost."""

import numpy as np
import pytest
import tiny
from hypothesis import given, settings
from hypothesis import strategies as st

from daneel.data.packing import write_shards
from daneel.errors import ModelError
from daneel.tokenizer.load import Tokenizer
from daneel.tokenizer.train import train_tokenizer
from daneel.train.objectives import SENTINELS, sentinels, span_sizes, spans

START = 7


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tokenizer")
    return train_tokenizer(tiny.TEXT, folder, 400, encoder=True, special=SENTINELS)


def text(size: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(120, 400, size).astype(np.uint32)


def joined(tokenizer, document) -> list[int]:
    """The text again: each mark of the source gives way to what the target says it hid."""
    marks = sentinels(tokenizer)
    *source, end = document.source.tolist()
    begin, *target, target_end = document.ids.tolist()
    assert (begin, end, target_end) == (START, tokenizer.eos[0], tokenizer.eos[0])
    found = [id for id in source if id in marks]
    assert found == [id for id in target if id in marks] == marks[: len(found)]
    hidden = {mark: [] for mark in found}
    for id in target:
        if id in hidden:
            into = hidden[id]
        else:
            into.append(id)
    assert all(hidden.values())
    return [id for piece in source for id in hidden.get(piece, [piece])]


@settings(max_examples=60, deadline=None)
@given(size=st.integers(1, 300), length=st.integers(8, 120), seed=st.integers(0, 3))
def test_source_and_target_are_the_text_and_fit(tokenizer, size, length, seed):
    ids = text(size, seed)
    longest, target = span_sizes(length, len(SENTINELS))
    documents = list(spans(tokenizer, [ids], START, length, seed))
    assert [id for document in documents for id in joined(tokenizer, document)] == ids.tolist()
    assert len(documents) == -(-size // longest)
    assert max(len(document.source) for document in documents) <= length
    assert max(len(document.ids) for document in documents) <= target


def test_rows_hold_a_whole_text_on_both_sides(tokenizer, tmp_path):
    length = 128
    longest, target = span_sizes(length, len(SENTINELS))
    assert (longest, target) == (141, 30)
    shards = write_shards(
        spans(tokenizer, [text(longest * 3)], START, length, 0), tmp_path / "rows", target - 1, True, source=length
    )
    rows = shards.rows(np.arange(len(shards)))
    assert (rows["ids"].shape, rows["source"].shape) == ((3, target), (3, length))
    assert shards.meta.too_long == shards.meta.padding == 0


def test_fifteen_of_a_hundred_hide_in_gaps_of_three(tokenizer):
    documents = list(spans(tokenizer, [text(40_000)], START, 512, 0))
    marks = set(sentinels(tokenizer))
    gaps = sum(id in marks for document in documents for id in document.source.tolist())
    hidden = sum(len(document.ids) - 2 for document in documents) - gaps
    assert hidden / 40_000 == pytest.approx(0.15, abs=0.002)
    assert hidden / gaps == pytest.approx(3, abs=0.05)


def test_what_hides_follows_from_the_seed_and_the_text(tokenizer):
    first, second = text(50, 1), text(50, 2)

    def made(texts, seed):
        return [document.source.tolist() for document in spans(tokenizer, texts, START, 64, seed)]

    assert made([first, second], 3) == made([second, first], 3)[::-1]
    assert made([first], 3) != made([first], 4)


def test_no_more_gaps_than_marks():
    assert span_sizes(4000, 100)[0] <= 100 * 3 / 0.15 + 10
    assert span_sizes(4000, 2)[0] < 60


def test_a_vocabulary_without_marks_is_refused(tmp_path):
    tiny.write_tokenizer(tmp_path)
    with pytest.raises(ModelError, match="<extra_id_0>"):
        sentinels(Tokenizer.load(tmp_path))
