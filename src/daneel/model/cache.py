"""The keys and values of what a model has read: one slot a sequence, of a fixed capacity."""

import torch
from torch import Tensor

from daneel.formats.architecture import Architecture


class Cache:
    """`keys[layer]` and `values[layer]` are [slots, kv_heads, capacity, head_dim]; `lengths[slot]` is what is read."""

    def __init__(self, arch: Architecture, slots: int, capacity: int, dtype: torch.dtype) -> None:
        shape = (slots, arch.kv_heads, capacity, arch.head_dim)
        # Zeros, not empty: masked positions are multiplied by 0, and 0 x NaN is NaN.
        self.keys = [torch.zeros(shape, dtype=dtype) for _ in range(arch.layers)]
        self.values = [torch.zeros(shape, dtype=dtype) for _ in range(arch.layers)]
        self.lengths = [0] * slots
        self.capacity = capacity

    def reset(self, slot: int) -> None:
        """Forget a sequence."""
        self.lengths[slot] = 0

    def truncate(self, slot: int, length: int) -> None:
        """Forget what follows the first `length` tokens."""
        self.lengths[slot] = min(length, self.lengths[slot])

    def move(self, source: int, target: int) -> None:
        """Copy a sequence to another slot, so that live slots stay side by side."""
        length = self.lengths[source]
        for tensor in (*self.keys, *self.values):
            tensor[target, :, :length] = tensor[source, :, :length]
        self.lengths[target] = length

    def select(self, rows: list[int]) -> None:
        """Slot n becomes a copy of slot rows[n]."""
        longest = max(self.lengths[row] for row in rows)
        index = torch.tensor(rows)
        for tensor in (*self.keys, *self.values):
            tensor[: len(rows), :, :longest] = tensor[index, :, :longest]
        self.lengths[: len(rows)] = [self.lengths[row] for row in rows]


class Append:
    """Where one forward pass writes its T tokens in the cache, the same in every layer."""

    def __init__(self, cache: Cache, slots: list[int], count: int) -> None:
        self.cache, self.slots, self.count = cache, slots, count
        lengths = [cache.lengths[slot] for slot in slots]
        self.end = max(lengths) + count
        self.even = len(set(lengths)) == 1
        self.positions = torch.tensor(lengths)[:, None] + torch.arange(count)
        # Neighbouring slots are a view; others are copied at every layer.
        adjacent = slots == list(range(slots[0], slots[0] + len(slots)))
        self.rows: slice | Tensor = slice(slots[0], slots[0] + len(slots)) if adjacent else torch.tensor(slots)
        self.index = torch.tensor(slots)[:, None]

    def __call__(self, layer: int, k_BHTD: Tensor, v_BHTD: Tensor) -> tuple[Tensor, Tensor]:
        """Write, and give all keys and values up to the longest sequence: [B, kv_heads, end, head_dim]."""
        keys, values = self.cache.keys[layer], self.cache.values[layer]
        if self.even:
            start = self.end - self.count
            keys[self.rows, :, start : self.end] = k_BHTD
            values[self.rows, :, start : self.end] = v_BHTD
        else:
            keys[self.index, :, self.positions] = k_BHTD.transpose(1, 2)
            values[self.index, :, self.positions] = v_BHTD.transpose(1, 2)
        return keys[self.rows, :, : self.end], values[self.rows, :, : self.end]

    def advance(self) -> None:
        """Count the tokens as read, after the last layer."""
        for slot in self.slots:
            self.cache.lengths[slot] += self.count
