"""A `tokenizer.json` as the metadata of a GGUF file, in the two kinds that `gguf_tokenizer.py` reads."""

import re
from typing import Any

from daneel.errors import ModelError
from daneel.formats.gguf_tokenizer import CONTROL, NORMAL, UNKNOWN, USER_DEFINED

UNUSED, BYTE = 5, 6
# Where the ends of a text are named; llama.cpp stops at each of them.
ROLES = ("eos", "eot", "eom")


def vocabulary(
    raw: dict[str, Any],
    *,
    pre: str,
    size: int,
    bos: int | None,
    eos: tuple[int, ...],
    pad: str | None,
    unknown: str | None,
    add_bos: bool,
    space_prefix: bool,
    template: str | None,
) -> dict[str, Any]:
    """The metadata of a tokenizer, padded with unused names to the model's `size`. Raises ModelError.

    `pad` and `unknown` are names of tokens; `space_prefix` says that texts get a space before their first word
    (SentencePiece's pieces alone).
    """
    model = raw["model"]
    ids: dict[str, int] = dict(model["vocab"])
    kinds = dict.fromkeys(ids.values(), NORMAL)
    if model["byte_fallback"]:
        kinds |= {id: BYTE for token, id in ids.items() if re.fullmatch("<0x[0-9A-F]{2}>", token)}
        if model["unk_token"] in ids:
            kinds[ids[model["unk_token"]]] = UNKNOWN
    names = {id: token for token, id in ids.items()}
    for token in raw["added_tokens"]:
        names[token["id"]] = token["content"].replace("▁", " ") if model["byte_fallback"] else token["content"]
        kinds[token["id"]] = CONTROL if token["special"] else USER_DEFINED
    if max(names) >= size:
        raise ModelError(f"the tokenizer has {max(names) + 1} tokens, the model rows for {size}: they do not belong")
    tokens = [names.get(id, f"[PAD{id}]") for id in range(size)]
    # Older files write a merge as one string.
    merges = [tuple(pair.split(" ", 1)) if isinstance(pair, str) else tuple(pair) for pair in model["merges"]]
    out: dict[str, Any] = {
        "tokenizer.ggml.model": "llama" if model["byte_fallback"] else "gpt2",
        "tokenizer.ggml.pre": pre,
        "tokenizer.ggml.tokens": tokens,
        "tokenizer.ggml.token_type": [kinds.get(id, UNUSED) for id in range(size)],
        "tokenizer.ggml.add_bos_token": add_bos,
    }
    if model["byte_fallback"]:
        out["tokenizer.ggml.scores"] = _scores(tokens, merges)
        out["tokenizer.ggml.add_space_prefix"] = space_prefix
    else:
        out["tokenizer.ggml.merges"] = [" ".join(pair) for pair in merges]
    by_name = {token: id for id, token in names.items()}
    roles = {"bos": bos, "padding": by_name.get(pad or ""), "unknown": by_name.get(unknown or model["unk_token"] or "")}
    roles |= dict(zip(ROLES, eos, strict=False))
    out |= {f"tokenizer.ggml.{role}_token_id": id for role, id in roles.items() if id is not None}
    return out | ({"tokenizer.chat_template": template} if template else {})


def _scores(tokens: list[str], merges: list[tuple[str, ...]]) -> list[float]:
    """The earlier a piece is made, the higher its score; llama.cpp merges by score where BPE merges by rank."""
    first: dict[str, int] = {}
    for rank, pair in enumerate(merges):
        first.setdefault("".join(pair), rank)
    return [-float(first.get(token, len(merges))) for token in tokens]
