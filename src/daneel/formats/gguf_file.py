"""The GGUF container: header, metadata and where each tensor lies, read without believing a word of it.

Source: ggml's `docs/gguf.md`. The `gguf` package dequantises; its own reader loops for ever on a header
that claims more than the file holds, so the header is read here, every length checked against the file.
"""

import mmap
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from gguf import GGML_QUANT_SIZES, GGMLQuantizationType, dequantize
from numpy.typing import NDArray

from daneel.errors import ModelError

SUPPORTED = (
    "F32", "F16", "BF16", "Q8_0", "Q4_0", "Q4_1", "Q5_0", "Q5_1", "Q4_K", "Q5_K", "Q6_K",
)  # fmt: skip
SCALARS = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q", 12: "d"}
STRING, ARRAY = 8, 9
MAX_DIMENSIONS = 4
ROWS_AT_ONCE = 1 << 22
"""Elements dequantised together: 16 MB of float32."""

Array = NDArray[np.float32]


@dataclass(frozen=True)
class TensorInfo:
    """One tensor as the header describes it; the shape is numpy's, slowest axis first."""

    kind: GGMLQuantizationType
    shape: tuple[int, ...]
    start: int
    size: int


class _Cursor:
    """Reads forward through the header; a read beyond the file's end is an error with the place in it."""

    def __init__(self, data: mmap.mmap, path: Path):
        self.data, self.path, self.at = data, path, 0

    def fail(self, what: str) -> ModelError:
        return ModelError(f"{self.path} is damaged at byte {self.at}: {what}; fetch the file again")

    def take(self, count: int) -> bytes:
        if count > len(self.data) - self.at:
            raise self.fail("the file ends before what its header announces")
        self.at += count
        return self.data[self.at - count : self.at]

    def number(self, code: str) -> Any:
        return struct.unpack(f"<{code}", self.take(struct.calcsize(f"<{code}")))[0]

    def text(self) -> str:
        raw = self.take(self.number("Q"))
        try:
            return raw.decode("utf-8")
        except UnicodeDecodeError:
            raise self.fail("a name that is not UTF-8") from None

    def value(self, kind: int) -> Any:
        if kind in SCALARS:
            return self.number(SCALARS[kind])
        if kind == STRING:
            return self.text()
        if kind != ARRAY:
            raise self.fail(f"a value of unknown type {kind}")
        item, count = self.number("I"), self.number("Q")
        if item in SCALARS:
            raw = self.take(count * struct.calcsize(f"<{SCALARS[item]}"))
            return np.frombuffer(raw, dtype=f"<{SCALARS[item]}".replace("<?", "?")).tolist()
        if item != STRING:
            raise self.fail(f"an array of type {item}")
        return [self.text() for _ in range(count)]


class GGUF:
    """An open GGUF file: `metadata`, and `tensors` by name. Raises ModelError for a file that lies."""

    def __init__(self, path: Path):
        self.path = path
        with path.open("rb") as file:
            if file.read(4) != b"GGUF":
                raise ModelError(f"{path} is not a GGUF file: it does not begin with the letters GGUF")
            self._data = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        cursor = _Cursor(self._data, path)
        cursor.take(4)
        version = cursor.number("I")
        if version not in (2, 3):
            raise ModelError(f"{path} is GGUF version {version}; versions 2 and 3, little-endian, are read")
        tensors, keys = cursor.number("Q"), cursor.number("Q")
        self.metadata: dict[str, Any] = {}
        for _ in range(keys):
            key = cursor.text()
            self.metadata[key] = cursor.value(cursor.number("I"))
        described = [self._describe(cursor) for _ in range(tensors)]
        alignment = self.metadata.get("general.alignment", 32)
        if not isinstance(alignment, int) or alignment <= 0 or alignment & (alignment - 1):
            raise cursor.fail(f"alignment {alignment}")
        begin = -(-cursor.at // alignment) * alignment
        self.tensors: dict[str, TensorInfo] = {}
        for name, kind, shape, offset in described:
            self.tensors[name] = self._locate(name, kind, shape, begin + offset)
        if len(self.tensors) != len(described):
            raise cursor.fail("two tensors of one name")

    def _describe(self, cursor: _Cursor) -> tuple[str, int, tuple[int, ...], int]:
        name = cursor.text()
        dimensions = cursor.number("I")
        if not 1 <= dimensions <= MAX_DIMENSIONS:
            raise cursor.fail(f"tensor {name!r} has {dimensions} dimensions")
        shape = tuple(cursor.number("Q") for _ in range(dimensions))[::-1]
        return name, cursor.number("I"), shape, cursor.number("Q")

    def _locate(self, name: str, number: int, shape: tuple[int, ...], start: int) -> TensorInfo:
        try:
            kind = GGMLQuantizationType(number)
        except ValueError:
            raise ModelError(f"{self.path}: tensor {name} has quantisation {number}, unknown here") from None
        if kind.name not in SUPPORTED:
            raise ModelError(
                f"{self.path}: tensor {name} is quantised as {kind.name}; daneel reads {', '.join(SUPPORTED)}"
            )
        block, width = GGML_QUANT_SIZES[kind]
        elements = 1
        for length in shape:  # Python's integers: a product that lies cannot overflow
            elements *= length
        size = elements // block * width
        if elements == 0 or shape[-1] % block or start + size > len(self._data):
            raise ModelError(
                f"{self.path} is damaged: tensor {name} of shape {list(shape)} does not fit; fetch it again"
            )
        return TensorInfo(kind, shape, start, size)

    def shape(self, name: str) -> tuple[int, ...]:
        """The shape of a tensor that the file must have. Raises ModelError."""
        if name not in self.tensors:
            raise ModelError(f"{self.path} has no tensor {name}; fetch the file again or name another")
        return self.tensors[name].shape

    @property
    def elements(self) -> int:
        """Numbers in all tensors together."""
        return sum(int(np.prod(info.shape, dtype=object)) for info in self.tensors.values())

    def rows(self, name: str, order: NDArray[np.intp] | None = None) -> Iterator[Array]:
        """The tensor in float32, some rows at a time, in another order of rows if one is given."""
        info = self.tensors[name]
        raw = np.frombuffer(self._data, np.uint8, info.size, info.start)
        count = int(np.prod(info.shape[:-1])) if len(info.shape) > 1 else 1
        packed = raw.reshape(count, -1)
        step = max(1, ROWS_AT_ONCE // info.shape[-1])
        for begin in range(0, count, step):
            part = packed[begin : begin + step] if order is None else packed[order[begin : begin + step]]
            if info.kind in (GGMLQuantizationType.F32, GGMLQuantizationType.F16):
                yield part.view(np.dtype(f"<f{4 if info.kind == GGMLQuantizationType.F32 else 2}")).astype(np.float32)
            else:
                yield dequantize(part, info.kind).astype(np.float32, copy=False)

    def read(self, name: str) -> Array:
        """The whole tensor in float32."""
        return np.concatenate(list(self.rows(name))).reshape(self.tensors[name].shape)

    def same_bytes(self, one: str, other: str) -> bool:
        """Whether two tensors are stored alike."""
        a, b = self.tensors[one], self.tensors[other]
        spans = [memoryview(self._data)[info.start : info.start + info.size] for info in (a, b)]
        return (a.kind, a.shape) == (b.kind, b.shape) and spans[0] == spans[1]
