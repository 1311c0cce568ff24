import json
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from daneel.data import packing
from daneel.data.loader import unpack
from daneel.data.packing import Document, Shards, write_shards
from daneel.errors import DataError

# Ids are unique over all documents, so that a row's neighbours can be traced to their source.
SIZES = st.lists(st.integers(1, 40), min_size=1, max_size=30)
LENGTHS = st.integers(1, 17)
fixed = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def documents(sizes: list[int], every: int = 1) -> list[Document]:
    ends = np.cumsum(sizes).tolist()
    return [
        Document(ids := list(range(end - size, end)), None if every == 1 else [id % every == 0 for id in ids])
        for size, end in zip(sizes, ends, strict=True)
    ]


def whole(shards: Shards):
    return unpack(**shards.rows(np.arange(len(shards))))


def check_against_the_definition(docs: list[Document], shards: Shards) -> list[int]:
    """Compare every position with its source; gives the learned targets in order."""
    home = {id: (n, at) for n, doc in enumerate(docs) for at, id in enumerate(doc.ids)}
    batch = whole(shards)
    learned = []
    for row in range(len(shards)):
        previous = None
        for column in range(shards.meta.length):
            id, target = int(batch.ids[row, column]), int(batch.targets[row, column])
            segment, position = int(batch.segments[row, column]), int(batch.positions[row, column])
            weight = batch.weights[row, column]
            if segment == -1:
                assert (id, position, weight) == (0, 0, 0)
                continue
            number, at = home[id]
            if previous is not None and previous[0] == number and previous[1] + 1 == at:
                assert (segment, position) == (previous[2], previous[3] + 1)
            else:
                assert (segment, position) == (0 if previous is None else previous[2] + 1, 0)
            previous = (number, at, segment, position)
            follows = home.get(target) == (number, at + 1)
            loss = docs[number].loss
            assert weight == float(follows and (loss is None or loss[at + 1]))
            if weight:
                learned.append(target)
    return learned


@fixed
@given(sizes=SIZES, length=LENGTHS, every=st.integers(1, 3))
def test_raw_text_is_cut_without_padding_and_nothing_is_lost(
    tmp_path: Path, sizes: list[int], length: int, every: int
) -> None:
    docs = documents(sizes, every)
    expected = [id for doc in docs for at, id in enumerate(doc.ids) if at and (doc.loss is None or doc.loss[at])]
    if not expected:
        with pytest.raises(DataError, match="nothing to learn"):
            write_shards(docs, tmp_path / "rows", length, whole=False)
        return
    shards = write_shards(docs, tmp_path / "rows", length, whole=False)
    learned = check_against_the_definition(docs, shards)
    assert learned[: len(expected)] == expected
    assert shards.meta.loss_tokens == len(learned)
    total = sum(sizes)
    assert (shards.tokens, shards.meta.documents, shards.meta.padding) == (total, len(sizes), 0)
    assert len(shards) == max(1, -(-(total - 1) // length))
    assert shards.meta.wrapped == len(shards) * length + 1 - total
    assert not np.any(whole(shards).segments == -1)


@fixed
@given(sizes=SIZES, length=LENGTHS, every=st.integers(1, 3))
def test_conversations_stay_whole(tmp_path: Path, sizes: list[int], length: int, every: int) -> None:
    docs = documents(sizes, every)
    width = length + 1
    kept = {
        number: doc.ids[:width]
        for number, doc in enumerate(docs)
        if any(id for at, id in enumerate(doc.ids[:width]) if at and (doc.loss is None or doc.loss[at]))
    }
    if not kept:
        with pytest.raises(DataError, match="nothing to learn"):
            write_shards(docs, tmp_path / "rows", length, whole=True)
        return
    shards = write_shards(docs, tmp_path / "rows", length, whole=True)
    check_against_the_definition(docs, shards)
    ids, flags = shards.rows(np.arange(len(shards))).values()
    found = []
    for row_ids, row_flags in zip(ids, flags, strict=True):
        used = int(np.count_nonzero(row_flags & packing.PAD == 0))
        assert not np.any(row_flags[used:] & packing.PAD == 0)
        begins = [*np.flatnonzero(row_flags & packing.START).tolist(), used]
        found += [row_ids[a:b].tolist() for a, b in pairwise(begins)]
    assert sorted(found) == sorted(kept.values())
    meta = shards.meta
    assert meta.tokens == sum(map(len, kept.values()))
    assert meta.no_loss == len(docs) - len(kept)
    assert meta.cut_documents == sum(len(docs[number].ids) > width for number in kept)
    assert meta.cut_tokens == sum(max(0, len(docs[number].ids) - width) for number in kept)
    assert shards.padding_share == meta.padding / (len(shards) * width)
    # Best fit: no two rows could have been one.
    used = np.count_nonzero(flags & packing.PAD == 0, axis=1)
    assert len(used) < 2 or np.sort(used)[:2].sum() > width


def test_best_fit_fills_rows(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    docs = [Document(list(range(size))) for size in rng.integers(2, 300, 2000).tolist()]
    assert write_shards(docs, tmp_path / "rows", 511, whole=True).padding_share < 0.01


def test_a_target_of_another_document_has_no_weight(tmp_path: Path) -> None:
    shards = write_shards([Document([1, 2, 3]), Document([4, 5])], tmp_path / "rows", 4, whole=False)
    batch = whole(shards)
    assert batch.ids.tolist() == [[1, 2, 3, 4]]
    assert batch.targets.tolist() == [[2, 3, 4, 5]]
    assert batch.weights.tolist() == [[1, 1, 0, 1]]
    assert batch.positions.tolist() == [[0, 1, 2, 0]]
    assert batch.segments.tolist() == [[0, 0, 0, 1]]
    assert (batch.weights.dtype, batch.ids.dtype) == (np.float32, np.int64)


@pytest.mark.parametrize("as_whole", [False, True])
def test_files_split_and_windows_do_not_change_the_rows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, as_whole: bool
) -> None:
    docs = documents([7, 3, 12, 1, 9, 30, 4])
    one = write_shards(docs, tmp_path / "one", 5, as_whole)
    monkeypatch.setattr(packing, "SHARD_TOKENS", 12)
    many = write_shards(docs, tmp_path / "many", 5, as_whole)
    assert many.meta.files > 2
    picks = np.array([len(one) - 1, 0, 2, 2, 1])
    for kind, ours in one.rows(picks).items():
        assert np.array_equal(ours, many.rows(picks)[kind])


def test_a_small_window_still_packs_everything(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packing, "WINDOW", 3)
    docs = documents([3] * 10)
    assert write_shards(docs, tmp_path / "rows", 8, whole=True).tokens == 30


def test_what_is_on_disk_is_memory_mapped_and_replaced_whole(tmp_path: Path) -> None:
    out = tmp_path / "rows"
    write_shards(documents([50]), out, 8, whole=False)
    first = json.loads((out / "meta.json").read_text())
    again = write_shards(documents([60]), out, 8, whole=False)
    assert isinstance(again._files[0]["ids"], np.memmap)
    assert json.loads((out / "meta.json").read_text())["sha256"] != first["sha256"]
    with pytest.raises(DataError):
        write_shards([], out, 8, whole=False)
    assert len(Shards(out)) == len(again)
