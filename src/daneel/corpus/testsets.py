"""Runs of words from test sets, and where they stand in other texts."""

import csv
import gzip
import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from io import StringIO
from math import ceil
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from daneel.corpus.read import ABOUT, Dropped, decode, read
from daneel.corpus.read.item import UnusableError
from daneel.corpus.words import Words
from daneel.errors import DataError, UsageError

Array = np.ndarray[Any, Any]

# A run is looked up where the first bits of its hash say that it may be there.
_BITS = 24
_REST = np.uint64(64 - _BITS)
# Items whose words are looked at together.
_ITEMS = 4096


@dataclass(frozen=True)
class Span:
    """Words of a text that stand in a test set, by their numbers in the batch."""

    first: int
    last: int
    testset: str


class _Runs:
    """Hashes of runs, to be looked up."""

    def __init__(self, hashes: Array, owners: Array):
        self.hashes, first = np.unique(hashes, return_index=True)
        self.owners = owners[first]
        """int64 [R]: the first test set that has each."""
        self._maybe = np.zeros(1 << _BITS, bool)
        self._maybe[self.hashes >> _REST] = True

    def find(self, runs: Array) -> tuple[Array, Array]:
        """Which runs are here, and the test set of each: two of int64 [F]."""
        some = np.flatnonzero(self._maybe[runs >> _REST])
        # A hash above all others is compared with the last.
        at = np.minimum(np.searchsorted(self.hashes, runs[some]), len(self.hashes) - 1)
        hit = self.hashes[at] == runs[some]
        return some[hit], self.owners[at[hit]]


class TestRuns:
    """The runs of some test sets."""

    def __init__(self, against: tuple[str, ...], n: int, characters: int, shortest: int):
        self._names = tuple(Path(name).name for name in against)
        self._full = (n, characters)
        self._least = (shortest, ceil(shortest * characters / n))
        full: list[tuple[Array, int]] = []
        openings: list[tuple[Array, int]] = []
        self._short: set[int] = set()
        for number, name in enumerate(against):
            found = False
            for items in _grouped(_strings(Path(name))):
                words = Words(items)
                for runs in self._long(words):
                    full.append((runs, number))
                for length, opening, whole in self._whole(words):
                    self._short.add(length)
                    openings.append((opening, number))
                    full.append((whole, number))
                found = found or (bool(full) and full[-1][1] == number)
            if not found:
                raise DataError(
                    f"{name} has no test item of {shortest} words: lower decontaminate.shortest, or leave it out"
                )
        self._runs = _joined(full)
        self._openings = _joined(openings) if openings else None

    def within(self, words: Words) -> list[Span]:
        """Every run of the test sets in some texts, in the order of the texts."""
        found = [span for length in self._full for span in self._spans(words, length)]
        # Short items have many lengths; they are looked for only where one's opening is seen.
        if self._openings and any(len(self._openings.find(words.grams(length)[0])[0]) for length in self._least):
            found += [span for length in sorted(self._short - {*self._full}) for span in self._spans(words, length)]
        return sorted(found, key=lambda span: (span.first, span.last))

    def _spans(self, words: Words, length: int) -> Iterator[Span]:
        runs, begins = words.grams(length)
        hit, sets = self._runs.find(runs)
        texts = np.searchsorted(begins, hit, "right") - 1
        first = words.bounds[texts] + hit - begins[texts]
        for start, of in zip(first.tolist(), sets.tolist(), strict=True):
            yield Span(start, start + length - 1, self._names[of])

    def _long(self, words: Words) -> Iterator[Array]:
        """Runs of full length: one begins with a word or with a Chinese character."""
        for chinese, length in zip((False, True), self._full, strict=True):
            runs, begins = words.grams(length)
            texts = np.repeat(np.arange(len(words.counts)), np.diff(begins))
            starts = np.arange(len(runs)) + (words.bounds[:-1] - begins[:-1])[texts]
            if len(found := runs[words.han[starts] == chinese]):
                yield found

    def _whole(self, words: Words) -> Iterator[tuple[int, Array, Array]]:
        """Items shorter than a run: how many words, their openings, and all of each."""
        some = np.flatnonzero(words.counts)
        # What begins in Chinese is Chinese.
        chinese = words.han[words.bounds[some]]
        for kind, full, least in zip((False, True), self._full, self._least, strict=True):
            here = some[chinese == kind]
            counts = words.counts[here]
            openings, opens = words.grams(least)
            for length in np.unique(counts[(counts >= least) & (counts < full)]).tolist():
                items = here[counts == length]
                runs, begins = words.grams(length)
                yield length, openings[opens[items]], runs[begins[items]]


def _joined(parts: list[tuple[Array, int]]) -> _Runs:
    hashes = np.concatenate([runs for runs, _ in parts])
    return _Runs(hashes, np.repeat([number for _, number in parts], [len(runs) for runs, _ in parts]))


@lru_cache(maxsize=2)
def test_runs(against: tuple[str, ...], n: int, characters: int, shortest: int) -> TestRuns:
    """The runs of n words, or `characters` where they begin with a Chinese character; loaded once a process.

    Items with fewer words are runs as a whole, down to `shortest` words or as many characters in proportion. Raises
    UsageError for a test set that does not exist and DataError for one that cannot be read or has no item that long.
    """
    return TestRuns(against, n, characters, shortest)


def _grouped(strings: Iterator[str]) -> Iterator[list[str]]:
    group: list[str] = []
    for string in strings:
        group.append(string)
        if len(group) == _ITEMS:
            yield group
            group = []
    if group:
        yield group


def _strings(path: Path) -> Iterator[str]:
    """Every item of a test set."""
    if not path.exists():
        raise UsageError(f"the test set {path} does not exist: mend decontaminate.against")
    files = sorted(each for each in path.rglob("*") if each.is_file()) if path.is_dir() else [path]
    for file in files:
        if path.is_dir() and (file.stem.lower() in ABOUT or file.name.startswith(".")):
            continue
        try:
            yield from _file(file)
        except (UnusableError, ValueError, RecursionError, OSError, EOFError, csv.Error, pa.ArrowException) as error:
            raise DataError(f"the test set {file} cannot be read: {str(error).splitlines()[0]}") from None


def _file(file: Path) -> Iterator[str]:
    plain = file.with_suffix("") if file.suffix == ".gz" else file
    kind = plain.suffix.lower()
    if kind == ".parquet":
        for batch in pq.ParquetFile(file).iter_batches():
            yield from _within(batch.to_pylist())
    elif kind in (".jsonl", ".json", ".csv", ".tsv"):
        text, _, _ = decode(gzip.decompress(file.read_bytes()) if plain != file else file.read_bytes())
        if kind == ".jsonl":
            yield from _within([json.loads(line) for line in text.split("\n") if line.strip()])
        elif kind == ".json":
            yield from _within(json.loads(text))
        else:
            yield from _within(list(csv.reader(StringIO(text, ""), delimiter="\t" if kind == ".tsv" else ",")))
    else:
        for raw in read([file]):
            if isinstance(raw, Dropped):
                raise DataError(f"the test set {file} cannot be read: {raw.reason}")
            yield raw.text


def _within(value: Any) -> Iterator[str]:
    """The strings of a value of JSON, however deep: keys are not read."""
    waiting = [value]
    while waiting:
        match waiting.pop():
            case str() as text:
                yield text
            case list() as parts:
                waiting += reversed(parts)
            case dict() as table:
                waiting += reversed(table.values())
