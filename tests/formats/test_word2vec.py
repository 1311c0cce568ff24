import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from daneel.formats.word2vec import escape, unescape, write_word2vec


def read_strictly(path):
    """What word2vec.c, gensim and a reader that splits at any white space all agree on; else it fails."""
    data = path.read_bytes()
    assert data.endswith(b"\n")
    head, *lines = data.decode("utf-8").removesuffix("\n").split("\n")
    assert lines == data.decode("utf-8").splitlines()[1:]
    count, dimension = (int(number) for number in head.split(" "))
    assert len(lines) == count
    words = {}
    for line in lines:
        name, *values = line.split(" ")
        assert [name, *values] == line.split()
        assert len(values) == dimension
        assert name not in words
        words[name] = np.array(values, dtype=np.float32)
    return words


@given(st.one_of(st.binary(max_size=12), st.text(max_size=8).map(lambda t: t.encode("utf-8", "surrogatepass"))))
def test_any_bytes_have_a_name_that_reads_back(data):
    for name in (escape(data), escape(data, 7)):
        assert unescape(name) == data
        assert not re.search(r"\s", name)
        assert name.isprintable()
    assert escape(data, 7) != escape(data)


@given(st.binary(max_size=6), st.binary(max_size=6))
def test_different_bytes_have_different_names(one, other):
    assert (escape(one) == escape(other)) == (one == other)


@pytest.mark.parametrize(
    ("data", "name"),
    [
        (b" robot", "▁robot"),
        ("机器人".encode(), "机器人"),
        (b"\n", "\\x0a"),
        ("▁".encode(), "\\xe2\\x96\\x81"),
        ("\u3000".encode(), "\\xe3\\x80\\x80"),
        (b"\xe6\x9c", "\\xe6\\x9c"),
        (b"\\x20", "\\x5cx20"),
        (b"\\#5", "\\x5c#5"),
    ],
)
def test_names(data, name):
    assert escape(data) == name
    assert unescape(name) == data


def test_values_come_back_exactly(tmp_path):
    vectors = np.random.default_rng(0).normal(size=(5, 7)).astype(np.float32)
    vectors[0, :3] = [1e-38, -3.4e38, 0.1]
    names = ["a", "▁b", "机器人", "\\#4", "ß"]
    write_word2vec(tmp_path / "v.txt", names, 5, [vectors[:2], vectors[2:]])
    found = read_strictly(tmp_path / "v.txt")
    assert list(found) == names
    assert np.array_equal(np.stack(list(found.values())), vectors)


def test_a_failure_leaves_the_old_file(tmp_path):
    path = tmp_path / "v.txt"
    path.write_text("old")

    def failing():
        yield np.zeros((1, 2), np.float32)
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        write_word2vec(path, ["a", "b"], 2, failing())
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]
