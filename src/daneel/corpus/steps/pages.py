"""What printing put into a text: page numbers, running heads, words broken over lines, lines cut to a width."""

import re
from collections import Counter
from dataclasses import dataclass
from itertools import pairwise
from statistics import quantiles
from typing import ClassVar

from daneel.corpus.document import HAN
from daneel.corpus.settings import Settings, Share
from daneel.corpus.step import Batch, Note, Result
from daneel.corpus.steps.common import change, short

_PAGE_NUMBER = re.compile(
    r"\s*[-–—\[(〔【·]*\s*(?:(?:page|p\.|seite)\s*)?(?P<number>\d{1,4}|[ivxlc]{1,7})(?:\s*(?:of|/)\s*\d{1,4})?"
    r"\s*[-–—\])〕】·]*\s*|\s*第\s*(?P<page>\d{1,4})\s*页(?:.{0,3}共\s*\d{1,4}\s*页)?\s*",
    re.IGNORECASE,
)
_BROKEN = re.compile(r"([^\W\d_]+)-\n[^\S\n]*([^\W\d_A-Z][^\W\d_]*)(\S*)(?:[^\S\n]+|\n|\Z)")
_HYPHENATED = re.compile(r"[^\W\d_]+-[^\W\d_]+")
_WORD = re.compile(r"[^\W\d_]+")
_FINAL = tuple('.!?…。！？：:"”’」』)')
_CHINESE = re.compile(rf"[{HAN}\u3000-\u303f\uff00-\uffef“”‘’—…]")
# Lines at the top and the bottom of a page where heads and numbers stand.
_EDGE = 2
# Page numbers in a text without page breaks: so many lines that count up.
_LEAST = 5


@dataclass(frozen=True)
class Pages(Settings):
    """Takes out what belongs to the page; knows pages by the form feeds that PDF and old text files have."""

    name: ClassVar[str] = "pages"
    head_share: Share = 0.2
    """A line at a page's edge that stands on so many of the pages (its digits apart) is a running head."""
    unwrap: bool = True
    """Joins the lines of a paragraph, in texts that have pages."""

    def apply(self, batch: Batch) -> Result:
        """The batch without pages."""
        return change(batch, self._strip)

    def _strip(self, text: str, notes: list[Note]) -> str:
        pages = text.split("\f")
        text = self._paged(pages, notes) if len(pages) > 1 else _counted(text, notes)
        return _joined(text, len(pages) > 1, notes)

    def _paged(self, pages: list[str], notes: list[Note]) -> str:
        cut = [[line for line in page.split("\n") if line.strip()] for page in pages]
        edges = [lines if len(lines) <= 2 * _EDGE else lines[:_EDGE] + lines[-_EDGE:] for lines in cut]
        seen = Counter(_shape(line) for lines in edges for line in {_shape(each): each for each in lines}.values())
        least = max(3, self.head_share * len(pages))
        heads, numbers = [], []
        kept = []
        for page in pages:
            lines = page.split("\n")
            full = [n for n, line in enumerate(lines) if line.strip()]
            for n in full[:_EDGE] + full[-_EDGE:]:
                if _PAGE_NUMBER.fullmatch(lines[n]):
                    numbers.append(lines[n])
                elif seen[_shape(lines[n])] >= least:
                    heads.append(lines[n])
                else:
                    continue
                lines[n] = ""
            kept.append("\n".join(lines).strip("\n"))
        for what, found in (("page numbers removed", numbers), ("running heads removed", heads)):
            if found:
                notes.append(Note(what, short(found[0]), len(found)))
        if self.unwrap:
            return _unwrapped(kept)
        return "\n".join(kept)


def _shape(line: str) -> str:
    """A running head with its page number, without the number."""
    return re.sub(r"\d+|\b[ivxlc]+\b", "#", " ".join(line.split()).casefold())


def _counted(text: str, notes: list[Note]) -> str:
    """Without the lines that are nothing but numbers counting up."""
    lines = text.split("\n")
    # A number alone may be a chapter's; pages come thick, a hundred lines apart at most.
    found = [
        (n, int(match["number"] or match["page"]))
        for n, line in enumerate(lines)
        if line and len(line) < 30 and (match := _PAGE_NUMBER.fullmatch(line)) and not (match["number"] or "").isalpha()
    ]
    steps = [(a, b) for a, b in pairwise(found) if b[1] - a[1] == 1 and b[0] - a[0] <= 100]
    if len(steps) < _LEAST or len(steps) < 0.8 * (len(found) - 1):
        return text
    gone = {n for pair in steps for n, _ in pair}
    notes.append(Note("page numbers removed", lines[min(gone)].strip(), len(gone)))
    return "\n".join(line for n, line in enumerate(lines) if n not in gone)


def _joined(text: str, paged: bool, notes: list[Note]) -> str:
    """Words broken over lines whole again, where the text itself has the whole word, or was printed."""
    if "-\n" not in text or not _BROKEN.search(text):
        return text
    known = set(_WORD.findall(text.casefold()))
    hyphenated = set(_HYPHENATED.findall(text.casefold()))
    done: list[str] = []

    def join(match: re.Match[str]) -> str:
        first, second, rest = match.groups()
        # A paragraph that was unwrapped goes on where the line ended; elsewhere the next line takes its place.
        end = " " if paged else "\n"
        if f"{first}-{second}".casefold() in hyphenated:
            return f"{first}-{second}{rest}{end}" if paged else match[0]
        if f"{first}{second}".casefold() in known or paged:
            done.append(f"{first}-{second}")
            return f"{first}{second}{rest}{end}"
        return match[0]

    joined = _BROKEN.sub(join, text)
    if done:
        notes.append(Note("words broken over lines joined", done[0], len(done)))
    return joined


def _unwrapped(pages: list[str]) -> str:
    """Paragraphs on one line each: a line that is cut short ends its paragraph."""
    lines = "\n".join(pages).split("\n")
    widths = [len(line) for line in lines if line.strip()]
    if len(widths) < 2:
        return "\n".join(lines)
    full = quantiles(widths, n=10)[-1]
    out: list[str] = []
    open_ = False
    for line in lines:
        bare = line.strip()
        if open_ and bare:
            glue = "" if _CHINESE.match(out[-1][-1]) or _CHINESE.match(bare[0]) else " "
            # A word broken at the line's end is joined afterwards, by the same rule as elsewhere.
            out[-1] += f"\n{bare}" if out[-1].endswith("-") else f"{glue}{bare}"
        elif bare:
            out.append(line.rstrip())
        else:
            out.append("")
        open_ = bool(bare) and len(line) >= 0.8 * full and not (bare.endswith(_FINAL) and len(line) < 0.95 * full)
    return "\n".join(out)
