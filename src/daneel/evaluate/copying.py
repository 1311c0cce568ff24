"""How much of a text stands word for word in another, and which parts of it."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from daneel.corpus.document import HAN, Document
from daneel.corpus.index import FOLDER, CopyIndex, Span, share_out
from daneel.errors import DataError

N = 8

# A Chinese or Japanese character is a unit of its own, as these languages put no space between words;
# elsewhere a word is, with its apostrophes. Case and punctuation do not count.
_UNIT = re.compile(rf"[\u3040-\u30ff{HAN}]|(?:(?![\u3040-\u30ff{HAN}])\w)+(?:['’]\w+)*")


@dataclass(frozen=True)
class Copied:
    """Of `total` runs of eight units, `found` occur in the source; the longest run that does is `longest`."""

    found: int
    total: int
    longest: str
    longest_units: int

    @property
    def share(self) -> float:
        """The copied part, 0 ... 1; 0 of a text too short to tell."""
        return self.found / self.total if self.total else 0.0


def unit_spans(text: str) -> list[tuple[int, int]]:
    """Where the words (or Chinese characters) of a text stand."""
    return [found.span() for found in _UNIT.finditer(text)]


def units(text: str) -> list[str]:
    """The words (or Chinese characters) of a text, lower-cased."""
    return [text[a:b].casefold().replace("’", "'") for a, b in unit_spans(text)]


def _grams(words: list[str], n: int = N) -> Iterator[int]:
    # Hashes of 64 bits: a collision among a million runs has a chance of 3e-8, and memory stays small.
    return (hash(tuple(words[i : i + n])) for i in range(len(words) - n + 1))


class Source:
    """The 8-grams of a body of text, indexed once for many comparisons."""

    def __init__(self, texts: Iterable[str]) -> None:
        self._grams = {gram for text in texts for gram in _grams(units(text))}

    def copied(self, texts: Iterable[str]) -> Copied:
        """How much of some texts occurs here.

        Runs do not cross from one text into the next. The longest passage is followed through overlapping
        8-grams, so it is exact up to passages that the source has in pieces.
        """
        found = total = longest_units = 0
        longest = ""
        for text in texts:
            spans, run = unit_spans(text), 0
            for i, gram in enumerate(_grams(units(text))):
                total += 1
                run = run + 1 if gram in self._grams else 0
                found += run > 0
                if run and run + N - 1 > longest_units:
                    longest_units = run + N - 1
                    longest = text[spans[i - run + 1][0] : spans[i + N - 1][1]]
        return Copied(found, total, longest, longest_units)


def copied_spans(index: CopyIndex, text: str) -> list[Span]:
    """The parts of a text that the index has, in passages of eight units or more: what the share counts, and where."""
    # The index knows no apostrophes, so that a passage of eight of its words may have fewer units.
    return share_out(text, [p for p in index.passages(text, N) if len(units(text[p.start : p.end])) >= N])


@dataclass(frozen=True)
class Copying:
    """What was copied from the training text, beside what human texts share with it."""

    before: Copied
    """The base model's samples."""
    after: Copied
    """The tuned model's samples."""
    heldout: Copied
    """The author's own held-out text."""
    stranger: Copied | None
    spans_before: Sequence[Sequence[Span]]
    """The copied parts of each of the base model's samples."""
    spans_after: Sequence[Sequence[Span]]


def compare_copying(
    train: Sequence[Document],
    before: Sequence[str],
    after: Sequence[str],
    heldout: Iterable[str],
    stranger: Iterable[str] = (),
    corpus: Path | None = None,
) -> Copying:
    """Look for 8-grams of samples (without their prompt) and of human texts in the training text.

    The samples' passages are looked up in the index of the folder `corpus`, which `train` was read from, if it has a
    sound one; otherwise in one made here.
    """
    source = Source(document.text for document in train)
    other = source.copied(stranger)
    index = _index(train, corpus)
    return Copying(
        source.copied(before),
        source.copied(after),
        source.copied(heldout),
        other if other.total else None,
        [copied_spans(index, text) for text in before],
        [copied_spans(index, text) for text in after],
    )


def _index(train: Sequence[Document], corpus: Path | None) -> CopyIndex:
    if corpus:
        try:
            return CopyIndex.open(corpus / FOLDER)
        except DataError:
            pass
    return CopyIndex.of(train)
