"""What the quality rules share: measures of many texts at once, and the verdict of rules upon them.

The published rules count words of English. In Chinese a character is a word of its own, sentences end with other signs
and nothing parts words, so every rule has a Chinese variant; the document's language decides which is applied.
"""

import functools
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from daneel.corpus.document import Document
from daneel.corpus.step import Batch, Note, Result
from daneel.corpus.words import Array, Words

ENDS = ".!?…。．｡！？‼⁇⁈⁉‽؟۔।॥။።։᠃។"
"""Full stops, exclamation and question marks of many scripts."""
QUOTES = "\"'”’»"
CHINESE_QUOTES = QUOTES + "』」》）"
_LINE_END = 10
_OWN = ("zh", "en", "")


@dataclass(frozen=True)
class Rule:
    """One rule, and the documents that break it."""

    what: str
    """Names the source and the rule: `gopher: fewer than 50 words`."""
    value: Array
    """[T]: what was measured."""
    broken: Array
    """bool [T]"""


class Measures:
    """Words and lines of some texts. With T texts and L lines, the empty ones too:"""

    def __init__(self, texts: Sequence[str]):
        self.texts = texts
        self.words = Words(texts)
        self.sizes: Array = np.diff(self.words.texts) - 1
        """int64 [T]: characters of each text."""
        self.ends: Array = np.flatnonzero(self.words.codes == _LINE_END)
        """int64 [L]: where in `words.codes` each line ends."""
        self.starts: Array = np.concatenate([[0], self.ends[:-1] + 1]).astype(np.int64)[: len(self.ends)]
        """int64 [L]: where it begins."""
        self.lines: Array = np.searchsorted(self.starts, self.words.texts)
        """int64 [T + 1]: the lines of text t are `lines[t]` to `lines[t + 1]`."""

    @functools.cached_property
    def signs(self) -> Array:
        """int64: where in `words.codes` something other than white space stands."""
        return np.flatnonzero(~member(self.words.codes, _white()))

    @functools.cached_property
    def edges(self) -> tuple[Array, Array]:
        """Where the first and the last sign of each line stand, int64 [L] each; the first is after the last in a line
        of white space."""
        first = np.searchsorted(self.signs, self.starts)
        last = np.searchsorted(self.signs, self.ends) - 1
        padded = np.append(self.signs, len(self.words.codes) - 1) if len(self.starts) else self.signs
        return np.where(first > last, self.ends, padded[first]), np.where(first > last, self.starts - 1, padded[last])

    @functools.cached_property
    def filled(self) -> Array:
        """bool [L]: whether a line has something other than white space."""
        first, last = self.edges
        return np.less_equal(first, last)

    @functools.cached_property
    def filled_lines(self) -> Array:
        """int64 [T]: such lines of each text, at least 1 so that one can divide by it."""
        return np.maximum(self.by_line(self.filled), 1)

    @functools.cached_property
    def counts(self) -> Array:
        """int64 [T]: words of each text, at least 1."""
        return np.maximum(self.words.counts, 1)

    @functools.cached_property
    def tokens(self) -> tuple[Array, Array]:
        """What stands between white space, K in all: where each begins in `words.codes`, its length, int64 [K] each."""
        opens = np.flatnonzero(np.append(True, self.signs[1:] > self.signs[:-1] + 1)[: len(self.signs)])
        return self.signs[opens], np.diff(opens, append=len(self.signs))

    def by_line(self, values: Array) -> Array:
        """[T]: sums over the lines of each text."""
        return sums(values, self.lines)

    def by_word(self, values: Array) -> Array:
        """[T]: sums over the words of each text."""
        return sums(values, self.words.bounds)

    def by_place(self, places: Array) -> Array:
        """int64 [T]: how many of these places in `words.codes`, in rising order, lie in each text."""
        return np.diff(np.searchsorted(places, self.words.texts))

    def count(self, *parts: str) -> Array:
        """int64 [T]: how often some strings occur in each text."""
        return np.array([sum(map(text.count, parts)) for text in self.texts], np.int64)


def sums(values: Array, bounds: Array) -> Array:
    """Sums of the values between neighbouring bounds."""
    running: Array = np.concatenate([[0], np.cumsum(values)])
    return np.diff(running[bounds])


def member(codes: Array, table: Array) -> Array:
    """bool: whether each code point is in a table made by `table`."""
    found: Array = table.take(codes)
    return found


def table(signs: str) -> Array:
    """bool [0x110000]: a set of code points."""
    out = np.zeros(0x110000, bool)
    out[[ord(sign) for sign in signs]] = True
    return out


@functools.cache
def _white() -> Array:
    return table("".join(chr(code) for code in range(0x3001) if chr(code).isspace()))


class _Latest(threading.local):
    """By language, the texts measured last, and the place of each: the rules of several steps follow one another upon
    the same texts, or upon what is left of them."""

    def __init__(self) -> None:
        self.texts: dict[str, tuple[Measures, dict[str, int]]] = {}


_latest = _Latest()


def _measured(language: str, texts: list[str]) -> tuple[Measures, list[int]]:
    """Measures of these texts and perhaps of more, and the place of each among them."""
    kept = _latest.texts
    if language not in kept or not kept[language][1].keys() >= set(texts):
        kept[language] = Measures(texts), {text: n for n, text in enumerate(texts)}
    measures, places = kept[language]
    return measures, [places[text] for text in texts]


def variants(batch: Batch) -> Iterator[tuple[str, list[tuple[int, int]], Measures]]:
    """The documents of each language that has rules of its own (`zh`, `en`; the others are ``): the language, each
    document's place in the batch and among the texts measured, and the measures."""
    for language in _OWN:
        places = [n for n, each in enumerate(batch) if (each.language if each.language in _OWN else "") == language]
        if places:
            measures, rows = _measured(language, [batch[n].text for n in places])
            yield language, list(zip(places, rows, strict=True)), measures


def judge(batch: Batch, rules: Callable[[str, Measures], list[Rule]]) -> Result:
    """The batch without the documents that break a rule of their language; the first one broken is the reason."""
    out: list[Document | None] = list(batch)
    notes: list[tuple[int, Note]] = []
    for language, places, measures in variants(batch):
        found = rules(language, measures)
        broken = np.stack([rule.broken for rule in found])
        anything = set(np.flatnonzero(np.any(broken, axis=0)).tolist())
        for n, t in places:
            if t in anything:
                rule = found[int(broken[:, t].argmax())]
                out[n] = None
                notes.append((n, Note(rule.what, f"{rule.value[t]:.4g}: {beginning(batch[n].text)}", dropped=True)))
    return Result(out, sorted(notes, key=lambda note: note[0]))


def beginning(text: str) -> str:
    """How a text begins, in a line."""
    return " ".join(text[:200].split())[:80]


def percent(share: float) -> str:
    """A share for people: `30 %`."""
    return f"{100 * share:.3g} %"
