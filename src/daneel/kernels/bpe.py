"""The Python face of `bpe.cpp`. Calls leave the interpreter's lock, so threads run side by side."""

import ctypes
import weakref
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from daneel.kernels import build

Array = np.ndarray[Any, Any]

NO_TOKEN = 2**32 - 1
PAIR_BITS = 20
MOST_PIECES = 1 << 20
"""Pieces that a thread remembers, 32 bytes each; beyond them it forgets all and begins anew."""

_LEARN = ctypes.CFUNCTYPE(None, ctypes.c_uint32)
_BYTES = ctypes.c_char_p
_POINTER, _INT, _INT64 = ctypes.c_void_p, ctypes.c_int, ctypes.c_int64


@dataclass(frozen=True)
class Tables:
    """What the kernel knows of a vocabulary. The arrays are read where they lie."""

    digits: int
    """Numbers that stand together: 0 is all of them."""
    apart: bool
    words: bool
    long_s: bool
    alphabet: Array
    """The token of each byte, uint32 of 256, `NO_TOKEN` for none."""
    merges: tuple[Array, Array, Array]
    """Left, right, and what they become, uint32, the first merge first."""
    tokens: dict[bytes, int]
    """Ids of whole pieces that are exempt from the merges; mostly empty."""
    kinds: Array
    """What each code point is, uint8; 0 is not known yet."""
    sides: Array
    """Of each code point, whether a token holds a part of it and a neighbour, uint8: see `Joins`."""
    pairs: Array
    """A bit for each hash of two code points that some token holds together, uint8, lowest bit first."""


class Encoder:
    """Ids of UTF-8 texts. May be used from several threads."""

    def __init__(self, tables: Tables, learn: Callable[[int], None], kernel: ctypes.CDLL):
        """`learn` fills in the kinds around a code point that a text has."""
        self._kernel = kernel
        self._learn = _LEARN(learn)
        self._kept = tables
        order = ("digits", "apart", "words", "long_s")
        text = b"".join(tables.tokens)
        ends = np.cumsum([len(token) for token in tables.tokens], dtype=np.int64)
        ids = np.array(list(tables.tokens.values()), np.uint32)
        merges = [np.ascontiguousarray(part, np.uint32) for part in tables.merges]
        self._vocabulary = kernel.daneel_bpe_vocabulary(
            *(int(getattr(tables, name)) for name in order), tables.alphabet.ctypes.data,
            *(part.ctypes.data for part in merges), len(merges[0]),
            text, ends.ctypes.data, ids.ctypes.data, len(ids),
            tables.kinds.ctypes.data, tables.sides.ctypes.data, tables.pairs.ctypes.data, self._learn,
        )  # fmt: skip
        weakref.finalize(self, kernel.daneel_bpe_free_vocabulary, self._vocabulary)
        self._memories: list[int] = []

    def encode(self, texts: Sequence[bytes], begins: Array, ends: Array) -> tuple[Array, Array]:
        """Ids of parts of some texts, uint32, one part after another, and how many each has.

        `begins` and `ends` are int64, in bytes, between characters.
        """
        out = np.empty(int((ends - begins).sum()), np.uint32)
        counts = np.empty(len(texts), np.int64)
        memory = self._memory()
        pointers = (_BYTES * len(texts))(*texts)
        self._kernel.daneel_bpe_encode(
            self._vocabulary, memory, pointers, begins.ctypes.data, ends.ctypes.data, len(texts), out.ctypes.data,
            counts.ctypes.data,
        )  # fmt: skip
        self._memories.append(memory)
        return out[: int(counts.sum())].copy(), counts

    def cut(self, text: bytes, begin: int, limit: int) -> int:
        """The last place up to `limit`, in bytes, where letters end: all patterns cut there. Or `begin`."""
        return int(self._kernel.daneel_bpe_cut(self._vocabulary, text, begin, limit))

    def _memory(self) -> int:
        """What a thread has met so far; lists hand out and take back as one step."""
        try:
            return self._memories.pop()
        except IndexError:
            memory = int(self._kernel.daneel_bpe_memory(MOST_PIECES))
            weakref.finalize(self, self._kernel.daneel_bpe_free_memory, memory)
            return memory


def load() -> ctypes.CDLL | None:
    """The kernel with its signatures; None where it cannot be built."""
    kernel = build.load("bpe")
    if kernel is not None:
        kernel.daneel_bpe_vocabulary.restype = _POINTER
        kernel.daneel_bpe_vocabulary.argtypes = [
            *[_INT] * 4, _POINTER, *[_POINTER] * 3, _INT64, _BYTES, _POINTER, _POINTER, _INT64, *[_POINTER] * 3, _LEARN,
        ]  # fmt: skip
        kernel.daneel_bpe_memory.restype, kernel.daneel_bpe_memory.argtypes = _POINTER, [_INT64]
        kernel.daneel_bpe_cut.restype = _INT64
        kernel.daneel_bpe_cut.argtypes = [_POINTER, _BYTES, _INT64, _INT64]
        kernel.daneel_bpe_encode.restype = None
        kernel.daneel_bpe_encode.argtypes = [*[_POINTER] * 5, _INT64, _POINTER, _POINTER]
        for name in ("daneel_bpe_free_vocabulary", "daneel_bpe_free_memory"):
            getattr(kernel, name).restype, getattr(kernel, name).argtypes = None, [_POINTER]
    return kernel
