"""The copy index of a corpus: fingerprints of its training text, sorted, beside the text itself.

Runs of six words are hashed, and of every three neighbouring runs the one with the least hash is kept: winnowing
(Schleimer, Wilkerson and Aiken, SIGMOD 2003). Two texts that share eight words or more therefore share a fingerprint,
for certain, and half of all runs need not be kept. Words are those of `daneel.corpus.words`: case, punctuation, quotes
and line breaks do not count, and a Chinese character is a word.

The folder, all of it memory-mapped: `texts.txt` (UTF-8, a line end after each document), `documents.jsonl` (source and
title), and as `.npy` `hashes`, `positions` (in order of their hash), `buckets`, `offsets`, `documents`; see `Files`.
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from daneel.corpus.document import Document
from daneel.corpus.words import Words
from daneel.run import atomic_dir

Array = np.ndarray[Any, Any]

RUN, WINDOW = 6, 3
"""Words that are hashed together, and neighbouring runs of which one is kept."""
CERTAIN = RUN + WINDOW - 1
"""Words from which on a shared passage is found for certain."""
STRIDE = 32
"""Words from one known place in the text to the next."""
FORMAT, VERSION = "daneel-copy-index", 1
ARRAYS = ("hashes", "positions", "buckets", "offsets", "documents")

# Characters whose words are told apart at a time: about 60 bytes of memory each.
_CHARACTERS = 1 << 20
# Fingerprints in memory before they go to disk, parted by the first bits of their hash so that each part is sorted
# by itself.
_IN_MEMORY = 1 << 22
_PART_BITS = 6
_FINGERPRINT = np.dtype([("hash", np.uint64), ("position", np.uint64)])


@dataclass(frozen=True)
class Files:
    """An index, in memory or memory-mapped; words are numbered through all documents.

    With F fingerprints, W words, D documents, B first bits of a hash:
    """

    hashes: Array
    """uint32 [F]: of each fingerprint the 32 bits after the first B, ascending within a bucket."""
    positions: Array
    """uint32 or uint64 [F]: the first word of each."""
    buckets: Array
    """uint32 or uint64 [2**B + 1]: where the fingerprints of each value of the first B bits begin."""
    offsets: Array
    """uint32 or uint64 [ceil(W / 32) + 1]: the byte where every 32nd word begins, and the end."""
    documents: Array
    """int64 [D + 1, 2]: the first word of each document, and the first byte of its line in `about`."""
    texts: Array
    """uint8: the documents in UTF-8."""
    about: Array
    """uint8: a line of JSON each."""


def fingerprints(words: Words, run: int = RUN) -> tuple[Array, Array]:
    """Of some texts: the first words of the runs that are kept, int64 [F] ascending, and their hashes, uint64 [F]."""
    hashes, begins = words.grams(run)
    windows = max(0, len(hashes) - WINDOW + 1)
    least, at = hashes[:windows].copy(), np.arange(windows)
    for k in range(1, WINDOW):
        # Of equal hashes the last is taken, so that a run of one word repeated does not keep every place.
        less = hashes[k : k + windows] <= least
        least[less] = hashes[k : k + windows][less]
        at[less] = np.flatnonzero(less) + k
    whole = np.ones(windows, bool)
    for k in range(1, WINDOW):
        crossing = begins[1:] - k
        whole[crossing[(crossing >= 0) & (crossing < windows)]] = False
    kept = np.zeros(len(hashes), bool)
    kept[at[whole]] = True
    runs = np.flatnonzero(kept)
    texts = np.searchsorted(begins, runs, side="right") - 1
    return words.bounds[texts] + runs - begins[texts], hashes[runs]


def write_index(batches: Iterable[Sequence[Document]], folder: Path) -> None:
    """Index documents in the order in which they come; equal documents give equal bytes.

    Memory does not grow with the corpus but for half a byte a word; beside the index, the disk needs 16 bytes a
    fingerprint while it is made.
    """
    with atomic_dir(folder) as new:
        with (new / "texts.txt").open("wb") as texts, (new / "documents.jsonl").open("wb") as about:
            builder = _Builder(texts, about, new)
            for batch in batches:
                builder.add(batch)
        with (new / "hashes.npy").open("wb") as hashes, (new / "positions.npy").open("wb") as positions:
            _head(hashes, np.uint32, builder.count)
            _head(positions, _unsigned(builder.words), builder.count)
            for hash_part, position_part in builder.sorted():
                hash_part.tofile(hashes)
                position_part.tofile(positions)
        np.save(new / "buckets.npy", builder.buckets)
        np.save(new / "offsets.npy", builder.offsets)
        np.save(new / "documents.npy", builder.documents)
        meta = {
            "format": FORMAT,
            "version": VERSION,
            "words": builder.words,
            "documents": len(builder.documents) - 1,
            "bytes": builder.bytes,
            "fingerprints": builder.count,
        }
        (new / "meta.json").write_text(json.dumps(meta, indent=2) + "\n", "utf-8")


def index_in_memory(documents: Iterable[Document]) -> Files:
    """The same index without files."""
    texts, about = BytesIO(), BytesIO()
    builder = _Builder(texts, about, None)
    builder.add(list(documents))
    ((hashes, positions),) = builder.sorted()
    raw = (np.frombuffer(file.getbuffer(), np.uint8) for file in (texts, about))
    return Files(hashes, positions, builder.buckets, builder.offsets, builder.documents, *raw)


class _Builder:
    """Takes documents, gives the arrays."""

    def __init__(self, texts: BinaryIO, about: BinaryIO, spill: Path | None):
        """With a folder `spill`, fingerprints are kept there when they grow many."""
        self._texts, self._about, self._spill = texts, about, spill
        self.words = self.bytes = self.count = 0
        self._offsets: list[Array] = []
        self._documents: list[tuple[int, int]] = [(0, 0)]
        self._waiting: list[Array] = []
        self._spilled = False

    def add(self, batch: Sequence[Document]) -> None:
        """The next documents."""
        for group in _groups(batch):
            words = Words([document.text for document in group])
            self._add(words)
            ends = self.words + words.bounds[1:]
            for document, end in zip(group, ends.tolist(), strict=True):
                row = json.dumps({"source": document.source, "title": document.title}, ensure_ascii=False) + "\n"
                raw = row.encode("utf-8", "replace")
                self._about.write(raw)
                self._documents.append((end, self._documents[-1][1] + len(raw)))
            self.words += len(words)

    def _add(self, words: Words) -> None:
        places = words.starts[-self.words % STRIDE :: STRIDE]
        # Bytes of UTF-8: one, and one more from each of these on.
        sizes = np.ones(len(words.codes), np.uint8)
        for first in (0x80, 0x800, 0x10000):
            sizes += words.codes >= first
        ends = np.cumsum(sizes, dtype=np.int64)
        self._offsets.append(self.bytes + ends[places] - sizes[places])
        raw = words.codes.tobytes().decode("utf-32-le", "surrogatepass").encode("utf-8", "surrogatepass")
        self._texts.write(raw)
        self.bytes += len(raw)
        positions, hashes = fingerprints(words)
        found = np.empty(len(hashes), _FINGERPRINT)
        found["hash"], found["position"] = hashes, positions + self.words
        self._waiting.append(found)
        self.count += len(found)
        if self._spill and sum(map(len, self._waiting)) > _IN_MEMORY:
            self._put_away()

    @property
    def offsets(self) -> Array:
        """See `Files`."""
        every = np.concatenate([*self._offsets, np.array([self.bytes])])
        return every.astype(_unsigned(self.bytes))

    @property
    def documents(self) -> Array:
        """See `Files`."""
        return np.array(self._documents, np.int64)

    def sorted(self) -> Iterator[tuple[Array, Array]]:
        """Hashes and positions in parts that follow each other; then `buckets` is known."""
        # About sixteen fingerprints a bucket.
        bits = max(_PART_BITS, self.count.bit_length() - 4)
        sizes = np.zeros((1 << bits) + 1, np.int64)
        for part in self._parts():
            part = part[np.argsort(part["hash"], kind="stable")]
            if len(part):
                heads = head(part["hash"], bits)
                counts = np.bincount(heads - heads[0])
                sizes[1 + heads[0] : 1 + heads[0] + len(counts)] += counts
            yield tail(part["hash"], bits), part["position"].astype(_unsigned(self.words))
        self.buckets = np.cumsum(sizes).astype(_unsigned(self.count))

    def _put_away(self) -> None:
        assert self._spill
        found = np.concatenate(self._waiting)
        self._waiting, self._spilled = [], True
        parts = head(found["hash"], _PART_BITS)
        found = found[np.argsort(parts, kind="stable")]
        ends = np.cumsum(np.bincount(parts, minlength=1 << _PART_BITS))
        for number, part in enumerate(np.split(found, ends[:-1])):
            with self._part(number).open("ab") as file:
                part.tofile(file)

    def _parts(self) -> Iterator[Array]:
        if not self._spilled:
            yield np.concatenate([np.empty(0, _FINGERPRINT), *self._waiting])
            return
        if self._waiting:
            self._put_away()
        for number in range(1 << _PART_BITS):
            yield np.fromfile(self._part(number), _FINGERPRINT)
            self._part(number).unlink()

    def _part(self, number: int) -> Path:
        assert self._spill
        return self._spill / f"part-{number:02}"


def _groups(batch: Sequence[Document]) -> Iterator[list[Document]]:
    group: list[Document] = []
    size = 0
    for document in batch:
        if group and size + len(document.text) > _CHARACTERS:
            yield group
            group, size = [], 0
        group.append(document)
        size += len(document.text)
    if group:
        yield group


def head(hashes: Array, bits: int) -> Array:
    """int64: the first bits of hashes."""
    return (hashes >> np.uint64(64 - bits)).astype(np.int64)


def tail(hashes: Array, bits: int) -> Array:
    """uint32: the 32 bits after them."""
    return (hashes >> np.uint64(32 - bits)).astype(np.uint32)


def _head(file: BinaryIO, kind: type[np.unsignedinteger[Any]], count: int) -> None:
    """Begin an .npy file whose numbers are written part by part."""
    form = {"descr": np.lib.format.dtype_to_descr(np.dtype(kind)), "fortran_order": False, "shape": (count,)}
    np.lib.format.write_array_header_1_0(file, form)


def _unsigned(most: int) -> type[np.unsignedinteger[Any]]:
    return np.uint32 if most < 1 << 32 else np.uint64
