"""Training and held-out text: whole documents where there are enough, else chapters or long blocks."""

import random
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from daneel.corpus.document import Document, words

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


@dataclass(frozen=True)
class Split:
    """Two parts that share no text, and how they were made."""

    train: list[Document]
    heldout: list[Document]
    unit: Literal["documents", "blocks"]
    reason: str
    """One sentence for the manifest and the console."""


def whole(sizes: list[int], share: float, seed: int, unit: Unit = "auto") -> tuple[set[int], str] | None:
    """Numbers of the documents (of `sizes` words) to hold out, about `share` of all words, and how it was done.

    None where the share cannot be met by whole documents.
    """
    if share == 0:
        return set(), "nothing is held out, as asked"
    target = share * sum(sizes)
    picked = _pick(sizes, target, seed)
    held = sum(sizes[n] for n in picked)
    if unit == "documents" or (unit == "auto" and 0.5 * target <= held <= 1.5 * target):
        return picked, f"whole documents are held out: {len(picked)} of {len(sizes)}"
    return None


def split(documents: list[Document], share: float, seed: int, unit: Unit = "auto") -> Split:
    """Hold out about `share` of the words, chosen with the seed."""
    sizes = [words(document.text) for document in documents]
    if found := whole(sizes, share, seed, unit):
        picked, how = found
        heldout = [document for n, document in enumerate(documents) if n in picked]
        return Split([d for n, d in enumerate(documents) if n not in picked], heldout, "documents", how)
    return _by_blocks(documents, share * sum(sizes), seed)


def _pick(sizes: list[int], target: float, seed: int) -> set[int]:
    """Numbers of shuffled items that come close to the target; never all of them."""
    order = list(range(len(sizes)))
    random.Random(seed).shuffle(order)  # noqa: S311 - repeatable, not secret
    picked: set[int] = set()
    held = 0
    # A second round may pass the target further, where the first found nothing small enough.
    for most in (1.1 * target, 1.5 * target):
        for number in order:
            if held >= 0.7 * target or len(picked) == len(sizes) - 1:
                return picked
            if number not in picked and held + sizes[number] <= most:
                picked.add(number)
                held += sizes[number]
    return picked


def _by_blocks(documents: list[Document], target: float, seed: int) -> Split:
    limit = int(min(BLOCK_WORDS, max(target, 1)))
    kinds: Counter[str] = Counter()
    blocks = []
    for number, document in enumerate(documents):
        for text, kind in _blocks(document.text, limit):
            blocks.append((number, text))
            kinds[kind] += 1
    picked = _pick([words(text) for _, text in blocks], target, seed)
    train: list[Document] = []
    heldout: list[Document] = []
    for number, document in enumerate(documents):
        own = [n for n, (of, _) in enumerate(blocks) if of == number]
        # Neighbours of the same kind stay one text, so that training reads on across them.
        runs: list[list[int]] = []
        for n in own:
            if runs and (runs[-1][-1] in picked) == (n in picked):
                runs[-1].append(n)
            else:
                runs.append([n])
        for place, run in enumerate(runs, 1):
            text = "".join(blocks[n][1] for n in run)
            part = document.part(text, str(place)) if len(runs) > 1 else document
            (heldout if run[0] in picked else train).append(part)
    made = " and ".join(f"{count} {kind}" for kind, count in kinds.most_common())
    few = "one document" if len(documents) == 1 else f"{len(documents)} documents"
    if not heldout:
        return Split(train, [], "blocks", f"{few} with too little text to hold anything out")
    return Split(
        train,
        heldout,
        "blocks",
        f"{few} could not be parted by document at the asked share, so {len(picked)} of {made} are held out",
    )


def _blocks(text: str, limit: int) -> Iterator[tuple[str, str]]:
    """A text in chapters, the long ones in blocks of about `limit` words; joined they are the text."""
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
    blocks: list[str] = []
    block, size = "", 0
    for piece in pieces:
        block += piece
        size += words(piece)
        if size >= limit:
            blocks.append(block)
            block, size = "", 0
    if block:
        if blocks and size < limit / 2:
            blocks[-1] += block
        else:
            blocks.append(block)
    yield from blocks
