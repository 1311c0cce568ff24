"""Pieces of text that were met before, by their bytes, and the ids they became."""

from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]

LONGEST = 15
"""Bytes of a piece that the table holds: with its length they are the key, so two pieces never share one."""
_FIRST_SLOTS = 1 << 17
# Beyond so many pieces, or bytes of long ones, all are forgotten: memory stays bounded.
_MOST = 1 << 20
_MOST_BYTES = 1 << 25


def _masks() -> Array:
    masks = np.zeros((2, LONGEST + 1), np.uint64)
    for length in range(LONGEST + 1):
        masks[0, length] = (1 << 8 * min(length, 8)) - 1
        masks[1, length] = (1 << 8 * max(length - 8, 0)) - 1
    return masks


_MASKS = _masks()


def keys(data: bytes, begins: Array, lengths: Array) -> tuple[Array, Array]:
    """Two uint64 a piece: its bytes, and its length in the highest. `data` goes on for 16 bytes after the last one."""
    words: Array = np.ndarray((len(data) - 7,), "<u8", data, 0, (1,))
    first = words.take(begins) & _MASKS[0].take(lengths)
    second = words.take(begins + 8) & _MASKS[1].take(lengths)
    return first, second | lengths.astype(np.uint64) << np.uint64(56)


class Pieces:
    """A hash table in arrays, open addressing, looked up for many pieces at once."""

    def __init__(self) -> None:
        # Other numbers each time: no text can be made so that its pieces fall on one slot.
        self._factors = np.random.default_rng().integers(1 << 62, 1 << 63, 3, np.uint64) | np.uint64(1)
        self.clear()

    def clear(self) -> None:
        """Forget everything."""
        self._allot(_FIRST_SLOTS)
        self._count = 0
        self._ids = np.empty(1 << 16, np.uint32)
        self._used = 0
        self._offsets = np.zeros(1 << 14, np.int64)
        self._sizes = np.zeros(1 << 14, np.int64)
        self._several = 0
        self.long: dict[tuple[bytes, bool], int] = {}
        """Values of pieces longer than `LONGEST`, by their bytes and what else tells them apart."""
        self._long_bytes = 0

    def _allot(self, slots: int) -> None:
        self._first, self._second = np.zeros(slots, np.uint64), np.zeros(slots, np.uint64)
        self._values, self._claims = np.zeros(slots, np.int64), np.zeros(slots, np.int64)
        self._shift = np.uint64(64 - (slots.bit_length() - 1))

    def slots(self, first: Array, second: Array) -> tuple[Array, Array]:
        """The slot of each key, and which keys are new: their slots wait for `store`."""
        if self._long_bytes > _MOST_BYTES:
            self.clear()
        slots = self._hash(first, second)
        missed = np.flatnonzero((self._second.take(slots) != second) | (self._first.take(slots) != first))
        if not len(missed):
            return slots, missed
        if self._count + len(missed) > _MOST:
            self.clear()
            missed = np.arange(len(first))
        if (self._count + len(missed)) * 2 > len(self._first):
            self._grow(self._count + len(missed))
            missed = np.arange(len(first))
        return self._insert(first, second, missed)

    def _hash(self, first: Array, second: Array) -> Array:
        a, b, c = self._factors
        mixed = first * a ^ second * b
        mixed ^= mixed >> np.uint64(32)
        mixed *= c
        slots: Array = (mixed >> self._shift).astype(np.intp)
        return slots

    def _insert(self, first: Array, second: Array, missed: Array) -> tuple[Array, Array]:
        slots = self._hash(first, second)
        new = []
        while len(missed):
            here = slots[missed]
            held = self._second[here]
            free = held == 0
            if free.any():
                claimants, wanted = missed[free], here[free]
                self._claims[wanted] = claimants  # of several that want one slot, the last has it
                won = self._claims[wanted] == claimants
                winners, taken = claimants[won], wanted[won]
                self._first[taken], self._second[taken] = first[winners], second[winners]
                new.append(winners)
                held = self._second[here]
            missed = missed[(held != second[missed]) | (self._first[here] != first[missed])]
            slots[missed] = (slots[missed] + 1) & (len(self._first) - 1)
        found = np.concatenate(new) if new else missed
        self._count += len(found)
        return slots, found

    def _grow(self, count: int) -> None:
        kept = np.flatnonzero(self._second)
        first, second, values = self._first[kept], self._second[kept], self._values[kept]
        self._allot(1 << (4 * count - 1).bit_length())
        self._count = 0
        slots, _ = self._insert(first, second, np.arange(len(kept)))
        self._values[slots] = values

    def store(self, slots: Array, ids: Array, sizes: Array) -> None:
        """What new keys became: `ids` one piece after another, `sizes` how many each has."""
        self._values[slots] = self.add(ids, sizes)

    def add(self, ids: Array, sizes: Array) -> Array:
        """Values for pieces, kept: the id itself where there is one, else where the ids lie, below zero."""
        offsets = np.cumsum(sizes) - sizes
        # A piece of bytes without tokens has no ids; the last such one has no place either.
        values: Array = np.append(ids, np.uint32(0))[offsets].astype(np.int64)
        several = np.flatnonzero(sizes != 1)
        number = self._several + len(several)
        self._ids = _room(self._ids, self._used + len(ids))
        self._offsets, self._sizes = _room(self._offsets, number), _room(self._sizes, number)
        self._ids[self._used : self._used + len(ids)] = ids
        self._offsets[self._several : number] = self._used + offsets[several]
        self._sizes[self._several : number] = sizes[several]
        values[several] = ~np.arange(self._several, number)
        self._used, self._several = self._used + len(ids), number
        return values

    def store_long(self, keys: list[tuple[bytes, bool]], ids: Array, sizes: Array) -> None:
        """The same for pieces that are too long for the table."""
        self.long.update(zip(keys, self.add(ids, sizes).tolist(), strict=True))
        self._long_bytes += sum(len(piece) for piece, _ in keys)

    def values(self, slots: Array) -> Array:
        """Values of slots, for `expand`."""
        return self._values.take(slots)

    def expand(self, values: Array, empty: Array) -> tuple[Array, Array]:
        """All ids one after another, uint32, and how many stand before each place in `empty`, which gives none."""
        several = np.flatnonzero(values < 0)
        counts = np.ones(len(values), np.int64)
        numbers = ~values[several]
        sizes = self._sizes[numbers]
        counts[several] = sizes
        counts[empty] = 0
        ends = np.cumsum(counts)
        out = np.repeat(values.astype(np.uint32), counts)
        sizes = counts[several]
        places = np.repeat(ends[several] - np.cumsum(sizes), sizes) + np.arange(int(sizes.sum()))
        shift = np.repeat(self._offsets[numbers] - ends[several] + sizes, sizes)
        out[places] = self._ids[places + shift]
        return out, ends[empty]


def _room(array: Array, size: int) -> Array:
    if size <= len(array):
        return array
    larger = np.zeros(max(size, 2 * len(array)), array.dtype)
    larger[: len(array)] = array
    return larger
