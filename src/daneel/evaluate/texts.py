"""Texts to score: any file or folder, or the held-out part of a corpus."""

from pathlib import Path

from daneel.corpus.build import clean, read_corpus
from daneel.corpus.document import Document
from daneel.corpus.pipeline import Loss
from daneel.corpus.read import is_corpus
from daneel.errors import DataError


def read_texts(path: Path) -> tuple[list[Document], list[Loss]]:
    """The documents below a path, cleaned as a corpus is but not split, and what could not be used.

    Raises DataError when nothing is left.
    """
    if is_corpus(path):
        documents = read_corpus(path).heldout
        if not documents:
            raise DataError(f"{path} has no held-out text: build it again with a larger held-out share")
        return documents, []
    documents, dropped = clean([path])
    if not documents:
        reasons = "; ".join(f"{each.source}: {each.reason}" for each in dropped[:3])
        raise DataError(f"no usable text in {path} ({reasons or 'no files'})")
    return documents, dropped
