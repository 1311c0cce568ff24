"""More tokens for a model that knows a language badly: BPE goes on where it stopped, and the old ids stay.

New merges come after all old ones, so a text is first cut as before and then its pieces are joined further. What a
new token means at first is the mean of the pieces that it replaces (bench/extend.py measures it against others).
"""

import json
import shutil
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice, pairwise
from pathlib import Path
from typing import Any, Literal

import numpy as np
import tokenizers
from tokenizers import models, pre_tokenizers, trainers

from daneel.errors import DataError, ModelError, UsageError
from daneel.formats.embedding_rows import rewrite
from daneel.formats.hf import read_config
from daneel.formats.peft import CONFIG as ADAPTER
from daneel.run import atomic_dir
from daneel.tokenizer.load import Tokenizer
from daneel.tokenizer.train import LARGEST

Array = np.ndarray[Any, Any]
Init = Literal["pieces", "mean", "random"]

_BATCH = 64  # texts encoded at a time
# Old tokens as characters, so that the trainer of `tokenizers` can join them: planes 1 to 16 have no surrogates.
_FIRST = 0x10000
_BREAK = "\n"
# Files that go wherever the model goes.
_TERMS = frozenset({"LICENSE", "LICENCE", "NOTICE"})
# Frequencies below this teach names and chance.
MIN_FREQUENCY = 2
LONGEST = 24
"""Bytes of the longest new token."""


@dataclass(frozen=True)
class Extension:
    """New tokens in the order of their ids, and the merges that make them."""

    names: list[str]
    """As the vocabulary spells them."""
    pieces: list[list[int]]
    """The old ids that each one replaces."""
    merges: list[tuple[str, str]]


def extend(
    model: Path,
    out: Path,
    texts: Iterable[str],
    count: int,
    keep: Iterable[str] | None = None,
    init: Init = "pieces",
    seed: int = 0,
) -> Extension:
    """Write `model` with `count` more tokens, learned from the texts, as the folder `out`.

    The ids of the texts in `keep` do not change; without it those of all ASCII text do not. `init` chooses the new
    rows of the embedding, and of the head where it is not tied: the mean of the pieces a token replaces, the mean of
    all rows, or random rows with the mean and spread of all. Raises DataError, ModelError, UsageError.
    """
    if (model / ADAPTER).is_file():
        raise UsageError(f"{model} is an adapter: merge it first with `daneel train --merge`, or name its base")
    raw = _byte_level(model)
    learned = learn(raw, texts, count, keep)
    old = Tokenizer.load(model)
    config = read_config(model)
    size = max(config.get("vocab_size", 0), old.vocab_size + len(learned.names))
    with atomic_dir(out) as folder:
        old.save(folder)
        state = json.loads((folder / "tokenizer.json").read_text("utf-8"))
        extended = _joined(state, learned, old.vocab_size)
        (folder / "tokenizer.json").write_text(json.dumps(extended, ensure_ascii=False, indent=2), "utf-8")
        rewrite(model, folder, lambda table: _enlarged(table, learned, old.vocab_size, size, init, seed))
        (folder / "config.json").write_text(json.dumps({**config, "vocab_size": size}, indent=2), "utf-8")
        for path in model.iterdir():
            if path.name == "generation_config.json" or path.stem.upper() in _TERMS:
                shutil.copyfile(path, folder / path.name)
    return learned


def learn(raw: tokenizers.Tokenizer, texts: Iterable[str], count: int, keep: Iterable[str] | None = None) -> Extension:
    """The next `count` tokens that BPE would have learned from the texts, fewer where they have no more to teach."""
    if count < 1:
        raise UsageError(f"--add {count} adds nothing: give the number of new tokens, such as 4000")
    if count > LARGEST:
        raise UsageError(f"--add {count} is too many: at most {LARGEST:,}, better some thousand, such as 4000")
    names = {id: name for name, id in raw.get_vocab().items()}
    if _FIRST + max(names) > 0x10FFFF:
        raise ModelError(f"a vocabulary of {len(names):,} tokens is too large to be extended")
    lengths = {id: len(name) for id, name in names.items()}  # in GPT-2's alphabet a character is a byte
    apart = _ascii(names) if keep is None else _pairs(raw, keep)
    trainer = trainers.BpeTrainer(
        # Some will be too long, or old tokens by another way.
        vocab_size=len(names) + 2 * count + 100,
        initial_alphabet=[chr(_FIRST + id) for id in sorted(names)],
        limit_alphabet=len(names),
        min_frequency=MIN_FREQUENCY,
        max_token_length=LONGEST,
        show_progress=False,
    )
    joiner = tokenizers.Tokenizer(models.BPE())
    joiner.pre_tokenizer = pre_tokenizers.Split(_BREAK, "removed")
    joiner.train_from_iterator(_lines(raw, texts, apart), trainer)
    out = Extension([], [], [])
    taken = set(names.values())
    possible = {chr(_FIRST + id) for id in names}
    for left, right in json.loads(joiner.to_str())["model"]["merges"]:
        if len(out.names) == count:
            break
        ids = [ord(sign) - _FIRST for sign in left + right]
        # A token that is too long, and all that would be made of it.
        if left not in possible or right not in possible or sum(lengths[id] for id in ids) > LONGEST:
            continue
        possible.add(left + right)
        sides = tuple("".join(names[ord(sign) - _FIRST] for sign in side) for side in (left, right))
        out.merges.append((sides[0], sides[1]))
        if "".join(sides) not in taken:
            taken.add("".join(sides))
            out.names.append("".join(sides))
            out.pieces.append(ids)
    if not out.names:
        raise DataError("the texts teach no new token: give more of them, in the language that the model lacks")
    return out


def _byte_level(model: Path) -> tokenizers.Tokenizer:
    raw = tokenizers.Tokenizer.from_file(str(model / "tokenizer.json"))
    raw.no_truncation()
    raw.no_padding()
    raw.encode_special_tokens = True
    cut = raw.pre_tokenizer
    if not isinstance(raw.model, models.BPE) or raw.model.byte_fallback or cut is None or "ByteLevel" not in str(cut):
        raise ModelError(
            f"{model} has no byte-level BPE, the one kind that can be extended (GPT-2, Llama 3, Qwen, SmolLM have it)"
        )
    return raw


def _lines(raw: tokenizers.Tokenizer, texts: Iterable[str], apart: "_Apart") -> Iterator[str]:
    """Each text as the characters of its old tokens, with breaks where nothing may be joined."""
    for words in _words(raw, texts):
        parts = []
        for word in words:
            parts.append(chr(_FIRST + word[0]))
            for pair in pairwise(word):
                if apart(pair):
                    parts.append(_BREAK)
                parts.append(chr(_FIRST + pair[1]))
            parts.append(_BREAK)
        yield "".join(parts)


def _words(raw: tokenizers.Tokenizer, texts: Iterable[str]) -> Iterator[list[list[int]]]:
    """The ids of each word of each text."""
    source = iter(texts)
    while batch := list(islice(source, _BATCH)):
        for encoding in raw.encode_batch(batch, add_special_tokens=False):
            words: list[list[int]] = []
            last = None
            for id, word in zip(encoding.ids, encoding.word_ids, strict=True):
                if word != last or word is None:
                    words.append([])
                last = word
                words[-1].append(id)
            yield words


class _Apart:
    """Which neighbours are never joined."""

    def __init__(self, pairs: frozenset[tuple[int, int]], ascii_ids: frozenset[int]) -> None:
        self._pairs, self._ascii = pairs, ascii_ids

    def __call__(self, pair: tuple[int, int]) -> bool:
        return (pair[0] in self._ascii and pair[1] in self._ascii) or pair in self._pairs


def _ascii(names: dict[int, str]) -> _Apart:
    # GPT-2 writes a space as Ġ, a line end as Ċ, and so all the first 33 bytes.
    control = {chr(0x100 + code) for code in range(0x21)} | {"\u0121"}
    ascii_ids = {id for id, name in names.items() if all("!" <= sign <= "~" or sign in control for sign in name)}
    return _Apart(frozenset(), frozenset(ascii_ids))


def _pairs(raw: tokenizers.Tokenizer, keep: Iterable[str]) -> _Apart:
    # A pair that is never joined in these texts leaves every id of them as it was.
    return _Apart(
        frozenset(pair for words in _words(raw, keep) for word in words for pair in pairwise(word)), frozenset()
    )


def _joined(state: dict[str, Any], learned: Extension, first: int) -> dict[str, Any]:
    """`tokenizer.json` with the new tokens from id `first` on."""
    vocabulary: dict[str, int] = state["model"]["vocab"]
    # Added tokens take the ids after the vocabulary when a file is read, unless it holds them itself.
    vocabulary |= {token["content"]: token["id"] for token in state["added_tokens"]}
    vocabulary |= {name: first + number for number, name in enumerate(learned.names)}
    # Older files write a merge as one text.
    merges = [tuple(each.split(" ")) if isinstance(each, str) else tuple(each) for each in state["model"]["merges"]]
    state["model"]["merges"] = [*merges, *learned.merges]
    return state


def _enlarged(table: Array, learned: Extension, first: int, size: int, init: Init, seed: int) -> Array:
    """The table [tokens, width] with a row for each new token; rows of padding are taken first."""
    if len(table) < first:
        raise ModelError(f"the model has {len(table):,} rows for {first:,} tokens: its tokenizer is another model's")
    new = np.zeros((size, table.shape[1]), np.float32)
    new[: len(table)] = table
    old = table[:first]
    mean = old.mean(0)
    if init == "pieces":
        rows = np.stack([table[ids].mean(0) for ids in learned.pieces])
    elif init == "mean":
        rows = np.tile(mean, (len(learned.pieces), 1))
    else:
        spread = old.std(0)
        rows = mean + spread * np.random.default_rng(seed).standard_normal((len(learned.pieces), table.shape[1]))
    new[first : first + len(rows)] = rows
    return new


def counts(made: Sequence[Tokenizer], texts: Iterable[str]) -> list[int]:
    """The tokens that each tokenizer makes of all the texts."""
    out = [0] * len(made)
    source = iter(texts)
    while batch := list(islice(source, _BATCH)):
        for n, tokenizer in enumerate(made):
            out[n] += sum(map(len, tokenizer.encode_batch(batch)))
    return out


def same_ids(before: Tokenizer, after: Tokenizer, texts: Sequence[str]) -> float:
    """The share of texts whose ids did not change."""
    return sum(before.encode(text) == after.encode(text) for text in texts) / len(texts)
