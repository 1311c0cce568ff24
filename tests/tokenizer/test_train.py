from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from transformers import AutoTokenizer

from daneel.errors import UsageError
from daneel.tokenizer.load import Tokenizer
from daneel.tokenizer.train import SMALLEST, train_tokenizer

ENGLISH = "The year is 2042. AI has advanced to the point where nobody asks; she didn't answer, and it's late.\n"
CHINESE = "公元2042年，人工智能已经发展到了这样的地步：没有人再提问。“你听见了吗？”他问。人工智能没有回答。\n"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("own")
    train_tokenizer([ENGLISH, CHINESE] * 50, out, 400)
    return out


@settings(max_examples=200, deadline=None)
@given(text=st.lists(st.sampled_from([ENGLISH, CHINESE, "2042", "  \n\n\t"]) | st.text(), max_size=4).map("".join))
def test_every_text_comes_back_and_transformers_gives_the_same_ids(folder: Path, text: str) -> None:
    tokenizer, theirs = _both(folder)
    ids = tokenizer.encode(text, special=True)
    assert ids == theirs(text)["input_ids"]
    assert tokenizer.decode(ids) == text


_loaded: dict[Path, tuple[Tokenizer, object]] = {}


def _both(folder: Path):
    if folder not in _loaded:
        _loaded[folder] = (Tokenizer.load(folder), AutoTokenizer.from_pretrained(folder))
    return _loaded[folder]


def test_it_has_the_asked_size_and_learns_both_languages(folder: Path) -> None:
    tokenizer = Tokenizer.load(folder)
    assert tokenizer.vocab_size == 400
    assert tokenizer.encode("人工智能") != [id for c in "人工智能" for id in tokenizer.encode(c)]
    assert len(tokenizer.encode(" advanced")) < len(" advanced")
    # Digits stand one by one, so that numbers are read alike.
    assert [tokenizer.token_bytes(id) for id in tokenizer.encode("2042")] == [b"2", b"0", b"4", b"2"]


def test_special_tokens_end_texts_and_turns(folder: Path) -> None:
    tokenizer = Tokenizer.load(folder)
    assert [tokenizer.token_bytes(id) for id in tokenizer.eos] == [b"<|endoftext|>", b"<|im_end|>"]
    assert tokenizer.prefix == []
    assert tokenizer.chat is not None
    assert tokenizer.chat.render([{"role": "user", "content": "?"}], add_generation_prompt=True) == (
        "<|im_start|>user\n?<|im_end|>\n<|im_start|>assistant\n"
    )


def test_little_text_gives_the_real_size(tmp_path: Path) -> None:
    tokenizer = train_tokenizer(["aab aab"], tmp_path, 5000)
    assert SMALLEST < tokenizer.vocab_size < SMALLEST + 5


def test_texts_may_be_a_stream_and_order_of_runs_does_not_matter(tmp_path: Path) -> None:
    def stream() -> Iterator[str]:
        yield from [ENGLISH, CHINESE]

    train_tokenizer(stream(), tmp_path / "a", 320)
    train_tokenizer([ENGLISH, CHINESE], tmp_path / "b", 320)
    assert (tmp_path / "a/tokenizer.json").read_bytes() == (tmp_path / "b/tokenizer.json").read_bytes()


def test_too_small_a_vocabulary_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="a vocabulary of 100 is too small: 259"):
        train_tokenizer([ENGLISH], tmp_path, 100)
    assert not any(tmp_path.iterdir())
