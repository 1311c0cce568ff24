"""Training and held-out text: whole documents where there are enough, else chapters or long blocks."""

import re
from collections.abc import Iterator, Sequence
from itertools import groupby
from operator import itemgetter
from typing import Any, Literal

import numpy as np

from daneel.corpus.document import Document, words
from daneel.corpus.words import mix

Array = np.ndarray[Any, Any]

Unit = Literal["auto", "documents", "blocks"]
BLOCK_WORDS = 2000
_DIGIT = "one|two|three|four|five|six|seven|eight|nine"
_NUMBER = (
    rf"(?:\d{{1,3}}|[IVXLC]{{1,7}}|(?i:(?:the )?(?:{_DIGIT}|ten|eleven|twelve|"
    r"(?:thir|four|fif|six|seven|eigh|nine)teen|"
    rf"(?:twenty|thirty|forty|fifty|sixty)(?:[- ](?:{_DIGIT}))?|"
    r"first|second|third|fourth|fifth|sixth|seventh|eighth|ninth|tenth|last)))"
)
# Lines that open a chapter. Prose must not look like one: a line may begin with "I" or "part of", and in a text with
# hard line ends any line may; so numerals are capitals after a blank line, and words come with a number.
_CHAPTER = re.compile(
    r"^(?:[ \t\u3000]*(?:#{1,3} +\S.*"
    rf"|(?:Chapter|CHAPTER|Book|BOOK|Part|PART|Canto|CANTO|Letter|LETTER|Stave|STAVE) +{_NUMBER}\b.{{0,60}}"
    r"|(?:Prologue|PROLOGUE|Epilogue|EPILOGUE)\b.{0,20}"
    r"|第 ?[0-9０-９一二三四五六七八九十百千零〇两]+ ?[章回节卷篇部集](?:.{0,39}[^。！？…”，\n])?"
    r"|[一二三四五六七八九十百]{1,4})"
    r"|(?:(?<=\n\n)|\A)[ \t]*[IVXLC]{1,7}(?:\.?|\.[ \t]\S.{0,60}))$",
    re.MULTILINE,
)
# Where a text may be cut, best first: between paragraphs, lines, sentences, words.
_CUTS = (r"\n\s*\n+", r"\n+", r"(?<=[.!?。！？…])[\"”’』」)]*\s*", r"\s+")


# A part is near the asked share within these bounds.
_LEAST, _MOST = 0.5, 1.5


def draw(sizes: Array, keys: Array, groups: Array, target: float, seed: int) -> Array:
    """Which texts to hold out, about `target` words of them and never all: bool [N].

    A text has int64 `sizes` [N] words and a uint64 key [N]; texts of one group, int64 [N], stay together. Groups come
    in the order of a hash of the seed and the key of their longest text, so that a text more or less moves few others.
    """
    number, member = np.unique(groups, return_inverse=True)
    weights = np.bincount(member, sizes, len(number))
    longest = np.lexsort((keys, -sizes, member))[np.searchsorted(np.sort(member), np.arange(len(number)))]
    chance = mix(keys[longest] + mix(np.array([seed % (1 << 64)], np.uint64)))
    picked = _pick(weights.tolist(), np.argsort(chance, kind="stable").tolist(), target)
    return np.isin(member, picked)


def near(words: float, target: float) -> bool:
    """Whether so many words are about what was asked."""
    return _LEAST * target <= words <= _MOST * target


def _pick(weights: Sequence[float], order: Sequence[int], target: float) -> list[int]:
    """Numbers of items, in an order, that come close to the target; never all of them."""
    picked: dict[int, None] = {}
    held = 0.0
    # A second round may pass the target further, where the first found nothing small enough.
    for most, enough in ((1.1, 0.98), (_MOST, 0.7)):
        for number in order:
            if held >= enough * target or len(picked) == len(weights) - 1:
                break
            if number not in picked and held + weights[number] <= most * target:
                picked[number] = None
                held += weights[number]
    return list(picked)


def parted(document: Document, texts: Sequence[str], heldout: Sequence[bool]) -> Iterator[tuple[bool, Document]]:
    """A document cut into `texts`: its parts in order, and whether each is held out.

    Neighbours on the same side stay one text, so that training reads on across them.
    """
    runs = [(held, [text for _, text in run]) for held, run in groupby(zip(heldout, texts, strict=True), itemgetter(0))]
    for place, (held, run) in enumerate(runs, 1):
        yield held, document.part("".join(run), str(place)) if len(runs) > 1 else document


def blocks(text: str, limit: int) -> Iterator[tuple[str, str]]:
    """A text in chapters, the long ones in blocks of about `limit` words, and what each is; joined they are it."""
    starts = [0]
    for match in _CHAPTER.finditer(text):
        # A title page or a table of contents is no chapter.
        if words(text[starts[-1] : match.start()]) >= limit / 8:
            starts.append(match.start())
    for start, end in zip(starts, [*starts[1:], len(text)], strict=True):
        chapter = text[start:end]
        if len(starts) > 1 and words(chapter) <= 1.5 * limit:
            yield chapter, "chapters"
        else:
            for block in _grouped(list(_pieces(chapter, limit, _CUTS)), limit):
                yield block, f"blocks of about {limit:,} words"


def _pieces(text: str, limit: int, cuts: tuple[str, ...]) -> Iterator[str]:
    """Pieces of at most `limit` words where the text allows it, cut as gently as possible."""
    if words(text) <= limit or not cuts:
        yield text
        return
    start = 0
    for match in re.finditer(cuts[0], text):
        if match.end() > start:
            yield from _pieces(text[start : match.end()], limit, cuts[1:])
            start = match.end()
    if start < len(text):
        yield from _pieces(text[start:], limit, cuts[1:])


def _grouped(pieces: list[str], limit: int) -> Iterator[str]:
    """Neighbouring pieces put together until a block has its words; a short rest joins the last block."""
    whole: list[list[str]] = []
    block: list[str] = []
    size = 0
    for piece in pieces:
        block.append(piece)
        size += words(piece)
        if size >= limit:
            whole.append(block)
            block, size = [], 0
    if whole and size < limit / 2:
        whole[-1] += block
    elif block:
        whole.append(block)
    yield from map("".join, whole)
