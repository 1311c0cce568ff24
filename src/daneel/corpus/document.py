"""A document, and what can be counted and guessed from its text alone."""

import hashlib
import re
from dataclasses import dataclass, replace

# Unified ideographs with their extensions; Chinese is counted in these, other scripts in words.
HAN = "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
_HAN_SIGN = re.compile(f"[{HAN}]")
_KANA_HANGUL = re.compile(r"[\u3040-\u30ff\uac00-\ud7af]")
_WORD = re.compile(rf"[{HAN}]|[^\W_{HAN}]+")
_ENGLISH = frozenset(
    ["the", "of", "and", "to", "in", "that", "was", "is", "it", "he", "with", "for", "his", "her", "she"]
)  # fmt: skip


@dataclass(frozen=True)
class Document:
    """One story, book or block of one; what is not known is an empty string."""

    text: str
    source: str
    """Where it was read, relative to what the user named; `#2` is a row or block of it."""
    title: str
    author: str
    language: str
    """`zh`, `en` or `und` (undetermined), unless the source says otherwise."""
    licence: str
    sha256: str

    def part(self, text: str, number: str) -> "Document":
        """A block of this document."""
        return replace(
            self,
            text=text,
            source=f"{self.source}#{number}",
            title=f"{self.title} ({number})",
            sha256=digest(text),
        )


def digest(text: str) -> str:
    """SHA-256 of a text in UTF-8, in hex."""
    return hashlib.sha256(text.encode()).hexdigest()


def words(text: str) -> int:
    """Words of alphabetic scripts, numbers, and each Chinese character."""
    return sum(1 for _ in _WORD.finditer(text))


def language(text: str) -> str:
    """`zh` where Chinese characters prevail, `en` where English function words are frequent, else `und`."""
    sample = text[:20_000]
    han = len(_HAN_SIGN.findall(sample))
    if han > 0.5 * words(sample):
        # Japanese mixes both; more than a few kana is not Chinese.
        return "und" if len(_KANA_HANGUL.findall(sample)) > 0.05 * han else "zh"
    found = re.findall(r"[^\W\d_]+", sample.casefold())
    return "en" if found and sum(word in _ENGLISH for word in found) > 0.12 * len(found) else "und"
