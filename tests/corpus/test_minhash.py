import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from daneel.corpus.minhash import Bands, band_keys, bands, shingles, sketches
from daneel.corpus.words import Words
from daneel.errors import UsageError

_TEXT = st.lists(st.sampled_from(["one", "two", "Three", "四", "五", "six", "."]), max_size=14).map(" ".join)


def _plain(text: str) -> set[tuple[str, ...]]:
    words = [word for word in text.lower().replace("四", " 四 ").replace("五", " 五 ").split() if word != "."]
    if len(words) < 5:
        return {tuple(words)} if words else set()
    return {tuple(words[n : n + 5]) for n in range(len(words) - 4)}


@given(st.lists(_TEXT, max_size=6))
def test_a_text_is_the_set_of_its_runs_of_words(texts: list[str]) -> None:
    sets, sizes = shingles(Words(texts), 5)
    parts = np.split(sets, np.cumsum(sizes)[:-1]) if len(texts) else []
    for text, part in zip(texts, parts, strict=True):
        assert len(part) == len(_plain(text))
        assert (part[1:] > part[:-1]).all()
    # The same shingle has the same hash in every text.
    for one, part in zip(texts, parts, strict=True):
        for other, others in zip(texts, parts, strict=True):
            assert len(np.intersect1d(part, others)) == len(_plain(one) & _plain(other))


@pytest.mark.parametrize("size", [1, 8, 40, 600])
@pytest.mark.parametrize("similarity", [0.25, 0.7])
def test_values_of_a_sketch_agree_as_often_as_the_sets_are_similar(size: int, similarity: float) -> None:
    rng = np.random.default_rng(size)
    common = round(similarity * size)
    agree = []
    for _ in range(60):
        union = rng.integers(0, 1 << 32, size, dtype=np.uint32)
        other = (size - common) // 2
        one, two = np.sort(union[: common + other]), np.sort(np.delete(union, slice(common, common + other)))
        if len(one) and len(two):
            both = sketches(np.concatenate([one, two]), np.array([len(one), len(two)]), 130)
            agree.append((both[0] == both[1]).mean())
    # A mean of 60 sketches of 130 values each: less than four standard deviations.
    assert not agree or abs(np.mean(agree) - common / size) < 4 * 0.044 / np.sqrt(60) * 1.1


def test_a_sketch_is_the_sets_own_whatever_lies_beside_it() -> None:
    rng = np.random.default_rng(0)
    sets = [np.unique(rng.integers(0, 1 << 32, size, dtype=np.uint32)) for size in (3, 500, 20, 4000)]
    together = sketches(np.concatenate(sets), np.array([len(each) for each in sets]), 130)
    for each, row in zip(sets, together, strict=True):
        assert (sketches(each, np.array([len(each)]), 130)[0] == row).all()
    assert sketches(np.empty(0, np.uint32), np.empty(0, np.int64), 130).shape == (0, 130)


@pytest.mark.parametrize("threshold", [0.1, 0.3, 0.5, 0.7, 0.8, 0.95, 1.0])
def test_bands_find_99_of_100_pairs_at_the_threshold(threshold: float) -> None:
    cut = bands(threshold)
    assert cut.number * cut.rows <= 160
    assert 1 - (1 - threshold**cut.rows) ** cut.number >= 0.99


def test_bands_of_a_senseless_threshold_are_refused() -> None:
    for threshold in (0, 1.5):
        with pytest.raises(UsageError, match="threshold"):
            bands(threshold)


def test_keys_are_equal_where_all_rows_of_a_band_are() -> None:
    sketch = np.array([[1, 2, 3, 4], [1, 2, 3, 5], [2, 1, 3, 4]], np.uint32)
    keys = band_keys(sketch, Bands(2, 2))
    assert keys.shape == (2, 3)
    assert keys[0, 0] == keys[0, 1] != keys[0, 2]
    assert keys[1, 0] == keys[1, 2] != keys[1, 1]
