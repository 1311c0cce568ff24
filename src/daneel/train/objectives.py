"""What a model is asked to learn: which tokens of a record it reads, and which of them carry loss."""

from collections.abc import Iterable, Iterator

from daneel.data.packing import Document
from daneel.corpus.records import Record
from daneel.tokenizer.chat import encode_chat
from daneel.tokenizer.load import Tokenizer


def causal(tokenizer: Tokenizer, texts: Iterable[str]) -> Iterator[Document]:
    """Raw text: every token is learned, and that the text ends."""
    end = list(tokenizer.eos[:1])
    for text in texts:
        yield Document(tokenizer.prefix + tokenizer.encode(text) + end)


def chat(tokenizer: Tokenizer, records: Iterable[Record]) -> Iterator[Document]:
    """Conversations: only the assistant's turns are learned."""
    for record in records:
        if record.messages is not None:
            ids, loss = encode_chat(tokenizer, record.messages)
            yield Document(ids, loss)
        else:
            yield from causal(tokenizer, [record.text or ""])
