import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from daneel.data.loader import Batch, Loader
from daneel.data.packing import Document, Shards, write_shards
from daneel.errors import TrainingError


@pytest.fixture(scope="module")
def shards(tmp_path_factory: pytest.TempPathFactory) -> Shards:
    docs = [Document(list(range(n * 100, n * 100 + 37))) for n in range(10)]
    return write_shards(docs, tmp_path_factory.mktemp("rows") / "rows", 16, whole=False)


def same(a: Batch, b: Batch) -> bool:
    return all(np.array_equal(getattr(a, name), getattr(b, name)) for name in vars(a))


def firsts(loader: Loader, batches: int) -> list[int]:
    return [int(row[0]) for _ in range(batches) for row in loader.next().ids]


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(before=st.integers(1, 60), steps=st.integers(0, 40), after=st.integers(1, 60), seed=st.integers(0, 2**40))
def test_resume_is_exact_at_any_position_and_batch_size(
    shards: Shards, before: int, steps: int, after: int, seed: int
) -> None:
    straight = Loader(shards, before, seed)
    for _ in range(steps):
        straight.next()
    state = json.loads(json.dumps(straight.state()))
    resumed = Loader(shards, before, seed)
    resumed.restore(state)
    for _ in range(3):
        assert same(straight.next(), resumed.next())
    assert straight.state() == resumed.state()
    # The order of rows does not depend on how they are batched.
    other = Loader(shards, after, seed)
    other.restore(state)
    straight.restore(state)
    rows = firsts(other, 4)
    assert firsts(straight, -(-len(rows) // before))[: len(rows)] == rows


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(batch=st.integers(1, 60), seed=st.integers(0, 1000))
def test_every_row_comes_once_an_epoch(shards: Shards, batch: int, seed: int) -> None:
    loader = Loader(shards, batch, seed)
    rows = len(loader)
    order = firsts(loader, -(-3 * rows // batch))
    epochs = [order[start : start + rows] for start in range(0, 3 * rows, rows)]
    all_rows = sorted(int(row[0]) for row in shards.rows(np.arange(rows))["ids"])
    assert [sorted(epoch) for epoch in epochs] == [all_rows] * 3


def test_orders_differ_by_epoch_and_seed(shards: Shards) -> None:
    rows = len(shards)
    loader = Loader(shards, rows, 1)
    first = firsts(loader, 1)
    assert firsts(loader, 1) != first
    assert firsts(Loader(shards, rows, 2), 1) != first
    assert firsts(Loader(shards, rows, 1), 1) == first


@pytest.mark.parametrize("change", ["data", "seed"])
def test_a_changed_run_is_refused(shards: Shards, tmp_path: Path, change: str) -> None:
    other = write_shards([Document(list(range(999)))], tmp_path / "rows", 16, whole=False)
    loader = Loader(other if change == "data" else shards, 2, 2 if change == "seed" else 1)
    loader.next()
    before = loader.state()
    with pytest.raises(TrainingError, match=f"the {change} changed since the checkpoint"):
        loader.restore(Loader(shards, 2, 1).state())
    assert loader.state() == before
