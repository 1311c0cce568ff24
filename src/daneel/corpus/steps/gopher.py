"""The quality and repetition rules of Gopher's training text (Rae et al. 2021, arXiv:2112.11446, appendix A1)."""

import functools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, ClassVar

import numpy as np

from daneel.corpus.identify import Few
from daneel.corpus.settings import Count, Range, Settings, Share
from daneel.corpus.step import Batch, Result
from daneel.corpus.steps.quality import Measures, Rule, judge, member, percent, sums, table
from daneel.corpus.words import Array, Words, classes, mix

_STOP_WORDS = ("the", "be", "to", "of", "and", "that", "have", "with")
# The most frequent particles, pronouns and verbs of modern Chinese, then those of classical Chinese, both scripts.
_STOP_CHARACTERS = "的了是在不和有我他她这這个個们們一人也就都说說来來去上" + "之其而以为為于於者所无無此与與自"
_BULLETS = "-*•‣◦▪●○■□◆◇★☆・·➤►"
_ELLIPSIS = "…"


@dataclass(frozen=True)
class GopherQuality(Settings):
    """Drops documents that do not look like running text.

    Words are runs of letters and digits; Chinese is counted in characters. A limit of 0 sets none. The stop words are
    English or Chinese; for other languages that rule is skipped.
    """

    name: ClassVar[str] = "gopher_quality"

    min_words: Count = 50
    """Fewest words (Gopher: 50)."""
    max_words: Count = 100_000
    """Most words (Gopher: 100,000; a long novel has 150,000)."""
    min_mean_length: Annotated[float, Range(0, 1_000)] = 3.0
    """Shortest mean word, in characters (Gopher: 3)."""
    max_mean_length: Annotated[float, Range(0, 1_000)] = 10.0
    """Longest mean word, in characters (Gopher: 10)."""
    max_symbols: Annotated[float, Range(0, 1_000)] = 0.1
    """Most # signs a word, and most ellipses a word (Gopher: 0.1)."""
    max_bullets: Share = 0.9
    """Largest share of the lines that begin with a bullet (Gopher: 0.9)."""
    max_ellipsis_lines: Share = 0.3
    """Largest share of the lines that end with an ellipsis (Gopher: 0.3)."""
    min_alphabetic: Share = 0.8
    """Least share of what stands between white space that has a letter in it (Gopher: 0.8)."""
    min_stop_words: Annotated[int, Range(0, 8)] = 2
    """How many of the, be, to, of, and, that, have, with an English text has at least (Gopher: 2)."""
    zh_min_words: Count = 50
    """Fewest words of a Chinese text, its characters. Poems need less: those of the Tang have 20 to 56."""
    zh_max_words: Count = 130_000
    """Most characters of a Chinese text: in 21,116 sentence pairs of Tatoeba an English word is 1.34 characters."""
    zh_max_symbols: Annotated[float, Range(0, 1_000)] = 0.05
    """As max_symbols, a Chinese character; an ellipsis is written …… and counts once. Pages of novels have at most
    0.022."""
    zh_min_han: Share = 0.5
    """Least share of Chinese characters among a Chinese text's signs, in place of the length of words and the share
    of those with letters. 99 % of pages of novels have 0.71 or more, all poems 0.79."""
    zh_max_punctuation: Share = 0.35
    """Largest share of a Chinese text's signs that are neither letters nor digits. 99 % of pages of novels have 0.26 or
    less; English ones 0.08."""
    zh_min_stop_words: Annotated[int, Range(0, 43)] = 3
    """How many of 43 frequent function characters, modern and classical, a Chinese text has at least. Every page of
    novels has 6 or more; half of the Tang poems have fewer than 3, so 0 for poems."""

    def apply(self, batch: Batch) -> Result:
        """The batch without what breaks a rule."""
        return judge(batch, self._rules)

    def _rules(self, language: str, found: Measures) -> list[Rule]:
        chinese = language == "zh"
        words, counts = found.words, found.words.counts
        unit = "characters" if chinese else "words"
        least, most = (self.zh_min_words, self.zh_max_words) if chinese else (self.min_words, self.max_words)
        rules = [
            Rule(f"gopher: fewer than {least} {unit}", counts, counts < least),
            Rule(f"gopher: more than {most} {unit}", counts, counts > (most or np.inf)),
        ]
        if not chinese:
            mean = found.by_word(words.lengths) / found.counts
            low, high = self.min_mean_length, self.max_mean_length
            rules += [
                Rule(f"gopher: words shorter than {low:g} characters", mean, mean < low),
                Rule(f"gopher: words longer than {high:g} characters", mean, mean > (high or np.inf)),
            ]
        ellipses = found.count("……", "...") if chinese else found.count("...", _ELLIPSIS)
        limit = self.zh_max_symbols if chinese else self.max_symbols
        for name, number in (("#", found.count("#", "＃")), ("ellipsis", ellipses)):
            share = number / found.counts
            rules.append(Rule(f"gopher: more than {limit:g} {name} a word", share, share > (limit or np.inf)))
        rules += self._lines(found)
        rules += self._chinese(found) if chinese else self._alphabetic(found)
        if language:
            stops = _kinds_of_stops(words, chinese)
            few = self.zh_min_stop_words if chinese else self.min_stop_words
            rules.append(Rule(f"gopher: fewer than {few} stop words", stops, stops < few))
        return rules

    def _lines(self, found: Measures) -> list[Rule]:
        codes = found.words.codes
        first, last = found.edges
        bullets = found.by_line(found.filled & member(codes[first], _bullets())) / found.filled_lines
        trails = codes[last] == ord(_ELLIPSIS)
        dots = found.filled & (last >= first + 2) & (codes[last] == ord("."))
        dots &= (codes[last - 1] == ord(".")) & (codes[last - 2] == ord("."))
        ellipses = found.by_line(found.filled & (trails | dots)) / found.filled_lines
        return [
            Rule(
                f"gopher: more than {percent(self.max_bullets)} of the lines are bullets",
                bullets,
                bullets > (self.max_bullets or 1),
            ),
            Rule(
                f"gopher: more than {percent(self.max_ellipsis_lines)} of the lines end with an ellipsis",
                ellipses,
                ellipses > (self.max_ellipsis_lines or 1),
            ),
        ]

    def _alphabetic(self, found: Measures) -> list[Rule]:
        """The share of what stands between white space that has a letter in it."""
        starts, lengths = found.tokens
        bounds = np.searchsorted(starts, found.words.texts)
        running = np.cumsum(member(found.words.codes[found.signs], _letters()), dtype=np.int32)
        last = np.cumsum(lengths) - 1
        with_letter = np.diff(running[last], prepend=np.int32(0)) > 0
        share = sums(with_letter, bounds) / np.maximum(np.diff(bounds), 1)
        what = f"gopher: fewer than {percent(self.min_alphabetic)} of the words have a letter"
        return [Rule(what, share, share < self.min_alphabetic)]

    def _chinese(self, found: Measures) -> list[Rule]:
        signs = np.maximum(found.by_place(found.signs), 1)
        han = found.by_word(found.words.han) / signs
        marks = 1 - found.by_word(found.words.lengths) / signs
        limit = self.zh_max_punctuation
        return [
            Rule(f"gopher: fewer than {percent(self.zh_min_han)} Chinese characters", han, han < self.zh_min_han),
            Rule(f"gopher: more than {percent(limit)} punctuation", marks, marks > (limit or 1)),
        ]


def _kinds_of_stops(words: Words, chinese: bool) -> Array:
    """int64 [T]: how many different stop words each text has."""
    stops = _stops(chinese)
    hits, which = stops.find(words.hashes)
    texts = np.searchsorted(words.bounds, hits, side="right") - 1
    seen = np.zeros((len(words.counts), len(stops)), bool)
    seen[texts, which] = True
    kinds: Array = np.count_nonzero(seen, axis=1)
    return kinds


@functools.cache
def _stops(chinese: bool) -> Few:
    return Few(list(_STOP_CHARACTERS if chinese else _STOP_WORDS))


@functools.cache
def _bullets() -> Array:
    return table(_BULLETS)


@functools.cache
def _letters() -> Array:
    # A regular expression finds letters and numbers ten times as fast as asking each code point.
    likely = map(chr, np.flatnonzero(classes([r"[^\W\d_]"])).tolist())
    return table("".join(filter(str.isalpha, likely)))


@dataclass(frozen=True)
class GopherRepetition(Settings):
    """Drops documents that repeat themselves. A limit of 0 sets none.

    Runs of n words lie within a text. A run that occurs once is no repetition; of a run that occurs again, every
    occurrence but the first counts as duplicate, and no character counts twice. In Chinese a run of n words is one of
    `zh_factor` times n characters.
    """

    name: ClassVar[str] = "gopher_repetition"

    duplicate_lines: Share = 0.30
    """Largest share of the lines that occurred before (Gopher: 0.30)."""
    duplicate_paragraphs: Share = 0.30
    """Largest share of the paragraphs, parted by empty lines, that occurred before (Gopher: 0.30)."""
    duplicate_line_characters: Share = 0.20
    """Largest share of the characters in such lines (Gopher: 0.20)."""
    duplicate_paragraph_characters: Share = 0.20
    """Largest share of the characters in such paragraphs (Gopher: 0.20)."""
    top_2: Share = 0.20
    """Largest share of the characters in the most frequent run of 2 words (Gopher: 0.20)."""
    top_3: Share = 0.18
    """The same of 3 words (Gopher: 0.18)."""
    top_4: Share = 0.16
    """The same of 4 words (Gopher: 0.16)."""
    duplicate_5: Share = 0.15
    """Largest share of the characters in runs of 5 words that occurred before (Gopher: 0.15)."""
    duplicate_6: Share = 0.14
    """The same of 6 words (Gopher: 0.14)."""
    duplicate_7: Share = 0.13
    """The same of 7 words (Gopher: 0.13)."""
    duplicate_8: Share = 0.12
    """The same of 8 words (Gopher: 0.12)."""
    duplicate_9: Share = 0.11
    """The same of 9 words (Gopher: 0.11)."""
    duplicate_10: Share = 0.10
    """The same of 10 words (Gopher: 0.10)."""
    zh_factor: Annotated[int, Range(1, 10)] = 2
    """Characters of Chinese that stand for a word in the lengths of runs. With 1, set phrases count: 2.8 % of pages of
    novels break a rule; with 2, 0.12 %, and the same bad pages do but for advertisements."""

    def apply(self, batch: Batch) -> Result:
        """The batch without what repeats itself."""
        return judge(batch, self._rules)

    def _rules(self, language: str, found: Measures) -> list[Rule]:
        chinese = language == "zh"
        sizes = np.maximum(found.sizes, 1)
        rules = []
        for unit, limit, limit_of_characters, split in (
            ("paragraphs", self.duplicate_paragraphs, self.duplicate_paragraph_characters, _paragraphs),
            ("lines", self.duplicate_lines, self.duplicate_line_characters, _lines),
        ):
            repeated, number, characters = np.array([_again(split(text)) for text in found.texts], np.int64).T
            share = repeated / number
            rules.append(
                Rule(f"gopher: more than {percent(limit)} of the {unit} are repeated", share, share > (limit or 1))
            )
            share = characters / sizes
            what = f"gopher: more than {percent(limit_of_characters)} of the characters are in repeated {unit}"
            rules.append(Rule(what, share, share > (limit_of_characters or 1)))
        factor = self.zh_factor if chinese else 1
        kind = "characters" if chinese else "words"
        of = np.repeat(np.arange(len(sizes)), found.words.counts)
        tops = {n * factor: getattr(self, f"top_{n}") or 1 for n in (2, 3, 4)}
        for n, most in _tops(found.words, of, {n: limit * sizes for n, limit in tops.items()}, 0 if chinese else 1):
            share = most / sizes
            what = f"gopher: more than {percent(tops[n])} of the characters are one run of {n} {kind}"
            rules.append(Rule(what, share, share > tops[n]))
        limits = {n * factor: getattr(self, f"duplicate_{n}") or 1 for n in range(5, 11)}
        for n, characters in _duplicates(found.words, of, list(limits)):
            share = characters / sizes
            what = f"gopher: more than {percent(limits[n])} of the characters are in repeated runs of {n} {kind}"
            rules.append(Rule(what, share, share > limits[n]))
        return rules


def _lines(text: str) -> list[str]:
    return [line for line in text.split("\n") if line]


def _paragraphs(text: str) -> list[str]:
    return [part.strip("\n") for part in text.split("\n\n") if part.strip("\n")]


def _again(parts: list[str]) -> tuple[int, int, int]:
    """Parts that occurred before, all parts (at least 1), characters of the former."""
    once = set(parts)
    repeated = len(parts) - len(once)
    return repeated, max(len(parts), 1), sum(map(len, parts)) - sum(map(len, once)) if repeated else 0


_BUCKET_BITS = 20
_ODD = np.uint64(0xD1342543DE82EF95)
"""Multiplier of a congruential generator of 64 bits (Steele and Vigna 2021, arXiv:2001.05304)."""


def _bucket_counts(keys: Array) -> Array:
    """int64: how many keys share the bucket of each; at least as many as are equal to it."""
    buckets = (keys >> np.uint64(64 - _BUCKET_BITS)).astype(np.int64)
    counts: Array = np.bincount(buckets, minlength=1 << _BUCKET_BITS)[buckets]
    return counts


def _fold(words: Words, keys: Array, first: Array, n: int, m: int) -> Array:
    """The keys of runs of m words made from those of n words."""
    for k in range(n, m):
        keys = keys * _ODD + words.hashes[first + k]
    return keys


def _runs(words: Words, of: Array, n: int) -> tuple[Array, Array, Array]:
    """Of each run of n words within a text: its key, its text, its first word; `of` names each word's text."""
    number = max(len(words) - n + 1, 0)
    keys = mix(of[:number].astype(np.uint64))
    for k in range(n):
        keys *= _ODD
        keys += words.hashes[k : k + number]
    first = np.flatnonzero(of[:number] == of[n - 1 : n - 1 + number])
    return keys[first], of[first], first


def _most(values: Array, of: Array, texts: int) -> Array:
    """[T]: the largest value of each text; `of` names each value's text, in rising order."""
    out = np.zeros(texts, values.dtype)
    if len(values):
        opens = np.flatnonzero(np.diff(of, prepend=-1))
        out[of[opens]] = np.maximum.reduceat(values, opens)
    return out


def _tops(words: Words, of: Array, limits: dict[int, Array], gap: int) -> Iterator[tuple[int, Array]]:
    """For each n, in rising order: the characters of the most frequent run of n words that occurs twice or more, int64
    [T], with `gap` between words; 0 where it can be seen to be below the limit [T]."""
    number = len(words.counts)
    running = np.concatenate([[0], np.cumsum(words.lengths)])
    longest = _most(words.lengths, of, number) + gap
    keys, text, first = _runs(words, of, min(limits))
    times = _most(_bucket_counts(keys), text, number)
    made = min(limits)
    for n, limit in limits.items():
        best = np.zeros(number, np.int64)
        # A run occurs no more often than a shorter one in it, and is no longer than n of the longest words.
        near = ((times > 1) & (times * n * longest > limit))[text] & (first + n <= words.bounds[1:][text])
        if n > made:
            keys, text, first = keys[near], text[near], first[near]
            keys, made = _fold(words, keys, first, made, n), n
            times = _most(_bucket_counts(keys), text, number)
            near = ((times > 1) & (times * n * longest > limit))[text]
        picked = np.flatnonzero(near)
        if len(picked):
            lengths = running[first[picked] + n] - running[first[picked]] + gap * (n - 1)
            order = np.argsort(keys[picked])
            opens = np.flatnonzero(np.append(True, np.diff(keys[picked[order]]) != 0))
            counts = np.diff(opens, append=len(order))
            np.maximum.at(best, text[picked[order[opens]]], np.add.reduceat(lengths[order], opens) * (counts > 1))
        yield n, best


def _duplicates(words: Words, of: Array, lengths: list[int]) -> Iterator[tuple[int, Array]]:
    """For each n, in rising order: the characters of each text, int64 [T], in runs of n words that occurred before."""
    n = lengths[0]
    keys, of, first = _runs(words, of, n)
    shared = np.flatnonzero(_bucket_counts(keys) > 1)
    keys, of, first = keys[shared], of[shared], first[shared]
    for wanted in lengths:
        # A run can only be repeated if the shorter one that it begins with is.
        inside = first + wanted <= words.bounds[1:][of]
        of, first = of[inside], first[inside]
        keys = _fold(words, keys[inside], first, n, wanted)
        n = wanted
        order = np.argsort(keys, kind="stable")
        same = keys[order[1:]] == keys[order[:-1]]
        later = np.zeros(len(keys), bool)
        later[order[1:]] = same
        again = later.copy()
        again[order[:-1]] |= same
        if not len(keys):
            yield n, np.zeros(len(words.counts), np.int64)
            continue
        edges = np.bincount(first[later], minlength=len(words) + 1)
        edges -= np.bincount(first[later] + n, minlength=len(words) + 1)
        covered = np.cumsum(edges[: len(words)]) > 0
        yield n, sums(words.lengths * covered, words.bounds)
        keys, of, first = keys[again], of[again], first[again]
