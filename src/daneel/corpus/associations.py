"""Words for people beside words for what is said of them: the corpus side of an audit of bias.

Counted is closeness: an attribute word within ten words (in Chinese, ten characters) of a group word. That is no
statement about the group; what a sentence says, whether it denies it, and of whom, is not looked at.
"""

import functools
import math
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

import numpy as np

from daneel.corpus.words import Array, Words

_LISTS: dict[str, Any] = tomllib.loads(files("daneel.corpus").joinpath("associations.toml").read_text("utf-8"))
WINDOW: int = _LISTS["window"]
AXES = tuple(name for name, table in _LISTS.items() if isinstance(table, dict) and "groups" in table)
ATTRIBUTES = tuple(_LISTS["attributes"])


@dataclass
class Counts:
    """How often each group is named, and with what near it."""

    groups: tuple[str, ...]
    named: list[int]
    """Group words of each group."""
    near: list[list[int]]
    """[group][attribute]: group words with an attribute word near them."""

    def add(self, other: "Counts") -> None:
        """Add those of another batch."""
        self.named = [a + b for a, b in zip(self.named, other.named, strict=True)]
        self.near = [
            [a + b for a, b in zip(mine, more, strict=True)] for mine, more in zip(self.near, other.near, strict=True)
        ]

    def log_odds(self, group: int, attribute: int) -> tuple[float, float]:
        """Log odds ratio (base e) of an attribute near this group against the other groups, and its standard error.

        Half is added to each count (Haldane and Anscombe), so that nothing is infinite.
        """
        here, there = (
            self.near[group][attribute],
            sum(row[attribute] for row in self.near) - self.near[group][attribute],
        )
        mine, others = self.named[group] - here, sum(self.named) - self.named[group] - there
        a, b, c, d = (value + 0.5 for value in (here, mine, there, others))
        return math.log(a * d / (b * c)), math.sqrt(1 / a + 1 / b + 1 / c + 1 / d)


def associations(words: Words, grams: Mapping[int, tuple[Array, Array]]) -> dict[str, Counts]:
    """By axis, the groups in some texts; `grams` are runs of 1 to 4 of their words, as `Words.grams` gives them."""
    # A gap between texts that no window reaches over.
    places = np.arange(len(words)) + np.repeat(np.arange(len(words.counts)), words.counts) * 2 * WINDOW
    found = _found(words, grams)
    attributes = [places[found[name]] for name in ATTRIBUTES]
    out = {}
    for axis in AXES:
        groups = tuple(_LISTS[axis]["groups"])
        at = [places[found[f"{axis} {group}"]] for group in groups]
        near = [[_near(own, attribute) for attribute in attributes] for own in at]
        out[axis] = Counts(groups, list(map(len, at)), near)
    return out


def _near(at: Array, attribute: Array) -> int:
    """How many of some places have an attribute within the window."""
    return int(
        np.count_nonzero(
            np.searchsorted(attribute, at + WINDOW, "right") > np.searchsorted(attribute, at - WINDOW, "left")
        )
    )


def _found(words: Words, grams: Mapping[int, tuple[Array, Array]]) -> dict[str, Array]:
    """For each list of terms, the numbers of the words at which one of them begins, ascending."""
    hits: dict[str, list[Array]] = {name: [] for name in _terms()}
    for n, (keys, lists) in _keys().items():
        hashes, begins = grams[n]
        runs = np.flatnonzero(_maybe(n)[hashes >> np.uint64(48)])
        at = np.minimum(np.searchsorted(keys, hashes[runs]), len(keys) - 1)
        right = keys[at] == hashes[runs]
        runs, at = runs[right], at[right]
        texts = np.searchsorted(begins, runs, side="right") - 1
        starts = words.bounds[texts] + runs - begins[texts]
        for name, members in lists.items():
            hits[name].append(starts[members[at]])
    return {name: np.sort(np.concatenate(parts)) for name, parts in hits.items()}


@functools.cache
def _terms() -> dict[str, list[str]]:
    """Every list by a name of its own."""
    groups = {f"{axis} {group}": terms for axis in AXES for group, terms in _LISTS[axis]["groups"].items()}
    return {**groups, **_LISTS["attributes"]}


@functools.cache
def _keys() -> dict[int, tuple[Array, dict[str, Array]]]:
    """By their number of words: the hashes of all terms, ascending, and for each list which of them are in it."""
    by_size: dict[int, dict[int, set[str]]] = {}
    for name, terms in _terms().items():
        for term in terms:
            words = Words([term])
            key = int(words.grams(len(words))[0][0])
            by_size.setdefault(len(words), {}).setdefault(key, set()).add(name)
    out = {}
    for n, table in sorted(by_size.items()):
        keys = sorted(table)
        members = {name: np.array([name in table[key] for key in keys]) for name in _terms()}
        out[n] = np.array(keys, np.uint64), members
    return out


@functools.cache
def _maybe(n: int) -> Array:
    """bool [2^16]: whether a term has these first bits; nearly all runs are told apart by them."""
    table = np.zeros(1 << 16, bool)
    table[_keys()[n][0] >> np.uint64(48)] = True
    return table
