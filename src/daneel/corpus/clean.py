"""Text made whole: encoding damage, Unicode, line ends, and Project Gutenberg's wrapping."""

import re
import unicodedata
from dataclasses import dataclass

import ftfy

# Repairs damage and leaves the author's signs alone: curly quotes, fullwidth punctuation, entities.
_FTFY = ftfy.TextFixerConfig(
    uncurl_quotes=False,
    fix_character_width=False,
    unescape_html=False,
    fix_latin_ligatures=False,
    explain=False,
)
_FLAGS = re.IGNORECASE | re.MULTILINE
_STARTS = (
    re.compile(r"^\*{3} ?START OF (?:THE|THIS) PROJECT GUTENBERG E-?(?:BOOK|TEXT)[^*]*\*{3}[^\n]*\n", _FLAGS),
    re.compile(r"^\*END\*? ?THE SMALL PRINT!?[^\n]*(?:\n[^\n]*\*END\*?)?[^\n]*\n", _FLAGS),
)
_ENDS = re.compile(
    r"^(?:\*{3} ?END OF (?:THE|THIS) PROJECT GUTENBERG|End of (?:the |this )?Project Gutenberg"
    r"|\*{3} ?START: FULL LICENSE)",
    _FLAGS,
)
_CREDITS = re.compile(
    r"\A\s*(?:\[?(?:Produced|E-?text prepared|This e-?text was (?:produced|prepared)|Transcribed|Scanned) by"
    r"|This e-?(?:text|book) was (?:produced|prepared))(?:[^\n]+\n?)+",
    _FLAGS,
)
_FIELD = re.compile(r"^(Title|Author): *(\S.*)$", re.MULTILINE)


@dataclass(frozen=True)
class Cleaned:
    """The text, what was done to it, and what a removed header said."""

    text: str
    fixes: dict[str, str]
    """Kind of repair: an example of it."""
    title: str = ""
    author: str = ""


def clean(text: str) -> Cleaned:
    """Repair a text; every kind of repair is named in `fixes` with an example."""
    fixes: dict[str, str] = {}
    unix = text.replace("\r\n", "\n").replace("\r", "\n").replace("\f", "\n")
    if unix != text:
        fixes["line ends made \\n"] = f"{len(text) - len(unix) or text.count(chr(13))} of them"
    text = _unicode(unix, fixes)
    text, header = _gutenberg(text, fixes)
    tidy = re.sub(r"[^\S\n]+$", "", text, flags=re.MULTILINE)
    tidy = re.sub(r"\n{4,}", "\n\n\n", tidy).strip("\n")
    if tidy != text.strip("\n"):
        fixes["spaces at line ends and runs of blank lines removed"] = f"{len(text) - len(tidy)} characters"
    named = {key: value.strip() for key, value in reversed(_FIELD.findall(header))}
    return Cleaned(tidy, fixes, named.get("Title", ""), named.get("Author", ""))


def _unicode(text: str, fixes: dict[str, str]) -> str:
    composed = unicodedata.normalize("NFC", text)
    if composed != text:
        fixes["Unicode composed (NFC)"] = _difference(text, composed)
    fixed = ftfy.fix_text(composed, _FTFY)
    if fixed != composed:
        fixes["encoding damage repaired"] = _difference(composed, fixed)
    return fixed


def _difference(before: str, after: str) -> str:
    """The first place where two texts part, from both."""
    pairs = enumerate(zip(before, after, strict=False))
    at = next((n for n, (old, new) in pairs if old != new), min(len(before), len(after)))
    show = slice(max(0, at - 10), at + 20)
    return f"{before[show]!r} → {after[show]!r}"


def _gutenberg(text: str, fixes: dict[str, str]) -> tuple[str, str]:
    """The book without Project Gutenberg's header and licence, and the header."""
    if "gutenberg" not in text[:20_000].lower() and "gutenberg" not in text[-30_000:].lower():
        return text, ""
    start = max((match.end() for pattern in _STARTS if (match := pattern.search(text))), default=0)
    end = _ENDS.search(text, start)
    body = text[start : end.start() if end else None]
    if start:
        body = _CREDITS.sub("", body)
    if len(body) < len(text):
        fixes["Project Gutenberg header and licence cut"] = f"{len(text) - len(body)} characters"
    return body, text[:start]


_BY = re.compile(r"(?:by\s+|作者[:：]\s*|著者[:：]\s*)(\S.{0,60})", re.IGNORECASE)
_ENDING = tuple('.!?…。！？;；:：,，、”"')


def name(text: str, stem: str) -> tuple[str, str]:
    """Title and author as the first lines give them; else the file's name and nothing."""
    head = [line.strip().lstrip("# ").strip("*_ ") for line in text[:2000].split("\n")]
    heading = head[: head.index("")] if "" in head else []
    # A heading is one or two short lines (title, author) with an empty one below.
    if not 1 <= len(heading) <= 2 or any(len(line) > 60 or line.endswith(_ENDING) for line in heading):
        return stem, ""
    by = _BY.fullmatch(heading[-1])
    return heading[0], by[1] if by and len(heading) == 2 else ""
