"""Markdown of texts that may hold anything: nothing in them is markup, and nothing leaves its line."""

import re
from collections.abc import Iterable, Sequence
from typing import Any

_MARKUP = re.compile(r"([\\`*_\[\]|~$])")
# What makes a line a heading, a quotation, a list, a rule or a table.
_LINE_START = re.compile(r"^([#>+=:-]|\d+(?=[.)]))")
_NUMBER = re.compile(r"(< |\*\*)?[\d,.]+( %|\*\*)?")


def inline(text: str) -> str:
    """A text as running text, on one line."""
    shown = one_line(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return _MARKUP.sub(r"\\\1", shown)


def paragraph(text: str) -> str:
    """A text as a paragraph of its own, on one line."""
    return _LINE_START.sub(lambda match: f"&#{ord(match[1][0])};{match[1][1:]}", inline(text))


def code(text: str) -> str:
    """A short text as code."""
    return f"`{one_line(text).replace('`', chr(0x2019))}`"


def one_line(text: str) -> str:
    """A text on one line, with a sign for what cannot be seen."""
    flat = " ".join(text.split())
    return "".join(sign if sign.isprintable() else "\N{REPLACEMENT CHARACTER}" for sign in flat)


def table(head: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    """A table whose columns of numbers stand right; a cell is a number, or Markdown already."""
    cells = [[f"{cell:,}" if isinstance(cell, int) else str(cell) for cell in row] for row in rows]
    right = [all(_NUMBER.fullmatch(row[column]) for row in cells) for column in range(len(head))]
    lines = [list(head), ["--:" if number else "---" for number in right], *cells]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)
