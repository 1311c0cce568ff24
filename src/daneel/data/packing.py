"""Token ids packed into rows of one length, on disk, without padding where the text allows it."""

import hashlib
import json
from bisect import bisect_left, insort
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from daneel.errors import DataError
from daneel.run import atomic_dir

Array = np.ndarray[Any, Any]

# What a row knows of each of its tokens.
START, LOSS, PAD = 1, 2, 4
# Conversations that best-fit may choose from at a time, and tokens a file holds: both bound the memory.
WINDOW = 8192
SHARD_TOKENS = 1 << 24


@dataclass
class Document:
    """Ids of one text or conversation, its beginning and end tokens included."""

    ids: list[int] | Array
    loss: list[bool] | None = None
    """Which of the ids are learned; all, when None."""


@dataclass
class Meta:
    """What `meta.json` says of the rows."""

    length: int
    """Inputs a row."""
    rows: int = 0
    documents: int = 0
    tokens: int = 0
    """Of the documents as packed, without padding and repetition."""
    loss_tokens: int = 0
    """Targets that are learned in one epoch."""
    wrapped: int = 0
    """Tokens of the stream's beginning that fill its last row."""
    padding: int = 0
    """Positions left empty."""
    cut_documents: int = 0
    """Conversations longer than a row, whose end was cut."""
    cut_tokens: int = 0
    no_loss: int = 0
    """Conversations left out since nothing in them would be learned (the prompt alone fills a row)."""
    files: int = 0
    sha256: str = ""


class Shards:
    """Packed rows in a folder, memory-mapped."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.meta = Meta(**json.loads((folder / "meta.json").read_text("utf-8")))
        names = range(self.meta.files)
        self._ids = [np.load(folder / f"ids-{n:05}.npy", mmap_mode="r") for n in names]
        self._flags = [np.load(folder / f"flags-{n:05}.npy", mmap_mode="r") for n in names]
        self._ends = np.cumsum([len(ids) for ids in self._ids])

    def __len__(self) -> int:
        return self.meta.rows

    @property
    def tokens(self) -> int:
        """Tokens of the documents as packed."""
        return self.meta.tokens

    @property
    def padding_share(self) -> float:
        """Part of all positions that is empty."""
        return self.meta.padding / (self.meta.rows * (self.meta.length + 1))

    def rows(self, numbers: Array) -> tuple[Array, Array]:
        """Ids and flags of some rows: one token more than the inputs, the last row's target."""
        width = self.meta.length + 1
        ids, flags = np.empty((len(numbers), width), np.int64), np.empty((len(numbers), width), np.uint8)
        files = np.searchsorted(self._ends, numbers, side="right")
        for file in np.unique(files):
            here = files == file
            within = numbers[here] - (self._ends[file] - len(self._ids[file]))
            ids[here], flags[here] = self._ids[file][within], self._flags[file][within]
        return ids, flags


def write_shards(documents: Iterable[Document], out: Path, length: int, whole: bool) -> Shards:
    """Pack documents into rows of `length` inputs and their targets.

    Raw text (`whole=False`) is one stream cut into rows, without padding; its last row is filled from the
    stream's beginning. Conversations (`whole=True`) stay whole, best-fit; what none of them fills is padding.
    """
    meta = Meta(length)
    rows = _best_fit(documents, meta) if whole else _stream(documents, meta)
    digest = hashlib.sha256(f"{length}".encode())
    with atomic_dir(out) as folder:
        while block := list(islice(rows, max(1, SHARD_TOKENS // (length + 1)))):
            ids, flags = (np.stack(part) for part in zip(*block, strict=True))
            np.save(folder / f"ids-{meta.files:05}.npy", ids)
            np.save(folder / f"flags-{meta.files:05}.npy", flags)
            digest.update(ids.tobytes())
            digest.update(flags.tobytes())
            meta.files += 1
            meta.rows += len(ids)
            meta.loss_tokens += int(np.count_nonzero(flags[:, 1:] & (LOSS | START) == LOSS))
        if not meta.loss_tokens:
            raise DataError(
                f"nothing to learn in {meta.documents} documents: no token in rows of {length} carries loss"
            )
        meta.sha256 = digest.hexdigest()
        (folder / "meta.json").write_text(json.dumps(asdict(meta), indent=2), "utf-8")
    return Shards(out)


def _arrays(document: Document) -> tuple[Array, Array]:
    ids = np.array(document.ids, np.uint32)
    flags = np.full(len(ids), LOSS, np.uint8)
    if document.loss is not None:
        flags[~np.array(document.loss, bool)] = 0
    flags[0] |= START
    return ids, flags


def _stream(documents: Iterable[Document], meta: Meta) -> Iterator[tuple[Array, Array]]:
    length = meta.length
    ids, flags = np.empty(0, np.uint32), np.empty(0, np.uint8)
    first: tuple[Array, Array] | None = None
    for document in documents:
        if not len(document.ids):
            continue
        more_ids, more_flags = _arrays(document)
        meta.documents += 1
        meta.tokens += len(more_ids)
        ids, flags = np.concatenate([ids, more_ids]), np.concatenate([flags, more_flags])
        if first is None and len(ids) > length:
            first = ids[: length + 1], flags[: length + 1]
        # A row's last target is the next row's first input.
        full = max(0, len(ids) - 1) // length
        for start in range(0, full * length, length):
            yield ids[start : start + length + 1], flags[start : start + length + 1]
        ids, flags = ids[full * length :], flags[full * length :]
    rest = len(ids)
    if rest > 1 or (rest and first is None):
        meta.wrapped = length + 1 - rest
        head_ids, head_flags = first or (ids, flags)
        yield (
            np.concatenate([ids, np.resize(head_ids, meta.wrapped)]),
            np.concatenate([flags, np.resize(head_flags, meta.wrapped)]),
        )


def _best_fit(documents: Iterable[Document], meta: Meta) -> Iterator[tuple[Array, Array]]:
    width = meta.length + 1
    source = iter(documents)
    while window := list(islice(source, WINDOW)):
        pieces = []
        for document in window:
            if not len(document.ids):
                continue
            ids, flags = _arrays(document)
            meta.documents += 1
            if not np.any(flags[1:width] & LOSS):
                meta.no_loss += 1
                continue
            if len(ids) > width:
                meta.cut_documents += 1
                meta.cut_tokens += len(ids) - width
            pieces.append((ids[:width], flags[:width]))
        pieces.sort(key=lambda piece: -len(piece[0]))  # stable, so equal lengths keep their order
        # Bins by the room they have left; the longest piece goes first, into the tightest bin it fits.
        bins: list[list[tuple[Array, Array]]] = []
        room: list[tuple[int, int]] = []
        for piece in pieces:
            size = len(piece[0])
            at = bisect_left(room, (size, -1))
            left, number = room.pop(at) if at < len(room) else (width, len(bins))
            if number == len(bins):
                bins.append([])
            bins[number].append(piece)
            insort(room, (left - size, number))
        for bin in bins:
            used = sum(len(ids) for ids, _ in bin)
            meta.tokens += used
            meta.padding += width - used
            empty = width - used
            yield (
                np.concatenate([*(ids for ids, _ in bin), np.zeros(empty, np.uint32)]),
                np.concatenate([*(flags for _, flags in bin), np.full(empty, PAD, np.uint8)]),
            )
