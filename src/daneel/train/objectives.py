"""What a model is asked to learn: which tokens of a record it reads, and which of them carry loss."""

from collections.abc import Iterable, Iterator

import numpy as np

from daneel.corpus.records import Record
from daneel.data.packing import Array, Document
from daneel.tokenizer.chat import encode_chat
from daneel.tokenizer.load import Tokenizer


def causal(tokenizer: Tokenizer, encoded: Iterable[Array]) -> Iterator[Document]:
    """Raw text, given as its ids: every token is learned, and that the text ends."""
    begin, end = (np.array(ids, np.uint32) for ids in (tokenizer.prefix, tokenizer.eos[:1]))
    for ids in encoded:
        yield Document(np.concatenate([begin, ids, end]))


def chat(tokenizer: Tokenizer, records: Iterable[Record]) -> Iterator[Document]:
    """Conversations: only the assistant's turns are learned."""
    for record in records:
        if record.messages is not None:
            ids, loss = encode_chat(tokenizer, record.messages)
            yield Document(ids, loss)
        else:
            yield from causal(tokenizer, [np.array(tokenizer.encode(record.text or ""), np.uint32)])


def pairs(tokenizer: Tokenizer, records: Iterable[Record], start: int) -> Iterator[Document]:
    """Sequence to sequence: an encoder reads the source, a decoder goes from `start` to the target and its end."""
    end = np.array(tokenizer.eos[:1], np.uint32)
    begin = np.array([start], np.uint32)
    for record in records:
        source, target = (
            np.concatenate([np.array(tokenizer.encode(text), np.uint32), end])
            for text in (record.source or "", record.target or "")
        )
        yield Document(np.concatenate([begin, target]), source=source)
