"""Near duplicates, by MinHash and the exact Jaccard index of what it finds: documents, and paragraphs."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any, ClassVar

import numpy as np

from daneel.corpus.document import words
from daneel.corpus.neighbours import Neighbours, near, summarised
from daneel.corpus.settings import Count, Range, Settings
from daneel.corpus.step import Arrays, Batch, Note, Result, Run
from daneel.corpus.steps.common import short
from daneel.corpus.summaries import joined, offsets, picked

Array = np.ndarray[Any, Any]

_BLANK = re.compile(r"\n[^\S\n]*\n\s*")
_LINE = re.compile(r"\n\s*")


@dataclass(frozen=True)
class NearDuplicates(Settings):
    """Drops documents that share most of their runs of words with an earlier one that stays.

    An excerpt of a longer document is not found: `near_paragraphs` removes what it repeats.
    """

    name: ClassVar[str] = "near_duplicates"
    threshold: Annotated[float, Range(0.1, 1)] = 0.7
    """Jaccard index from which two documents are near duplicates: shingles in both, over shingles in either."""
    shingle: Annotated[int, Range(1, 100)] = 5
    """Words of a shingle; a Chinese character is a word. Five Chinese characters of one book are found in another less
    often than five English words, and a longer shingle would only make a changed character count for more."""

    def summarise(self, batch: Batch) -> Arrays:
        """What `neighbours.near` has to know, and where it comes from."""
        some, arrays = summarised([document.text for document in batch], self.shingle, self.threshold)
        return {**arrays, "places": some, "sources": _sources(batch)}

    def decide(self, summaries: Sequence[Path], run: Run) -> list[Arrays]:
        """Places of the near duplicates in each batch, the sources of what they are like, and how much they are."""
        if not summaries:
            return []
        return _verdicts(summaries, near(summaries, run, self.threshold), ("places",))

    def apply(self, batch: Batch, verdict: Arrays) -> Result:
        """The batch without the near duplicates."""
        result = Result(list(batch))
        for place, of, similarity in zip(*(verdict[key].tolist() for key in ("places", "of", "like")), strict=True):
            result.documents[place] = None
            example = _example(of, similarity, batch[place].text)
            result.notes.append((place, Note("near duplicate", example, dropped=True, of=of)))
        return result


@dataclass(frozen=True)
class NearParagraphs(Settings):
    """Removes paragraphs that are near duplicates of one in an earlier document.

    What a document repeats of itself stays, such as a refrain. Paragraphs are parted by blank lines; in a text without
    them each line is one. On disk the summary takes 200 bytes a paragraph and 4 a word, in memory see `neighbours`.
    """

    name: ClassVar[str] = "near_paragraphs"
    threshold: Annotated[float, Range(0.1, 1)] = 0.8
    """Jaccard index from which two paragraphs are near duplicates."""
    shingle: Annotated[int, Range(1, 100)] = 5
    """Words of a shingle; a Chinese character is a word."""
    words: Annotated[int, Range(1, 1_000_000)] = 25
    """Shorter paragraphs stay: dialogue and headings are alike in many books."""
    remain: Count = 50
    """A document of which fewer words would be left is dropped as a whole."""

    def summarise(self, batch: Batch) -> Arrays:
        """What `neighbours.near` has to know of the paragraphs, where they stand, and the sources."""
        spans = [
            (place, number, slice(*span))
            for place, document in enumerate(batch)
            for number, span in enumerate(_paragraphs(document.text))
            # No word is shorter than a character.
            if span[1] - span[0] >= self.words
        ]
        texts = [batch[place].text[span] for place, _, span in spans]
        some, arrays = summarised(texts, self.shingle, self.threshold, self.words)
        where = np.array([(place, number) for place, number, _ in spans], np.int64).reshape(-1, 2)[some]
        return {**arrays, "places": where[:, 0].copy(), "numbers": where[:, 1].copy(), "sources": _sources(batch)}

    def decide(self, summaries: Sequence[Path], run: Run) -> list[Arrays]:
        """Places of documents and numbers of paragraphs in each batch, and the sources of what they are like."""
        if not summaries:
            return []
        items, documents = offsets(summaries, "places"), offsets(summaries, "sources")
        owners = joined(summaries, "places") + np.repeat(documents[:-1], np.diff(items))
        return _verdicts(summaries, near(summaries, run, self.threshold, owners), ("places", "numbers"))

    def apply(self, batch: Batch, verdict: Arrays) -> Result:
        """The batch without those paragraphs."""
        result = Result(list(batch))
        places = verdict["places"]
        for place in np.unique(places).tolist():
            document, here = batch[place], places == place
            spans = _paragraphs(document.text)
            gone = set(verdict["numbers"][here].tolist())
            text = "".join(document.text[slice(*span)] for number, span in enumerate(spans) if number not in gone)
            # The first paragraph that goes is the example.
            first = document.text[slice(*spans[min(gone)])]
            of = str(verdict["of"][here][0])
            note = Note("near duplicate paragraphs removed", _example(of, verdict["like"][here][0], first), len(gone))
            if words(text) < self.remain:
                note = replace(note, what="little left without near duplicate paragraphs", times=1, dropped=True, of=of)
            result.documents[place] = None if note.dropped else replace(document, text=text.rstrip())
            result.notes.append((place, note))
        return result


def _paragraphs(text: str) -> list[tuple[int, int]]:
    """Where each paragraph begins, and the next: the blank lines after one are part of it."""
    ends = [match.end() for match in (_BLANK if _BLANK.search(text) else _LINE).finditer(text)]
    return list(zip([0, *ends], [*ends, len(text)], strict=True))


def _verdicts(summaries: Sequence[Path], found: Neighbours, where: tuple[str, ...]) -> list[Arrays]:
    """What `found` says of each batch: where, the source of the item that stays, and the similarity."""
    bounds, documents = offsets(summaries, "places"), offsets(summaries, "sources")
    batches = np.searchsorted(bounds, found.of, "right") - 1
    of = documents[batches] + picked(summaries, "places", bounds, found.of)
    columns = {name: picked(summaries, name, bounds, found.items) for name in where}
    columns |= {"of": picked(summaries, "sources", documents, of), "like": found.similarity}
    cuts = np.searchsorted(found.items, bounds)
    return [{name: each[low:high] for name, each in columns.items()} for low, high in pairwise(cuts)]


def _sources(batch: Batch) -> Array:
    return np.array([document.source for document in batch], np.str_)


def _example(of: str, similarity: float, text: str) -> str:
    return short(f"of {of}, Jaccard {similarity:.2f}: {text}")
