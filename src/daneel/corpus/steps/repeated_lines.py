"""Lines that many documents share: headers and footers, "Share this on Facebook", notices of licences."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from math import ceil
from pathlib import Path
from typing import Annotated, Any, ClassVar

import numpy as np

from daneel.corpus.settings import Range, Settings, Share
from daneel.corpus.step import Arrays, Batch, Note, Result, Run
from daneel.corpus.steps.common import short
from daneel.corpus.summaries import column
from daneel.corpus.words import Words, mix

Array = np.ndarray[Any, Any]

_LINE_END = ord("\n")
_OPENING = np.array([ord(sign) for sign in "\"'“‘”「『«»„—"], np.uint32)
# Lines a task counts: 12 bytes each, and as many again to sort them.
_LINES = 1 << 23


@dataclass(frozen=True)
class RepeatedLines(Settings):
    """Removes lines that stand in many documents, whatever their case and punctuation.

    How often a line stands in one document does not count, so refrains stay; so does what opens with a quotation mark
    or dash, since people say the same in many books.
    """

    name: ClassVar[str] = "repeated_lines"
    documents: Annotated[int, Range(2, 1_000_000_000)] = 10
    """So many documents must have the line,"""
    share: Share = 0.001
    """and such a part of all documents."""
    words: Annotated[float, Range(0, 1_000_000)] = 4
    """Shorter lines stay, such as `CHAPTER I`; a Chinese character counts as half a word."""

    def summarise(self, batch: Batch) -> Arrays:
        """Each line of the batch once, uint64 [L] ascending, in how many documents it stands, uint32 [L]."""
        lines = _Lines(batch, self.words)
        order = np.lexsort((lines.owners, lines.hashes))
        hashes, owners = lines.hashes[order], lines.owners[order]
        fresh = np.ones(len(hashes), bool)
        fresh[1:] = (hashes[1:] != hashes[:-1]) | (owners[1:] != owners[:-1])
        found, times = np.unique(hashes[fresh], return_counts=True)
        return {"lines": found, "times": times.astype(np.uint32), "documents": np.array(len(batch))}

    def decide(self, summaries: Sequence[Path], run: Run) -> list[Arrays]:
        """The lines that go, the same for every batch."""
        if not summaries:
            return []
        total = sum(int(column(path, "documents")) for path in summaries)
        least = max(self.documents, ceil(self.share * total))
        parts = 1 + sum(len(column(path, "lines")) for path in summaries) // _LINES
        # Hashes are spread evenly, so their highest bits part them into tasks of one size.
        cuts = [(number << 64) // parts for number in range(parts + 1)]
        found = run(_frequent, [(summaries, low, high - 1, least) for low, high in pairwise(cuts)])
        lines = np.concatenate(list(found))
        return [{"lines": lines}] * len(summaries)

    def apply(self, batch: Batch, verdict: Arrays) -> Result:
        """The batch without those lines; a document that has no others is dropped."""
        result = Result(list(batch))
        lines = _Lines(batch, self.words)
        gone = np.isin(lines.hashes, verdict["lines"])
        owners, numbers = lines.owners[gone], lines.numbers[gone]
        for place in np.unique(owners).tolist():
            document = batch[place]
            all_lines = document.text.split("\n")
            out = numbers[owners == place].tolist()
            text = _without(all_lines, set(out))
            note = Note("lines repeated across documents removed", short(all_lines[out[0]]), len(out))
            if not text.strip():
                note = replace(note, what="nothing but lines repeated across documents", times=1, dropped=True)
            result.documents[place] = None if note.dropped else replace(document, text=text)
            result.notes.append((place, note))
        return result


class _Lines:
    """The lines of a batch that are long enough and no speech."""

    def __init__(self, batch: Batch, least: float):
        words = Words([document.text for document in batch])
        ends = np.cumsum(words.codes == _LINE_END)
        # A text ends in a line end of its own: line n begins after n line ends.
        line = ends[words.starts]
        first = np.flatnonzero(np.diff(line, prepend=-1))
        counts = np.diff(first, append=len(line))
        place = np.arange(len(line)) - np.repeat(first, counts)
        values = mix(words.hashes + place.astype(np.uint64))
        # Without words there is nothing to add up.
        weights = np.add.reduceat(1 - 0.5 * words.han, first) if len(first) else np.empty(0)
        hashes = mix(np.add.reduceat(values, first)) if len(first) else values
        before = words.codes[words.starts[first] - 1]
        chosen = (weights >= least) & ~np.isin(before, _OPENING)
        owners = np.searchsorted(words.texts, words.starts[first], "right") - 1
        begins = np.concatenate([[0], ends])[words.texts[:-1]]
        self.hashes: Array = hashes[chosen]
        """uint64 [L]"""
        self.owners: Array = owners[chosen]
        """int64 [L]: the place of each one's document."""
        self.numbers: Array = line[first][chosen] - begins[self.owners]
        """int64 [L]: which line of its document each is."""


def _frequent(task: tuple[Sequence[Path], int, int, int]) -> Array:
    """The lines, of those with hashes from `low` to `high`, that `least` documents have."""
    paths, low, high, least = task
    lines, times = [], []
    for path in paths:
        own = column(path, "lines")
        start = np.searchsorted(own, np.uint64(low))
        stop = np.searchsorted(own, np.uint64(high), "right")
        lines.append(own[start:stop])
        times.append(column(path, "times")[start:stop])
    hashes, places = np.unique(np.concatenate(lines), return_inverse=True)
    sums = np.bincount(places, np.concatenate(times), len(hashes))
    return np.asarray(hashes[sums >= least])


def _without(lines: list[str], gone: set[int]) -> str:
    """The other lines; where a paragraph is gone, one blank line stays of the two around it."""
    kept: list[str] = []
    removed = False
    for number, line in enumerate(lines):
        if number in gone:
            removed = True
        elif not (removed and not line.strip() and not (kept and kept[-1].strip())):
            kept.append(line)
            removed = False
    return "\n".join(kept)
