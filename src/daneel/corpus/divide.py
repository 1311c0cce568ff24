"""Batches on disk parted into training and held-out text, texts that share much of their wording on one side."""

import functools
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np

from daneel.corpus.card import share as percent
from daneel.corpus.connected import connected
from daneel.corpus.document import digest
from daneel.corpus.overlap import RUN, kin, shared, summarised
from daneel.corpus.pipeline import Batch, Row, read_rows, summary
from daneel.corpus.recipe import Kind
from daneel.corpus.split import BLOCK_WORDS, Unit, blocks, draw, near, parted
from daneel.corpus.words import Words

Array = np.ndarray[Any, Any]

PARTS = ("train", "heldout")


@dataclass(frozen=True)
class Division:
    """Which text belongs to which part."""

    unit: Literal["documents", "blocks"]
    how: str
    """One sentence for the manifest and the console."""
    batches: Sequence[Batch]
    heldout: Array
    """bool [N]: the documents, or blocks of them, that are held out."""
    passages: int = 0
    """Runs of ten words that were drawn from the held-out texts,"""
    shared: int = 0
    """and those of them that stand in training texts as well."""
    limit: int = 0
    """Words of a block."""

    def rows(self) -> Iterator[tuple[list[tuple[str, Row]], list[int]]]:
        """Part and document, batch by batch, and the words of each."""
        number = 0
        for batch in self.batches:
            rows = read_rows(batch.path)
            if self.unit == "documents":
                sides = self.heldout[number : number + len(rows)].tolist()
                yield [(PARTS[side], row) for side, row in zip(sides, rows, strict=True)], batch.sizes
                number += len(rows)
                continue
            cut = []
            for row in rows:
                texts = [text for text, _ in blocks(row.document.text, self.limit)]
                sides = self.heldout[number : number + len(texts)].tolist()
                parts = parted(row.document, texts, sides)
                cut += [(PARTS[side], replace(row, document=document)) for side, document in parts]
                number += len(texts)
            yield cut, Words([row.document.text for _, row in cut]).counts.tolist()

    def training(self) -> list[tuple[int, str]]:
        """Words and language of each training document, in order."""
        return [
            (size, row.document.language)
            for rows, sizes in self.rows()
            for (part, row), size in zip(rows, sizes, strict=True)
            if part == "train"
        ]


@dataclass(frozen=True)
class _Texts:
    """What the draw knows of N documents or blocks."""

    unit: Literal["documents", "blocks"]
    sizes: Array
    """int64 [N]: words of each."""
    keys: Array
    """uint64 [N]: equal for those that must stay together."""
    summaries: Sequence[Path]
    """What they share, by batch; see `overlap`."""
    kinds: str = ""
    """How many blocks of which kind."""

    @functools.cached_property
    def together(self) -> Array:
        """int64 [N]: for each the first one that it must stay with, or shares too much with."""
        return kin(self.summaries, self.keys)

    def drawn(self, target: float, seed: int, apart: bool) -> Array:
        """Which are held out, bool [N]; with `apart`, kin are never on both sides."""
        groups = self.together if apart else np.unique(self.keys, return_inverse=True)[1]
        return draw(self.sizes, self.keys, groups, target, seed)


def divide(
    batches: Sequence[Batch], share: float, seed: int, unit: Unit = "auto", kind: Kind = "documents"
) -> Division:
    """Hold out about `share` of the words, chosen with the seed: whole documents where that is possible.

    Memory holds a batch, some numbers a document or block, and what `overlap` says.
    """
    whole = _whole(batches, kind)
    if share == 0:
        return Division("documents", "nothing is held out, as asked", batches, np.zeros(len(whole.sizes), bool))
    target = share * float(whole.sizes.sum())
    limit = int(min(BLOCK_WORDS, max(target, 1)))
    ways = [] if unit == "blocks" and kind == "documents" else [whole]
    for apart in (True, False):
        # Documents are cut only where that meets the share.
        for number in range(2):
            if number == len(ways) and unit != "documents" and kind == "documents":
                ways.append(_cut(batches, limit))
            if number < len(ways):
                texts = ways[number]
                heldout = texts.drawn(target, seed, apart)
                if near(int(texts.sizes[heldout].sum()), target):
                    return _told(texts, heldout, batches, kind, limit)
    return _told(texts, heldout, batches, kind, limit)


def _whole(batches: Sequence[Batch], kind: Kind) -> _Texts:
    sizes = np.array([size for batch in batches for size in batch.sizes], np.int64)
    keys = np.array([key for batch in batches for key in batch.keys], np.uint64)
    if kind == "pairs":
        keys = connected(keys, np.array([key for batch in batches for key in batch.targets], np.uint64))
    return _Texts("documents", sizes, keys, [summary(batch.path) for batch in batches])


def _cut(batches: Sequence[Batch], limit: int) -> _Texts:
    kinds: Counter[str] = Counter()
    sizes, keys, summaries = [], [], []
    for batch in batches:
        pieces = [piece for row in read_rows(batch.path) for piece in blocks(row.document.text, limit)]
        kinds.update(kind for _, kind in pieces)
        words = Words([text for text, _ in pieces])
        sizes.append(words.counts)
        keys += [int(digest(text)[:16], 16) for text, _ in pieces]
        summaries.append(batch.path.with_suffix(".blocks.npz"))
        np.savez(summaries[-1], **summarised(words))  # type: ignore[arg-type]
    made = " and ".join(f"{count:,} {kind}" for kind, count in kinds.most_common())
    return _Texts("blocks", np.concatenate(sizes), np.array(keys, np.uint64), summaries, made)


def _told(texts: _Texts, heldout: Array, batches: Sequence[Batch], kind: Kind, limit: int) -> Division:
    """The division, what the held-out texts share with the training text, and a sentence about both."""
    documents, held = sum(len(batch.sizes) for batch in batches), int(heldout.sum())
    few = f"one {kind[:-1]}" if documents == 1 else f"{documents:,} {kind}"
    if not held:
        how = f"{few} with too little text to hold anything out"
        return Division(texts.unit, how, batches, heldout, limit=limit)
    if texts.unit == "blocks":
        how = f"{few} could not be parted by document at the asked share, so {held:,} of {texts.kinds} are held out"
    elif kind == "documents":
        how = f"whole documents are held out: {held:,} of {documents:,}"
    else:
        alike = "share a sentence on either side" if kind == "pairs" else "begin alike"
        how = f"{held:,} of {documents:,} {kind} are held out, all that {alike} together"
    if not (heldout == heldout[texts.together]).all():
        how += ", and texts that share much of their wording could not all be kept on one side"
    passages, both = shared(texts.summaries, heldout)
    if passages:
        how += f"; {percent(both, passages)} of the held-out passages of {RUN} words stand in the training text too"
    return Division(texts.unit, how, batches, heldout, passages, both, limit)
