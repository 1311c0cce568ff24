"""Vocabularies of both kinds, against the original tokenizer, llama.cpp's rule and a real model's ids."""

import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import tiny
import tiny_gguf
import tokenizers
from hypothesis import given, settings
from hypothesis import strategies as st

from daneel.formats.gguf import convert
from daneel.formats.gguf_file import GGUF
from daneel.formats.gguf_tokenizer import add_bos, end_ids, tokenizer
from daneel.run import home
from daneel.tokenizer.load import Tokenizer

NORMAL, UNKNOWN, CONTROL, USER, BYTE = 1, 2, 3, 4, 6
TEXTS = [
    *tiny.TEXT,
    "it's  12 km\n\n\n away…\t(or 1,234)",
    "  naïve ΩΩ 🚀🚀 n\u0303",
    "",
    " ",
    "\u3000全角　空白\r\n",
]


def scored() -> dict[str, Any]:
    """A small SentencePiece vocabulary: bytes, single characters, and pieces whose scores matter."""
    pieces = [
        "he",
        "el",
        "ll",
        "lo",
        "hel",
        "llo",
        "hell",
        "ello",
        "▁h",
        "▁he",
        "▁hello",
        "▁w",
        "or",
        "wor",
        "ld",
    ]
    letters = list("helowrd▁你好")
    tokens = ["<pad>", "</s>", "<s>", "<unk>", *(f"<0x{byte:02X}>" for byte in range(256)), "  ", "<b>"]
    kinds = [CONTROL, CONTROL, CONTROL, UNKNOWN] + [BYTE] * 256 + [USER, USER]
    scores = [0.0] * len(tokens) + [-3.0, -1, -2, -5, -9, -6, -7, -8, -4, -10, -11, -12, -13, -14, -15]
    scores += [-100.0 - i for i in range(len(letters))]
    return {
        "tokenizer.ggml.model": "llama",
        "tokenizer.ggml.tokens": tokens + pieces + letters,
        "tokenizer.ggml.token_type": kinds + [NORMAL] * (len(pieces) + len(letters)),
        "tokenizer.ggml.scores": scores,
        "tokenizer.ggml.bos_token_id": 2,
        "tokenizer.ggml.eos_token_id": 1,
        "tokenizer.ggml.unknown_token_id": 3,
        "tokenizer.ggml.add_space_prefix": False,
    }


def llama_cpp(metadata: dict[str, Any], text: str) -> list[int]:
    """llama.cpp's rule, naively: join the neighbours whose union scores best, the leftmost among equals."""
    tokens, scores = metadata["tokenizer.ggml.tokens"], metadata["tokenizer.ggml.scores"]
    ids = {token: id for id, token in enumerate(tokens)}
    parts = list(text.replace(" ", "▁"))
    while True:
        joins = [(scores[ids[a + b]], -i) for i, (a, b) in enumerate(pairwise(parts)) if a + b in ids]
        if not joins:
            break
        at = -max(joins)[1]
        parts[at : at + 2] = [parts[at] + parts[at + 1]]
    out = []
    for part in parts:
        out += [ids[part]] if part in ids else [ids[f"<0x{byte:02X}>"] for byte in part.encode()]
    return out


@settings(max_examples=300, deadline=None)
@given(st.text(alphabet="helowrd 你好xé🚀", max_size=30).filter(lambda text: "  " not in text))
def test_pieces_are_merged_by_score_as_llama_cpp_does(text: str) -> None:
    assert PIECES.encode(text, add_special_tokens=False).ids == llama_cpp(scored(), text)


PIECES = tokenizer(scored())


def test_user_defined_pieces_are_cut_out_and_special_ones_only_if_asked() -> None:
    ids = {token: id for id, token in enumerate(scored()["tokenizer.ggml.tokens"])}
    assert PIECES.encode("he  <b>he", add_special_tokens=False).ids == [
        ids["he"],
        ids["  "],
        ids["<b>"],
        ids["he"],
    ]
    assert PIECES.encode("</s>", add_special_tokens=False).ids == [1]
    PIECES.encode_special_tokens = True
    assert 1 not in PIECES.encode("</s>", add_special_tokens=False).ids
    PIECES.encode_special_tokens = False


@pytest.mark.parametrize("prefix", [False, True])
def test_pieces_decode_to_the_text(prefix: bool) -> None:
    raw = tokenizer(scored() | {"tokenizer.ggml.add_space_prefix": prefix})
    for text in ("hello world", "你好 é🚀", "x y "):
        ids = raw.encode(text, add_special_tokens=False).ids
        assert raw.decode(ids) == text
        assert (raw.id_to_token(ids[0])[0] == "▁") is prefix


def test_the_beginning_token_is_added_where_the_file_wants_it() -> None:
    assert PIECES.encode("he").ids[0] == 2
    assert tokenizer(scored() | {"tokenizer.ggml.add_bos_token": False}).encode("he").ids[0] != 2
    assert not add_bos(tiny_gguf.byte_vocabulary())
    unsaid = {key: value for key, value in tiny_gguf.byte_vocabulary().items() if "add_bos" not in key}
    assert not add_bos(unsaid)
    assert add_bos(unsaid | {"tokenizer.ggml.pre": "llama-bpe"})


def test_every_end_of_a_turn_is_known() -> None:
    assert end_ids(tiny_gguf.byte_vocabulary()) == [2, 0]
    assert end_ids(scored()) == [1]
    # Gemma has </s> as an HTML tag.
    tag = scored()
    tag["tokenizer.ggml.tokens"] = [{"</s>": "<eos>", "<b>": "</s>"}.get(t, t) for t in tag["tokenizer.ggml.tokens"]]
    assert end_ids(tag) == [1]


def test_bytes_give_the_ids_of_the_original_tokenizer() -> None:
    original = tokenizers.Tokenizer.from_str(tiny.tokenizer_json())
    ours = tokenizer(tiny_gguf.byte_vocabulary("gpt-2"))
    for text in TEXTS:
        assert ours.encode(text).ids == original.encode(text).ids


def test_the_converted_tokenizer_renders_and_decodes(tmp_path: Path) -> None:
    convert(GGUF(tiny_gguf.tiny_gguf(tmp_path / "model.gguf")), tmp_path / "out")
    loaded = Tokenizer.load(tmp_path / "out")
    for text in TEXTS:
        assert loaded.decode(loaded.encode(text)) == text
    assert loaded.eos == (2, 0)
    assert loaded.bos == 1
    assert not loaded.add_bos
    assert loaded.chat is not None
    assert loaded.chat.render([{"role": "user", "content": "hi"}]) == "<|im_start|>user\nhi<|im_end|>\n"
    settings_json = json.loads((tmp_path / "out" / "tokenizer_config.json").read_text())
    assert settings_json["tokenizer_class"] == "PreTrainedTokenizerFast"


# From llama.cpp's patterns, by hand.
WORDS = {
    "gpt-2": ["It", "'s", " 2042", "!!", "  ", " x", "\n", "\n", "y", " 12345"],
    "smollm": [
        "It",
        "'s",
        " ",
        "2",
        "0",
        "4",
        "2",
        "!!",
        "  ",
        " x",
        "\n",
        "\n",
        "y",
        " ",
        "1",
        "2",
        "3",
        "4",
        "5",
    ],
    "llama-bpe": ["It", "'s", " ", "204", "2", "!!", "  ", " x", "\n\n", "y", " ", "123", "45"],
    "qwen2": [
        "It",
        "'s",
        " ",
        "2",
        "0",
        "4",
        "2",
        "!!",
        "  ",
        " x",
        "\n\n",
        "y",
        " ",
        "1",
        "2",
        "3",
        "4",
        "5",
    ],
    "default": ["It", "'", "s", " ", "204", "2", "!!", "  ", " x", "\n", "\n", "y", " ", "123", "45"],
}


@pytest.mark.parametrize("pre", WORDS)
def test_words_are_cut_as_llama_cpp_cuts_them(pre: str) -> None:
    ours = tokenizer(tiny_gguf.byte_vocabulary(pre))
    assert ours.pre_tokenizer is not None
    text = "It's 2042!!   x\n\ny 12345"
    cut = [text[begin:end] for _, (begin, end) in ours.pre_tokenizer.pre_tokenize_str(text)]
    assert cut == WORDS[pre]


def model_folder(name: str) -> Path:
    folder = home() / "models" / name
    if not (folder / "config.json").exists():
        pytest.skip(f"{name} is not on this machine: daneel pull {name}")
    return folder


@pytest.mark.weights
def test_smollm2_has_the_ids_that_llama_cpp_gives() -> None:
    ids = [788, 216, 34, 32, 36, 34, 28, 216, 33, 41, 40, 36, 216, 355, 256, 35, 32, 32, 33, 47]
    text = "In 2042, 1984  or  3001?"
    loaded = Tokenizer.load(model_folder("smollm2"))
    assert loaded.encode(text) == ids
    assert loaded.decode(ids) == text
    assert loaded.eos == (2, 0)


@pytest.mark.weights
def test_transformers_reads_smollm2_with_the_same_ids() -> None:
    import transformers

    folder = model_folder("smollm2")
    theirs = transformers.AutoTokenizer.from_pretrained(folder)
    ours = Tokenizer.load(folder)
    for text in [*TEXTS, "In 2042, 1984  or  3001?"]:
        assert theirs(text, add_special_tokens=False)["input_ids"] == ours.encode(text)


@pytest.mark.slow
@pytest.mark.weights
@pytest.mark.parametrize("name", ["smollm2", "gemma3"])
def test_ids_equal_llama_cpp_on_odd_texts(name: str) -> None:
    pytest.importorskip("xllamacpp")
    import importlib.util

    bench = Path(__file__).parents[2] / "bench" / "tokenizer_parity.py"
    spec = importlib.util.spec_from_file_location("tokenizer_parity", bench)
    assert spec is not None
    assert spec.loader is not None
    parity = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(parity)
    folder = model_folder(name)
    ours, peer = Tokenizer.load(folder), parity.LlamaCpp(next(folder.glob("*.gguf")))
    texts = [*TEXTS, *parity.odd(300)]
    assert [ours.encode(text) for text in texts] == [peer.encode(text) for text in texts]
