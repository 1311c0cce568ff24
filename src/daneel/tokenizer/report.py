"""How well tokenizers fit texts: length, fertility, what of the vocabulary is used, and what is missing from it."""

import functools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from daneel.corpus.document import words
from daneel.corpus.identify import language
from daneel.report import Figure, Page
from daneel.tokenizer.load import Tokenizer
from daneel.tokenizer.show import visible

_LONGEST = 12
_NAMES = {"en": "English", "zh": "Chinese", "und": "undetermined"}


@dataclass
class Fit:
    """What one tokenizer makes of the texts of one language."""

    bytes: int = 0
    characters: int = 0
    words: int = 0
    """Words and numbers, and each Chinese character."""
    tokens: int = 0
    partial: int = 0
    """Tokens that are not whole characters: single bytes, or parts of a character."""
    unknown: int = 0
    used: set[int] = field(default_factory=set)

    def summary(self, vocabulary: int) -> dict[str, Any]:
        """The measures by name."""
        tokens = max(1, self.tokens)
        return {
            "bytes": self.bytes,
            "tokens": self.tokens,
            "bytes_per_token": self.bytes / tokens,
            "characters_per_token": self.characters / tokens,
            "fertility": self.tokens / max(1, self.words),
            "vocabulary_used": len(self.used) / vocabulary,
            "partial_tokens": self.partial / tokens,
            "unknown_tokens": self.unknown / tokens,
        }


@dataclass(frozen=True)
class Portrait:
    """A tokenizer: its vocabulary, and how it fits each language."""

    name: str
    vocabulary: int
    languages: dict[str, dict[str, Any]]
    common_chinese: float
    """Share of the 3,755 common characters of GB 2312 (level 1) that are one token."""
    all_chinese: float
    """Share of all 6,763 characters of GB 2312 that are one token."""
    longest: list[str]
    """The longest tokens of the vocabulary."""


def by_language(texts: Iterable[str]) -> dict[str, list[str]]:
    """Texts under the language that each is in."""
    found: dict[str, list[str]] = {}
    for text in texts:
        found.setdefault(language(text), []).append(text)
    return found


def portray(name: str, tokenizer: Tokenizer, texts: Mapping[str, Sequence[str]]) -> Portrait:
    """Measure a tokenizer on texts by language."""
    known = [tokenizer.token_bytes(id) for id in range(tokenizer.vocab_size)]
    partial = np.array([not _whole(data) for data in known])
    unknown = _unknown(tokenizer)
    fits = {}
    for tongue, some in texts.items():
        fit = Fit()
        for text in some:
            ids = np.array(tokenizer.encode(text))
            fit.bytes += len(text.encode())
            fit.characters += len(text)
            fit.words += words(text)
            fit.tokens += len(ids)
            fit.partial += int(partial[ids].sum())
            fit.unknown += int((ids == unknown).sum())
            fit.used.update(np.unique(ids).tolist())
        fits[tongue] = fit.summary(tokenizer.vocab_size)
    common, every = gb2312()
    # Runs of spaces and dashes are as long as their makers wished: only words say what was learned.
    ordinary = [
        data
        for id, data in enumerate(known)
        if id not in tokenizer.special_ids and any(map(str.isalpha, data.decode("utf-8", "ignore")))
    ]
    return Portrait(
        name=name,
        vocabulary=tokenizer.vocab_size,
        languages=fits,
        common_chinese=_single(tokenizer, common),
        all_chinese=_single(tokenizer, every),
        longest=[visible(data) for data in sorted(ordinary, key=lambda data: (-len(data), data))[:_LONGEST]],
    )


@functools.cache
def gb2312() -> tuple[str, str]:
    """The characters of GB 2312-80: level 1 (rows 16 to 55, by frequency of use), and both levels."""

    def level(first: int, last: int) -> str:
        codes = (bytes([0xA0 + row, 0xA0 + cell]) for row in range(first, last + 1) for cell in range(1, 95))
        return "".join(code.decode("gb2312", "ignore") for code in codes)

    return level(16, 55), level(16, 87)


def _whole(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True


def _unknown(tokenizer: Tokenizer) -> int:
    name = tokenizer.names.get("unk_token")
    return -1 if name is None else tokenizer.encode(name, special=True)[0]


def _single(tokenizer: Tokenizer, characters: str) -> float:
    return sum(len(tokenizer.encode(character)) == 1 for character in characters) / len(characters)


def summary(portraits: Sequence[Portrait], source: str) -> dict[str, Any]:
    """The report as one object."""
    return {"on": source, "tokenizers": [asdict(portrait) for portrait in portraits]}


MEASURES = {
    "bytes_per_token": ("bytes per token", "{:.2f}"),
    "characters_per_token": ("characters per token", "{:.2f}"),
    "fertility": ("tokens per word or Chinese character", "{:.2f}"),
    "vocabulary_used": ("vocabulary used", "{:.1%}"),
    "partial_tokens": ("tokens that are part of a character", "{:.1%}"),
    "unknown_tokens": ("unknown tokens", "{:.1%}"),
}


SHORT = ("bytes per token", "characters per token", "tokens per word", "vocabulary used", "split", "unknown")
"""The measures in few words."""


def columns(portraits: Sequence[Portrait], tongue: str) -> list[list[str]]:
    """Each measure of a language, for each tokenizer."""
    return [cells for _, *cells in rows(portraits, tongue)]


def rows(portraits: Sequence[Portrait], tongue: str) -> list[list[str]]:
    """A row for each measure of a language, a column for each tokenizer."""
    return [
        [label, *(form.format(portrait.languages[tongue][key]) for portrait in portraits)]
        for key, (label, form) in MEASURES.items()
    ]


def page(portraits: Sequence[Portrait], source: str) -> Page:
    """The comparison as an offline page; the first tokenizer is the one that it is about."""
    first = portraits[0]
    out = Page(f"The tokenizer of {first.name}", f"Measured on {source}.", kind="daneel tokenizer report")
    tongues = list(first.languages)
    out.figures([
        Figure(f"{first.vocabulary:,}", "tokens in the vocabulary"),
        *(Figure(f"{first.languages[each]['bytes_per_token']:.2f}", f"bytes per token, {_name(each)}",
                 _others(portraits, each)) for each in tongues),
        Figure(f"{first.common_chinese:.0%}", "of the 3,755 common Chinese characters are one token"),
    ])  # fmt: skip
    names = [portrait.name for portrait in portraits]
    for tongue in tongues:
        size = first.languages[tongue]["bytes"]
        out.heading(_name(tongue))
        out.table(["", *names], rows(portraits, tongue), f"{size:,} bytes of text")
    out.note(
        "More bytes per token is a shorter text for the model, and costs a larger vocabulary. Tokens per word is also "
        "called fertility; a Chinese character counts as a word. Above 1.2 tokens per Chinese character a model reads "
        "and writes Chinese poorly."
    )
    out.heading("The vocabulary")
    out.table(["", *names], [
        ["tokens", *(f"{portrait.vocabulary:,}" for portrait in portraits)],
        ["GB 2312 level 1, one token each", *(f"{portrait.common_chinese:.1%}" for portrait in portraits)],
        ["GB 2312 both levels", *(f"{portrait.all_chinese:.1%}" for portrait in portraits)],
    ])  # fmt: skip
    out.heading("The longest tokens")
    out.pairs({portrait.name: "  ".join(f"⟦{token}⟧" for token in portrait.longest) for portrait in portraits})
    return out


def _name(tongue: str) -> str:
    return _NAMES.get(tongue, tongue)


def _others(portraits: Sequence[Portrait], tongue: str) -> str:
    others = [f"{p.name} {p.languages[tongue]['bytes_per_token']:.2f}" for p in portraits[1:]]
    return ", ".join(others)
