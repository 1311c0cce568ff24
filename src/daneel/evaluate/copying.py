"""How much of a text stands word for word in another."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from daneel.corpus.document import HAN

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


def compare_copying(
    train: Iterable[str],
    before: Iterable[str],
    after: Iterable[str],
    heldout: Iterable[str],
    stranger: Iterable[str] = (),
) -> Copying:
    """Look for 8-grams of samples (without their prompt) and of human texts in the training text."""
    source = Source(train)
    other = source.copied(stranger)
    return Copying(source.copied(before), source.copied(after), source.copied(heldout), other if other.total else None)
