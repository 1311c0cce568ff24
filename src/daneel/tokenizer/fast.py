"""Ids of much text by the kernel `bpe`, many times as fast as `tokenizers` and always the same as its.

What the kernel does not cover (another kind of vocabulary or pattern, a normaliser that would change the text, added
tokens in it) goes to the library, and so does everything on a machine that cannot build the kernel.
"""

import json
import unicodedata
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
import tokenizers

from daneel.kernels import bpe
from daneel.tokenizer.joins import Joins
from daneel.tokenizer.pretokens import Characters, pattern

Array = np.ndarray[Any, Any]

CHUNK = 1 << 18
"""Bytes that a thread encodes at a time."""
LEAST = 1 << 20
"""Characters for which it is worth it to make an encoder, a tenth of a second, and once the kernel, two seconds."""


@dataclass(frozen=True)
class _Chunk:
    """Parts of texts: whole short ones, or a part of a long one."""

    texts: list[bytes]
    begins: list[int]
    ends: list[int]


def fast_encoder(raw: tokenizers.Tokenizer, alphabet: dict[str, int]) -> "FastEncoder | None":
    """An encoder for a byte-level BPE vocabulary with a known pattern; None for any other, or without a kernel.

    `alphabet` is the byte that each sign of the byte-level spelling stands for.
    """
    model = raw.model
    normalizer = {} if raw.normalizer is None else json.loads(raw.normalizer.__getstate__())
    if (
        not isinstance(model, tokenizers.models.BPE)
        or raw.pre_tokenizer is None
        or normalizer.get("type", "NFC") != "NFC"
        or model.dropout
        or model.continuing_subword_prefix
        or model.end_of_word_suffix
    ):
        return None
    lacks = any(raw.token_to_id(sign) is None for sign in alphabet)
    if lacks and (model.unk_token or model.byte_fallback):
        return None
    known = pattern(json.loads(raw.pre_tokenizer.__getstate__()))
    kernel = known and bpe.load()
    if not (known and kernel):
        return None
    state = json.loads(model.__getstate__())
    vocabulary: dict[str, int] = state["vocab"]
    joins, kinds = Joins(vocabulary, alphabet), Characters()
    exempt = vocabulary.items() if model.ignore_merges else ()
    tables = bpe.Tables(
        **vars(known),
        alphabet=_bytes(vocabulary, alphabet),
        merges=_merges(state["merges"], vocabulary),
        tokens={_spelled(token, alphabet): id for token, id in exempt},
        kinds=kinds.kinds,
        sides=joins.sides,
        pairs=joins.pairs,
    )
    return FastEncoder(raw, bpe.Encoder(tables, kinds.learn, kernel))


class FastEncoder:
    """Encodes batches for one tokenizer; may be used from several threads."""

    def __init__(self, raw: tokenizers.Tokenizer, kernel: bpe.Encoder):
        self._composed = raw.normalizer is not None
        self._added = [token.content for token in raw.get_added_tokens_decoder().values() if not token.special]
        self._kernel = kernel

    def covers(self, text: str) -> bool:
        """Whether the library would cut this text by the pattern alone."""
        if any(token in text for token in self._added):
            return False
        return not self._composed or unicodedata.is_normalized("NFC", text)

    def encode(self, texts: Sequence[str], threads: int = 1) -> list[Array]:
        """Ids of each text, uint32. All texts must be covered."""
        out: list[Array] = []
        open: list[Array] = []
        with ThreadPoolExecutor(threads) as pool:
            for chunk, (ids, counts) in _in_order(pool, self._encode, self._chunks(texts), 2 * threads):
                for text, end, part in zip(chunk.texts, chunk.ends, np.split(ids, np.cumsum(counts)[:-1]), strict=True):
                    open.append(part)
                    if end == len(text):
                        out.append(open[0] if len(open) == 1 else np.concatenate(open))
                        open = []
        return out

    def _encode(self, chunk: _Chunk) -> tuple[_Chunk, tuple[Array, Array]]:
        begins, ends = np.array(chunk.begins, np.int64), np.array(chunk.ends, np.int64)
        return chunk, self._kernel.encode(chunk.texts, begins, ends)

    def _chunks(self, texts: Iterable[str]) -> Iterator[_Chunk]:
        chunk, size = _Chunk([], [], []), 0
        for data in (text.encode() for text in texts):
            begin = 0
            while True:
                end = len(data) if len(data) - begin <= CHUNK else self._cut(data, begin)
                chunk.texts.append(data)
                chunk.begins.append(begin)
                chunk.ends.append(end)
                size += end - begin
                if size >= CHUNK // 2:
                    yield chunk
                    chunk, size = _Chunk([], [], []), 0
                begin = end
                if begin == len(data):
                    break
        if chunk.texts:
            yield chunk

    def _cut(self, data: bytes, begin: int) -> int:
        """Where the part that begins here may end: where letters end, however far that is."""
        low, limit = begin, begin + CHUNK
        while limit < len(data):
            cut = self._kernel.cut(data, low, limit)
            if cut > low:
                return cut
            low, limit = limit, limit + CHUNK
        return len(data)


def _bytes(vocabulary: dict[str, int], alphabet: dict[str, int]) -> Array:
    table = np.full(256, bpe.NO_TOKEN, np.uint32)
    for sign, byte in alphabet.items():
        table[byte] = vocabulary.get(sign, bpe.NO_TOKEN)
    return table


def _merges(merges: list[list[str]], vocabulary: dict[str, int]) -> tuple[Array, Array, Array]:
    ids = [(vocabulary[left], vocabulary[right], vocabulary[left + right]) for left, right in merges]
    left, right, merged = np.array(ids, np.uint32).reshape(-1, 3).T
    return left, right, merged


def _spelled(token: str, alphabet: dict[str, int]) -> bytes:
    return bytes(alphabet[sign] for sign in token) if alphabet.keys() >= set(token) else b""


def _in_order(pool: ThreadPoolExecutor, work: Any, items: Iterable[Any], ahead: int) -> Iterator[Any]:
    waiting: deque[Future[Any]] = deque()
    for item in items:
        waiting.append(pool.submit(work, item))
        if len(waiting) > ahead:
            yield waiting.popleft().result()
    while waiting:
        yield waiting.popleft().result()
