"""The beginnings of a few documents, for card, page and terminal."""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from daneel.corpus.document import Document
from daneel.corpus.fields import split

COLUMNS = 400


@dataclass(frozen=True)
class Excerpt:
    """The beginning of a document, or of each text of a record."""

    title: str
    source: str
    language: str
    texts: tuple[str, ...]
    """On one line each."""


def excerpts(sample: Sequence[Document]) -> list[Excerpt]:
    """The beginning of each document."""
    return [
        Excerpt(
            document.title,
            document.source,
            document.language,
            tuple(map(beginning, split(body(document.text, document.title, document.author)))),
        )
        for document in sample
    ]


def beginning(text: str, columns: int = COLUMNS) -> str:
    """The first words of a text on one line; a Chinese character takes two columns."""
    flat = " ".join(text[: 4 * columns].split())
    for place, character in enumerate(flat):
        columns -= 2 if unicodedata.east_asian_width(character) in "WF" else 1
        if columns < 0:
            return f"{flat[:place]}…"
    return flat


def body(text: str, title: str, author: str) -> str:
    """A text below its own title and author, where it begins with them."""
    said = {_letters(f"{before}{author}") for before in ("", "by", "作者", "著者")} | {"", _letters(title)}
    lines = text.split("\n", 12)
    first = next((number for number, line in enumerate(lines) if _letters(line) not in said), 0)
    return "\n".join(lines[first:])


def _letters(line: str) -> str:
    return "".join(filter(str.isalnum, line)).casefold()
