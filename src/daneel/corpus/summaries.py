"""What joint steps read of the summaries of batches: one array at a time, and only the part that is asked for."""

import struct
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]


def column(path: Path, name: str) -> Array:
    """One array of an uncompressed `.npz`, mapped: what is not touched is not read.

    It must be let go before the file is written anew.
    """
    with zipfile.ZipFile(path) as archive:
        entry = archive.getinfo(f"{name}.npy").header_offset
    with path.open("rb") as file:
        # A local header is 30 bytes, the lengths of a name and of an extra field last (APPNOTE.TXT 4.3.7).
        file.seek(entry + 26)
        file.seek(sum(struct.unpack("<HH", file.read(4))), 1)
        np.lib.format.read_magic(file)
        shape, _, kind = np.lib.format.read_array_header_1_0(file)
        # An empty array cannot be mapped.
        return np.memmap(path, kind, "r", file.tell(), shape) if 0 not in shape else np.empty(shape, kind)


def joined(summaries: Sequence[Path], name: str) -> Array:
    """One array of all batches, one after another."""
    return np.concatenate([column(path, name) for path in summaries])


def offsets(summaries: Sequence[Path], name: str) -> Array:
    """int64 [batches + 1]: where each batch's items begin among all items; `name` has one entry an item."""
    return np.concatenate([[0], np.cumsum([len(column(path, name)) for path in summaries], dtype=np.int64)])


def picked(summaries: Sequence[Path], name: str, bounds: Array, numbers: Array) -> Array:
    """Entries of items by their numbers among all, those of a batch read together."""
    order = np.argsort(numbers, kind="stable")
    cuts = np.searchsorted(numbers[order], bounds)
    parts = [
        column(path, name)[numbers[order[low:high]] - first]
        for path, first, low, high in zip(summaries, bounds, cuts, cuts[1:], strict=False)
        if high > low
    ]
    back = np.empty_like(order)
    back[order] = np.arange(len(order))
    return np.asarray(np.concatenate(parts)[back]) if parts else column(summaries[0], name)[:0]
