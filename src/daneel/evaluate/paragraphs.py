"""Text -> the paragraphs over which scores are averaged and resampled."""

import re
from itertools import pairwise

# A line of dialogue is too short to be a unit of its own, a page without a break too long to be one.
SHORT = 200
LONG = 2000

_BLANK_LINE = re.compile(r"\n[ \t\r]*\n\s*")
_LINE = re.compile(r"\n\s*")
# The end of a sentence: after 。！？ at once, after . ! ? where a space follows.
_SENTENCE = re.compile(r"(?<=[。！？…])(?=[^。！？…」』”’）\s])|(?<=[.!?])[”’\"')\]]*\s+")


def _cut(text: str, ends: list[int]) -> list[str]:
    return [text[a:b] for a, b in pairwise([0, *ends, len(text)]) if b > a]


def paragraphs(text: str) -> list[str]:
    """Cut a text into paragraphs that join to the text again, each with the white space that ends it.

    Blank lines separate paragraphs; in a text without them each line is one. A paragraph of less than SHORT
    bytes is joined with the next, and one of more than LONG bytes is cut at sentence ends into parts of at
    least half that size (a page without any sentence end stays whole).
    """
    breaks = [found.end() for found in _BLANK_LINE.finditer(text)] or [found.end() for found in _LINE.finditer(text)]
    out: list[str] = []
    for paragraph in _joined(_cut(text, breaks), SHORT):
        if len(paragraph.encode()) <= LONG:
            out.append(paragraph)
        else:
            ends = [found.end() for found in _SENTENCE.finditer(paragraph)]
            out += _joined(_cut(paragraph, ends), LONG // 2)
    return out


def _joined(parts: list[str], least: int) -> list[str]:
    """Neighbours joined until each has at least so many bytes; a short rest goes to the last."""
    out: list[str] = []
    short = True
    for part in parts:
        if short and out:
            out[-1] += part
        else:
            out.append(part)
        short = len(out[-1].encode()) < least
    if short and len(out) > 1:
        out[-2:] = [out[-2] + out[-1]]
    return out
