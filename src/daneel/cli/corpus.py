"""`daneel corpus`: build a corpus from files, by a recipe."""

import json
from pathlib import Path
from typing import Any

import click

from daneel.cli.common import console, emit, json_option
from daneel.cli.corpus_diff import diff
from daneel.cli.corpus_find import find
from daneel.cli.corpus_show import show, tell
from daneel.config import descriptions
from daneel.run import cores


@click.group()
def command() -> None:
    """Turn files and folders into a clean, documented corpus; look at it, search it, compare it.

    \b
    daneel corpus build my-stories/ -o corpus/
    daneel corpus show corpus/ --sample 5
    daneel corpus diff corpus/ corpus-2/
    """


@command.command()
@click.argument("paths", nargs=-1, required=True, metavar="PATH…")
@click.option("-o", "--out", required=True, type=click.Path(path_type=Path), help="The corpus folder to write.")
@click.option(
    "--recipe",
    default="default",
    show_default=True,
    help="Steps and settings: a name of `corpus recipes`, or a TOML file.",
)
@click.option(
    "--set",
    "changes",
    multiple=True,
    metavar="STEP.SETTING=V",
    help="Change a setting of the recipe; a step that it lacks runs at its place in the order of `corpus recipes`.",
)
@click.option("--text-column", help="Column of JSON, CSV and Parquet with the text; of pairs both, as en,zh.")
@click.option("--licence", help="Licence of what states none: CC-BY-4.0, public-domain …, or other: in your words.")
@click.option("--seed", default=0, show_default=True, help="Chooses what is held out.")
@click.option("--heldout", default=0.1, show_default=True, help="Share of the words held out, 0 to 0.5.")
@click.option(
    "--canaries",
    type=click.IntRange(0, 1000),
    default=0,
    show_default=True,
    help="Random secrets to plant, for an audit of the model.",
)
@click.option("--processes", type=click.IntRange(1, 1024), help="Processes; default: one a core, one for little text.")
@click.option(
    "--engine",
    type=click.Choice(["processes", "ray"]),
    default="processes",
    show_default=True,
    help="Where the work is done: this machine, or the Ray cluster that is running.",
)
@json_option
def build(
    paths: tuple[str, ...], out: Path, recipe: str, changes: tuple[str, ...], text_column: str | None,
    licence: str | None, seed: int, heldout: float, canaries: int, processes: int | None, engine: Any, as_json: bool,
) -> None:  # fmt: skip
    """Read what is below PATH, clean it, drop duplicates, split it, describe it.

    PATH is a file, a folder, a pattern, an archive, - (a pipe), hf:OWNER/NAME (a data set of Hugging Face) or
    arxiv:ID. Read are .txt .md .html .epub .pdf .docx .tex .jsonl .json .csv .tsv .parquet; for pairs also .tmx.

    \b
    daneel corpus build my-stories/ notes.epub -o corpus/ --recipe books
    daneel corpus build pages.zip -o corpus/ --recipe web --set language.keep=en,zh
    daneel corpus build sentences.tsv -o pairs/ --recipe parallel
    """
    from daneel.cli.progress import Stages
    from daneel.corpus.build import build as build_corpus
    from daneel.corpus.canaries import told
    from daneel.corpus.recipe import load_recipe

    if text_column is not None:
        changes = (*changes, f"read.text_column={text_column}")
    if licence is not None:
        changes = (*changes, f"read.licence={licence}")
    with Stages(console) as stages:
        manifest = build_corpus(
            paths, out, recipe=load_recipe(recipe, changes), seed=seed, heldout=heldout, canaries=canaries,
            processes=processes or cores(), kind=engine, watch=stages.watch,
        )  # fmt: skip
    if warning := told(manifest):
        console.print(warning)
    tell(manifest, as_json, out)


@command.command()
@click.argument("name", required=False)
@json_option
def recipes(name: str | None, as_json: bool) -> None:
    """The recipes, or the steps of recipe NAME with every setting, what it means and its value.

    \b
    daneel corpus recipes
    daneel corpus recipes web
    """
    from daneel.corpus import recipe as table
    from daneel.corpus.settings import bounds

    if name is None:
        known = {each: [step.name for step in table.load_recipe(each).steps] for each in table.recipes()}
        if as_json:
            emit(known)
            return
        for each, steps in known.items():
            click.echo(f"{each}: {', '.join(steps)}")
        click.echo(f"\nall steps, in the order in which --set adds one: {', '.join(table.STEPS)}")
        return
    chosen = table.load_recipe(name)
    if as_json:
        emit({"name": chosen.name, "kind": chosen.kind, **chosen.settings()})
        return
    for step in chosen.steps:
        kind = table.step_class(step.name)
        click.echo(f"[{step.name}]  # {(kind.__doc__ or '').partition(chr(10))[0]}")
        texts = descriptions(kind)
        for setting, value in chosen.settings()[step.name].items():
            limits = f" ({found})" if (found := bounds(kind, setting)) else ""
            about = " ".join(texts[setting].split())
            click.echo(f"{setting} = {json.dumps(value, ensure_ascii=False)}  # {about}{limits}")
        click.echo()


command.add_command(show)
command.add_command(diff)
command.add_command(find)
