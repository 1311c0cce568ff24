"""Between which characters a vocabulary never joins: there a piece may be cut before it is looked up.

Every merge makes a token, so where no token holds two characters side by side, no merge crosses from one to the other.
A Chinese clause falls into words and signs that come again elsewhere; the clause itself hardly ever does.
"""

from collections.abc import Iterable
from typing import Any

import numpy as np

from daneel.kernels.bpe import PAIR_BITS
from daneel.tokenizer.pretokens import CODE_POINTS

Array = np.ndarray[Any, Any]

_LEFT, _RIGHT, _ASCII = 1, 2, 4


class Joins:
    """Which neighbours beyond ASCII some token holds together; now and then one pair too many, never one too few."""

    def __init__(self, tokens: Iterable[str], alphabet: dict[str, int]):
        """`tokens` in byte-level spelling, `alphabet` the byte of each of its signs."""
        self.sides: Array = np.zeros(CODE_POINTS, np.uint8)
        """Of each code point, whether a token holds a part of it and a neighbour: 1 where it is left, 2 where right.

        4 is for neighbours in ASCII.
        """
        pairs = np.zeros(1 << PAIR_BITS, bool)
        codes = np.frombuffer(" ".join(tokens).encode("utf-32-le"), np.uint32)
        spelled = np.full(max(map(ord, alphabet)) + 1, -1, np.int64)
        for sign, byte in alphabet.items():
            spelled[ord(sign)] = byte
        # What is not in the alphabet, the blank between tokens above all, ends a token: -1.
        values = np.where(codes < len(spelled), spelled[np.minimum(codes, len(spelled) - 1)], -1)
        values = np.concatenate([np.full(4, -1), values, np.full(4, -1)])
        begins = np.flatnonzero((values[1:] >= 0xC0) & (values[:-1] >= 0x80)) + 1
        left, left_size, left_whole = _before(values, begins)
        right, right_size, right_whole = _after(values, begins)
        both = left_whole & right_whole
        pairs[_hash(left[both], right[both])] = True
        self.pairs: Array = np.packbits(pairs, bitorder="little")
        """A bit for each hash of two whole code points that some token holds."""
        for n in np.flatnonzero(~both & (left_size > 0) & (right_size > 0)).tolist():
            self.sides[_ending(int(left[n]), int(left_size[n]), bool(left_whole[n]))] |= _LEFT
            self.sides[_beginning(int(right[n]), int(right_size[n]), bool(right_whole[n]))] |= _RIGHT
        ascii = (values >= 0) & (values < 0x80)
        point, size, whole = _before(values, np.flatnonzero(ascii[1:] & (values[:-1] >= 0x80)) + 1)
        for n in np.flatnonzero(~whole & (size > 0)).tolist():
            self.sides[_ending(int(point[n]), int(size[n]), False)] |= _ASCII
        point, size, whole = _after(values, np.flatnonzero((values[1:] >= 0xC0) & ascii[:-1]) + 1)
        for n in np.flatnonzero(~whole & (size > 0)).tolist():
            self.sides[_beginning(int(point[n]), int(size[n]), False)] |= _ASCII


def _hash(left: Array, right: Array) -> Array:
    mixed = (left.astype(np.uint64) << np.uint64(21) | right.astype(np.uint64)) * np.uint64(0x9E3779B97F4A7C15)
    return (mixed >> np.uint64(64 - PAIR_BITS)).astype(np.intp)


def _before(values: Array, begins: Array) -> tuple[Array, Array, Array]:
    """The character that ends before each place: its code point, or the low bits of what the token has of it.

    With it the number of bytes, 0 for what is no UTF-8, and whether it is whole.
    """
    point, size, whole = _blank(begins)
    open = np.full(len(begins), True)
    for back in range(1, 5):
        byte = values[begins - back]
        tail = open & (byte >= 0x80) & (byte < 0xC0)
        lead = open & (byte >= 0xC0)
        fits = lead & (_length(byte) == back)
        point = np.where(tail, point | (byte & 0x3F) << 6 * (back - 1), point)
        point = np.where(fits, point | (byte & (0x7F >> back)) << 6 * (back - 1), point)
        size = np.where(tail | fits, back, np.where(lead, 0, size))
        whole |= fits
        open = tail
    # Four continuation bytes in a row, or continuation bytes after an ASCII letter, are in no text.
    size[open] = 0
    return point, size, whole


def _after(values: Array, begins: Array) -> tuple[Array, Array, Array]:
    """The character that begins at each place: its code point, or the first one that what there is of it can begin."""
    point, size, whole = _blank(begins)
    needed = _length(values[begins])
    size[:] = 1
    point = (values[begins] & (0x7F >> needed)) << 6 * (needed - 1)
    open = np.full(len(begins), True)
    for ahead in range(1, 4):
        byte = values[begins + ahead]
        tail = open & (ahead < needed) & (byte >= 0x80) & (byte < 0xC0)
        point = np.where(tail, point | (byte & 0x3F) << np.maximum(6 * (needed - 1 - ahead), 0), point)
        size = np.where(tail, ahead + 1, size)
        open = tail
    whole = size == needed
    # Shorter forms of lower code points are no UTF-8, so what begins with E0 or F0 alone lies above them.
    point = np.maximum(point, np.array([0x80, 0x800, 0x10000])[needed - 2])
    size[point >= CODE_POINTS] = 0
    return point, size, whole


def _blank(begins: Array) -> tuple[Array, Array, Array]:
    return np.zeros(len(begins), np.int64), np.zeros(len(begins), np.int64), np.zeros(len(begins), bool)


def _length(lead: Array) -> Array:
    """Bytes of a character, by its first."""
    return 2 + (lead >= 0xE0).astype(np.int64) + (lead >= 0xF0)


def _ending(bits: int, size: int, whole: bool) -> slice:
    """All code points whose last `size` bytes are continuation bytes with these bits."""
    if whole:
        return slice(bits, bits + 1)
    step = 1 << 6 * size
    lowest = (0x80, 0x800, 0x10000)[size - 1]
    return slice(lowest + (bits - lowest) % step, CODE_POINTS, step)


def _beginning(first: int, size: int, whole: bool) -> slice:
    """All code points that begin with the bytes of `first` which are known."""
    if whole:
        return slice(first, first + 1)
    needed = 2 if first < 0x800 else 3 if first < 0x10000 else 4
    return slice(first, first + (1 << 6 * (needed - size)))
