"""Batches in a seeded order that can stop anywhere and go on with the very next row."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from daneel.data.packing import LOSS, PAD, START, Array, Shards
from daneel.errors import TrainingError


@dataclass(frozen=True)
class Batch:
    """B rows of T tokens, and what the model needs to know about each."""

    ids: Array
    """int64 [B, T]"""
    targets: Array
    """int64 [B, T]: the token that follows."""
    weights: Array
    """float32 [B, T]: 0 where the target is not learned, or begins another document."""
    positions: Array
    """int64 [B, T]: counted from each document's beginning in the row."""
    segments: Array
    """int64 [B, T]: number of the document in the row; -1 is padding."""
    source: tuple[Array, Array, Array] | None = None
    """Of pairs: ids, positions and segments of what an encoder reads, int64 [B, S]; both sides number pairs alike."""
    reference: Array | None = None
    """Of preferences: log p(target) by the model that learning starts from, float32 [B, T]; 0 where nothing is learned.
    Segments 0 and 1, 2 and 3, ... are a pair, the better answer first."""


class Loader:
    """The rows of one epoch after another without a break, each epoch in an order of its own (`Shards.order`).

    A batch that an epoch's end would leave half full is completed from the next epoch.
    """

    def __init__(self, shards: Shards, batch: int, seed: int):
        self.shards = shards
        self.batch = batch
        self.seed = seed
        self._position = 0
        """Rows given so far, over all epochs."""
        self._order: tuple[int, Array] | None = None
        self.last: list[int] = []
        """The rows of the last batch, by their number in the shards."""

    def __len__(self) -> int:
        """Rows an epoch."""
        return len(self.shards)

    def next(self) -> Batch:
        """The next `batch` rows."""
        numbers = np.empty(self.batch, np.int64)
        filled = 0
        while filled < self.batch:
            epoch, at = divmod(self._position, len(self))
            taken = self._epoch_order(epoch)[at : at + self.batch - filled]
            numbers[filled : filled + len(taken)] = taken
            filled += len(taken)
            self._position += len(taken)
        self.last = numbers.tolist()
        return unpack(**self.shards.rows(numbers))

    def state(self) -> dict[str, Any]:
        """All that `restore` needs, for JSON."""
        meta = self.shards.meta
        return {"position": self._position, "seed": self.seed, "rows": meta.rows, "sha256": meta.sha256}

    def restore(self, state: dict[str, Any]) -> None:
        """Go on where a loader over the same rows, with the same seed, had stopped."""
        mine = self.state()
        for key, what in (("sha256", "data"), ("rows", "data"), ("seed", "seed")):
            if state[key] != mine[key]:
                raise TrainingError(f"the {what} changed since the checkpoint: resume with what the run began with")
        self._position = int(state["position"])

    def _epoch_order(self, epoch: int) -> Array:
        if self._order is None or self._order[0] != epoch:
            self._order = (epoch, self.shards.order(self.seed, epoch))
        return self._order[1]


def unpack(
    ids: Array, flags: Array, source: Array | None = None, source_flags: Array | None = None,
    reference: Array | None = None,
) -> Batch:  # fmt: skip
    """Packed rows as a batch; the arguments are `KINDS`."""
    positions, segments = _places(flags[:, :-1])
    read = None
    if source is not None and source_flags is not None:
        read = (source, *_places(source_flags))
    return Batch(
        ids=np.ascontiguousarray(ids[:, :-1]),
        targets=np.ascontiguousarray(ids[:, 1:]),
        weights=(flags[:, 1:] & (LOSS | START) == LOSS).astype(np.float32),
        positions=positions,
        segments=segments,
        source=read,
        reference=None if reference is None else np.ascontiguousarray(reference[:, 1:]),
    )


def _places(flags: Array) -> tuple[Array, Array]:
    """Of each token its place in its document, and the document's number in the row."""
    starts = flags & START > 0
    starts[:, 0] = True
    padding = flags & PAD > 0
    columns = np.arange(flags.shape[1])
    segments = np.cumsum(starts, axis=1) - 1
    positions = columns - np.maximum.accumulate(np.where(starts, columns, 0), axis=1)
    segments[padding] = -1
    positions[padding] = 0
    return positions, segments
