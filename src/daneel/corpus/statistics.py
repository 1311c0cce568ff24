"""What is counted in a corpus for its card, batch by batch, in memory that does not grow with the corpus.

Frequent runs of words are found by lossy counting (Manku and Motwani, VLDB 2002): of each batch the most frequent are
kept, and of all batches together the most frequent again; what was let go bounds by how much a count may be too low.
"""

import functools
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from daneel.corpus.associations import Counts, associations
from daneel.corpus.document import HAN, Document
from daneel.corpus.fields import split
from daneel.corpus.words import Array, Words, classes

RUNS = (1, 2, 3, 4)
"""Words of a frequent run."""
_BATCH, _MOST = 1000, 50_000
SCRIPTS = {
    "Chinese": f"[{HAN}]",
    "Latin": r"[A-Za-z\u00c0-\u024f]",
    "Cyrillic": r"[\u0400-\u04ff]",
    "Greek": r"[\u0370-\u03ff]",
    "Japanese kana": r"[\u3040-\u30ff]",
    "Korean": r"[\uac00-\ud7af]",
    "Arabic": r"[\u0600-\u06ff]",
    "digits": r"\d",
    "white space": r"\s",
}
BINS = 24
"""Bins of lengths: bin b holds lengths from 2^b to 2^(b+1) - 1 words."""


@dataclass
class Frequent:
    """The most frequent runs of so many words."""

    counts: dict[int, tuple[int, str]] = field(default_factory=dict)
    """By hash: how often at least, and how it was first written."""
    missed: int = 0
    """By how much a count may be too low; a run that is absent occurs at most so often."""

    def add(self, other: "Frequent") -> None:
        """Count what another batch has."""
        for key, (number, text) in other.counts.items():
            before, first = self.counts.get(key, (0, text))
            self.counts[key] = before + number, first
        self.missed += other.missed
        if len(self.counts) > 2 * _MOST:
            ranked = sorted(self.counts.items(), key=lambda pair: (-pair[1][0], pair[0]))
            self.missed += ranked[_MOST][1][0]
            self.counts = dict(ranked[:_MOST])

    def top(self) -> list[tuple[int, str]]:
        """Counts and runs, the most frequent first."""
        return [pair for _, pair in sorted(self.counts.items(), key=lambda item: (-item[1][0], item[0]))]


@dataclass
class Statistics:
    """Counts over documents; those of two batches add up."""

    runs: dict[int, Frequent] = field(default_factory=lambda: {n: Frequent() for n in RUNS})
    scripts: dict[str, int] = field(default_factory=dict)
    """Characters of each script; what is none of them are marks and other scripts."""
    characters: int = 0
    paragraphs: list[int] = field(default_factory=lambda: [0] * BINS)
    """How many lines with text have so many words."""
    associations: dict[str, Counts] = field(default_factory=dict)
    """By axis: who stands near what."""

    def add(self, other: "Statistics") -> None:
        """Add the counts of another batch."""
        for n, frequent in other.runs.items():
            self.runs[n].add(frequent)
        for script, number in other.scripts.items():
            self.scripts[script] = self.scripts.get(script, 0) + number
        self.characters += other.characters
        self.paragraphs = [a + b for a, b in zip(self.paragraphs, other.paragraphs, strict=True)]
        for axis, counts in other.associations.items():
            if axis in self.associations:
                self.associations[axis].add(counts)
            else:
                self.associations[axis] = replace(counts)


def measure(batch: Sequence[Document]) -> Statistics:
    """The statistics of some documents."""
    # The texts of a record are counted one by one: a run of words never reaches from one to the next.
    texts = [text for document in batch for text in split(document.text)]
    words = Words(texts)
    out = Statistics()
    grams = {n: words.grams(n) for n in RUNS}
    out.runs = {n: _frequent(words, n, *grams[n]) for n in RUNS}
    out.scripts = _scripts(words)
    out.characters = len(words.codes) - len(texts)
    out.paragraphs = _paragraphs(words)
    out.associations = associations(words, grams)
    return out


def bins(lengths: Array) -> list[int]:
    """How many of some lengths (in words, from 1) fall into each bin."""
    places = np.minimum(np.log2(np.maximum(lengths, 1)).astype(np.int64), BINS - 1)
    return [int(number) for number in np.bincount(places, minlength=BINS)]


def _frequent(words: Words, n: int, hashes: Array, begins: Array) -> Frequent:
    ordered = np.sort(hashes)
    fresh = np.ones(len(ordered), bool)
    fresh[1:] = ordered[1:] != ordered[:-1]
    first = np.flatnonzero(fresh)
    counts = np.diff(first, append=len(ordered))
    # The least count of which there are no more than `_BATCH`; a run that occurs once in a batch is frequent nowhere.
    above = np.cumsum(np.bincount(counts, minlength=3)[::-1])[::-1]
    limit = max(2, int(np.argmax(above <= _BATCH)) if above[-1] <= _BATCH else len(above))
    chosen = counts >= limit
    keys, numbers = ordered[first[chosen]], counts[chosen]
    missed = int(counts[~chosen].max(initial=0))
    if not len(keys):
        return Frequent({}, missed)
    # Nearly all runs are told apart by their first bits, without a search.
    maybe = np.zeros(1 << 16, bool)
    maybe[keys >> np.uint64(48)] = True
    candidates = np.flatnonzero(maybe[hashes >> np.uint64(48)])
    places = np.minimum(np.searchsorted(keys, hashes[candidates]), len(keys) - 1)
    right = keys[places] == hashes[candidates]
    where = np.full(len(keys), len(hashes))
    np.minimum.at(where, places[right], candidates[right])
    texts = np.searchsorted(begins, where, side="right") - 1
    starts = words.bounds[texts] + where - begins[texts]
    shown = [" ".join(words.passage(at, at + n - 1).split()).lower() for at in starts.tolist()]
    return Frequent(dict(zip(keys.tolist(), zip(numbers.tolist(), shown, strict=True), strict=True)), missed)


def _scripts(words: Words) -> dict[str, int]:
    table = _table()
    counts = np.bincount(table[words.codes], minlength=len(SCRIPTS) + 1)
    # The line ends that part the texts are none of theirs.
    counts[1 + list(SCRIPTS).index("white space")] -= len(words.texts) - 1
    return {name: int(number) for name, number in zip(SCRIPTS, counts[1:], strict=True) if number}


@functools.cache
def _table() -> Array:
    """uint8 [0x110000]: the number of a character's script, from 1."""
    return classes(SCRIPTS.values())


def _paragraphs(words: Words) -> list[int]:
    ends = np.flatnonzero(words.codes == ord("\n"))
    sizes = np.diff(np.searchsorted(words.starts, ends), prepend=0)
    return bins(sizes[sizes > 0])
