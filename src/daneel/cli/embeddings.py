"""`daneel embeddings`: what a model knows of words before it reads a text."""

from dataclasses import asdict
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from rich.console import Console
from rich.table import Column, Table
from rich.text import Text

from daneel.cli.common import console, emit, json_option, readable

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from daneel.interpret.embeddings import Correction, Embeddings, Word

words_option = click.option(
    "--words", type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A file with a word a line; `# name` begins a group.",
)  # fmt: skip
components_option = click.option(
    "--components", type=click.IntRange(min=0), metavar="N",
    help="Take the mean and the first N principal directions off every vector; 0 is the mean alone.  [default: 1]",
)  # fmt: skip
raw_option = click.option("--raw", is_flag=True, help="Take nothing off: the vectors as stored.")


@click.group()
def command() -> None:
    """Input embeddings of a model: export them, find neighbours, draw a map.

    \b
    daneel embeddings near smollm2 robot moon
    daneel embeddings map smollm2 -o map.html
    daneel embeddings export smollm2 -o vectors.txt
    """


@command.command()
@click.argument("model")
@click.option("-o", "--out", required=True, type=click.Path(dir_okay=False, path_type=Path), help="The file to write.")
@words_option
@click.option("--top", type=click.IntRange(min=1), metavar="N", help="Only the first N whole words of the vocabulary.")
@json_option
def export(model: str, out: Path, words: Path | None, top: int | None, as_json: bool) -> None:
    """Write the input embeddings of MODEL in word2vec's text format, which gensim and others read.

    Every token, in the order of its id, with ▁ for a space; or only the words of a file, or the N words that come
    first in the vocabulary. Vectors are as stored: nothing is taken off, nothing is multiplied.

    \b
    daneel embeddings export smollm2 -o vectors.txt
    daneel embeddings export smollm2 --top 1000 -o words.txt --json
    """
    from daneel.errors import UsageError
    from daneel.formats.word2vec import BYTES_PER_VALUE, escape, write_word2vec
    from daneel.store.disk import require_space

    if words and top:
        raise UsageError("--words and --top exclude each other: choose one")
    source = _open(model)
    names: Iterable[str]
    chosen: Sequence[Word] | None = None
    if words:
        from daneel.interpret.word_map import read_words

        chosen = [source.word(word) for word in chain.from_iterable(group.words for group in read_words(words))]
    elif top:
        chosen = source.whole_words(top)
        if len(chosen) < top:
            console.print(f"{model} has {len(chosen)} whole words, fewer than {top}")
    if chosen is None:
        names, count, vectors = source.names(), source.count, source.blocks()
    else:
        names, count, vectors = (escape(word.text.encode()) for word in chosen), len(chosen), source.parts(chosen)
        _tell_pieces(chosen)
    require_space(out.absolute().parent, BYTES_PER_VALUE * count * source.dimension, f"{out}")
    write_word2vec(out, names, count, vectors)
    size = out.stat().st_size
    console.print(f"{out}: {count:,} vectors of {source.dimension}, {size / 1e6:,.1f} MB")
    if as_json:
        facts: dict[str, Any] = {"file": str(out), "count": count, "dimension": source.dimension, "bytes": size}
        emit(_head(source) | facts | ({} if chosen is None else {"words": [asdict(word) for word in chosen]}))


@command.command()
@click.argument("model")
@click.argument("words", nargs=-1, required=True, metavar="WORD…")
@click.option("-n", "count", default=10, show_default=True, type=click.IntRange(min=1), help="Neighbours of each word.")
@click.option("--variants", is_flag=True, help="List variants in case and space too.")
@components_option
@raw_option
@json_option
def near(
    model: str, words: tuple[str, ...], count: int, variants: bool, components: int | None, raw: bool, as_json: bool
) -> None:
    """List the tokens nearest to each WORD by cosine.

    \b
    daneel embeddings near smollm2 robot moon
    daneel embeddings near gemma3 机器人 -n 5 --json
    """
    source = _open(model)
    correction, removed = _correction(source, components, raw)
    chosen = [source.word(readable(word, "WORD")) for word in words]
    _tell_pieces(chosen)
    found = source.neighbours(chosen, correction, count, variants)
    if as_json:
        rows = [
            asdict(word) | {"spaced": word.spaced, "neighbours": [asdict(each) for each in each_near]}
            for word, each_near in zip(chosen, found, strict=True)
        ]
        emit(_head(source) | {"removed": removed, "words": rows})
        return
    console.print(removed)
    out = Console(highlight=False, markup=False)
    for word, each_near in zip(chosen, found, strict=True):
        form = "as after a space" if word.spaced else "without a space before it"
        table = Table(Column(Text(f"{word.text}, {form}")), title_justify="left", box=None)
        table.add_column("cosine", justify="right")
        table.add_column("token", justify="right")
        for each in each_near:
            # A token may hold control characters, which must not reach the terminal.
            name = each.text if each.text.isprintable() else repr(each.text)[1:-1]
            table.add_row(Text(name), f"{each.cosine:.3f}", str(each.token))
        out.print(table)


@command.command("map")
@click.argument("model")
@click.option("-o", "--out", required=True, type=click.Path(dir_okay=False, path_type=Path), help="The page to write.")
@words_option
@components_option
@raw_option
@json_option
def word_map(model: str, out: Path, words: Path | None, components: int | None, raw: bool, as_json: bool) -> None:
    """Draw words on a plane, as an offline page.

    The words of a file, coloured by its groups; or about a hundred of our own choice that are tokens of the model.

    \b
    daneel embeddings map smollm2 -o map.html
    daneel embeddings map gemma3 --words words.txt -o map.html
    """
    from daneel.interpret.word_map import default_groups, page, project, read_words
    from daneel.run import atomic_write

    source = _open(model)
    groups = read_words(words) if words else default_groups(source)
    correction, removed = _correction(source, components, raw)
    found = project(source, groups, correction)
    _tell_pieces([place.word for place in found.places])
    atomic_write(out, page(source, found, removed))
    shown = sum(found.explained)
    console.print(f"{out}: {len(found.places)} words; the plane shows {100 * shown:.0f} % of their variance")
    if as_json:
        places = [{"word": p.word.text, "group": p.group, "x": p.x, "y": p.y} for p in found.places]
        facts = {"file": str(out), "removed": removed, "explained_variance": found.explained, "words": places}
        emit(_head(source) | facts)


def _open(model: str) -> "Embeddings":
    from daneel.interpret.embeddings import Embeddings

    source = Embeddings(model)
    if source.base:
        console.print(f"{model} is an adapter that leaves embeddings alone: these are those of {source.base}")
    if source.scale != 1:
        console.print(f"{model} multiplies its embeddings by {source.scale:.4g} when it reads; here they are as stored")
    return source


def _head(source: "Embeddings") -> dict[str, Any]:
    return {"model": source.name, "base": source.base or None, "scale": source.scale}


def _correction(source: "Embeddings", components: int | None, raw: bool) -> "tuple[Correction, str]":
    from daneel.errors import UsageError

    if raw:
        if components is not None:
            raise UsageError("--raw takes nothing off, --components does: choose one")
        return source.none(), "Vectors as stored, nothing taken off."
    if components is not None and components >= source.dimension:
        raise UsageError(f"--components {components}: the vectors have only {source.dimension} dimensions")
    correction = source.correction() if components is None else source.correction(components)
    count = len(correction.directions)
    also = f" and {count} principal direction{'s' * (count > 1)}" if count else ""
    return correction, f"Taken off every vector: the mean of all tokens{also}."


def _tell_pieces(words: "Sequence[Word]") -> None:
    several = [word for word in words if len(word.ids) > 1]
    if several:
        shown = ", ".join(f"{word.text} ({len(word.ids)})" for word in several[:10]) + (" …" * (len(several) > 10))
        console.print(f"of several tokens, whose mean is taken, which says less: {shown}")
