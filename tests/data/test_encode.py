from pathlib import Path

import pytest

from daneel.data import encode
from daneel.tokenizer import load
from daneel.tokenizer.load import Tokenizer
from daneel.tokenizer.train import train_tokenizer

TEXTS = [f"In the year {n} the lamp was lit. 公元{n}年，灯塔亮了。" * (n % 7) for n in range(40)]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tokenizer")
    train_tokenizer(TEXTS, folder, 400)
    return folder


def test_groups_change_nothing(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tokenizer = Tokenizer.load(folder)
    monkeypatch.setattr(encode, "GROUP", 300)
    expected = [tokenizer.encode(text) for text in TEXTS]
    for least in (load.LEAST, 0):
        monkeypatch.setattr(load, "LEAST", least)
        assert [ids.tolist() for ids in encode.encode(TEXTS, tokenizer)] == expected


def test_tokens_stand_for_the_bytes_of_the_text_and_special_ones_for_none(folder: Path) -> None:
    tokenizer = Tokenizer.load(folder)
    counts = encode.byte_counts(tokenizer)
    for text in TEXTS:
        assert counts[tokenizer.encode(text)].sum() == len(text.encode())
    assert counts[sorted(tokenizer.special_ids)].sum() == 0
