"""A document, and what can be counted from its text alone."""

import hashlib
import re
from dataclasses import dataclass, replace

# Unified ideographs with their extensions; Chinese is counted in these, other scripts in words.
HAN = "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
_WORD = re.compile(rf"[{HAN}]|[^\W_{HAN}]+")


@dataclass(frozen=True)
class Document:
    """One story, book or block of one; what is not known is an empty string."""

    text: str
    source: str
    """Where it was read, relative to what the user named; `#2` is a row or block of it."""
    title: str
    author: str
    language: str
    """ISO 639-1 (ISO 639-3 where that has none), or `und` (undetermined)."""
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
