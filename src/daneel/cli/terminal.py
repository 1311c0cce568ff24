"""Texts of strangers on a terminal: without what it would obey."""

import re
import sys
from collections.abc import Iterable

import click
from rich.cells import cell_len, set_cell_size

# C0 and C1 controls but line ends and tabs, and signs that turn the direction of what follows.
_OBEYED = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


def plain(text: str) -> str:
    """A text with its lines."""
    return _OBEYED.sub("\N{REPLACEMENT CHARACTER}", text)


def line(text: str) -> str:
    """A text on one line."""
    return plain(re.sub(r"\s+", " ", text))


def column(text: str, width: int) -> str:
    """A text on one line in exactly so many columns; a Chinese character takes two."""
    text = line(text)
    return set_cell_size(text, width) if cell_len(text) <= width else f"{set_cell_size(text, width - 1)}…"


def paged(lines: Iterable[str]) -> None:
    """Lines through the pager of the user on a terminal; elsewhere plainly, one after another."""
    if sys.stdout.isatty():
        click.echo_via_pager(f"{each}\n" for each in lines)
    else:
        for each in lines:
            click.echo(each)
