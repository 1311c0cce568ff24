"""Ids of much text: pieces cut by array arithmetic and looked up by their bytes; only new ones go to `tokenizers`.

A byte-level BPE vocabulary spells each piece of a text on its own, so a piece that came before has the ids it had then.
The ids are those of `tokenizers`, always: a piece is known again by its bytes and length, not by a hash of them, and
what the arrays do not cover (another kind of vocabulary, a normaliser that would change the text, added tokens in it)
goes to the library as a whole.
"""

import json
import re
import threading
import unicodedata
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
import tokenizers
from tokenizers import pre_tokenizers

from daneel.tokenizer.joins import Joins
from daneel.tokenizer.pieces import LONGEST, Pieces, keys
from daneel.tokenizer.pretokens import END as END_KIND
from daneel.tokenizer.pretokens import LETTER, Characters, Pattern, pattern, starts

Array = np.ndarray[Any, Any]

CHUNK = 1 << 17
"""Characters that go through the arrays at a time: what they need stays in the processor's cache."""
# Stands between texts in a chunk, and between pieces on their way to the library.
_BREAK = "\n"
_APART = b"\0"
_BLOCKS = 64


@dataclass(frozen=True)
class _Chunk:
    """Text that is cut alone: whole short texts, or a part of a long one."""

    parts: list[str]
    ends: list[bool]
    """Whether each part is the last of its text."""


def fast_encoder(raw: tokenizers.Tokenizer, alphabet: dict[str, int]) -> "FastEncoder | None":
    """An encoder for a byte-level BPE vocabulary with a known pattern; None for any other.

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
    lacking = {byte for sign, byte in alphabet.items() if raw.token_to_id(sign) is None}
    known = pattern(json.loads(raw.pre_tokenizer.__getstate__()))
    if known is None or any(byte == 0 or 0x80 <= byte < 0xC0 for byte in lacking):
        return None
    return FastEncoder(raw, alphabet, known, lacking)


class FastEncoder:
    """Encodes batches for one tokenizer; may be used from several threads."""

    def __init__(self, raw: tokenizers.Tokenizer, alphabet: dict[str, int], pattern: Pattern, lacking: set[int]):
        """`lacking` are bytes without a token, which the library leaves out; SmolLM2's vocabulary has some."""
        self._alphabet = alphabet
        self._pattern = pattern
        self._composed = raw.normalizer is not None
        self._broken = _characters(lacking)
        self._added = [token.content for token in raw.get_added_tokens_decoder().values() if not token.special]
        self._raw = raw
        self._model = raw.model
        self._characters = Characters()
        self._pieces = Pieces()
        self._joins: Joins | None = None
        self._lock = threading.Lock()
        byte = {byte: sign for sign, byte in alphabet.items()}
        self._apart = raw.token_to_id(byte[0])
        self._spell = tokenizers.Tokenizer(self._model)  # shares the vocabulary
        alone = pre_tokenizers.Split(_APART.decode(), "isolated")
        bytes_only = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
        self._spell.pre_tokenizer = pre_tokenizers.Sequence([alone, bytes_only])

    def covers(self, text: str) -> bool:
        """Whether the library would cut this text by the pattern alone."""
        if _APART.decode() in text or any(token in text for token in self._added):
            return False
        # What is left of such a character may join its neighbours, which the cuts between characters do not foresee.
        if self._broken and not text.isascii() and self._broken.search(text):
            return False
        return not self._composed or unicodedata.is_normalized("NFC", text)

    def encode(self, texts: Sequence[str], threads: int = 1) -> list[Array]:
        """Ids of each text, uint32. All texts must be covered."""
        out: list[Array] = []
        open: list[Array] = []
        with ThreadPoolExecutor(threads) as pool:
            for ids, ends in _in_order(pool, self._encode, self._chunks(texts), 2 * threads):
                begin = 0
                for end in ends:
                    open.append(ids[begin:end])
                    out.append(open[0] if len(open) == 1 else np.concatenate(open))
                    open, begin = [], end
                open.append(ids[begin:])
        return out

    def _chunks(self, texts: Iterable[str]) -> Iterator[_Chunk]:
        parts: list[str] = []
        ends: list[bool] = []
        size = 0
        for text in texts:
            begin = 0
            while True:
                limit = begin + CHUNK - size
                if len(text) - begin <= limit - begin:
                    parts.append(text[begin:])
                    ends.append(True)
                    size += len(text) - begin + 1
                    break
                cut = self._cut(text, begin, limit)
                yield _Chunk([*parts, text[begin:cut]], [*ends, cut == len(text)])
                parts, ends, size = [], [], 0
                begin = cut
                if begin == len(text):
                    break
        if parts:
            yield _Chunk(parts, ends)

    def _cut(self, text: str, begin: int, limit: int) -> int:
        """The last place up to `limit` where letters end: every pattern begins a piece there."""
        width = 256
        while True:
            low = max(begin, limit - width)
            letter = self._kinds(_points(text[low : limit + 1])) & LETTER > 0
            places = np.flatnonzero(letter[:-1] & ~letter[1:])
            if len(places):
                return low + int(places[-1]) + 1
            if low > begin:
                width *= 8
            elif limit < len(text):
                begin, width = limit, CHUNK
                limit = min(len(text), limit + CHUNK)
            else:
                return limit

    def _kinds(self, points: Array) -> Array:
        return self._characters.kinds(points)

    def _encode(self, chunk: _Chunk) -> tuple[Array, Array]:
        """Ids of a chunk, and where in them its texts end."""
        text = _BREAK.join(chunk.parts) + _BREAK
        points = _points(text)
        kinds = self._kinds(points)
        ends = np.cumsum([len(part) + 1 for part in chunk.parts]) - 1
        kinds[ends] = END_KIND
        whole = starts(self._pattern, points, kinds)
        data = text.encode() + bytes(LONGEST + 1)
        size = len(data) - LONGEST - 1
        parted = whole if size == len(points) else self._part(points, whole)
        begins = np.flatnonzero(parted)
        # A whole piece that is a token may be exempt from the merges (`ignore_merges`), a part of one is not.
        merged = np.zeros(len(begins), bool)
        if self._model.ignore_merges and parted is not whole:
            merged = ~whole[begins]
            merged[:-1] |= merged[1:]
        places = begins if size == len(points) else _byte_offsets(points)[begins]
        lengths = np.diff(places, append=size)
        long = np.flatnonzero(lengths > LONGEST)
        short, at = lengths.copy(), places.copy()
        short[long], at[long] = 1, size - 1  # the last break stands in for them
        first, second = keys(data, at, short)
        second |= merged.astype(np.uint64) << np.uint64(63)
        with self._lock:
            slots, new = self._pieces.slots(first, second)
            if len(new):
                self._learn(data, at[new], short[new], merged[new], slots[new])
            values = self._pieces.values(slots)
            if len(long):
                values[long] = self._long(data, places[long], lengths[long], merged[long])
            ids, before = self._pieces.expand(values, np.searchsorted(begins, ends))
        return ids, before[np.array(chunk.ends)]

    def _part(self, points: Array, whole: Array) -> Array:
        """Where pieces begin once they are also cut where the vocabulary joins nothing."""
        beyond = points >= 0x80
        places = np.flatnonzero(beyond[1:] & beyond[:-1] & ~whole[1:]) + 1
        if not len(places):
            return whole
        with self._lock:
            if self._joins is None:
                self._joins = Joins(self._spell.get_vocab(with_added_tokens=False), self._alphabet)
        parted = whole.copy()
        parted[places[self._joins.apart(points[places - 1], points[places])]] = True
        return parted

    def _learn(self, data: bytes, begins: Array, lengths: Array, merged: Array, slots: Array) -> None:
        for only_merges in (False, True):
            chosen = np.flatnonzero(merged == only_merges)
            if len(chosen):
                pieces = _slices(data, begins[chosen], lengths[chosen])
                self._pieces.store(slots[chosen], *self._spelled(pieces, only_merges))

    def _long(self, data: bytes, begins: Array, lengths: Array, merged: Array) -> Array:
        known = self._pieces.long
        wanted = list(zip(_slices(data, begins, lengths), merged.tolist(), strict=True))
        new = [key for key in dict.fromkeys(wanted) if key not in known]
        for only_merges in (False, True):
            chosen = [key for key in new if key[1] == only_merges]
            if chosen:
                self._pieces.store_long(chosen, *self._spelled([piece for piece, _ in chosen], only_merges))
        return np.array([known[key] for key in wanted])

    def _spelled(self, pieces: list[bytes], only_merges: bool) -> tuple[Array, Array]:
        """The ids of some pieces one after another, and how many each has, from the library."""
        step = -(-len(pieces) // _BLOCKS)
        blocks = [_APART.join(pieces[at : at + step]).decode() for at in range(0, len(pieces), step)]
        ignore_merges = self._model.ignore_merges
        self._model.ignore_merges = ignore_merges and not only_merges
        try:
            encoded = self._spell.encode_batch_fast(blocks, add_special_tokens=False)
        finally:
            self._model.ignore_merges = ignore_merges
        ids = np.concatenate([part for each in encoded for part in (each.ids, [self._apart])]).astype(np.uint32)
        between = ids == self._apart
        return ids[~between], np.diff(np.flatnonzero(between), prepend=-1) - 1


def _characters(lacking: set[int]) -> re.Pattern[str] | None:
    """The characters beyond ASCII that begin with one of some bytes."""
    spans = []
    for lead in sorted(lacking & set(range(0xC2, 0xF5))):
        bits, size = (lead & 0x1F, 6) if lead < 0xE0 else (lead & 0x0F, 12) if lead < 0xF0 else (lead & 0x07, 18)
        first, last = max(bits << size, 0x80), min(((bits + 1) << size) - 1, 0x10FFFF)
        spans.append(f"\\U{first:08x}-\\U{last:08x}")
    return re.compile(f"[{''.join(spans)}]") if spans else None


def _slices(data: bytes, begins: Array, lengths: Array) -> list[bytes]:
    return [data[b : b + n] for b, n in zip(begins.tolist(), lengths.tolist(), strict=True)]


def _points(text: str) -> Array:
    return np.frombuffer(text.encode("utf-32-le"), np.uint32)


def _byte_offsets(points: Array) -> Array:
    sizes = np.ones(len(points), np.int8)
    for lowest in (0x80, 0x800, 0x10000):
        sizes += points >= lowest
    ends = np.cumsum(sizes, dtype=np.int64)
    return ends - sizes


def _in_order(pool: ThreadPoolExecutor, work: Any, items: Iterable[Any], ahead: int) -> Iterator[Any]:
    waiting: deque[Future[Any]] = deque()
    for item in items:
        waiting.append(pool.submit(work, item))
        if len(waiting) > ahead:
            yield waiting.popleft().result()
    while waiting:
        yield waiting.popleft().result()
