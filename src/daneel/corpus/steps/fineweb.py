"""The quality rules that FineWeb adds to Gopher's and C4's (Penedo et al. 2024, arXiv:2406.17557, section 3.6)."""

import functools
from dataclasses import dataclass
from typing import Annotated, ClassVar

import numpy as np

from daneel.corpus.settings import Count, Range, Settings, Share
from daneel.corpus.step import Batch, Result
from daneel.corpus.steps.quality import CHINESE_QUOTES, ENDS, QUOTES, Measures, Rule, judge, member, percent, table
from daneel.corpus.words import Array


@dataclass(frozen=True)
class FineWeb(Settings):
    """Drops lists, menus and tables: what has lines, but no sentences on them.

    Empty lines are no lines. A limit of 0 sets none.
    """

    name: ClassVar[str] = "fineweb"

    min_ends: Share = 0.12
    """Least share of the lines that end with a full stop, exclamation or question mark (FineWeb: 0.12)."""
    closing_quotes: bool = True
    """Whether a closing quote after such a mark is still the end of a sentence. Not so in FineWeb's code, which
    therefore drops pages of dialogue: 2.3 % of 3,237 pages of novels, against 0.1 %."""
    short_line: Count = 30
    """Characters of the longest line that counts as short (FineWeb: 30)."""
    max_short_lines: Share = 0.67
    """Largest share of short lines (FineWeb: 0.67)."""
    max_duplicate_characters: Share = 0.01
    """Largest share of the characters in lines that occurred before (FineWeb: 0.01)."""
    max_line_ends: Annotated[float, Range(0, 1_000)] = 0.3
    """Most line ends a word (FineWeb: 0.3)."""
    zh_min_ends: Share = 0.12
    """As min_ends, for Chinese; a closing quote or bracket ends a sentence whatever stands before it."""
    zh_short_line: Count = 10
    """As short_line, in Chinese characters: less than the lines of poems, 12 or 16."""
    zh_max_short_lines: Share = 0.67
    """As max_short_lines, for Chinese."""
    zh_max_line_ends: Annotated[float, Range(0, 1_000)] = 0.15
    """Most line ends a Chinese character; pages of novels have at most 0.12, poems 0.10."""

    def apply(self, batch: Batch) -> Result:
        """The batch without what breaks a rule."""
        return judge(batch, self._rules)

    def _rules(self, language: str, found: Measures) -> list[Rule]:
        chinese = language == "zh"
        last = found.edges[1]
        filled, lines = found.filled, found.filled_lines
        codes = found.words.codes
        marked = member(codes[last], _table(ENDS))
        if chinese or self.closing_quotes:
            quoted = member(codes[last], _table(CHINESE_QUOTES if chinese else QUOTES))
            marked |= quoted & (chinese | member(codes[last - 1], _table(ENDS)))
        ends = found.by_line(filled & marked) / lines
        longest = self.zh_short_line if chinese else self.short_line
        short = found.by_line(filled & (found.ends - found.starts <= longest)) / lines
        breaks = np.maximum(np.diff(found.lines) - 1, 0) / found.counts
        repeated = np.array([_repeated(text) for text in found.texts]) / np.maximum(found.sizes, 1)
        unit = "character" if chinese else "word"
        least = self.zh_min_ends if chinese else self.min_ends
        most_short = self.zh_max_short_lines if chinese else self.max_short_lines
        most_breaks = self.zh_max_line_ends if chinese else self.max_line_ends
        return [
            Rule(f"fineweb: fewer than {percent(least)} of the lines end a sentence", ends, ends < least),
            Rule(
                f"fineweb: more than {percent(most_short)} of the lines have at most {longest} characters",
                short,
                short > (most_short or 1),
            ),
            Rule(
                f"fineweb: more than {percent(self.max_duplicate_characters)} of the characters are in repeated lines",
                repeated,
                repeated > (self.max_duplicate_characters or 1),
            ),
            Rule(
                f"fineweb: more than {most_breaks:g} line ends a {unit}",
                breaks,
                breaks > (most_breaks or np.inf),
            ),
        ]


def _repeated(text: str) -> int:
    """Characters in lines that occurred before."""
    lines = [line for line in text.split("\n") if line and not line.isspace()]
    once = set(lines)
    return sum(map(len, lines)) - sum(map(len, once)) if len(once) < len(lines) else 0


@functools.cache
def _table(signs: str) -> Array:
    return table(signs)
