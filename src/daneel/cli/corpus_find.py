"""`daneel corpus find`: the longest passages that a text shares with a corpus."""

import re
import sys
import time
import unicodedata
from dataclasses import asdict
from pathlib import Path

import click
from rich.console import Console
from rich.text import Text

from daneel.cli.common import console, emit, json_option
from daneel.errors import DataError, UsageError

# Characters of a passage shown at each of its ends.
_SHOWN = 160


@click.command()
@click.argument("folder", type=click.Path(path_type=Path), metavar="DIR")
@click.argument("text", required=False)
@click.option("--in", "source", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="Take TEXT of FILE.")
@click.option("-n", "--count", type=click.IntRange(1), default=10, show_default=True, help="Passages shown at most.")
@click.option(
    "--least", type=click.IntRange(8), default=8, show_default=True,
    help="Words of a passage at least; a Chinese character is a word.",
)  # fmt: skip
@click.option("--full", is_flag=True, help="Show long passages whole, not their beginning and end.")
@json_option
def find(
    folder: Path, text: str | None, source: Path | None, count: int, least: int, full: bool, as_json: bool
) -> None:
    """Find the longest passages that TEXT (`-` reads stdin) shares with the training text of a corpus.

    Case, punctuation, quotes and line breaks do not count.

    \b
    daneel corpus find corpus/ "The great lamp burned clean, and the twelve lesser lamps burned clean."
    daneel write "The year is 2042." | daneel corpus find corpus/ -
    """
    if (text is None) == (source is None):
        raise UsageError("give a text to look for, `-` to read it from stdin, or --in FILE: one of them")
    from daneel.corpus.index import FOLDER, CopyIndex

    if not folder.is_dir():
        raise UsageError(f"{folder} is not a folder: name a corpus that `daneel corpus build` made")
    began = time.perf_counter()
    index = CopyIndex.open(folder / FOLDER)
    index.passages("")  # makes the tables of letters, once a process
    opened = time.perf_counter()
    # Corpora are composed (NFC); what is pasted need not be.
    given = unicodedata.normalize("NFC", _read(text, source))
    asked = time.perf_counter()
    passages = index.passages(given, least)
    milliseconds = {
        "open": round(1000 * (opened - began), 2),
        "find": round(1000 * (time.perf_counter() - asked), 2),
    }
    longest = sorted(passages, key=lambda passage: -passage.units)[:count]
    if as_json:
        emit({
            "corpus": str(folder),
            "least": least,
            "found": len(passages),
            "passages": [asdict(p) | {"text": given[p.start : p.end]} for p in longest],
            "milliseconds": milliseconds,
        })  # fmt: skip
        return
    out = Console(highlight=False, soft_wrap=True)
    for p in longest:
        head = (f"{p.units} words", "bold"), f"  {_line(p.source)}", (f"  {_line(p.title)}", "italic")
        out.print(Text.assemble(*head))
        before, after = f"  … {_line(p.before)}", f"{_line(p.after)} …"
        out.print(Text.assemble((before, "dim"), *_passage(_line(p.copied), full), (after, "dim")))
    number = {0: "no passage", 1: "1 passage"}.get(len(passages), f"{len(passages):,} passages")
    more = f", the longest {count} shown" if len(passages) > count else ""
    out.print(f"{number} of {least} words or more{more} ({milliseconds['find']:.1f} ms)", style="dim")


def _passage(text: str, full: bool) -> list[tuple[str, str]]:
    """A passage in styles: of a long one the beginning, how much there is between, and the end."""
    between = len(text) - 2 * _SHOWN
    if full or between <= _SHOWN:
        return [(text, "reverse")]
    middle = f" … {between:,} characters … "
    return [(text[:_SHOWN], "reverse"), (middle, "dim"), (text[-_SHOWN:], "reverse")]


def _read(text: str | None, source: Path | None) -> str:
    """What was given, decoded as the builder decodes files."""
    if source is None and text != "-":
        return str(text)
    from daneel.corpus.read import decode
    from daneel.corpus.read.item import UnusableError

    name = source or "stdin"
    try:
        found, encoding, note = decode(source.read_bytes() if source else sys.stdin.buffer.read())
    except UnusableError as error:
        raise DataError(f"{name} cannot be searched for: {error}") from None
    if note or encoding != "utf-8":
        console.print(f"{name} is read as {encoding}{f': {note}' if note else ''}")
    return found


def _line(text: str) -> str:
    """On one line, and without what a terminal would obey."""
    return re.sub(r"[\x00-\x1f\x7f-\x9f]", "\N{REPLACEMENT CHARACTER}", re.sub(r"\s+", " ", text))
