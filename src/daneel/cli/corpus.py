"""`daneel corpus`: build a corpus from files, and show one."""

from collections import Counter
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.table import Table

from daneel.cli.common import console, emit, json_option

_SHOWN = 20


@click.group()
def command() -> None:
    """Turn files and folders into a clean, documented corpus.

    \b
    daneel corpus build my-stories/ -o corpus/
    daneel corpus show corpus/
    """


@command.command()
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="PATH…")
@click.option("-o", "--out", required=True, type=click.Path(path_type=Path), help="The corpus folder to write.")
@click.option("--seed", default=0, show_default=True, help="Chooses what is held out.")
@click.option("--heldout", default=0.1, show_default=True, help="Share of the words held out, 0 to 0.5.")
@json_option
def build(paths: tuple[Path, ...], out: Path, seed: int, heldout: float, as_json: bool) -> None:
    """Read .txt, .md and .jsonl below PATH, clean, drop duplicates, split.

    \b
    daneel corpus build my-stories/ notes.md -o corpus/ --heldout 0.1
    """
    from daneel.corpus.build import build as build_corpus

    corpus = build_corpus(list(paths), out, seed=seed, heldout=heldout)
    _tell(corpus.manifest, as_json, out)


@command.command()
@click.argument("folder", type=click.Path(path_type=Path))
@json_option
def show(folder: Path, as_json: bool) -> None:
    """Documents, words, languages, and what was dropped and why.

    \b
    daneel corpus show corpus/
    """
    from daneel.corpus.build import read_corpus

    _tell(read_corpus(folder).manifest, as_json, folder)


def _tell(manifest: dict[str, Any], as_json: bool, folder: Path) -> None:
    if as_json:
        emit({"corpus": str(folder)} | manifest)
        return
    out = Console(highlight=False)
    table = Table("part", title=str(folder), title_justify="left")
    for column in ("documents", "words", "characters"):
        table.add_column(column, justify="right")
    for part, counts in manifest["counts"].items():
        table.add_row(part, *(f"{counts[key]:,}" for key in ("documents", "words", "characters")))
    out.print(table)
    out.print("languages: " + ", ".join(f"{name} ({n})" for name, n in manifest["languages"].items()))
    for kind, fix in manifest["fixes"].items():
        out.print(f"repaired: {kind} ({fix['documents']} documents)", markup=False)
    dropped = manifest["dropped"]
    if dropped:
        table = Table("dropped", "why", title_justify="left")
        for each in dropped[:_SHOWN]:
            table.add_row(each["source"], each["reason"])
        out.print(table)
        if len(dropped) > _SHOWN:
            reasons = Counter(each["reason"].split(":")[0] for each in dropped)
            rest = ", ".join(f"{reason} ({n})" for reason, n in reasons.most_common())
            out.print(f"{len(dropped)} dropped in all: {rest}; each one is in manifest.json", markup=False)
    console.print(f"split: {manifest['split']['how']}", markup=False)
