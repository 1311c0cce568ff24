"""How a text is cut into words before a vocabulary is applied, and which of llama.cpp's names that cut has."""

import json
from pathlib import Path
from typing import Any

import tokenizers
from tokenizers import models, pre_tokenizers

from daneel.errors import ModelError
from daneel.formats.gguf_tokenizer import PATTERNS as BY_GGML_PRE

# What `--pattern` takes -> `tokenizer.ggml.pre`. The expressions are written as llama.cpp reads them.
PATTERNS = {"gpt2": "gpt-2", "llama3": "llama-bpe", "qwen2": "qwen2"}
# Whatever any two patterns cut differently: digits, contractions, marks, white space, letters of several scripts,
# combining signs, and words in which the case changes.
_PROBE = (
    "It's WE'LL they’ve 2042 1234567 ٣٤٥ ½Ⅷ x=3.14;\tif (a==b) {\n\n  return 'it's'; }\r\n\r\n   "
    "camelCase HTTPServer naïve e\u0301te\u0301 हिन्दी ไทย 公元2042年，“你听见了吗？”他问。\u3000\u00a0 ひらがなカタカナ"
    " 한국어 !!! ...??? $100 #tag @you 😀👩‍🚀   \n \n\t\tend  "
)


def cutter(pattern: str) -> pre_tokenizers.PreTokenizer:
    """The pre-tokenizer of a pattern of `PATTERNS`: words, written in GPT-2's alphabet of bytes."""
    return _cutter(PATTERNS[pattern])


def _cutter(pre: str) -> pre_tokenizers.PreTokenizer:
    return pre_tokenizers.Sequence([
        *(pre_tokenizers.Split(tokenizers.Regex(each), "isolated") for each in BY_GGML_PRE[pre]),
        pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
    ])  # fmt: skip


def ggml_pre(folder: Path) -> str | None:
    """The `tokenizer.ggml.pre` under which llama.cpp cuts texts as a folder's `tokenizer.json` does.

    Told by what it does to a text in which the known patterns differ, so the way the pattern is spelled does not
    matter. `default` for SentencePiece's kind of BPE (Gemma, Llama 2); None where llama.cpp has no such
    pre-tokenizer, or none that daneel knows: another pattern, or Unigram over bytes. Raises ModelError.
    """
    path = folder / "tokenizer.json"
    try:
        raw = tokenizers.Tokenizer.from_file(str(path))
    except Exception as error:  # the library raises bare Exception
        raise ModelError(f"{path} is not a tokenizer this version reads: {error}") from None
    if not isinstance(raw.model, models.BPE):
        return None
    if raw.model.byte_fallback:
        return "default"
    # Qwen2 composes characters before; llama.cpp leaves that out, which only decomposed text shows.
    if raw.pre_tokenizer is None or not _plain(raw.normalizer):
        return None
    cut = _words(raw.pre_tokenizer)
    return next((pre for pre in BY_GGML_PRE if _words(_cutter(pre)) == cut), None)


def _plain(normalizer: Any) -> bool:
    return normalizer is None or json.loads(normalizer.__getstate__())["type"] == "NFC"


def _words(pre_tokenizer: pre_tokenizers.PreTokenizer) -> list[str]:
    return [word for word, _ in pre_tokenizer.pre_tokenize_str(_PROBE)]
