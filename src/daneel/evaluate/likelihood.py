"""How well a model predicts a text: cross-entropy, perplexity and bits per byte, with intervals."""

import math
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate

import numpy as np
from numpy.typing import NDArray

from daneel.corpus.document import Document
from daneel.errors import DataError, ModelError
from daneel.evaluate.bootstrap import Estimate, ratio
from daneel.evaluate.paragraphs import paragraphs
from daneel.lm.base import LanguageModel

# Tokens of the text read in one pass. A quarter of the document's share is context that was scored
# before, so a long text costs a third more than its length, and its tokens have most of 512 before them.
WINDOW = 2048
# Room for the tokens a model puts around a text.
MARGIN = 8

# Where a text may be cut without changing how its words are encoded, best first: before the space between two
# words, after a sentence of Chinese, at a line end, anywhere.
_CUTS = (
    re.compile(r"(?<=\w)(?= \w)"),
    re.compile(r"(?<=[。！？])"),
    re.compile(r"(?<=\n)(?=\S)"),
    re.compile(""),
)


@dataclass(frozen=True)
class Paragraph:
    """What one paragraph cost the model."""

    document: int
    text: str
    bytes: int
    tokens: int
    bits: float


@dataclass(frozen=True)
class Likelihood:
    """The scores of a text; the intervals come from drawing its paragraphs again."""

    paragraphs: tuple[Paragraph, ...]
    cross_entropy: Estimate
    """Nats per token: comparable only between models with one tokenizer."""
    perplexity: Estimate
    bits_per_byte: Estimate
    """Comparable between all models."""

    @property
    def n_tokens(self) -> int:
        """Tokens scored."""
        return sum(p.tokens for p in self.paragraphs)

    @property
    def n_bytes(self) -> int:
        """Bytes scored, in UTF-8."""
        return sum(p.bytes for p in self.paragraphs)

    def column(self, name: str) -> NDArray[np.float64]:
        """One field of every paragraph: `bits`, `bytes` or `tokens`."""
        return np.array([getattr(p, name) for p in self.paragraphs], np.float64)


def evaluate(
    lm: LanguageModel,
    documents: Sequence[Document],
    prompt: str = "",
    progress: Callable[[int], None] = lambda done: None,
) -> Likelihood:
    """Score documents, each in its own context, and average over paragraphs.

    A document is read in long windows; each token is scored once, with the document before it as context, and
    counts for the paragraph in which it begins. With a `prompt`, every window begins with it. `progress` is
    told the bytes done after each window.
    """
    if not lm.capabilities.score:
        raise ModelError(f"{lm.name} does not give the probability of a text: evaluate a model of this machine")
    records = [
        record
        for number, document in enumerate(documents)
        for record in _document(lm, number, document.text, prompt, progress)
    ]
    n_tokens = sum(record.tokens for record in records)
    if not n_tokens:
        raise DataError("there is no text to score: the documents are empty")
    bits = [record.bits for record in records]
    tokens = [record.tokens for record in records]
    nats = ratio([b * math.log(2) for b in bits], tokens)
    per_byte = ratio(bits, [record.bytes for record in records])
    return Likelihood(tuple(records), nats, nats.mapped(math.exp), per_byte)


def first_bytes(documents: Sequence[Document], limit: int) -> list[Document]:
    """The beginning of a set of documents: whole paragraphs of at most `limit` bytes in all, at least one."""
    out: list[Document] = []
    left = limit
    for document in documents:
        kept: list[str] = []
        for paragraph in paragraphs(document.text):
            left -= len(paragraph.encode())
            if left < 0 and (out or kept):
                break
            kept.append(paragraph)
        if kept:
            out.append(replace(document, text="".join(kept)))
        if left < 0:
            break
    return out


def _document(
    lm: LanguageModel, number: int, text: str, prompt: str, progress: Callable[[int], None]
) -> Iterator[Paragraph]:
    """The paragraphs of one document with their scores."""
    parts = paragraphs(text)
    sizes = [len(part.encode()) for part in parts]
    ends = list(accumulate(sizes))
    tokens, bits = np.zeros(len(parts), np.int64), np.zeros(len(parts))
    start = 0
    for context, fresh in windows(lm, text, prompt):
        scored = lm.score(context, fresh)
        raw = fresh.encode()
        begins = start + _places(scored.tokens, raw)
        owner = np.searchsorted(ends, begins, side="right")
        np.add.at(tokens, owner, 1)
        np.add.at(bits, owner, -scored.logprobs.astype(np.float64) / math.log(2))
        start += len(raw)
        progress(len(raw))
    for part, size, count, cost in zip(parts, sizes, tokens.tolist(), bits.tolist(), strict=True):
        yield Paragraph(number, part, size, count, cost)


def _places(tokens: list[bytes], text: bytes) -> NDArray[np.int64]:
    """The byte of a text at which each of its tokens begins.

    Tokens join to the text; the first may reach back into the context. Where a tokenizer rewrites the text
    (normal form C, a space put in front) the places are stretched to its length: off by a few bytes at most.
    """
    joined = b"".join(tokens)
    begins = np.array([0, *accumulate(map(len, tokens))], np.int64)[:-1]
    if joined.endswith(text):
        return np.maximum(begins - (len(joined) - len(text)), 0)
    return np.minimum(begins * len(text) // max(1, len(joined)), len(text) - 1)


def windows(lm: LanguageModel, text: str, prompt: str = "") -> Iterator[tuple[str, str]]:
    """Cut a text into (context, text to score) that fit the model; what is to score joins to the text."""
    if not text:
        return
    opening = f"{prompt}\n\n" if prompt else ""
    taken = lm.count(opening) if opening else 0
    # Beside the prompt as much of the text as without it: else the prompt would push out what helps more.
    room = min(WINDOW, lm.context - taken) - MARGIN
    if room < 32:
        raise ModelError(
            f"{lm.name} reads {lm.context} tokens at a time, too few for a prompt of {taken} and a text: "
            "give a shorter prompt"
        )
    pieces = list(_pieces(lm, text, room // 8))
    counts = [count for _, count in pieces]
    begin = 0
    while begin < len(pieces):
        back = begin
        while back > 0 and sum(counts[back - 1 : begin]) <= room // 4:
            back -= 1
        used = sum(counts[back:begin])
        end = begin
        while end < len(pieces) and used + counts[end] <= room:
            used += counts[end]
            end += 1
        before, fresh = ("".join(piece for piece, _ in pieces[a:b]) for a, b in ((back, begin), (begin, end)))
        yield opening + before, fresh
        begin = end


def _pieces(lm: LanguageModel, text: str, limit: int) -> Iterator[tuple[str, int]]:
    """A text in parts of at most `limit` tokens, each with its count, cut where encoding does not mind."""
    count = lm.count(text)
    if count <= limit or len(text) < 2:
        yield text, count
        return
    middle = len(text) // 2
    reach = max(1, len(text) // 4)
    at = middle
    for cut in _CUTS:
        found = [m.start() for m in cut.finditer(text, middle - reach, middle + reach) if m.start() > 0]
        if found:
            at = min(found, key=lambda place: abs(place - middle))
            break
    yield from _pieces(lm, text[:at], limit)
    yield from _pieces(lm, text[at:], limit)
