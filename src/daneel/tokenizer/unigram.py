"""A Unigram vocabulary over bytes, the same one every time.

Kudo, "Subword Regularization" (arXiv:1804.10959): tokens have probabilities, a text is read as its likeliest
sequence of tokens. Expectation-maximisation fits the probabilities to all readings of every word; then the tokens
whose loss costs the text's likelihood least are dropped, until the vocabulary has its size. The first, too large
vocabulary comes from BPE (Schmidt et al., arXiv:2402.18376, find that at least as good as all substrings).
The trainer of `tokenizers` adds its sums in the order of a hash table, so two runs of it differ; this one does not.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np
import tokenizers
from tokenizers import models, pre_tokenizers

from daneel.tokenizer.bpe import train_bpe

Array = np.ndarray[Any, Any]

_SEED = 3  # times the wanted size, from BPE; 5 and 8 took longer and gave longer texts
_KEEP = 0.75  # of the tokens after each round, as in SentencePiece
_SUB_ITERATIONS = 2
# What a token counts for that no reading needs: bytes stay whether they occur or not.
_FLOOR = 0.5
# Words that take part in the fit: the most frequent ones, by the bytes they cover, bound memory and time.
_WORD_BYTES = 1 << 22


def train_unigram(
    texts: Iterable[str], cut: pre_tokenizers.PreTokenizer, size: int, special: Sequence[str], min_frequency: int,
    longest: int,
) -> tokenizers.Tokenizer:  # fmt: skip
    """At most `size` tokens, `special` first, then the others from likely to unlikely; every byte is one."""
    counts: Counter[str] = Counter()
    seed = train_bpe(_counting(texts, cut, counts), cut, _SEED * size, special, min_frequency, longest)
    pieces = sorted(seed.get_vocab().keys() - set(special), key=lambda piece: (len(piece), piece))
    words, weights = _frequent(counts)
    kept, scores = _fit(pieces, words, weights, size - len(special))
    order = sorted(range(len(kept)), key=lambda i: (-scores[i], kept[i]))
    vocabulary = [(mark, 0.0) for mark in special] + [(kept[i], round(float(scores[i]), 6)) for i in order]
    raw = tokenizers.Tokenizer(models.Unigram(vocabulary, None, False))
    raw.pre_tokenizer = cut
    raw.add_special_tokens(list(special))
    return raw


def _counting(texts: Iterable[str], cut: pre_tokenizers.PreTokenizer, counts: Counter[str]) -> Iterator[str]:
    for text in texts:
        counts.update(word for word, _ in cut.pre_tokenize_str(text))
        yield text


def _frequent(counts: Counter[str]) -> tuple[list[str], Array]:
    ranked = sorted(counts.items(), key=lambda item: (-item[1] * len(item[0]), item[0]))
    covered = np.cumsum([len(word) for word, _ in ranked])
    ranked = ranked[: max(1, int(np.searchsorted(covered, _WORD_BYTES)))]
    return [word for word, _ in ranked], np.array([count for _, count in ranked], np.float64)


def _fit(pieces: list[str], words: list[str], weights: Array, size: int) -> tuple[list[str], Array]:
    """The `size` pieces that explain the words best, with their log probabilities."""
    lengths = np.array([len(piece) for piece in pieces])
    corpus, own = _Lattice(words, pieces), _Lattice(pieces, pieces)
    alive, scores = np.ones(len(pieces), bool), -np.log(len(pieces)) * np.ones(len(pieces))
    while True:
        for _ in range(_SUB_ITERATIONS):
            expected = corpus.expected(scores, alive, weights)
            expected = np.where(alive, np.maximum(expected, _FLOOR), 0)
            scores = np.log(np.maximum(expected, 1e-300)) - np.log(expected.sum())
        if alive.sum() <= size:
            break
        # What the text loses when a piece must be written with others.
        loss = expected * (scores - own.best_without_whole(scores, alive))
        loss[lengths == 1] = np.inf
        loss[~alive] = -np.inf
        keep = max(size, int(_KEEP * alive.sum()))
        alive = np.zeros(len(pieces), bool)
        alive[np.argsort(-loss, kind="stable")[:keep]] = True
    return [piece for piece, its in zip(pieces, alive, strict=True) if its], scores[alive]


class _Lattice:
    """Every place of every piece in every word, as arcs between positions, in the order of their ends.

    Positions of all words are numbered through; word `w` runs from `start[w]` to `end[w]`.
    """

    def __init__(self, words: list[str], pieces: list[str]) -> None:
        sizes = np.array([len(word) for word in words])
        self.end = np.cumsum(sizes + 1) - 1
        self.start = self.end - sizes
        # A byte's code at the position before it, and nothing at a word's end.
        codes = np.frombuffer("\0".join([*words, ""]).encode("utf-32-le"), np.uint32).astype(np.uint64)
        self.positions = len(codes)
        within = (np.arange(self.positions) - np.repeat(self.start, sizes + 1)).astype(np.int32)
        arcs = list(_arcs(codes, np.repeat(self.end, sizes + 1), pieces))
        begin, self.piece, length = (np.concatenate(each) for each in zip(*arcs, strict=True))
        # All words advance together, so arcs are sorted by how far their ends are inside the words.
        order = np.lexsort((begin, begin + length, within[begin + length]))
        self.begin, self.piece = begin[order], self.piece[order]
        self.to = self.begin + length[order]
        self.depth = within[self.to]

    def expected(self, scores: Array, alive: Array, weights: Array) -> Array:
        """How often each piece is expected in the weighted words, over all their readings."""
        used = alive[self.piece]
        begin, to, piece, depth = (each[used] for each in (self.begin, self.to, self.piece, self.depth))
        arc = scores[piece]
        forward = self._run(begin, to, arc, depth, np.logaddexp)
        # The same from the ends: arcs turned round, sorted by where they begin.
        turned = np.lexsort((to, begin, -(depth - (to - begin))))
        backward = self._run(to[turned], begin[turned], arc[turned], None, np.logaddexp, self.end)
        total = np.repeat(forward[self.end], self.end - self.start + 1)
        weight = np.repeat(weights, self.end - self.start + 1)
        share = np.exp(forward[begin] + arc + backward[to] - total[begin]) * weight[begin]
        return np.bincount(piece, share, len(scores))

    def best_without_whole(self, scores: Array, alive: Array) -> Array:
        """The likeliest reading of each word by pieces shorter than itself."""
        whole = np.isin(self.begin, self.start) & np.isin(self.to, self.end)
        used = alive[self.piece] & ~whole
        begin, to = self.begin[used], self.to[used]
        best: Array = self._run(begin, to, scores[self.piece[used]], self.depth[used], np.maximum)[self.end]
        return best

    def _run(
        self, begin: Array, to: Array, arc: Array, depth: Array | None, join: np.ufunc, sources: Array | None = None
    ) -> Array:
        """Scores of all positions from the sources on; arcs come in an order in which whole groups can go at once."""
        value = np.full(self.positions, -np.inf)
        value[self.start if sources is None else sources] = 0
        # A group: arcs into positions of one depth.
        level = depth if depth is not None else self._depth_of(to)
        edges = np.flatnonzero(np.diff(level)) + 1
        for low, high in zip([0, *edges], [*edges, len(to)], strict=True):
            into = to[low:high]
            first = np.flatnonzero(np.diff(into, prepend=-1))
            value[into[first]] = join.reduceat(value[begin[low:high]] + arc[low:high], first)
        return value

    def _depth_of(self, position: Array) -> Array:
        depth: Array = position - self.start[np.searchsorted(self.end, position)]
        return depth


def _arcs(codes: Array, end: Array, pieces: list[str]) -> Iterator[tuple[Array, Array, Array]]:
    """(begin, piece, length) of every occurrence, found length by length through hashes."""
    base = np.uint64(0x9E3779B97F4A7C15)
    by_length: dict[int, list[int]] = {}
    for number, piece in enumerate(pieces):
        by_length.setdefault(len(piece), []).append(number)
    hashes = np.zeros(len(codes), np.uint64)
    places = np.arange(len(codes))
    for length in range(1, max(by_length) + 1):
        inside = places + length <= end[places]
        places = places[inside]
        hashes = hashes[inside] * base + codes[places + length - 1]
        numbers = np.array(by_length.get(length, []), np.int64)
        if not len(numbers):
            continue
        known = np.zeros(len(numbers), np.uint64)
        table = np.array([[ord(sign) for sign in pieces[number]] for number in numbers], np.uint64)
        for column in table.T:
            known = known * base + column
        order = np.argsort(known)
        at = np.minimum(np.searchsorted(known[order], hashes), len(numbers) - 1)
        found = known[order][at] == hashes
        columns = places[found], numbers[order][at[found]], np.full(int(found.sum()), length)
        yield columns[0].astype(np.int32), columns[1].astype(np.int32), columns[2].astype(np.int32)
