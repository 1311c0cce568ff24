"""Where a vocabulary's pattern cuts a text, found by arithmetic on whole arrays instead of a regular expression.

Four patterns are known, those of GPT-2, SmolLM2, Qwen2 and Llama 3. Letters, numbers and white space are what the
regular expressions of `tokenizers` take for them: its own engine is asked, 256 code points at a time, when a text first
needs them, so no difference between two versions of Unicode can come in.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from tokenizers import Regex, pre_tokenizers

Array = np.ndarray[Any, Any]

# What a character is, as bits. END follows a text's last character.
LETTER, NUMBER, OTHER, BLANK = 1, 2, 4, 8
_SPACE, _NEWLINE, _APOSTROPHE, END = 16, 32, 64, 128
_KIND = LETTER | NUMBER | OTHER | BLANK
_PAGE = 256
CODE_POINTS = 0x110000

_CONTRACTIONS = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)"
_CONTRACTIONS_ASCII = r"(?:'[sS]|'[tT]|'[rR][eE]|'[vV][eE]|'[mM]|'[lL][lL]|'[dD])"
_WORDS = r"|[^\r\n\p{L}\p{N}]?\p{L}+|%s| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
_GPT2 = r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)"


@dataclass(frozen=True)
class Pattern:
    """What sets the known patterns apart."""

    digits: int
    """Numbers that stand together: 0 is all of them."""
    apart: bool = False
    """Each number is cut out first, and ends the text before it (SmolLM2)."""
    words: bool = False
    """Llama 3's and Qwen2's way: one sign or blank joins the letters after it, line ends join the signs before them."""
    long_s: bool = False
    """`'ſ` is a contraction, since the pattern ignores case."""


_GPT2_PATTERN, _SMOLLM = Pattern(0), Pattern(1, apart=True)
_SPLITS: dict[tuple[str, ...], Pattern] = {
    (_GPT2,): _GPT2_PATTERN,
    (_GPT2 + r"|\s+",): _GPT2_PATTERN,
    (r"\p{N}", _GPT2): _SMOLLM,
    (r"\p{N}", _GPT2 + r"|\s+"): _SMOLLM,
    **{
        (contractions + _WORDS % numbers,): Pattern(digits, words=True, long_s=contractions == _CONTRACTIONS)
        for contractions in (_CONTRACTIONS, _CONTRACTIONS_ASCII)
        for numbers, digits in ((r"\p{N}{1,3}", 3), (r"\p{N}", 1))
    },
}


def pattern(pre_tokenizer: dict[str, Any]) -> Pattern | None:
    """The pattern of a pre-tokenizer as `tokenizer.json` describes it; None if it is not one of the four."""
    steps = pre_tokenizer.get("pretokenizers") or [pre_tokenizer]
    *splits, last = steps
    if last["type"] != "ByteLevel" or last["add_prefix_space"]:
        return None
    expressions = []
    for step in splits:
        if step["type"] == "Digits" and step["individual_digits"]:
            expressions.append(r"\p{N}")
        elif step["type"] == "Split" and step["behavior"] == "Isolated" and not step["invert"]:
            expressions.append(step["pattern"].get("Regex"))
        else:
            return None
    if last.get("use_regex", True):
        expressions.append(_GPT2)
    return _SPLITS.get(tuple(expressions))


class Characters:
    """What each code point is, learned from the library's own engine when a text first has it."""

    def __init__(self) -> None:
        self._table = np.zeros(CODE_POINTS, np.uint8)
        self._left_over = {
            bit: pre_tokenizers.Split(Regex(expression), "removed")
            for bit, expression in ((LETTER, r"\p{L}+"), (NUMBER, r"\p{N}+"), (BLANK, r"\s+"))
        }

    def kinds(self, points: Array) -> Array:
        """Bits for each code point, uint8."""
        kinds = self._table.take(points)
        if not kinds.all():
            for page in np.unique(points[kinds == 0] // _PAGE).tolist():
                self._learn(page * _PAGE)
            kinds = self._table.take(points)
        return kinds

    def _learn(self, first: int) -> None:
        text = "".join(map(chr, range(first, first + _PAGE)))
        page = np.full(_PAGE, OTHER, np.uint8)
        for bit, split in self._left_over.items():
            found = np.full(_PAGE, True)
            for _, (begin, end) in split.pre_tokenize_str(text):
                found[begin:end] = False
            page[found] = bit
        if first == 0:
            page[ord(" ")] |= _SPACE
            page[[ord("\r"), ord("\n")]] |= _NEWLINE
            page[ord("'")] |= _APOSTROPHE
        self._table[first : first + _PAGE] = page


def starts(pattern: Pattern, points: Array, kinds: Array) -> Array:
    """Where a piece begins: bool, as long as the text. `kinds` has END after each text, the last one too."""
    kind = kinds & _KIND
    blank = kind == BLANK
    end = kinds == END
    before = np.empty_like(kinds)
    before[0], before[1:] = END, kinds[:-1]
    change = kind != before & _KIND
    # A space goes with what follows it; letters take any blank but a line end where the pattern says so.
    takes_space = OTHER | (0 if pattern.words else LETTER) | (0 if pattern.apart or pattern.words else NUMBER)
    found: Array = change & ~((before & _SPACE > 0) & (kind & takes_space > 0))
    # White space before something else leaves its last character to it, or alone.
    parted = OTHER | LETTER | (0 if pattern.apart else NUMBER)
    last = blank[:-1] & (kind[1:] & parted > 0)
    if pattern.words:
        last &= kinds[:-1] & _NEWLINE == 0
    found[:-1] |= last
    if pattern.words:
        _words(found, kinds, kind, before, change)
    if pattern.digits:
        _numbers(found, kind == NUMBER, change, pattern.digits)
    _contractions(found, points, kinds, pattern)
    found |= end
    found[1:] |= end[:-1]
    return found


def _words(found: Array, kinds: Array, kind: Array, before: Array, change: Array) -> None:
    """What Llama 3's and Qwen2's patterns do otherwise than GPT-2's, in `found`."""
    letters = change & (kind == LETTER)
    # Letters after a blank that is no line end begin with it; `found` has that blank already.
    found &= ~(letters & (before & (BLANK | _NEWLINE) == BLANK))
    # So they do with one sign, unless a space has taken it.
    sign = change & (kind == OTHER) & (before & _SPACE == 0)
    found[1:] &= ~(letters[1:] & sign[:-1])
    newline = kinds & _NEWLINE > 0
    if not newline.any():
        return
    # Line ends right after signs belong to them; the white space that goes on begins a piece of its own.
    edges = np.flatnonzero(newline[1:] != newline[:-1]) + 1
    if newline[0]:
        edges = np.concatenate([[0], edges])
    begins, ends = edges[::2], edges[1::2]  # END is no newline, so every run has an end
    joined = before[begins] & OTHER > 0
    found[begins[joined]] = False
    found[ends[joined]] = True
    # After the last line end of a run of white space, the rest of the run begins.
    rest = ends[kinds[ends] & (BLANK | _NEWLINE) == BLANK]
    if len(rest):
        stops = np.flatnonzero(kinds & (BLANK | _NEWLINE) != BLANK)
        final = ~newline[stops[np.searchsorted(stops, rest)]]
        found[rest[final]] = True


def _numbers(found: Array, number: Array, change: Array, digits: int) -> None:
    if digits == 1:
        found |= number
        return
    places = np.flatnonzero(number)
    if len(places):
        first = np.maximum.accumulate(np.where(change[places], places, 0))
        found[places[(places - first) % digits == 0]] = True


def _contractions(found: Array, points: Array, kinds: Array, pattern: Pattern) -> None:
    """An apostrophe that begins a piece takes its letters and leaves the rest of the word."""
    places = np.flatnonzero(found & (kinds & _APOSTROPHE > 0))
    if not len(places):
        return
    # END closes the array, so one place follows each apostrophe; what may lie beyond is no letter either.
    one = points[places + 1]
    two = points[np.minimum(places + 2, len(points) - 1)]
    if pattern.words:
        one, two = one | 0x20, two | 0x20  # only the letters in question fall on themselves
    single = (one == ord("s")) | (one == ord("t")) | (one == ord("m")) | (one == ord("d"))
    if pattern.long_s:
        single |= points[places + 1] == ord("ſ")
    double = ((one == ord("r")) | (one == ord("v"))) & (two == ord("e")) | (one == ord("l")) & (two == ord("l"))
    for matched, length in ((single, 1), (double, 2)):
        here = places[matched]
        found[here + 1] = False
        found[here + 1 + length] = True
