"""Much text to ids, a group of texts at a time, in one process or several; the ids and their order are the same."""

import functools
from collections.abc import Iterable, Iterator
from pathlib import Path

from daneel.corpus.step import Run
from daneel.data.packing import Array
from daneel.tokenizer.load import Tokenizer

GROUP = 1 << 20
"""Characters that are encoded together."""


def encode(texts: Iterable[str], tokenizer: Tokenizer) -> Iterator[Array]:
    """Ids of each text, uint32, here."""
    for group in _groups(texts):
        yield from tokenizer.encode_batch(group)


def encode_with(run: Run, texts: Iterable[str], folder: Path) -> Iterator[Array]:
    """The same where `run` calls: each process loads the tokenizer of the folder once."""
    for ids in run(_encoded, ((group, folder) for group in _groups(texts))):
        yield from ids


def _groups(texts: Iterable[str]) -> Iterator[list[str]]:
    group: list[str] = []
    size = 0
    for text in texts:
        group.append(text)
        size += len(text)
        if size >= GROUP:
            yield group
            group, size = [], 0
    if group:
        yield group


def _encoded(task: tuple[list[str], Path]) -> list[Array]:
    texts, folder = task
    return _load(folder).encode_batch(texts)


@functools.cache
def _load(folder: Path) -> Tokenizer:
    return Tokenizer.load(folder)
