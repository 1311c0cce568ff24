"""Much text to ids, a group of texts at a time, on all cores."""

from collections.abc import Iterable, Iterator

import numpy as np

from daneel.data.packing import Array
from daneel.run import cores
from daneel.tokenizer.load import Tokenizer

GROUP = 1 << 22
"""Characters that are encoded together."""


def encode(texts: Iterable[str], tokenizer: Tokenizer) -> Iterator[Array]:
    """Ids of each text, uint32."""
    for group in _groups(texts):
        yield from tokenizer.encode_batch(group, cores())


def byte_counts(tokenizer: Tokenizer) -> Array:
    """How many bytes of text each token stands for, int64 [V]; a special token for none."""
    return np.array(
        [0 if id in tokenizer.special_ids else len(tokenizer.token_bytes(id)) for id in range(tokenizer.vocab_size)]
    )


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
