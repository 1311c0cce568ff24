import pytest

from daneel.corpus.build import build, read_corpus
from daneel.errors import DataError
from daneel.evaluate.texts import read_texts


def test_files_of_a_folder_are_cleaned_and_the_rest_is_named(tmp_path):
    (tmp_path / "b.txt").write_bytes("The lamp.\r\n".encode("utf-16"))
    (tmp_path / "a.md").write_text("公元2042年，大灯烧得很干净。", "utf-8")
    (tmp_path / "c.png").write_bytes(b"\x89PNG")
    documents, dropped = read_texts(tmp_path)
    assert [d.text for d in documents] == ["公元2042年，大灯烧得很干净。", "The lamp."]
    assert documents[0].language == "zh"
    assert [each.source.split("/")[-1] for each in dropped] == ["c.png"]


def test_a_corpus_gives_its_held_out_part(tmp_path):
    texts = tmp_path / "texts"
    texts.mkdir()
    for i in range(10):
        (texts / f"{i}.txt").write_text(f"Story {i}. " + f"On day {i} the lamp burned clean. " * 60)
    build([texts], tmp_path / "corpus", heldout=0.2)
    corpus = read_corpus(tmp_path / "corpus")
    documents, dropped = read_texts(tmp_path / "corpus")
    assert documents == corpus.heldout
    assert 0 < len(documents) < 10
    assert dropped == []


def test_nothing_usable_is_an_error_with_the_reason(tmp_path):
    (tmp_path / "a.txt").write_text("")
    with pytest.raises(DataError, match=r"no usable text in .*a\.txt: empty"):
        read_texts(tmp_path)
