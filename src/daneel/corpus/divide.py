"""Batches on disk parted into training and held-out text."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from daneel.corpus.document import words
from daneel.corpus.pipeline import Batch, Row, read_rows
from daneel.corpus.split import Unit, split, whole

PARTS = ("train", "heldout")


@dataclass(frozen=True)
class Division:
    """Which document belongs to which part."""

    unit: Literal["documents", "blocks"]
    how: str
    """One sentence for the manifest and the console."""
    batches: Sequence[Batch]
    heldout: set[int]
    """Numbers of the documents that are held out."""
    blocks: list[tuple[str, Row]]
    """Where documents had to be cut: the pieces, in memory. That happens to few documents only."""

    def rows(self) -> Iterator[tuple[list[tuple[str, Row]], list[int]]]:
        """Part and document, batch by batch, and the words of each."""
        if self.unit == "blocks":
            yield self.blocks, [words(row.document.text) for _, row in self.blocks]
            return
        number = 0
        for batch in self.batches:
            rows = read_rows(batch.path)
            parts = (PARTS[number + n in self.heldout] for n in range(len(rows)))
            yield list(zip(parts, rows, strict=True)), batch.sizes
            number += len(rows)

    def training(self) -> list[tuple[int, str]]:
        """Words and language of each training document, in order."""
        if self.unit == "blocks":
            return [(words(row.document.text), row.document.language) for part, row in self.blocks if part == "train"]
        pairs = (pair for batch in self.batches for pair in zip(batch.sizes, batch.languages, strict=True))
        return [pair for number, pair in enumerate(pairs) if number not in self.heldout]


def divide(batches: Sequence[Batch], share: float, seed: int, unit: Unit) -> Division:
    """Hold out about `share` of the words, chosen with the seed: whole documents where that is possible."""
    sizes = [size for batch in batches for size in batch.sizes]
    if keys := [key for batch in batches for key in batch.keys]:
        return _groups(batches, sizes, keys, share, seed)
    if found := whole(sizes, share, seed, unit):
        return Division("documents", found[1], batches, found[0], [])
    rows = [row for batch in batches for row in read_rows(batch.path)]
    parted = split([row.document for row in rows], share, seed, "blocks")
    known = {row.document.source: row for row in rows}
    blocks = [
        (part, replace(known.get(document.source) or known[_whole(document.source)], document=document))
        for part, documents in zip(PARTS, (parted.train, parted.heldout), strict=True)
        for document in documents
    ]
    return Division("blocks", parted.reason, batches, set(), blocks)


def _groups(batches: Sequence[Batch], sizes: list[int], keys: list[int], share: float, seed: int) -> Division:
    """Records that begin alike are held out together, so that no source is in both parts."""
    numbers = {key: number for number, key in enumerate(dict.fromkeys(keys))}
    weights = [0] * len(numbers)
    for key, size in zip(keys, sizes, strict=True):
        weights[numbers[key]] += size
    found = whole(weights, share, seed, "documents")
    assert found is not None
    heldout = {n for n, key in enumerate(keys) if numbers[key] in found[0]}
    how = found[1]
    if heldout:
        how = f"{len(heldout)} of {len(keys)} records are held out, all that begin alike together"
    return Division("documents", how, batches, heldout, [])


def _whole(source: str) -> str:
    return re.sub(r"#\d+$", "", source)
