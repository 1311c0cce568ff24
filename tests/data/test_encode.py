from pathlib import Path

import pytest

from daneel.corpus.engine import engine
from daneel.data import encode
from daneel.data.packing import Document, write_shards
from daneel.tokenizer.load import Tokenizer
from daneel.tokenizer.train import train_tokenizer

TEXTS = [f"In the year {n} the lamp was lit. 公元{n}年，灯塔亮了。" * (n % 7) for n in range(40)]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tokenizer")
    train_tokenizer(TEXTS, folder, 400)
    return folder


def test_groups_and_processes_change_nothing(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tokenizer = Tokenizer.load(folder)
    monkeypatch.setattr(encode, "GROUP", 300)
    expected = [tokenizer.encode(text) for text in TEXTS]
    assert [ids.tolist() for ids in encode.encode(TEXTS, tokenizer)] == expected
    shards = []
    for processes in (1, 2):
        with engine("processes", processes) as run:
            documents = map(Document, encode.encode_with(run, TEXTS, folder))
            shards.append(write_shards(documents, tmp_path / str(processes), 64, whole=False))
    assert shards[0].meta == shards[1].meta
    assert shards[0].meta.tokens == sum(map(len, expected))
