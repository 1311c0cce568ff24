"""A GGUF file's vocabulary as `tokenizer.json` and `tokenizer_config.json`.

Two kinds exist: `gpt2` (bytes, merges in order) and `llama` (SentencePiece pieces with scores: llama.cpp
merges the neighbours whose union has the highest score, which is BPE with merges sorted by score).
Source: llama.cpp's `llama-vocab.cpp`.
"""

from collections.abc import Callable
from typing import Any

from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors

from daneel.errors import ModelError

NORMAL, UNKNOWN, CONTROL, USER_DEFINED = 1, 2, 3, 4

GPT2 = r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)"
CONTRACTIONS = r"(?:'[sS]|'[tT]|'[rR][eE]|'[vV][eE]|'[mM]|'[lL][lL]|'[dD])"
WORDS = CONTRACTIONS + r"|[^\r\n\p{L}\p{N}]?\p{L}+|%s| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
# tokenizer.ggml.pre -> the patterns that cut a text into words, one after the other.
PATTERNS = {
    "default": [r"[\p{P}\$\+<=>\^~\|]+", GPT2, r"\p{N}+", r"[0-9][0-9][0-9]"],
    "gpt-2": [GPT2],
    "smollm": [r"\p{N}", GPT2],
    "llama-bpe": [WORDS % r"\p{N}{1,3}"],
    "qwen2": [WORDS % r"\p{N}"],
}
# What llama.cpp takes for the end of a text or a turn, whatever the metadata say.
ENDS = {
    "<|eot_id|>",
    "<|im_end|>",
    "<|end|>",
    "<end_of_turn>",
    "<|endoftext|>",
    "<|end_of_text|>",
    "<eos>",
    "</s>",
}


def tokenizer(metadata: dict[str, Any]) -> Tokenizer:
    """The tokenizer that the metadata describe. Raises ModelError for a kind that is not supported."""
    tokens: list[str] = metadata["tokenizer.ggml.tokens"]
    kinds: list[int] = metadata.get("tokenizer.ggml.token_type") or [NORMAL] * len(tokens)
    model = metadata.get("tokenizer.ggml.model")
    makers: dict[Any, Callable[[dict[str, Any], list[str], list[int]], Tokenizer]] = {
        "gpt2": _bytes,
        "llama": _pieces,
    }
    if model not in makers:
        raise ModelError(f"GGUF tokenizer of kind {model!r} is not supported; daneel reads {', '.join(makers)}")
    if len(kinds) != len(tokens):
        raise ModelError(f"the GGUF vocabulary has {len(tokens)} tokens but {len(kinds)} token types")
    out = makers[model](metadata, tokens, kinds)
    for kind, add in ((CONTROL, out.add_special_tokens), (USER_DEFINED, out.add_tokens)):
        add([
            AddedToken(token, special=kind == CONTROL, normalized=False)
            for token, its in zip(tokens, kinds, strict=True)
            if its == kind and token
        ])  # fmt: skip
    bos = metadata.get("tokenizer.ggml.bos_token_id")
    if add_bos(metadata):
        name = tokens[bos]  # type: ignore[index]  # add_bos() is true only where there is one
        out.post_processor = processors.TemplateProcessing(f"{name} $A", f"{name} $A {name} $B", [(name, bos)])
    return out


def add_bos(metadata: dict[str, Any]) -> bool:
    """Whether texts begin with the beginning-of-text token."""
    default = metadata.get("tokenizer.ggml.model") == "llama" or metadata.get("tokenizer.ggml.pre") == "llama-bpe"
    wanted = bool(metadata.get("tokenizer.ggml.add_bos_token", default))
    return wanted and metadata.get("tokenizer.ggml.bos_token_id") is not None


def end_ids(metadata: dict[str, Any]) -> list[int]:
    """Every token that ends a text or a turn, the metadata's own first."""
    tokens: list[str] = metadata["tokenizer.ggml.tokens"]
    kinds = metadata.get("tokenizer.ggml.token_type") or [NORMAL] * len(tokens)
    named = [metadata.get(f"tokenizer.ggml.{key}_token_id") for key in ("eos", "eot", "eom")]
    known = [id for id, token in enumerate(tokens) if token in ENDS and kinds[id] == CONTROL]
    return list(dict.fromkeys(id for id in [*named, *known] if id is not None))


def settings(metadata: dict[str, Any], context: int) -> dict[str, Any]:
    """`tokenizer_config.json`."""
    tokens: list[str] = metadata["tokenizer.ggml.tokens"]
    out: dict[str, Any] = {
        # Named classes put their own pre-tokenizer in place of the one in tokenizer.json.
        "tokenizer_class": "PreTrainedTokenizerFast",
        "model_max_length": context,
        "clean_up_tokenization_spaces": False,
        "add_bos_token": add_bos(metadata),
    }
    for role, key in (("bos", "bos"), ("eos", "eos"), ("unk", "unknown"), ("pad", "padding")):
        id = metadata.get(f"tokenizer.ggml.{key}_token_id")
        if id is not None:
            out[f"{role}_token"] = tokens[id]
    if template := metadata.get("tokenizer.chat_template"):
        out["chat_template"] = template
    return out


def _bytes(metadata: dict[str, Any], tokens: list[str], kinds: list[int]) -> Tokenizer:
    pre = metadata.get("tokenizer.ggml.pre", "default")
    if pre not in PATTERNS:
        raise ModelError(f"GGUF pre-tokenizer {pre!r} is not supported; daneel has {', '.join(PATTERNS)}")
    vocabulary = {token: id for id, token in enumerate(tokens)}
    merges = [(left, right) for left, _, right in (m.partition(" ") for m in metadata.get("tokenizer.ggml.merges", []))]
    out = Tokenizer(_bpe(vocabulary, merges, ignore_merges=pre == "llama-bpe"))
    if pre == "qwen2":  # what the model was trained with; llama.cpp leaves it out
        out.normalizer = normalizers.NFC()
    out.pre_tokenizer = pre_tokenizers.Sequence([
        *(pre_tokenizers.Split(Regex(pattern), "isolated") for pattern in PATTERNS[pre]),
        pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
    ])  # fmt: skip
    out.decoder = decoders.ByteLevel()
    return out


def _pieces(metadata: dict[str, Any], tokens: list[str], kinds: list[int]) -> Tokenizer:
    scores: list[float] = metadata.get("tokenizer.ggml.scores") or []
    if len(scores) != len(tokens):
        raise ModelError(f"the GGUF vocabulary has {len(tokens)} tokens but {len(scores)} scores")
    # The first of two equal tokens keeps its place, as in llama.cpp.
    vocabulary: dict[str, int] = {}
    for id, token in enumerate(tokens):
        vocabulary.setdefault(token, id)
    unknown = metadata.get("tokenizer.ggml.unknown_token_id")
    out = Tokenizer(
        _bpe(
            vocabulary,
            _merges(vocabulary, scores, kinds),
            byte_fallback=True,
            fuse_unk=True,
            unk_token=None if unknown is None else tokens[unknown],
        )
    )
    prefix = metadata.get("tokenizer.ggml.add_space_prefix", True)
    replace = normalizers.Replace(" ", "▁")
    out.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), replace]) if prefix else replace
    steps = [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse()]
    out.decoder = decoders.Sequence([*steps, decoders.Strip(" ", 1, 0)] if prefix else steps)
    return out


def _bpe(vocabulary: dict[str, int], merges: list[tuple[str, str]], **options: Any) -> models.BPE:
    try:
        return models.BPE(vocab=vocabulary, merges=merges, **options)
    except Exception as error:  # the library raises bare Exception
        raise ModelError(f"the GGUF vocabulary is damaged ({error}); fetch the file again") from None


def _merges(vocabulary: dict[str, int], scores: list[float], kinds: list[int]) -> list[tuple[str, str]]:
    """Every way to make a piece of two others, the best piece first."""
    found = []
    for token, id in vocabulary.items():
        # Control tokens never come from text; user-defined ones are cut out before merging begins.
        if kinds[id] in (CONTROL, USER_DEFINED, UNKNOWN):
            continue
        for cut in range(1, len(token)):
            left, right = token[:cut], token[cut:]
            if left in vocabulary and right in vocabulary:
                found.append((-scores[id], id, vocabulary[left], vocabulary[right], left, right))
    found.sort()
    return [(left, right) for *_, left, right in found]
