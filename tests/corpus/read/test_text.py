import io
import time
from pathlib import Path

import pytest
from corpus.read.samples import CHINESE, ENGLISH, one, reasons, texts
from hypothesis import given, settings
from hypothesis import strategies as st

from daneel.corpus.read import Item, Raw, ReadSettings, load, plan
from daneel.corpus.read.text import parts, split


def test_a_long_text_comes_in_parts_cut_between_paragraphs(tmp_path: Path) -> None:
    paragraphs = [f"{n}. {ENGLISH}\n{CHINESE}\n\n" for n in range(100)]
    (tmp_path / "long.txt").write_text("".join(paragraphs), "utf-8")
    small = ReadSettings(part_bytes=4000)
    found = texts(tmp_path / "long.txt", small)
    assert list(found) == [f"long.txt#{n}" for n in range(1, len(found) + 1)]
    assert "".join(found.values()) == "".join(paragraphs)
    assert all(text.endswith("\n\n") and len(text.encode()) <= 4000 for text in found.values())
    items = list(plan([tmp_path / "long.txt"], small))
    assert sum(item.size for item in items if isinstance(item, Item)) == len("".join(paragraphs).encode())
    # Any process may load any part.
    (last,) = load(items[-1])  # type: ignore[arg-type]
    assert isinstance(last, Raw)
    assert last.text == found[f"long.txt#{len(found)}"]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "gb18030", "utf-32"])
def test_one_endless_line_is_cut_between_characters(tmp_path: Path, encoding: str) -> None:
    text = CHINESE.replace("。", "，") * 200
    (tmp_path / "line.txt").write_bytes(text.encode(encoding))
    found = texts(tmp_path / "line.txt", ReadSettings(part_bytes=5000))
    assert "".join(found.values()) == text
    assert len(found) >= len(text.encode(encoding)) // 5000


@settings(max_examples=200)
@given(
    st.text(alphabet="ab \n\r漢字é𠀀\ufeff", min_size=1, max_size=80).filter(lambda t: t.strip("\ufeff \n\r")),
    st.sampled_from(["utf-8", "utf-16", "utf-32", "utf-16-le"]),
    st.integers(min_value=4, max_value=50),
)
def test_the_parts_of_a_stream_are_the_text(text: str, encoding: str, limit: int) -> None:
    data = text.encode(encoding)
    if encoding == "utf-16-le":  # without its mark, it must say what it is in its first 64 KB
        data = b"\xff\xfe" + data
    elif encoding == "utf-8":
        text = text.removeprefix("\ufeff")
    stream = io.BytesIO(data)
    found = list(parts(stream.read(10), stream, "x", "x", limit, {}))
    # A part of nothing but spaces is dropped, and named.
    texts = [each.text for each in found if isinstance(each, Raw)]
    assert "".join("".join(texts).split()) == "".join(text.split())
    if len(texts) == len(found):
        assert "".join(texts) == text


@given(st.text(alphabet="ab\n\f漢", max_size=60), st.integers(min_value=1, max_value=20))
def test_pieces_of_a_decoded_text_are_the_text(text: str, limit: int) -> None:
    pieces = list(split(text, limit))
    assert "".join(pieces) == text
    assert all(len(piece) <= limit for piece in pieces)


FRENCH = "L’été était déjà passé; où aller? « Ça va être très long », répondit-elle, à peine étonnée."


def test_a_part_may_be_in_another_encoding(tmp_path: Path) -> None:
    (tmp_path / "x.txt").write_bytes((ENGLISH + "\n").encode() * 50 + (FRENCH + "\n").encode("cp1252") * 40)
    found = texts(tmp_path / "x.txt", ReadSettings(part_bytes=2400))
    assert FRENCH in "".join(found.values())


def test_a_file_of_nuls_is_binary(tmp_path: Path) -> None:
    (tmp_path / "x.txt").write_bytes(bytes(100_000))
    assert reasons(tmp_path / "x.txt", ReadSettings(part_bytes=1000)) == {"x.txt": "binary"}


def test_a_plain_file_is_read_fast(tmp_path: Path) -> None:
    (tmp_path / "x.txt").write_bytes((ENGLISH + "\n").encode() * 80_000)
    one(tmp_path / "x.txt")
    start = time.perf_counter()
    raw = one(tmp_path / "x.txt")
    # Measured at 500 MB/s and more; a loop over bytes in Python would take a hundred times as long.
    assert raw.bytes / (time.perf_counter() - start) > 50e6
