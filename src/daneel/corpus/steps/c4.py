"""The rules of the Colossal Clean Crawled Corpus (Raffel et al. 2020, arXiv:1910.10683, section 2.2, and its code)."""

import functools
import re
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from daneel.corpus.document import Document, digest
from daneel.corpus.naming import titled
from daneel.corpus.settings import Count, Settings
from daneel.corpus.step import Batch, Note, Result
from daneel.corpus.steps.quality import CHINESE_QUOTES, ENDS, Measures, beginning, member, sums, table, variants
from daneel.corpus.words import Array, Words

_CITATION = re.compile(r"\[\d*\]|\[edit\]|\[citation needed\]")
_POLICIES = ("terms of use", "privacy policy", "cookie policy", "uses cookies", "use of cookies", "use cookies")
_CHINESE_POLICIES = (
    "隐私政策",
    "隱私政策",
    "使用条款",
    "使用條款",
    "服务条款",
    "服務條款",
    "版权所有",
    "版權所有",
    "icp备",
)
_LOREM = "lorem ipsum"
_CHINESE_SENTENCE = "。！？…!?"
# What ends a line in any language: C4 takes no ellipsis, which may stand for what was cut.
_SENTENCE = ENDS.replace("…", "")
# Marks of Chinese and Japanese, after which no space is written.
_CLOSE = "。．｡！？"
# Why a line goes; the first that holds counts.
_LONG, _END, _SHORT, _SCRIPT, _POLICY = 1, 2, 3, 4, 5


@dataclass(frozen=True)
class C4(Settings):
    """Removes lines that are no sentences, then drops pages of which too little is left.

    The rules for pages look, as C4's own code does, at the lines that are left. Empty lines go on parting paragraphs.
    """

    name: ClassVar[str] = "c4"

    sentence_ends: bool = True
    """Removes lines that do not end with a full stop, exclamation or question mark of any script, or a closing quote
    (C4). Not for text with hard line ends."""
    min_line_words: Count = 3
    """Removes lines of fewer words (C4: 3)."""
    max_word_length: Count = 1000
    """Removes lines with a longer word (C4's code: 1000); 0 sets no limit."""
    javascript: bool = True
    """Removes lines with the word Javascript (C4)."""
    policies: bool = True
    """Removes lines about cookies, privacy and terms of use (C4's code; Chinese phrases of the same kind)."""
    citations: bool = True
    """Removes [1], [edit] and [citation needed] (C4's code)."""
    lorem_ipsum: bool = True
    """Drops pages with the phrase lorem ipsum (C4)."""
    curly_bracket: bool = True
    """Drops pages with a curly bracket, which is mostly code (C4)."""
    min_sentences: Count = 5
    """Drops pages with fewer sentences in the lines left (C4: 5)."""
    zh_min_line_words: Count = 5
    """As min_line_words, in Chinese characters."""
    zh_min_sentences: Count = 5
    """As min_sentences, for Chinese; poems have 2 to 4."""

    def apply(self, batch: Batch) -> Result:
        """The batch without what breaks a rule."""
        result = Result(list(batch))
        changed = self._cite(result) if self.citations else set()
        # Only documents that were changed have to be measured anew.
        for some in ([n for n in range(len(batch)) if n not in changed], sorted(changed)):
            documents = [each for n in some if (each := result.documents[n])]
            for language, places, found in variants(documents):
                self._apply(language == "zh", [(some[n], t) for n, t in places], found, result)
        result.notes.sort(key=lambda note: note[0])
        return result

    def _cite(self, result: Result) -> set[int]:
        """Removes citations; the places of the documents that had some."""
        changed = set()
        for n, document in enumerate(result.documents):
            if document and "[" in document.text and (match := _CITATION.search(document.text)):
                text, times = _CITATION.subn("", document.text)
                result.documents[n] = replace(document, text=text, sha256=digest(text))
                around = document.text[max(0, match.start() - 40) : match.end() + 10]
                result.notes.append((n, Note("c4: citations removed", beginning(around), times)))
                changed.add(n)
        return changed

    def _apply(self, chinese: bool, places: list[tuple[int, int]], found: Measures, result: Result) -> None:
        reasons = self._reasons(chinese, found)
        kept = found.filled & (reasons == 0)
        sentences = found.by_line(np.maximum(_sentences(chinese, found), 1) * kept)
        least = self.zh_min_sentences if chinese else self.min_sentences
        removed = found.by_line(reasons > 0)
        few = sentences < least
        lorem = np.zeros(len(reasons), bool)
        lorem[_lines_with(found, (_LOREM,) * self.lorem_ipsum)] = True
        filler = found.by_line(lorem & kept) > 0
        for n, t in places:
            document = result.documents[n]
            assert document
            own = reasons[found.lines[t] : found.lines[t + 1]] if removed[t] else None
            text = document.text if own is None else _left(document.text, own)
            if filler[t] or (self.curly_bracket and "{" in text) or few[t]:
                page = f"fewer than {least} sentences" if few[t] else "a curly bracket"
                why = "lorem ipsum" if filler[t] else page
                shown = f"{sentences[t]} sentences: {beginning(document.text)}"
                result.documents[n] = None
                result.notes.append((n, Note(f"c4: {why}", shown, dropped=True)))
            elif own is not None:
                # A heading is no sentence, so it is read before it goes.
                result.documents[n] = replace(titled(document), text=text, sha256=digest(text))
                result.notes += [(n, note) for note in self._notes(chinese, document, own)]

    def _reasons(self, chinese: bool, found: Measures) -> Array:
        """int8 [L]: why each line goes, 0 if it stays."""
        codes = found.words.codes
        _, last = found.edges
        reasons = np.zeros(len(found.starts), np.int8)
        for code, phrases in ((_POLICY, self._phrases(chinese)), (_SCRIPT, ("javascript",) * self.javascript)):
            reasons[_lines_with(found, phrases)] = code
        if chinese:
            starts, lengths = found.words.starts, found.words.lengths
        else:
            starts, lengths = found.tokens
        edges = np.append(found.starts, len(codes))
        bounds = np.searchsorted(starts, edges)
        least = self.zh_min_line_words if chinese else self.min_line_words
        short = np.diff(bounds) < least
        if not chinese:
            # A line of Chinese between others has no spaces to tell its words.
            short &= sums(found.words.han, np.searchsorted(found.words.starts, edges)) < self.zh_min_line_words
        reasons[short] = _SHORT
        if self.sentence_ends:
            ends = member(codes[last], _ends(chinese))
            if not chinese:
                ends &= ~((codes[last] == ord(".")) & (codes[last - 1] == ord(".")) & (codes[last - 2] == ord(".")))
            reasons[~ends] = _END
        if self.max_word_length:
            reasons[sums(lengths > self.max_word_length, bounds) > 0] = _LONG
        reasons[~found.filled] = 0
        return reasons

    def _phrases(self, chinese: bool) -> tuple[str, ...]:
        if not self.policies:
            return ()
        return _POLICIES + _CHINESE_POLICIES if chinese else _POLICIES

    def _notes(self, chinese: bool, document: Document, reasons: Array) -> list[Note]:
        """What was removed from a document, a kind each."""
        unit, least = ("characters", self.zh_min_line_words) if chinese else ("words", self.min_line_words)
        what = {
            _LONG: f"a word of more than {self.max_word_length} characters",
            _END: "no end of a sentence",
            _SHORT: f"fewer than {least} {unit}",
            _SCRIPT: "javascript",
            _POLICY: "terms of use or privacy",
        }
        lines = document.text.split("\n")
        return [
            Note(f"c4: lines with {kind} removed", beginning(lines[int((reasons == code).argmax())]), times)
            for code, kind in what.items()
            if (times := int((reasons == code).sum()))
        ]


def _left(text: str, reasons: Array) -> str:
    """The text without the lines that go."""
    lines = [line for line, reason in zip(text.split("\n"), reasons.tolist(), strict=True) if not reason]
    left = "\n".join(lines).strip("\n")
    while "\n\n\n" in left:
        left = left.replace("\n\n\n", "\n\n")
    return left


def _lines_with(found: Measures, phrases: tuple[str, ...]) -> Array:
    """The lines in which one of the phrases stands as words of its own, in any case, int64."""
    hashes, bounds = found.words.hashes, np.append(found.starts, len(found.words.codes))
    out = [np.zeros(0, np.int64)]
    for phrase in phrases:
        wanted = _hashes(phrase)
        first = np.flatnonzero(hashes[: max(len(hashes) - len(wanted) + 1, 0)] == wanted[0])
        for k in range(1, len(wanted)):
            first = first[hashes[first + k] == wanted[k]]
        lines = [np.searchsorted(bounds, found.words.starts[first + k], side="right") - 1 for k in (0, len(wanted) - 1)]
        out.append(lines[0][lines[0] == lines[1]])
    return np.concatenate(out)


@functools.cache
def _hashes(phrase: str) -> Array:
    return Words([phrase]).hashes


def _sentences(chinese: bool, found: Measures) -> Array:
    """int64 [L]: sentences that end on each line: marks before white space, with a quote between or not; those of
    Chinese wherever they stand."""
    codes = found.words.codes
    ends = np.flatnonzero(member(codes, _marks(chinese)))
    after = codes[np.minimum(ends + 1, len(codes) - 1)]
    if chinese:
        ends = ends[~member(after, _marks(chinese))]
    else:
        close = member(codes[ends], _close()) & ~member(after, _marks(chinese))
        quoted = member(after, _quotes())
        after = np.where(quoted, codes[np.minimum(ends + 2, len(codes) - 1)], after)
        ends = ends[close | member(after, _white())]
    return np.diff(np.searchsorted(ends, np.append(found.starts, len(codes))))


@functools.cache
def _ends(chinese: bool) -> Array:
    return table(CHINESE_QUOTES + (ENDS if chinese else _SENTENCE))


@functools.cache
def _marks(chinese: bool) -> Array:
    return table(_CHINESE_SENTENCE if chinese else _SENTENCE)


@functools.cache
def _quotes() -> Array:
    return table(CHINESE_QUOTES + ")")


@functools.cache
def _close() -> Array:
    return table(_CLOSE)


@functools.cache
def _white() -> Array:
    return table(" \n\t\u00a0\u3000")
