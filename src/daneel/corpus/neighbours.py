"""Items of a corpus, documents or paragraphs, that are near duplicates of earlier ones.

Memory: 150 bytes an item in a task that looks for candidates, 30 bytes an item and as many a candidate pair where they
come together, 200 MB in a task that compares. No bucket is quadratic: an item is compared with the first few of each.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from daneel.corpus.minhash import band_keys, bands, shingles, sketches
from daneel.corpus.step import Arrays, Run
from daneel.corpus.summaries import column, joined, offsets
from daneel.corpus.words import Words

Array = np.ndarray[Any, Any]

# Bands a task looks through, items of a bucket that all others in it are compared with, and shingles a task compares.
_BANDS = 4
_FIRST = 4
_SHINGLES = 1 << 22
_HALF = np.uint64(32)


@dataclass(frozen=True)
class Neighbours:
    """Items to be dropped, by their numbers among all, in ascending order."""

    items: Array
    """int64 [D]"""
    of: Array
    """int64 [D]: the earlier item that stays and is most similar."""
    similarity: Array
    """float64 [D]: the Jaccard index of both."""


def summarised(texts: Sequence[str], shingle: int, threshold: float, least: int = 1) -> tuple[Array, Arrays]:
    """Which texts have `least` words, int64 [I], and what `near` has to know of those.

    At a threshold of 0.7 that takes 212 bytes a text and 4 a shingle.
    """
    found = Words(texts)
    sets, sizes = shingles(found, shingle)
    long = found.counts >= least
    sets, sizes = sets[np.repeat(long, sizes)], sizes[long]
    cut = bands(threshold)
    keys = band_keys(sketches(sets, sizes, cut.number * cut.rows), cut)
    return np.flatnonzero(long), {"keys": keys, "sets": sets, "sizes": sizes.astype(np.int32)}


def near(summaries: Sequence[Path], run: Run, threshold: float, owners: Array | None = None) -> Neighbours:
    """Items whose similarity to an earlier one that stays is at least the threshold.

    Items of the same owner are not compared. The order is that of the summaries, so the answer is the same however
    the tasks are spread.
    """
    bounds = offsets(summaries, "sizes")
    total = int(bounds[-1])
    number = bands(threshold).number
    pairs = np.empty(0, np.int64)
    for more in run(_candidates, [(summaries, low, min(low + _BANDS, number)) for low in range(0, number, _BANDS)]):
        pairs = _distinct([pairs, more])
    later, earlier = np.divmod(pairs, max(total, 1))
    sizes = joined(summaries, "sizes")
    # Sets can be no more similar than their sizes are.
    near = np.minimum(sizes[later], sizes[earlier]) >= threshold * np.maximum(sizes[later], sizes[earlier])
    if owners is not None:
        near &= owners[later] != owners[earlier]
    later, earlier = later[near], earlier[near]
    tasks = _tasks(summaries, bounds, sizes, later, earlier)
    similarity = np.concatenate([np.empty(0), *run(_compared, tasks)])
    near = similarity >= threshold
    return _greedy(later[near], earlier[near], similarity[near])


def _candidates(task: tuple[Sequence[Path], int, int]) -> Array:
    """Pairs in the same bucket of some bands, int64 [P]: later * items + earlier."""
    paths, low, high = task
    keys = np.concatenate([column(path, "keys")[low:high] for path in paths], axis=1)
    total = keys.shape[1]
    pairs = []
    for band in keys:
        # Stable, so that items of a bucket keep their order.
        order = np.argsort(band, kind="stable")
        same = np.concatenate([[False], band[order[1:]] == band[order[:-1]]])
        place = np.arange(total)
        first = np.maximum.accumulate(np.where(same, 0, place))
        for k in range(_FIRST):
            here = place - first > k
            pairs.append(order[here] * total + order[first[here] + k])
    return _distinct(pairs)


def _distinct(pairs: list[Array]) -> Array:
    """Each pair once, ascending; `np.unique` hashes, which takes several times as long."""
    every = np.sort(np.concatenate(pairs))
    fresh = np.ones(len(every), bool)
    np.not_equal(every[1:], every[:-1], out=fresh[1:])
    return every[fresh]


_Task = tuple[list[tuple[Path, Array]], Array, Array]


def _tasks(summaries: Sequence[Path], bounds: Array, sizes: Array, later: Array, earlier: Array) -> Iterator[_Task]:
    """Pairs in groups: the items of each batch, and the pairs as places among those items."""
    work = np.cumsum(sizes[later].astype(np.int64) + sizes[earlier])
    start = 0
    while start < len(later):
        done = work[start - 1] if start else 0
        stop = max(start + 1, int(np.searchsorted(work, done + _SHINGLES)))
        pairs = np.stack([later[start:stop], earlier[start:stop]])
        items, places = np.unique(pairs, return_inverse=True)
        cuts = np.searchsorted(items, bounds)
        parts = [
            (path, items[low:high] - first)
            for path, first, low, high in zip(summaries, bounds, cuts, cuts[1:], strict=False)
            if high > low
        ]
        yield parts, *places.reshape(2, -1)
        start = stop


def _compared(task: _Task) -> Array:
    """The Jaccard index of each pair, float64."""
    parts, later, earlier = task
    sets, sizes = [], []
    for path, items in parts:
        all_sizes = column(path, "sizes")
        begins = np.cumsum(all_sizes, dtype=np.int64) - all_sizes
        sets.append(column(path, "sets")[_ranges(begins[items], all_sizes[items])])
        sizes.append(all_sizes[items])
    shingle, size = np.concatenate(sets), np.concatenate(sizes).astype(np.int64)
    begins = np.cumsum(size) - size
    pair = np.arange(len(later)).astype(np.uint64)
    keys = np.sort(
        np.concatenate(
            [
                np.repeat(pair, size[side]) << _HALF | shingle[_ranges(begins[side], size[side])]
                for side in (later, earlier)
            ]
        )
    )
    both = keys[1:][keys[1:] == keys[:-1]] >> _HALF
    common = np.bincount(both.astype(np.int64), minlength=len(later))
    similarity: Array = common / (size[later] + size[earlier] - common)
    return similarity


def _ranges(starts: Array, lengths: Array) -> Array:
    """The numbers from each start on, as many as its length."""
    ends = np.cumsum(lengths, dtype=np.int64)
    return np.arange(ends[-1]) + np.repeat(starts - (ends - lengths), lengths)


def _greedy(later: Array, earlier: Array, similarity: Array) -> Neighbours:
    """In order, each item goes that has a neighbour which stays; of equals, the earliest is named."""
    best: dict[int, tuple[float, int]] = {}
    for item, before, value in zip(later.tolist(), earlier.tolist(), similarity.tolist(), strict=True):
        # Pairs come in the order of their later item: what becomes of the earlier one is known.
        if before not in best and (item not in best or value > best[item][0]):
            best[item] = value, before
    items = np.array(list(best), np.int64)
    return Neighbours(
        items, np.array([of for _, of in best.values()], np.int64), np.array([value for value, _ in best.values()])
    )
