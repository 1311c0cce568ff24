"""Decontamination: what documents share with named test sets goes, so that a score on them says something."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Annotated, ClassVar, Literal

import numpy as np

from daneel.corpus.document import Document
from daneel.corpus.settings import Count, Range, Settings
from daneel.corpus.step import Batch, Note, Result
from daneel.corpus.steps.common import short
from daneel.corpus.testsets import Span, test_runs
from daneel.corpus.words import Words


@dataclass(frozen=True)
class Decontaminate(Settings):
    """Cuts passages that stand in test sets, with a margin, or drops the documents that have them.

    A passage is a run of words; case and punctuation do not count. The rules are those of GPT-3 (arXiv:2005.14165,
    appendix C), but for the runs that it ignored since more than ten of its documents had them.
    """

    name: ClassVar[str] = "decontaminate"
    against: tuple[str, ...] = field(default=(), metadata={"paths": True})
    """Test sets: files or folders. In JSON, CSV and Parquet every string is an item, elsewhere every file."""
    words: Annotated[int, Range(1, 100)] = 13
    """Words of a run,"""
    characters: Annotated[int, Range(1, 100)] = 18
    """and of one that begins with a Chinese character: what thirteen English words are in Chinese (1.39 characters a
    word in translations from Tatoeba)."""
    shortest: Annotated[int, Range(1, 100)] = 8
    """Items of fewer words than a run are looked for as a whole, down to so many; Chinese ones in proportion."""
    hits: Annotated[int, Range(1, 1_000_000_000)] = 1
    """A document with fewer runs from test sets stays as it is."""
    action: Literal["cut", "drop"] = "cut"
    """`cut` takes out the passage and its margin, `drop` the document."""
    margin: Count = 200
    """Characters that go on each side of a passage; what is left between two passages must be as long to stay."""
    passages: Count = 10
    """A document with more passages than this is dropped."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.against:
            raise self.wrong("against", "name at least one test set, a file or a folder")

    def apply(self, batch: Batch) -> Result:
        """The batch without what the test sets have. Raises UsageError or DataError for a test set."""
        result = Result(list(batch))
        runs = test_runs(self.against, self.words, self.characters, self.shortest)
        words = Words([document.text for document in batch])
        found = runs.within(words)
        owners = np.searchsorted(words.bounds, [span.first for span in found], "right") - 1
        for place in np.unique(owners).tolist():
            spans = [found[n] for n in np.flatnonzero(owners == place)]
            if len(spans) < self.hits:
                continue
            document = batch[place]
            start = int(words.texts[place])
            # From the first letter of each run to the last.
            ends = [
                (int(words.starts[span.first]) - start, int(words.starts[span.last] + words.lengths[span.last]) - start)
                for span in spans
            ]
            result.documents[place], notes = self._judge(document, spans, ends)
            result.notes += [(place, note) for note in notes]
        return result

    def _judge(
        self, document: Document, spans: Sequence[Span], ends: list[tuple[int, int]]
    ) -> tuple[Document | None, list[Note]]:
        first: dict[str, str] = {}
        for span, end in zip(spans, ends, strict=True):
            first.setdefault(span.testset, document.text[slice(*end)])
        passages: list[tuple[int, int]] = []
        for low, high in sorted(ends):
            if passages and low <= passages[-1][1]:
                passages[-1] = passages[-1][0], max(high, passages[-1][1])
            else:
                passages.append((low, high))
        notes = [Note(f"passages of {name} cut", short(text)) for name, text in first.items()]
        kept = self._around(document.text, passages)
        if self.action == "drop" or len(passages) > self.passages or not kept:
            what, text = next(iter(first.items()))
            return None, [Note(f"holds passages of {what}", short(text), dropped=True)]
        return replace(document, text=kept), notes

    def _around(self, text: str, passages: list[tuple[int, int]]) -> str:
        """What is left of a text, the pieces parted by a blank line."""
        starts = [0, *(_after(text, high + self.margin) for _, high in passages)]
        stops = [*(_before(text, low - self.margin) for low, _ in passages), len(text)]
        pieces = (text[start:stop].strip() for start, stop in zip(starts, stops, strict=True) if stop > start)
        return "\n\n".join(piece for piece in pieces if piece and len(piece) >= self.margin)


def _after(text: str, at: int) -> int:
    """The place itself, or behind the Latin word it falls into."""
    while at < len(text) and text[at].isascii() and text[at].isalnum():
        at += 1
    return at


def _before(text: str, at: int) -> int:
    while at > 0 and text[at - 1].isascii() and text[at - 1].isalnum():
        at -= 1
    return at
