"""Sources with weights: how much is read of each, and that all of it comes."""

import json
from collections import Counter

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from daneel.data.loader import Loader
from daneel.data.packing import Document, Mixture, Shards, write_shards
from daneel.errors import DataError


def sources(sizes: list[int]) -> list[list[Document]]:
    """A document fills a row; its ids tell its source and number."""
    return [[Document([part, number, 7]) for number in range(size)] for part, size in enumerate(sizes)]


def mixed(folder, sizes: list[int], weights: list[float]) -> Shards:
    return write_shards(Mixture(sources(sizes), weights), folder, 2, whole=True)


def drawn(shards: Shards, epochs: int, seed: int = 0) -> list[list[tuple[int, int]]]:
    """Source and number of each row, an entry an epoch."""
    rows = shards.rows(np.arange(len(shards)))["ids"][:, :2].tolist()
    return [[tuple(rows[row]) for row in shards.order(seed, epoch)] for epoch in range(epochs)]


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    sizes=st.lists(st.integers(1, 12), min_size=1, max_size=4),
    weights=st.lists(st.floats(0.1, 9), min_size=4, max_size=4),
)
def test_an_epoch_has_the_shares_and_a_source_ends_before_it_begins_again(tmp_path, sizes, weights):
    weights = weights[: len(sizes)]
    shards = mixed(tmp_path / "rows", sizes, weights)
    assert shards.meta.parts == sizes
    epochs = drawn(shards, 5)
    for epoch in epochs:
        counts = Counter(part for part, _ in epoch)
        assert len(epoch) == sum(sizes)
        for part, weight in enumerate(weights):
            assert abs(counts[part] - weight / sum(weights) * len(epoch)) <= 1
    times = Counter(row for epoch in epochs for row in epoch)
    for part, size in enumerate(sizes):
        of_part = [times[part, number] for number in range(size)]
        assert max(of_part) - min(of_part) <= 1


def test_without_weights_every_row_comes_once(tmp_path):
    shards = write_shards(sources([9])[0], tmp_path / "rows", 2, whole=True)
    assert shards.meta.weights == shards.meta.parts == []
    assert sorted(drawn(shards, 1)[0]) == [(0, number) for number in range(9)]


def test_a_loader_goes_on_where_it_stopped_and_knows_other_weights(tmp_path):
    shards = mixed(tmp_path / "rows", [5, 9], [3, 1])
    straight = Loader(shards, 4, 1)
    for _ in range(5):
        straight.next()
    state = json.loads(json.dumps(straight.state()))
    after = [straight.next().ids.tolist() for _ in range(6)]
    again = Loader(Shards(tmp_path / "rows"), 4, 1)
    again.restore(state)
    assert [again.next().ids.tolist() for _ in range(6)] == after
    assert mixed(tmp_path / "other", [5, 9], [1, 3]).meta.sha256 != shards.meta.sha256


def test_a_source_that_fills_no_row_is_told(tmp_path):
    with pytest.raises(DataError, match="fills no row"):
        mixed(tmp_path / "rows", [3, 0], [1, 1])
