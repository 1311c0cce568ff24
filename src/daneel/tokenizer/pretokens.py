"""The patterns that the kernel cuts texts by: those of GPT-2, SmolLM2, Qwen2 and Llama 3.

Letters, numbers and white space are what the regular expressions of `tokenizers` take for them: its own engine is
asked, 256 code points at a time, when a text first needs them, so no difference between two versions of Unicode can
come in.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from tokenizers import Regex, pre_tokenizers

Array = np.ndarray[Any, Any]

# As `bpe.cpp` names them.
_LETTER, _NUMBER, _OTHER, _BLANK = 1, 2, 4, 8
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
    """What each code point is, learned from the library's own engine."""

    def __init__(self) -> None:
        self.kinds: Array = np.zeros(CODE_POINTS, np.uint8)
        """Letter, number, blank or other; 0 is not known yet."""
        self._left_over = {
            kind: pre_tokenizers.Split(Regex(expression), "removed")
            for kind, expression in ((_LETTER, r"\p{L}+"), (_NUMBER, r"\p{N}+"), (_BLANK, r"\s+"))
        }

    def learn(self, point: int) -> None:
        """Fill in the kinds of the code points around one."""
        first = point // _PAGE * _PAGE
        text = "".join(map(chr, range(first, first + _PAGE)))
        page = np.full(_PAGE, _OTHER, np.uint8)
        for kind, split in self._left_over.items():
            found = np.full(_PAGE, True)
            for _, (begin, end) in split.pre_tokenize_str(text):
                found[begin:end] = False
            page[found] = kind
        self.kinds[first : first + _PAGE] = page
