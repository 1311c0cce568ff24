"""Sets of shingles of texts, and sketches of the sets: similar sets have similar sketches.

A shingle is a run of words; a Chinese character is a word. Two texts are as similar as the Jaccard index of their sets:
shingles in both, over shingles in either (Broder, On the resemblance and containment of documents, 1997). An excerpt of
a long text is not similar to it in this sense.
"""

from dataclasses import dataclass
from math import ceil, log
from typing import Any

import numpy as np

from daneel.corpus.words import Words, mix
from daneel.errors import UsageError

Array = np.ndarray[Any, Any]

# Values in a sketch at most.
_VALUES = 160
# Pairs at the threshold that may be missed.
_MISSED = 0.01
_LOW, _HALF = np.uint64(0xFFFFFFFF), np.uint64(32)


@dataclass(frozen=True)
class Bands:
    """A sketch is cut into bands; two texts are compared where all rows of a band agree."""

    number: int
    rows: int


def bands(threshold: float) -> Bands:
    """The bands that find 99 % of the pairs at the threshold, and more of those above.

    A value agrees with the chance s, the similarity, so a band of r rows with s^r, and one of b bands at least with
    1 - (1 - s^r)^b. Long bands let few other pairs through: the longest that fit 160 values are taken.

    Raises UsageError.
    """
    if not 0.1 <= threshold <= 1:
        raise UsageError(f"a threshold of {threshold} makes no sense for near duplicates: give 0.1 to 1, such as 0.7")
    best = Bands(1, 1)
    for rows in range(1, _VALUES + 1):
        agrees = threshold**rows
        number = 1 if agrees >= 1 - _MISSED else ceil(log(_MISSED) / log(1 - agrees))
        if number * rows > _VALUES:
            break
        best = Bands(number, rows)
    return best


def shingles(words: Words, n: int) -> tuple[Array, Array]:
    """Each text's set of runs of n words, and how many are in it: uint32 [S], ascending in a text, and int64 [T].

    A text of fewer words is one shingle as a whole; one without words has none. Unequal shingles get equal hashes
    once in 4e9: the similarity of two novels of 100,000 words is off by 2e-5.
    """
    runs, begins = words.grams(n)
    short = np.flatnonzero((words.counts > 0) & (words.counts < n))
    wholes = np.zeros(len(short), np.uint64)
    for few in np.unique(words.counts[short]).tolist():
        of_few, at = words.grams(few)
        here = words.counts[short] == few
        wholes[here] = of_few[at[short[here]]]
    # A short text has no runs: where they would be, it has its place.
    hashes = (np.insert(runs, begins[short], wholes) >> _HALF).astype(np.uint32)
    sizes = np.maximum(words.counts - n + 1, np.minimum(words.counts, 1))
    ends = np.cumsum(sizes)
    fresh = np.ones(len(hashes), bool)
    # One sort a text takes a fifth of the time of one sort of all by text and hash.
    for start, end in zip((ends - sizes).tolist(), ends.tolist(), strict=True):
        own = hashes[start:end]
        own.sort()
        np.not_equal(own[1:], own[:-1], out=fresh[start + 1 : end])
    counted = np.concatenate([[0], np.cumsum(fresh)])
    return hashes[fresh], counted[ends] - counted[ends - sizes]


def sketches(sets: Array, sizes: Array, values: int) -> Array:
    """uint32 [T, values]: two sets agree in each value with the chance of their Jaccard index. No set may be empty.

    In each round every shingle falls into one place by chance; a place keeps the least of what falls into it in the
    first round that reaches it. From round `values` on every shingle falls into the same place, each in its turn. Large
    sets fill all places in a round or two, and the values of small ones spread less than with an independent
    permutation each (Dahlgaard, Knudsen and Thorup, Fast Similarity Sketching, FOCS 2017, arXiv:1704.04370).
    """
    owners = np.repeat(np.arange(len(sizes)), sizes)
    shingle = sets.astype(np.uint64)
    least = np.full(len(sizes) * values, _LOW, np.uint32)
    full = np.zeros(len(least), bool)
    for number in range(2 * values):
        chance = mix(shingle ^ mix(np.full(1, number + 1, np.uint64)))
        if number < values:
            places = ((chance >> _HALF) * np.uint64(values) >> _HALF).astype(np.int64)
        else:
            places = np.full(len(chance), number - values)
        places += owners * values
        free = ~full[places]
        np.minimum.at(least, places[free], (chance[free] & _LOW).astype(np.uint32))
        full[places] = True
        lacking = ~np.asarray(full.reshape(len(sizes), values).all(1))
        if not lacking.any():
            break
        again = lacking[owners]
        owners, shingle = owners[again], shingle[again]
    return least.reshape(len(sizes), values)


def band_keys(sketch: Array, cut: Bands) -> Array:
    """uint64 [bands, T]: equal where all rows of a band agree."""
    rows = sketch.reshape(len(sketch), cut.number, cut.rows)
    keys = np.zeros(rows.shape[:2], np.uint64)
    for row in range(cut.rows):
        keys = mix(keys + rows[:, :, row])
    return np.ascontiguousarray(keys.T)
