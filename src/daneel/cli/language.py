"""`daneel language`: invent a language, look at its grammar, make sentence pairs of it."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from rich.cells import cell_len
from rich.console import Console
from rich.table import Table
from rich.text import Text

from daneel.cli.common import console, emit, json_option
from daneel.cli.terminal import line

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from daneel.conlang.grammar import Grammar
    from daneel.conlang.words import Token

_SEEDS = 1 << 31
_INDENT, _GAP = 6, 2  # columns before a glossed sentence, and between its words


@click.group()
def command() -> None:
    """Invented languages: a grammar file gives words, sentences with glosses, and English sentence pairs.

    \b
    daneel language new -o mine.toml --seed 7
    daneel language show mine.toml -o mine.html
    daneel language pairs mine.toml -o pairs/ -n 20000
    """


@command.command()
@click.option("-o", "--out", type=click.Path(dir_okay=False, path_type=Path), help="The file to write; else stdout.")
@click.option("--seed", type=click.IntRange(min=0), help="Chooses the language.  [default: a new one each time]")
@click.option("--name", help="What it is called.  [default: a word of its own]")
@json_option
def new(out: Path | None, seed: int | None, name: str | None, as_json: bool) -> None:
    """Make a plausible language that nobody has spoken, as a grammar file to read and change.

    Sounds, order and forms are drawn as they are spread over the languages of the world: verbs at the end go with
    postpositions, for instance. No two words sound alike.

    \b
    daneel language new -o mine.toml --seed 7
    daneel language new --name Vesh > vesh.toml
    """
    import random

    from daneel.conlang.invent import invent
    from daneel.conlang.sketch import summary
    from daneel.conlang.write import render
    from daneel.errors import UsageError
    from daneel.run import atomic_write

    if name is not None and not name.strip():
        raise UsageError("--name is empty: give a name, or leave it out")
    given = seed is not None
    seed = random.randrange(_SEEDS) if seed is None else seed  # noqa: S311
    grammar = invent(seed, name or "")
    text = render(grammar)
    if out:
        atomic_write(out, text)
    console.print(f"{line(grammar.name)}: {summary(grammar)}" + (f"; {out}" if out else ""))
    if not given:
        console.print(f"--seed {seed} makes it again", style="dim")
    if as_json:
        emit({"file": str(out) if out else None, **_head(grammar), **({} if out else {"grammar": text})})
    elif not out:
        click.echo(text, nl=False)


@command.command()
@click.argument("path", metavar="GRAMMAR", type=click.Path(path_type=Path))
@click.option("-o", "--out", type=click.Path(dir_okay=False, path_type=Path), help="Write an offline page.")
@json_option
def show(path: Path, out: Path | None, as_json: bool) -> None:
    """Show the grammar of a language: a sketch, its sounds, paradigms and ten sentences with glosses.

    The page has more: charts of the sounds, all paradigms, the lexicon.

    \b
    daneel language show mine.toml
    daneel language show mine.toml -o mine.html
    """
    from daneel.conlang.page import language_page
    from daneel.conlang.read import load
    from daneel.conlang.sketch import examples, sketch
    from daneel.run import atomic_write

    grammar = load(path)
    if out:
        atomic_write(out, language_page(grammar))
        console.print(f"{out}: the grammar of {line(grammar.name)}")
    if as_json:
        pairs = examples(grammar)
        emit(
            {
                "file": str(out) if out else None, **_head(grammar),
                "sketch": {section.title.lower(): section.text for section in sketch(grammar)},
                "examples": [
                    {"text": pair.sentence.text, "segments": pair.sentence.segmented, "gloss": pair.sentence.gloss,
                     "english": pair.english}
                    for pair in pairs
                ],
                "lexicon": {gloss: root.form for gloss, root in grammar.lexicon.roots.items()},
            }
        )  # fmt: skip
    elif not out:
        _show(grammar)


@command.command()
@click.argument("path", metavar="GRAMMAR", type=click.Path(path_type=Path))
@click.option("-o", "--out", required=True, type=click.Path(file_okay=False, path_type=Path), help="Folder to write.")
@click.option("-n", "count", default=20_000, show_default=True, type=click.IntRange(min=20), help="Training pairs.")
@click.option("--seed", default=0, show_default=True, help="Chooses the sentences and what is held out.")
@json_option
def pairs(path: Path, out: Path, count: int, seed: int, as_json: bool) -> None:
    """Write sentence pairs with English, in both directions: for training, and for three tests.

    heldout has unseen sentences, roots has roots that training shows only in plain statements, patterns has
    constructions together that training shows only apart. Lines are {"source", "target"} with glosses beside.

    \b
    daneel language pairs mine.toml -o pairs/
    daneel language pairs mine.toml -o pairs/ -n 5000 --seed 1 --json
    """
    from daneel.conlang.pairs import compose, write
    from daneel.conlang.read import load

    grammar = load(path)
    manifest = write(grammar, compose(grammar, count, seed), out, seed)
    if as_json:
        emit({"folder": str(out), **manifest})
        return
    for name, number in manifest["counts"].items():
        click.echo(f"{name}: {number:,} pairs")
    click.echo(f"roots that training shows only plainly: {', '.join(manifest['held_out_roots'])}")
    combined = ", ".join(" + ".join(pair) for pair in manifest["held_out_patterns"])
    click.echo(f"patterns that training shows only apart: {combined}")
    if manifest["ambiguous"]:
        click.echo(f"left out, since two meanings had one sentence: {manifest['ambiguous']:,}")
    console.print(f"{out}: {len(manifest['files'])} files and manifest.json")


def _head(grammar: "Grammar") -> dict[str, Any]:
    from daneel.conlang.sketch import summary

    return {
        "name": grammar.name, "seed": grammar.seed, "summary": summary(grammar), "order": grammar.order.clause,
        "roots": len(grammar.lexicon.roots), "consonants": list(grammar.sounds.consonants),
        "vowels": list(grammar.sounds.vowels),
    }  # fmt: skip


def _show(grammar: "Grammar") -> None:
    from daneel.conlang.page import abbreviations, models, noun_table, verb_table
    from daneel.conlang.sketch import examples, sketch, summary
    from daneel.conlang.words import Words

    out = Console(highlight=False, markup=False)
    out.print(Text.assemble((line(grammar.name), "bold"), f"  {summary(grammar)}"))
    for section in sketch(grammar):
        out.print()
        out.print(Text.assemble((f"{section.title}. ", "bold"), line(section.text)))
    words, lexicon = Words(grammar), grammar.lexicon
    verbs = [gloss for gloss in lexicon.verbs if gloss != "be"] or list(lexicon.verbs)
    for glosses, table in ((list(lexicon.nouns), noun_table), (verbs, verb_table)):
        for gloss in models(grammar, words, glosses):
            out.print()
            _table(out, f"{lexicon.roots[gloss].form} ‘{gloss}’", *table(grammar, words, gloss))
    shown = examples(grammar)
    for number, pair in enumerate(shown, 1):
        out.print()
        for row, tokens in enumerate(_rows(pair.sentence.tokens, out.width - _INDENT)):
            grid = Table.grid(padding=(0, _GAP))
            label = f"({number})" if row == 0 else ""
            grid.add_row(label.ljust(_INDENT - _GAP), *(token.segmented for token in tokens))
            grid.add_row("", *(Text(token.gloss, "dim") for token in tokens))
            out.print(grid)
        out.print(f"{' ' * _INDENT}‘{pair.english}’")
    out.print()
    out.print(abbreviations(shown), style="dim")


def _rows(tokens: "Sequence[Token]", width: int) -> "Iterable[list[Token]]":
    """Words in rows that fit, each as wide as its gloss or itself."""
    row: list[Token] = []
    used = 0
    for token in tokens:
        wide = max(cell_len(token.segmented), cell_len(token.gloss)) + _GAP
        if row and used + wide > width:
            yield row
            row, used = [], 0
        row.append(token)
        used += wide
    yield row


def _table(out: Console, title: str, head: "Sequence[str]", rows: "Iterable[Sequence[str]]") -> None:
    table = Table(title=title, title_justify="left", box=None)
    for name in head:
        table.add_column(name)
    for row in rows:
        table.add_row(*row)
    out.print(table)
