"""Project Gutenberg's header, credits and licence, cut from around the book."""

import re
from dataclasses import dataclass, replace
from typing import ClassVar

from daneel.corpus.step import Batch, Note, Result

_FLAGS = re.IGNORECASE | re.MULTILINE
_STARTS = (
    re.compile(r"^\*{3} ?START OF (?:THE|THIS) PROJECT GUTENBERG E-?(?:BOOK|TEXT)[^*]*\*{3}[^\n]*\n", _FLAGS),
    re.compile(r"^\*END\*? ?THE SMALL PRINT!?[^\n]*(?:\n[^\n]*\*END\*?)?[^\n]*\n", _FLAGS),
)
_ENDS = re.compile(
    r"^(?:\*{3} ?END OF (?:THE|THIS) PROJECT GUTENBERG|End of (?:the |this )?Project Gutenberg"
    r"|\*{3} ?START: FULL LICENSE)",
    _FLAGS,
)
_CREDITS = re.compile(
    r"\A\s*(?:\[?(?:Produced|E-?text prepared|This e-?text was (?:produced|prepared)|Transcribed|Scanned) by"
    r"|This e-?(?:text|book) was (?:produced|prepared))(?:[^\n]+\n?)+",
    _FLAGS,
)
_FIELD = re.compile(r"^(Title|Author|Language): *(\S.*)$", re.MULTILINE)
_LANGUAGES = {"English": "en", "Chinese": "zh", "French": "fr", "German": "de", "Spanish": "es", "Italian": "it"}


@dataclass(frozen=True)
class Gutenberg:
    """Keeps the book; title, author and language are taken from the header that goes."""

    name: ClassVar[str] = "gutenberg"

    def apply(self, batch: Batch) -> Result:
        """The batch without headers and licences."""
        result = Result([])
        for place, document in enumerate(batch):
            body, header = _book(document.text)
            if len(body) == len(document.text):
                result.documents.append(document)
                continue
            said = {key: value.strip() for key, value in reversed(_FIELD.findall(header))}
            removed = len(document.text) - len(body)
            result.notes.append((place, Note("Project Gutenberg header and licence cut", f"{removed} characters")))
            result.documents.append(
                replace(
                    document,
                    text=body,
                    title=document.title or said.get("Title", ""),
                    author=document.author or said.get("Author", ""),
                    language=document.language or _LANGUAGES.get(said.get("Language", ""), ""),
                )
            )
        return result


def _book(text: str) -> tuple[str, str]:
    """The book, and what stood before it."""
    if "gutenberg" not in text[:20_000].lower() and "gutenberg" not in text[-30_000:].lower():
        return text, ""
    start = max((match.end() for pattern in _STARTS if (match := pattern.search(text))), default=0)
    end = _ENDS.search(text, start)
    body = text[start : end.start() if end else None]
    if start:
        body = _CREDITS.sub("", body)
    return body, text[:start]
