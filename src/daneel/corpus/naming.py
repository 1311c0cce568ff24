"""What a text is called, where nothing but the text itself tells."""

import re
from dataclasses import replace
from pathlib import PurePosixPath

from daneel.corpus.document import Document

_BY = re.compile(r"(?:by\s+|作者[:：]\s*|著者[:：]\s*)(\S.{0,60})", re.IGNORECASE)
_ENDING = tuple('.!?…。！？;；:：,，、”"')


def titled(document: Document) -> Document:
    """A document with the title and author that it begins with, where nothing else has told them."""
    title, author = name(document.text, document.source)
    return replace(document, title=document.title or title, author=document.author or author)


def name(text: str, source: str) -> tuple[str, str]:
    """Title and author as the first lines give them; else the file's name and nothing."""
    stem = PurePosixPath(re.sub(r"#\d+$", "", source)).stem
    head = [line.strip().lstrip("# ").strip("*_ ") for line in text[:2000].split("\n")]
    heading = head[: head.index("")] if "" in head else []
    by = _BY.fullmatch(heading[-1]) if len(heading) == 2 else None
    # A heading is one or two short lines (title, author) with an empty one below; without an author, no sentence.
    sentence = not by and any(line.endswith(_ENDING) for line in heading)
    if not 1 <= len(heading) <= 2 or sentence or any(len(line) > 60 for line in heading):
        return stem, ""
    return heading[0], by[1] if by else ""
