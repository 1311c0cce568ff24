"""`daneel corpus show`: a corpus in the terminal, from the whole down to one text."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from daneel.cli.common import emit, json_option
from daneel.cli.terminal import column, line, paged, plain
from daneel.errors import UsageError

if TYPE_CHECKING:
    from daneel.corpus.browse import Browser, Entry

_DROPS = 20


@click.command()
@click.argument("folder", type=click.Path(path_type=Path), metavar="DIR")
@click.option("--list", "listing", is_flag=True, help="Every text: number, language, words, title, author, source.")
@click.option("--document", metavar="SOURCE|N", help="One text whole, by its source, number or title.")
@click.option("--sample", type=click.IntRange(1), metavar="N", help="The beginnings of N texts that nobody chose.")
@click.option("--dropped", is_flag=True, help="Everything that was left out, and why.")
@click.option("--search", metavar="TEXT", help="The texts that hold TEXT, whatever its case and line breaks.")
@click.option(
    "--part", type=click.Choice(["train", "heldout"]), help="With --list, --sample, --search: this part only."
)
@json_option
def show(
    folder: Path, listing: bool, document: str | None, sample: int | None, dropped: bool, search: str | None,
    part: str | None, as_json: bool,
) -> None:  # fmt: skip
    """Look at a corpus: what it holds, what was left out and why, and the texts themselves.

    \b
    daneel corpus show corpus/
    daneel corpus show corpus/ --sample 5
    daneel corpus show corpus/ --search "the lamp" --part heldout
    daneel corpus show corpus/ --document stories/lamp.txt
    """
    chosen = [bool(listing), document is not None, sample is not None, dropped, search is not None]
    if sum(chosen) > 1:
        raise UsageError("--list, --document, --sample, --dropped and --search each show one thing: give one of them")
    if part and not (listing or sample or search is not None):
        raise UsageError("--part goes with --list, --sample or --search")
    from daneel.corpus.browse import Browser
    from daneel.corpus.build import read_manifest

    manifest = read_manifest(folder)
    browser = Browser(folder, manifest)
    if listing:
        _list(browser, part, as_json)
    elif document is not None:
        _document(browser, document, as_json)
    elif sample is not None:
        _sample(browser, sample, part, as_json)
    elif dropped:
        _dropped(browser, as_json)
    elif search is not None:
        _search(browser, search, part, as_json)
    else:
        tell(manifest, as_json, folder)


def tell(manifest: Mapping[str, Any], as_json: bool, folder: Path) -> None:
    """The whole of a corpus at a glance; as JSON its manifest."""
    if as_json:
        emit({"corpus": str(folder), **manifest})
        return
    from daneel.corpus.card import account, happened, licences, pieces, steps

    out = Console(highlight=False, markup=False, soft_wrap=True)
    table = Table("part", title=Text(line(str(folder))), title_justify="left")
    for name in (pieces(manifest), "words", "characters"):
        table.add_column(name, justify="right")
    for part, counts in manifest["counts"].items():
        table.add_row(part, *(f"{counts[key]:,}" for key in ("documents", "words", "characters")))
    out.print(table)
    out.print(line(f"split: {manifest['split']['how']}"))
    for name, counts in (
        ("languages", manifest["languages"]), ("licences", licences(manifest)), ("authors", manifest["authors"]),
    ):  # fmt: skip
        if counts:
            out.print(line(f"{name}: {_listed(counts)}"))
    out.print(line(f"recipe {manifest['recipe']['name']}: {', '.join(steps(manifest))}"))
    if manifest["canaries"]:
        out.print(f"canaries: {manifest['canaries']} secrets are planted in the training text")
    out.print(account(manifest))
    few = manifest["lost"] <= _DROPS
    for title, entries in happened(manifest).items():
        # What is listed one by one below need not be counted.
        if entries and not (few and entries[0]["dropped"]):
            table = Table("step", title.lower(), title_justify="left")
            table.add_column(manifest["kind"], justify="right")
            for each in entries:
                table.add_row(Text(line(each["step"])), Text(line(each["what"])), f"{each['documents']:,}")
            out.print(table)
    if few and manifest["lost"]:
        table = Table("left out", "why", title_justify="left")
        for each in manifest["dropped"]:
            table.add_row(Text(line(each["source"])), Text(line(each["reason"])))
        out.print(table)
    if not few:
        out.print(f"each that was left out: daneel corpus show {folder} --dropped")
    out.print(f"the card: {folder / 'card.md'}, with pictures {folder / 'report.html'}")


def _listed(counts: Mapping[str, int], most: int = 10) -> str:
    first = ", ".join(f"{name} ({count:,})" for name, count in list(counts.items())[:most])
    return f"{first} and {len(counts) - most:,} more" if len(counts) > most else first


def _list(browser: "Browser", part: str | None, as_json: bool) -> None:
    if as_json:
        emit({"corpus": str(browser.folder), "documents": [asdict(entry) for entry in browser.entries(part)]})
        return
    paged(_row(entry) for entry in browser.entries(part))


def _row(entry: "Entry") -> str:
    about = f"{entry.number:>6}  {entry.part:<7}  {column(entry.language, 5)}  {entry.words:>9,}"
    return f"{about}  {column(entry.title, 36)}  {column(entry.author, 20)}  {line(entry.source)}"


def _document(browser: "Browser", name: str, as_json: bool) -> None:
    entry = browser.find(name)
    text = browser.text(entry)
    if as_json:
        emit({"corpus": str(browser.folder), **asdict(entry), "text": text})
        return

    def lines() -> Iterator[str]:
        for key, value in asdict(entry).items():
            if key != "place" and value not in ("", []):
                yield f"{key}: {line(', '.join(value) if isinstance(value, list) else str(value))}"
        yield ""
        yield from plain(text).split("\n")

    paged(lines())


def _sample(browser: "Browser", count: int, part: str | None, as_json: bool) -> None:
    from daneel.corpus.excerpt import beginning, body

    entries = browser.sample(count, part)
    found = [(entry, beginning(body(browser.text(entry), entry.title, entry.author))) for entry in entries]
    if as_json:
        documents = [{**asdict(entry), "beginning": text} for entry, text in found]
        emit({"corpus": str(browser.folder), "documents": documents})
        return
    paged(each for entry, text in found for each in (_head(entry), f"  {line(text)}", ""))


def _head(entry: "Entry") -> str:
    name = f"{entry.title} ({entry.source})" if entry.title else entry.source
    return line(f"{entry.number}. {name}, {entry.part}, {entry.language}")


def _dropped(browser: "Browser", as_json: bool) -> None:
    if as_json:
        emit({"corpus": str(browser.folder), "dropped": [asdict(each) for each in browser.drops()]})
        return
    paged(line(f"{each.source}: {each.reason} ({each.step})") for each in browser.drops())


def _search(browser: "Browser", text: str, part: str | None, as_json: bool) -> None:
    if as_json:
        hits = [asdict(hit) for hit in browser.search(text, part)]
        emit({"corpus": str(browser.folder), "search": text, "found": len(hits), "hits": hits})
        return
    out = Console(highlight=False, soft_wrap=True)
    found = times = 0
    for hit in browser.search(text, part):
        found, times = found + 1, times + hit.times
        out.print(Text.assemble((_head(hit.entry), "bold"), f"  {hit.times:,} times" if hit.times > 1 else ""))
        out.print(Text.assemble(f"  … {line(hit.before)}", (line(hit.found), "reverse"), f"{line(hit.after)} …"))
    out.print(
        f"{times:,} times in {found:,} text{'s' if found > 1 else ''}" if found else "no text holds it", style="dim"
    )
