"""The words of many texts at once, as arrays: what the steps of cleaning count, compare and look up.

A word is a run of letters and digits; a Chinese character is a word of its own. Case does not count. Words and runs of
words stand for themselves by hashes of 64 bits: among ten million different ones, a pair that collides has a chance of
3e-6.
"""

import functools
import re
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from daneel.corpus.document import HAN

Array = np.ndarray[Any, Any]

_POINTS = 0x110000
# Odd constants of SplitMix64 (Steele, Lea and Flood, OOPSLA 2014).
_STEP, _MIX_1, _MIX_2 = (np.uint64(n) for n in (0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9, 0x94D049BB133111EB))
_LONGEST = 64
"""Letters of a word that have a factor of their own; then the factors begin again."""


class Words:
    """Where the words of some texts stand, and their hashes.

    With C code points, W words and T texts in all:
    """

    def __init__(self, texts: Sequence[str]):
        joined = "".join(f"{text}\n" for text in texts)
        self.codes: Array = np.frombuffer(joined.encode("utf-32-le", "surrogatepass"), np.uint32)
        """uint32 [C]: the texts, a line end after each."""
        self.texts: Array = np.concatenate([[0], np.cumsum([len(text) + 1 for text in texts], dtype=np.int64)])
        """int64 [T + 1]: text t is `codes[texts[t] : texts[t + 1] - 1]`."""
        kinds = _kinds()[self.codes]
        inside = np.flatnonzero(kinds)
        inner = kinds[inside]
        opens = np.ones(len(inside), bool)
        # A letter goes on with the word if it follows a letter at once; a Chinese character never does.
        opens[1:] = (inner[1:] == _HAN) | (inner[:-1] == _HAN) | (np.diff(inside) > 1)
        first = np.flatnonzero(opens)
        self.starts: Array = inside[first]
        """int64 [W]: where in `codes` each word begins."""
        self.lengths: Array = np.diff(first, append=len(inside))
        """int64 [W]: code points of each."""
        place = np.arange(len(inside)) - np.repeat(first, self.lengths)
        values = _letters()[self.codes[inside]] * _factors()[place & (_LONGEST - 1)]
        sums = np.add.reduceat(values, first) if len(first) else values
        self.hashes: Array = mix(sums + self.lengths.astype(np.uint64))
        """uint64 [W]"""
        self.bounds: Array = np.searchsorted(self.starts, self.texts)
        """int64 [T + 1]: the words of text t are `bounds[t]` to `bounds[t + 1]`."""

    def __len__(self) -> int:
        return len(self.hashes)

    @property
    def counts(self) -> Array:
        """int64 [T]: words of each text."""
        return np.diff(self.bounds)

    @property
    def han(self) -> Array:
        """bool [W]: whether a word is a Chinese character."""
        return np.equal(_kinds()[self.codes[self.starts]], _HAN)

    def grams(self, n: int) -> tuple[Array, Array]:
        """Hashes of every run of n words within a text, uint64 [G], and where each text's begin in them, [T + 1].

        Run g of text t begins at word `bounds[t] + g - begins[t]`.
        """
        runs = np.zeros(max(0, len(self) - n + 1), np.uint64)
        for k in range(n):
            runs = runs * _MIX_1 + self.hashes[k : k + len(runs)]
        sizes = np.maximum(self.counts - n + 1, 0)
        begins = np.concatenate([[0], np.cumsum(sizes)])
        whole = np.arange(begins[-1]) + np.repeat(self.bounds[:-1] - begins[:-1], sizes)
        return mix(runs[whole]), begins

    def word(self, number: int) -> str:
        """A word as it stands in its text."""
        start = self.starts[number]
        return str(self.codes[start : start + self.lengths[number]].tobytes().decode("utf-32-le", "surrogatepass"))

    def passage(self, first: int, last: int) -> str:
        """The text from one word to another, both included."""
        stop = self.starts[last] + self.lengths[last]
        return str(self.codes[self.starts[first] : stop].tobytes().decode("utf-32-le", "surrogatepass"))


def mix(values: Array) -> Array:
    """SplitMix64's finaliser: every bit of a uint64 depends on every bit of the input."""
    values = (values ^ (values >> np.uint64(30))) * _MIX_1
    values = (values ^ (values >> np.uint64(27))) * _MIX_2
    mixed: Array = values ^ (values >> np.uint64(31))
    return mixed


_LETTER, _HAN = 1, 2


@functools.cache
def _kinds() -> Array:
    """uint8 [0x110000]: whether a code point is part of a word, and of which kind."""
    return classes([r"[^\W_]", f"[{HAN}]"])


def classes(patterns: Iterable[str]) -> Array:
    """uint8 [0x110000]: for each code point the number of the last pattern that it matches, from 1; 0 for none."""
    every = _every()
    table = np.zeros(_POINTS, np.uint8)
    for number, pattern in enumerate(patterns, 1):
        for match in re.finditer(f"{pattern}+", every):
            table[match.start() : match.end()] = number
    return table


@functools.cache
def _letters() -> Array:
    """uint64 [0x110000]: the value of each letter, the same for both cases; İ is the one that has two small letters."""
    lowered = _every().replace("İ", "i").lower()
    small = np.frombuffer(lowered.encode("utf-32-le", "surrogatepass"), np.uint32)
    values: Array = (small.astype(np.uint64) + np.uint64(1)) * _STEP
    return values


def _every() -> str:
    return np.arange(_POINTS, dtype=np.uint32).tobytes().decode("utf-32-le", "surrogatepass")


@functools.cache
def _factors() -> Array:
    return np.bitwise_or(mix(np.arange(1, _LONGEST + 1, dtype=np.uint64) * _STEP), np.uint64(1))
