"""A tokenizer as GGUF metadata, and back through our reader with the same ids."""

import json
from typing import Any

import pytest
import tiny
import tiny_gguf
from tokenizers import Tokenizer

from daneel.errors import ModelError
from daneel.formats.gguf_tokenizer import end_ids, tokenizer
from daneel.formats.gguf_write_tokenizer import UNUSED, vocabulary

TEXTS = [*tiny.TEXT, "the lamp  lamps\n\n灯塔 😀 naïve"]


def described(raw: str, **changes: Any) -> dict[str, Any]:
    known: dict[str, Any] = {
        "pre": "gpt-2", "size": 400, "bos": 1, "eos": (2,), "pad": "<|endoftext|>", "unknown": None, "add_bos": False,
        "space_prefix": False, "template": tiny.TEMPLATE,
    }  # fmt: skip
    return vocabulary(json.loads(raw), **{**known, **changes})


def same(metadata: dict[str, Any], raw: str) -> None:
    ours, theirs = Tokenizer.from_str(raw), tokenizer(metadata)
    for text in TEXTS:
        assert theirs.encode(text, add_special_tokens=False).ids == ours.encode(text, add_special_tokens=False).ids


def test_a_byte_level_vocabulary_is_what_llama_cpps_converter_writes() -> None:
    assert described(tiny.tokenizer_json()) == tiny_gguf.byte_vocabulary()
    same(described(tiny.tokenizer_json()), tiny.tokenizer_json())


def test_merges_of_older_files_are_the_same() -> None:
    raw = json.loads(tiny.tokenizer_json())
    raw["model"]["merges"] = [" ".join(pair) for pair in raw["model"]["merges"]]
    assert described(json.dumps(raw)) == tiny_gguf.byte_vocabulary()


def test_rows_beyond_the_vocabulary_are_unused_and_missing_ones_an_error() -> None:
    padded = described(tiny.tokenizer_json(), size=403)
    assert padded["tokenizer.ggml.tokens"][400:] == ["[PAD400]", "[PAD401]", "[PAD402]"]
    assert padded["tokenizer.ggml.token_type"][399:] == [1, UNUSED, UNUSED, UNUSED]
    same(padded, tiny.tokenizer_json())
    with pytest.raises(ModelError, match="the tokenizer has 400 tokens, the model rows for 399"):
        described(tiny.tokenizer_json(), size=399)


def test_every_end_of_a_text_is_named() -> None:
    several = described(tiny.tokenizer_json(), eos=(2, 5, 9))
    assert end_ids(several)[:3] == [2, 5, 9]


@pytest.mark.parametrize("prefix", [True, False])
def test_pieces_keep_their_order_kinds_and_ids(prefix: bool) -> None:
    metadata = tiny_gguf.piece_vocabulary()
    metadata["tokenizer.ggml.add_space_prefix"] = prefix
    raw = tokenizer(metadata).to_str()
    size = len(metadata["tokenizer.ggml.tokens"])
    got = described(raw, pre="default", size=size, bos=None, eos=(), pad=None, space_prefix=prefix, template=None)
    for key in ("model", "tokens", "unknown_token_id", "add_space_prefix"):
        assert got[f"tokenizer.ggml.{key}"] == metadata[f"tokenizer.ggml.{key}"], key
    # What our reader calls unknown is a control token too.
    assert got["tokenizer.ggml.token_type"] == metadata["tokenizer.ggml.token_type"]
    same(got, raw)
