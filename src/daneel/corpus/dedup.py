"""Exact duplicates: texts that differ in case, width, spaces and line breaks at most."""

import unicodedata

from daneel.corpus.document import Document, digest
from daneel.corpus.read import Dropped


def drop_duplicates(documents: list[Document]) -> tuple[list[Document], list[Dropped]]:
    """The first of each text, and the others with the source of the first."""
    first: dict[str, Document] = {}
    dropped = []
    for document in documents:
        key = digest(" ".join(unicodedata.normalize("NFKC", document.text).casefold().split()))
        original = first.setdefault(key, document)
        if original is not document:
            dropped.append(Dropped(document.source, f"the same text as {original.source}"))
    return list(first.values()), dropped
