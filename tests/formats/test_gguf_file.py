"""The container: what is read, and that no header makes the reader do more than say what is wrong."""

import struct
from contextlib import suppress
from pathlib import Path

import gguf
import numpy as np
import pytest
import tiny_gguf
from hypothesis import given, settings
from hypothesis import strategies as st

from daneel.errors import ModelError
from daneel.formats import gguf_file
from daneel.formats.gguf import convert
from daneel.formats.gguf_file import GGUF

HUGE = 1 << 60


def text(value: str) -> bytes:
    return struct.pack("<Q", len(value)) + value.encode()


def header(tensors: int = 0, keys: int = 0, body: bytes = b"", version: int = 3) -> bytes:
    return b"GGUF" + struct.pack("<IQQ", version, tensors, keys) + body


def tensor(name: str = "x", shape: tuple[int, ...] = (32,), kind: int = 0, offset: int = 0) -> bytes:
    return text(name) + struct.pack(f"<I{len(shape)}QIQ", len(shape), *shape, kind, offset)


def test_values_of_every_kind_are_read(tmp_path: Path) -> None:
    writer = gguf.GGUFWriter(tmp_path / "a.gguf", "llama")
    writer.add_uint8("u8", 200)
    writer.add_int64("i64", -5)
    writer.add_float64("f64", 0.25)
    writer.add_bool("yes", True)
    writer.add_string("名", "字")
    writer.add_array("texts", ["a", "é", ""])
    writer.add_array("numbers", [1.5, -2.0])
    writer.add_array("flags", [True, False])
    writer.add_tensor("x", np.arange(6, dtype=np.float32).reshape(2, 3))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    file = GGUF(tmp_path / "a.gguf")
    wanted = {
        "u8": 200, "i64": -5, "f64": 0.25, "yes": True, "名": "字", "texts": ["a", "é", ""],
        "numbers": [1.5, -2.0], "flags": [True, False],
    }  # fmt: skip
    assert {key: file.metadata[key] for key in wanted} == wanted
    np.testing.assert_array_equal(file.read("x"), [[0, 1, 2], [3, 4, 5]])
    assert file.elements == 6


def test_rows_come_in_pieces_and_in_another_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gguf_file, "ROWS_AT_ONCE", 100)
    value = np.random.default_rng(0).standard_normal((10, 64)).astype(np.float32)
    kinds = {"x": tiny_gguf.Kind.Q8_0}
    file = GGUF(tiny_gguf.write(tmp_path / "a.gguf", "llama", {}, {"x": value}, kinds))
    expected = gguf.dequantize(gguf.quantize(value, kinds["x"]), kinds["x"])
    parts = list(file.rows("x"))
    assert [len(part) for part in parts] == [1] * 10
    np.testing.assert_array_equal(np.concatenate(parts), expected)
    order = np.arange(10)[::-1].astype(np.intp)
    np.testing.assert_array_equal(np.concatenate(list(file.rows("x", order))), expected[::-1])


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "does not begin with the letters GGUF"),
        (b"PK\x03\x04 not a model", "does not begin with the letters GGUF"),
        (b"GGUF", "ends before"),
        (header(version=1), "version 1;"),
        (b"GGUF" + struct.pack(">IQQ", 3, 0, 0), "little-endian"),
        (header(keys=HUGE), "ends before"),
        (header(tensors=HUGE), "ends before"),
        (header(keys=1, body=struct.pack("<Q", HUGE) + b"name"), "ends before"),
        (header(keys=1, body=text("k") + struct.pack("<IIQ", 9, 0, HUGE)), "ends before"),
        (header(keys=1, body=text("k") + struct.pack("<IIQ", 9, 8, HUGE)), "ends before"),
        (header(keys=1, body=text("k") + struct.pack("<IIQ", 9, 9, 1)), "an array of type 9"),
        (header(keys=1, body=text("k") + struct.pack("<I", 99)), "unknown type 99"),
        (header(keys=1, body=struct.pack("<Q", 2) + b"\xff\xfe"), "not UTF-8"),
        (header(keys=1, body=text("general.alignment") + struct.pack("<II", 4, 0)), "alignment 0"),
        (header(keys=1, body=text("general.alignment") + struct.pack("<I", 8) + text("x")), "alignment x"),
        (header(1, body=tensor(shape=())), "0 dimensions"),
        (header(1, body=text("x") + struct.pack("<I", HUGE >> 32)), "dimensions"),
        (header(1, body=tensor(shape=(1 << 32, 1 << 32))), "does not fit"),
        (header(1, body=tensor(shape=(0,))), "does not fit"),
        (header(1, body=tensor(offset=HUGE) + bytes(200)), "does not fit"),
        (header(1, body=tensor(shape=(33,), kind=8) + bytes(200)), "does not fit"),
        (header(1, body=tensor(kind=77) + bytes(200)), "quantisation 77, unknown"),
        (header(2, body=tensor() + tensor() + bytes(400)), "two tensors of one name"),
    ],
)
def test_a_header_that_lies_is_one_line(data: bytes, words: str, tmp_path: Path) -> None:
    (tmp_path / "a.gguf").write_bytes(data)
    with pytest.raises(ModelError) as caught:
        GGUF(tmp_path / "a.gguf")
    assert words in str(caught.value)
    assert str(tmp_path / "a.gguf") in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_gguf.tiny_gguf(tmp_path_factory.mktemp("sound") / "model.gguf")


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_a_damaged_file_is_read_or_refused_and_never_crashes(sound: Path, data: st.DataObject) -> None:
    raw = bytearray(sound.read_bytes())
    head = raw.index(b"tokenizer.ggml.tokens")
    for _ in range(data.draw(st.integers(0, 4))):
        raw[data.draw(st.integers(4, head))] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(0, len(raw)))
    damaged = sound.with_name("damaged.gguf")
    damaged.write_bytes(raw[:cut] if data.draw(st.booleans()) else raw)
    # Anything but a ModelError fails the test.
    with suppress(ModelError):
        convert(GGUF(damaged), sound.with_name("out"))
