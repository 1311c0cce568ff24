"""`daneel corpus diff`: what changed from one corpus to another."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from daneel.cli.common import emit, json_option
from daneel.cli.terminal import line

if TYPE_CHECKING:
    from daneel.corpus.diff import Change, Difference

_SHOWN = 20


@click.command()
@click.argument("first", type=click.Path(path_type=Path), metavar="A")
@click.argument("second", type=click.Path(path_type=Path), metavar="B")
@json_option
def diff(first: Path, second: Path, as_json: bool) -> None:
    """Say what changed from corpus A to corpus B: settings, counts, and which texts came, went, moved or changed.

    \b
    daneel corpus diff corpus-1/ corpus-2/
    """
    from daneel.corpus.diff import difference

    found = difference(first, second)
    if as_json:
        emit({"first": str(first), "second": str(second), "same": not found, **found.plain()})
        return
    out = Console(highlight=False, markup=False, soft_wrap=True)
    if not found:
        out.print("nothing changed")
        return
    _numbers(out, found)
    for title, rows in _lists(found, str(first), str(second)).items():
        if rows:
            out.print(f"{line(title)}: {len(rows):,}", style="bold")
            for row in rows[:_SHOWN]:
                out.print(f"  {line(row)}")
            if len(rows) > _SHOWN:
                out.print(f"  and {len(rows) - _SHOWN:,} more: --json has all")
    _changed(out, found.changed)


def _numbers(out: Console, found: "Difference") -> None:
    tables: dict[str, Mapping[str, tuple[Any, Any]]] = {
        "settings": found.settings,
        "counts": found.counts,
        "languages": found.languages,
        "licences": found.licences,
        "left out": found.dropped,
        "changed or found": found.changed_by_steps,
    }
    for title, pairs in tables.items():
        if not pairs:
            continue
        table = Table(title, "A", "B", "difference", title_justify="left")
        for column in table.columns[1:]:
            column.justify = "left" if title == "settings" else "right"
        for name, (a, b) in pairs.items():
            a, b = _unlike(a, b)
            change = "" if title == "settings" else f"{b - a:+,}"
            table.add_row(Text(line(name)), Text(_value(a)), Text(_value(b)), change)
        out.print(table)


def _unlike(a: Any, b: Any) -> tuple[Any, Any]:
    """Of two lists, what only one of them has; lists that differ in their order as they are."""
    if not (isinstance(a, list) and isinstance(b, list)):
        return a, b
    one, two = [each for each in a if each not in b], [each for each in b if each not in a]
    return (one or None, two or None) if one or two else (a, b)


def _value(value: Any) -> str:
    if value is None:
        return "–"
    if isinstance(value, list):
        return line(", ".join(map(str, value)))
    if isinstance(value, int) and not isinstance(value, bool):
        return f"{value:,}"
    return line(json.dumps(value, ensure_ascii=False))


def _lists(found: "Difference", first: str, second: str) -> dict[str, Sequence[str]]:
    gone = {f"only in {first}": found.only_first, f"only in {second}": found.only_second}
    return {
        **{
            title: [f"{each.source} ({each.words:,} words){_why(each.reason)}" for each in own]
            for title, own in gone.items()
        },
        "moved": [f"{each.source}: {' → '.join(each.parts)}" for each in found.moved],
        "the same text from elsewhere": [" → ".join(each.sources) for each in found.renamed],
    }


def _why(reason: str) -> str:
    return f"; the other dropped it ({reason})" if reason else ""


def _changed(out: Console, changes: Sequence["Change"]) -> None:
    if changes:
        out.print(f"changed: {len(changes):,}", style="bold")
    for each in changes[:_SHOWN]:
        a, b = each.characters
        told = f"{a:,} → {b:,} characters"
        if each.removed is not None and each.added is not None:
            told += f", {each.removed:,} removed, {each.added:,} added"
        out.print(f"  {line(each.source)}: {told}")
        for place in each.places:
            for sign, text, style in (("-", place.removed, "red"), ("+", place.added, "green")):
                # A line end that went or came would not be seen.
                shown = line(text.replace("\n", "↵ "))
                parts = (line(place.before), "dim"), (f"[{shown}]", style), (line(place.after), "dim")
                out.print(Text.assemble(f"    {sign} … ", *parts, " …"))
    if len(changes) > _SHOWN:
        out.print(f"  and {len(changes) - _SHOWN:,} more: --json has all")
