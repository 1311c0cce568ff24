"""Token ids packed into rows of one length, on disk, without padding where the text allows it."""

import hashlib
import json
import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from daneel.errors import DataError
from daneel.run import atomic_dir

Array = np.ndarray[Any, Any]

# What a row knows of each of its tokens.
START, LOSS, PAD = 1, 2, 4
KINDS = ("ids", "flags", "source", "source_flags", "reference")
"""The arrays of a file of rows: tokens, what an encoder reads, and log-probabilities by the model to start from."""
# Conversations that best-fit may choose from at a time, and tokens a file holds: both bound the memory.
WINDOW = 8192
SHARD_TOKENS = 1 << 24


@dataclass
class Document:
    """Ids of one text or conversation, its beginning and end tokens included."""

    ids: list[int] | Array
    loss: list[bool] | None = None
    """Which of the ids are learned; all, when None."""
    source: list[int] | Array | None = None
    """What an encoder reads, of a pair whose target the ids are."""
    label: int | None = None
    """Of a text whose label is learned: what its last token shall tell; nothing else of it carries loss."""
    rejected: "Document | None" = None
    """The worse of two answers, of a preference whose better one the ids are: they stand side by side in one row."""


@dataclass
class Meta:
    """What `meta.json` says of the rows."""

    length: int
    """Inputs a row."""
    source: int = 0
    """Tokens a row that an encoder reads, of pairs and texts with gaps."""
    rows: int = 0
    documents: int = 0
    tokens: int = 0
    """Of the documents as packed, without padding and repetition."""
    loss_tokens: int = 0
    """Targets that are learned in one epoch."""
    loss_bytes: int = 0
    """Of the text that they stand for, in UTF-8; 0 where nobody counted."""
    wrapped: int = 0
    """Tokens of the stream's beginning that fill its last row."""
    padding: int = 0
    """Positions left empty."""
    cut_documents: int = 0
    """Conversations and texts longer than a row, whose end was cut."""
    cut_tokens: int = 0
    too_long: int = 0
    """Pairs and preferences left out since they are longer than a row: cut, they would teach to leave out the end."""
    no_loss: int = 0
    """Conversations left out since nothing in them would be learned (the prompt alone fills a row)."""
    parts: list[int] = field(default_factory=list)
    """Rows of each source of a mixture, one after another."""
    weights: list[float] = field(default_factory=list)
    """How much of what is learned comes from each."""
    files: int = 0
    sha256: str = ""

    def bits_per_byte(self, loss: float) -> float | None:
        """Nats a learned token, as bits a byte of text; None where the bytes are not known."""
        return loss / math.log(2) * self.loss_tokens / self.loss_bytes if self.loss_bytes else None


@dataclass(frozen=True)
class Mixture:
    """Documents of several sources, with the weight of each."""

    sources: Sequence[Iterable[Document]]
    weights: Sequence[float]


class Shards:
    """Packed rows in a folder, memory-mapped."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.meta = Meta(**json.loads((folder / "meta.json").read_text("utf-8")))
        names = range(self.meta.files)
        kinds = [kind for kind in KINDS if (folder / f"{kind}-00000.npy").exists()]
        self._files = [{kind: np.load(folder / f"{kind}-{n:05}.npy", mmap_mode="r") for kind in kinds} for n in names]
        self._ends = np.cumsum([len(parts["ids"]) for parts in self._files])

    def __len__(self) -> int:
        return self.meta.rows

    def order(self, seed: int, epoch: int) -> Array:
        """The rows of an epoch, int64: each once, or of a mixture as many of each source as its weight asks for.

        A source goes on in the next epoch where it stood, and begins again when all its rows have come.
        """
        draw = np.random.default_rng((seed, epoch))
        if not self.meta.weights:
            return draw.permutation(len(self))
        ends = np.cumsum(self.meta.weights) / sum(self.meta.weights) * len(self)
        counts = np.diff(np.round(ends).astype(np.int64), prepend=0)
        picked, first = [], 0
        for part, (rows, count) in enumerate(zip(self.meta.parts, counts, strict=True)):
            passes, places = np.divmod(np.arange(epoch * count, (epoch + 1) * count), rows)
            for each in np.unique(passes):
                order = np.random.default_rng((seed, part, each)).permutation(rows)
                picked.append(first + order[places[passes == each]])
            first += rows
        return draw.permutation(np.concatenate(picked))

    @property
    def tokens(self) -> int:
        """Tokens of the documents as packed."""
        return self.meta.tokens

    @property
    def padding_share(self) -> float:
        """Part of all positions that is empty."""
        return self.meta.padding / (self.meta.rows * (self.meta.length + 1))

    def rows(self, numbers: Array) -> dict[str, Array]:
        """The arrays of some rows, by `KINDS`; one token more than the inputs."""
        out = {
            kind: np.empty((len(numbers), part.shape[1]), np.int64 if part.dtype == np.uint32 else part.dtype)
            for kind, part in self._files[0].items()
        }
        files = np.searchsorted(self._ends, numbers, side="right")
        for file in np.unique(files):
            here = files == file
            within = numbers[here] - (self._ends[file] - len(self._files[file]["ids"]))
            for kind, part in self._files[file].items():
                out[kind][here] = part[within]
        return out


def write_shards(
    documents: Iterable[Document] | Mixture, out: Path, length: int, whole: bool, sizes: Array | None = None,
    more: Callable[[dict[str, Array]], dict[str, Array]] | None = None, source: int | None = None,
) -> Shards:  # fmt: skip
    """Pack documents into rows of `length` inputs and their targets.

    Raw text (`whole=False`) is one stream cut into rows, without padding; its last row is filled from the
    stream's beginning. Conversations (`whole=True`) stay whole, best-fit; what none of them fills is padding. So do
    pairs, whose sources and targets stand in the same row and order. `sizes` gives the bytes of each token, [V];
    `more` gives further arrays of some rows. `source` tokens are read by an encoder, by default one more than `length`.
    """
    meta = Meta(length, source or length + 1)
    mixture = documents if isinstance(documents, Mixture) else Mixture([documents], [])
    meta.weights = list(mixture.weights)
    rows = _rows(mixture, meta, whole)
    digest = hashlib.sha256(f"{length} {meta.weights or ''}".strip().encode())
    with atomic_dir(out) as folder:
        while block := list(islice(rows, max(1, SHARD_TOKENS // (length + 1)))):
            parts = {kind: np.stack(part) for kind, part in zip(KINDS, zip(*block, strict=True), strict=False)}
            if more is not None:
                parts |= more(parts)
            for kind, part in parts.items():
                np.save(folder / f"{kind}-{meta.files:05}.npy", part)
                digest.update(part.tobytes())
            meta.files += 1
            meta.rows += len(parts["ids"])
            learned = parts["ids"][:, 1:][parts["flags"][:, 1:] & (LOSS | START) == LOSS]
            meta.loss_tokens += len(learned)
            if sizes is not None:
                meta.loss_bytes += int(sizes[learned].sum())
        if not meta.loss_tokens:
            raise DataError(
                f"nothing to learn in {meta.documents} documents: no token in rows of {length} carries loss"
            )
        meta.sha256 = digest.hexdigest()
        (folder / "meta.json").write_text(json.dumps(asdict(meta), indent=2), "utf-8")
    return Shards(out)


def _rows(mixture: Mixture, meta: Meta, whole: bool) -> Iterator[tuple[Array, ...]]:
    """The rows of one source after another; a row holds documents of one source."""
    for source in mixture.sources:
        count = 0
        for row in packed(source, meta) if whole else _stream(source, meta):
            count += 1
            yield row
        if mixture.weights:
            if not count:
                raise DataError("a source of the mixture fills no row: leave it out, or raise --length")
            meta.parts.append(count)


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


def packed(documents: Iterable[Document], meta: Meta) -> Iterator[tuple[Array, ...]]:
    """Rows of whole documents, best fit, the longest first; pairs fit where both sides do."""
    widths = np.array([meta.length + 1, meta.source])
    waiting = iter(documents)
    while window := list(islice(waiting, WINDOW)):
        pieces = [piece for document in window if (piece := _piece(document, meta))]
        pieces.sort(key=lambda piece: -max(map(len, piece[::2])))  # stable, so equal lengths keep their order
        bins: list[list[tuple[Array, ...]]] = []
        room = np.tile(widths, (len(pieces), 1))
        for piece in pieces:
            sizes = [len(side) for side in piece[::2]]
            left = room[: len(bins), : len(sizes)] - sizes
            fits = np.flatnonzero((left >= 0).all(1))
            # The tightest of the open rows; of equal ones the first.
            at = int(fits[left[fits].sum(1).argmin()]) if len(fits) else len(bins)
            if at == len(bins):
                bins.append([])
            bins[at].append(piece)
            room[at, : len(sizes)] -= sizes
        for bin in bins:
            sides = [np.concatenate(parts) for parts in zip(*bin, strict=True)]
            empty = widths[0] - len(sides[0])
            meta.tokens += len(sides[0])
            meta.padding += int(empty)
            yield tuple(
                np.concatenate([side, np.full(widths[n // 2] - len(side), PAD if n % 2 else 0, side.dtype)])
                for n, side in enumerate(sides)
            )


def _piece(document: Document, meta: Meta) -> tuple[Array, ...] | None:
    """Ids and flags of a document, of a pair also its source's, of a preference both answers'; None: left out."""
    if not len(document.ids):
        return None
    piece, width = _arrays(document), meta.length + 1
    meta.documents += 1
    if document.source is not None:
        if len(document.ids) > width or len(document.source) > meta.source:
            meta.too_long += 1
            return None
        return (*piece, *_arrays(Document(document.source)))
    if document.label is not None:
        # The label stands where the next token would, so that it is a target like others.
        kept = document.ids[: width - 1]
        meta.cut_documents += len(kept) < len(document.ids)
        meta.cut_tokens += len(document.ids) - len(kept)
        return _arrays(Document([*kept, document.label], [False] * len(kept) + [True]))
    if document.rejected is not None:
        answers = piece, _arrays(document.rejected)
        if sum(len(flags) for _, flags in answers) > width:
            meta.too_long += 1
            return None
        return tuple(np.concatenate(parts) for parts in zip(*answers, strict=True))
    if not np.any(piece[1][1:width] & LOSS):
        meta.no_loss += 1
        return None
    if len(document.ids) > width:
        meta.cut_documents += 1
        meta.cut_tokens += len(document.ids) - width
    return tuple(part[:width] for part in piece)
