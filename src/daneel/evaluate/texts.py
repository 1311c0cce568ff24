"""Texts to score: any file or folder, or the held-out part of a corpus."""

from pathlib import Path

from daneel.corpus.build import read_corpus
from daneel.corpus.clean import clean
from daneel.corpus.document import Document, digest, language
from daneel.corpus.read import Dropped, is_corpus, read
from daneel.errors import DataError


def read_texts(path: Path) -> tuple[list[Document], list[Dropped]]:
    """The documents below a path, cleaned as a corpus is but not split, and what could not be used.

    Raises DataError when nothing is left.
    """
    if is_corpus(path):
        documents = read_corpus(path).heldout
        if not documents:
            raise DataError(f"{path} has no held-out text: build it again with a larger held-out share")
        return documents, []
    documents, dropped = [], []
    for raw in read([path]):
        if isinstance(raw, Dropped):
            dropped.append(raw)
            continue
        text = clean(raw.text).text
        about = raw.about
        documents.append(
            Document(
                text=text,
                source=raw.source,
                title=about.get("title", raw.stem),
                author=about.get("author", ""),
                language=about.get("language") or language(text),
                licence=about.get("licence", ""),
                sha256=digest(text),
            )
        )
    if not documents:
        reasons = "; ".join(f"{each.source}: {each.reason}" for each in dropped[:3])
        raise DataError(f"no usable text in {path} ({reasons or 'no files'})")
    return documents, dropped
