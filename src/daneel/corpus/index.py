"""What a text shares with a corpus, word for word: lookups in its copy index.

Each fingerprint of the text is looked up. Fingerprints that follow each other in the text and, at the same distance,
in the corpus are one passage: they overlap, so nothing between them differs. Winnowing keeps a fingerprint within two
words of either end of a shared passage, so that only these words are compared with the corpus.
"""

import json
import warnings
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from daneel.corpus.document import Document
from daneel.corpus.index_build import (
    ARRAYS,
    CERTAIN,
    FORMAT,
    RUN,
    STRIDE,
    VERSION,
    WINDOW,
    Files,
    fingerprints,
    head,
    index_in_memory,
    tail,
)
from daneel.corpus.words import Words
from daneel.errors import DataError

Array = np.ndarray[Any, Any]

FOLDER = "index"
"""The index's place in the folder of its corpus."""
# Words of the corpus shown on either side of a passage.
_CONTEXT = 12
# Places of the corpus read at a time.
_AT_ONCE = 1024


@dataclass(frozen=True)
class Passage:
    """A run of words that a text and the corpus share, and that goes on in neither direction."""

    start: int
    """In the text, in code points."""
    end: int
    units: int
    """Words; a Chinese character is one."""
    source: str
    """The document of the corpus that has it; the first, if several have."""
    title: str
    before: str
    """A few words of the document that come before it."""
    copied: str
    """The passage as it stands in the document."""
    after: str


@dataclass(frozen=True)
class Span:
    """A part of a text that is copied, and what it belongs to."""

    start: int
    """In the text, in code points."""
    end: int
    passage: Passage


@dataclass(frozen=True)
class _Matches:
    """Passages as word numbers, int64 [M] each."""

    starts: Array
    """In the text."""
    ends: Array
    places: Array
    """Where the passage begins in the corpus."""

    def __getitem__(self, chosen: Any) -> "_Matches":
        return _Matches(self.starts[chosen], self.ends[chosen], self.places[chosen])

    def __len__(self) -> int:
        return len(self.starts)


class CopyIndex:
    """The index of a corpus, for lookups."""

    def __init__(self, files: Files):
        self._files = files
        self._bits = (len(files.buckets) - 1).bit_length() - 1

    @classmethod
    def open(cls, folder: Path) -> "CopyIndex":
        """The index that `write_index` wrote, memory-mapped. Raises DataError."""
        if (folder.parent / "train.jsonl").is_file():
            raise DataError(f"{folder.parent} is of pairs or conversations: only corpora of texts have a copy index")
        if not (folder / "meta.json").is_file():
            raise DataError(f"{folder.parent} has no copy index: build the corpus again with `daneel corpus build`")
        try:
            meta = json.loads((folder / "meta.json").read_text("utf-8"))
            if (meta["format"], meta["version"]) != (FORMAT, VERSION):
                raise DataError(f"{folder} is of another version of daneel: build the corpus again")
            arrays = {name: _mapped(folder / f"{name}.npy") for name in ARRAYS}
            texts = np.asarray(np.memmap(folder / "texts.txt", np.uint8, "r"))
            about = np.asarray(np.memmap(folder / "documents.jsonl", np.uint8, "r"))
            files = Files(**arrays, texts=texts, about=about)
            _check(files, meta)
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise DataError(f"{folder} is damaged ({error}): build the corpus again") from None
        return cls(files)

    @classmethod
    def of(cls, documents: Iterable[Document]) -> "CopyIndex":
        """An index of documents in memory: about twice the bytes of their text."""
        return cls(index_in_memory(documents))

    def passages(self, text: str, least: int = CERTAIN) -> list[Passage]:
        """Every passage of at least `least` words that lies in no longer one, in the order of the text.

        They may overlap. From eight words on all are found; shorter ones, by `least`, as far as they happen to be.
        Raises DataError if the index is damaged.
        """
        words = Words([text])
        try:
            return self._passages(words, self._maximal(words, least))
        except (LookupError, TypeError, ValueError) as error:
            raise DataError(f"the copy index is damaged ({error}): build the corpus again") from None

    def _maximal(self, words: Words, least: int) -> _Matches:
        """Of each end the longest match, unless another contains it; of equal ones the first in the corpus."""
        found = self._chains(words)
        # The longest first, so that what lies in them need not be read.
        found = found[np.lexsort((found.places, found.starts - found.ends))]
        reach = np.zeros(len(words) + 1, np.int64)
        done = []
        for first in range(0, len(found), _AT_ONCE):
            some = found[first : first + _AT_ONCE]
            low, high = np.maximum(some.starts - WINDOW + 1, 0), np.minimum(some.ends + WINDOW - 1, len(words))
            some = self._extend(words, some[(high - low >= least) & (reach[low] < high)])
            some = some[some.ends - some.starts >= least]
            np.maximum.at(reach, some.starts, some.ends)
            reach = np.maximum.accumulate(reach)
            done.append(some)
        every = _Matches(*(np.concatenate([np.empty(0, np.int64), *(getattr(m, name) for m in done)]).astype(np.int64)
                           for name in ("starts", "ends", "places")))  # fmt: skip
        every = every[np.lexsort((every.places, -every.ends, every.starts))]
        before = np.concatenate([[0], np.maximum.accumulate(every.ends)[:-1]]) if len(every) else every.ends
        return every[every.ends > before]

    def _chains(self, words: Words) -> _Matches:
        """Runs of fingerprints that text and corpus share."""
        at, hashes = fingerprints(words)
        numbers, places = self._look_up(hashes)
        shift = places - at[numbers]
        order = np.lexsort((numbers, shift))
        numbers, places, shift = numbers[order], places[order], shift[order]
        opens = np.ones(len(order), bool)
        opens[1:] = (np.diff(shift) != 0) | (np.diff(numbers) != 1)
        first = np.flatnonzero(opens)
        last = np.append(first[1:], len(order))[: len(first)] - 1
        return _Matches(at[numbers[first]], at[numbers[last]] + RUN, places[first])

    def _look_up(self, hashes: Array) -> tuple[Array, Array]:
        """Numbers of the hashes that the corpus has, and the words where it has them, int64 [N] each."""
        bucket = head(hashes, self._bits)
        low, high = (self._files.buckets[bucket + k].astype(np.int64) for k in (0, 1))
        sizes = high - low
        if np.any((sizes < 0) | (high > len(self._files.hashes))):
            raise ValueError("buckets.npy has entries out of order")
        numbers = np.repeat(np.arange(len(hashes)), sizes)
        entries = np.arange(len(numbers)) + np.repeat(low - np.cumsum(sizes) + sizes, sizes)
        same = self._files.hashes[entries] == tail(hashes, self._bits)[numbers]
        return numbers[same], self._files.positions[entries[same]].astype(np.int64)

    def _extend(self, words: Words, found: _Matches) -> _Matches:
        """Matches with the equal words before and after them, at most two of each."""
        if not len(found):
            return found
        sizes = found.ends - found.starts
        begin, stop, _ = self._document(found.places)
        most = WINDOW - 1
        left = np.minimum(np.minimum(found.starts, found.places - begin), most)
        right = np.minimum(np.minimum(len(words) - found.ends, stop - found.places - sizes), most)
        corpus, base = self._read(found.places - left, found.places + sizes + right)
        equal_left, equal_right = np.zeros_like(sizes), np.zeros_like(sizes)
        for k in range(1, most + 1):
            for equal, room, here, there in (
                (equal_left, left, found.starts - k, found.places - k),
                (equal_right, right, found.ends + k - 1, found.places + sizes + k - 1),
            ):
                on = np.flatnonzero((room >= k) & (equal == k - 1))
                equal[on[words.hashes[here[on]] == corpus.hashes[base[on] + there[on]]]] = k
        return _Matches(found.starts - equal_left, found.ends + equal_right, found.places - equal_left)

    def _document(self, places: Array) -> tuple[Array, Array, Array]:
        """Of the documents that words of the corpus are in: first words, ends and numbers."""
        firsts = self._files.documents[:, 0]
        numbers = np.searchsorted(firsts, places, side="right") - 1
        return firsts[numbers], firsts[numbers + 1], numbers

    def _read(self, starts: Array, stops: Array) -> tuple[Words, Array]:
        """Words of the corpus from the text, int64 [N] ranges; add `base` [N] to a word's number to find it there."""
        known = starts // STRIDE
        edges = zip(self._files.offsets[known].tolist(), self._files.offsets[-(-stops // STRIDE)].tolist(), strict=True)
        pieces = [self._files.texts[a:b].tobytes().decode("utf-8", "surrogatepass") for a, b in edges]
        words = Words(pieces)
        return words, words.bounds[:-1] - known * STRIDE

    def _passages(self, words: Words, found: _Matches) -> list[Passage]:
        if not len(found):
            return []
        sizes = found.ends - found.starts
        begin, stop, documents = self._document(found.places)
        low = np.maximum(found.places - _CONTEXT, begin)
        high = np.minimum(found.places + sizes + _CONTEXT, stop)
        corpus, base = self._read(low, high)
        shown = []
        for n, document in enumerate(documents.tolist()):
            row = self._files.about[slice(*self._files.documents[document : document + 2, 1])]
            about = json.loads(row.tobytes())
            first, last = (int(base[n] + x) for x in (found.places[n], found.places[n] + sizes[n] - 1))
            copied = corpus.passage(first, last)
            whole = corpus.passage(int(base[n] + low[n]), int(base[n] + high[n] - 1))
            before = int(corpus.starts[first] - corpus.starts[base[n] + low[n]])
            a, b = int(found.starts[n]), int(found.ends[n]) - 1
            shown.append(
                Passage(
                    start=int(words.starts[a]),
                    end=int(words.starts[b] + words.lengths[b]),
                    units=int(sizes[n]),
                    source=about["source"],
                    title=about["title"],
                    before=whole[:before],
                    copied=copied,
                    after=whole[before + len(copied) :],
                )
            )
        return shown


def share_out(text: str, passages: Iterable[Passage]) -> list[Span]:
    """The copied parts of a text, in its order: where passages overlap, the longer one has the words."""
    spans = []
    taken = np.zeros(len(text), bool)
    for passage in sorted(passages, key=lambda passage: -passage.units):
        # No passage lies in another, so what longer ones leave of it is one piece.
        rest = np.flatnonzero(~taken[passage.start : passage.end]) + passage.start
        taken[passage.start : passage.end] = True
        if len(rest):
            start = int(rest[0])
            piece = text[start : int(rest[-1]) + 1]
            spans.append(Span(start + len(piece) - len(piece.lstrip()), start + len(piece.rstrip()), passage))
    return sorted(spans, key=lambda span: span.start)


def _mapped(path: Path) -> Array:
    # Reads .npy alone, and refuses Python objects: nothing is unpickled. A damaged header raises anything that a
    # parser of Python raises, or warns.
    try:
        with warnings.catch_warnings(action="error"):
            array = np.asarray(np.lib.format.open_memmap(path, mode="r"))
    except Exception as error:
        raise ValueError(f"{path.name}: {error}") from None
    if array.dtype.kind not in "iu":
        raise ValueError(f"{path.name} holds {array.dtype}")
    return array


def _check(files: Files, meta: dict[str, Any]) -> None:
    sizes = {
        "hashes.npy": (len(files.hashes), meta["fingerprints"]),
        "positions.npy": (len(files.positions), meta["fingerprints"]),
        "buckets.npy": (int(files.buckets[-1]), meta["fingerprints"]),
        "offsets.npy": (len(files.offsets), -(-meta["words"] // STRIDE) + 1),
        "documents.npy": (files.documents.shape, (meta["documents"] + 1, 2)),
        "texts.txt": (len(files.texts), meta["bytes"]),
    }
    for name, (found, expected) in sizes.items():
        if found != expected:
            raise ValueError(f"{name} has {found} entries, not {expected}")
