"""`daneel pull`: fetch a model to this machine."""

import sys
from pathlib import Path

import click

from daneel.cli.common import console, emit, json_option
from daneel.store.catalog import CATALOG, Entry
from daneel.store.names import resolve
from daneel.store.pull import pull


@click.command()
@click.argument("name")
@click.option("--accept-licence", is_flag=True, help="You have read the model's terms and accept them.")
@json_option
def command(name: str, accept_licence: bool, as_json: bool) -> None:
    """Fetch the model NAME: one of `daneel models`, or a hub id such as HuggingFaceTB/SmolLM2-360M.

    \b
    daneel pull smollm2
    daneel pull gemma3 --accept-licence
    """

    def accept(entry: Entry, terms: Path) -> bool:
        console.print(f"{entry.name} is under the {entry.licence.name}: {entry.licence.url}\nTheir text: {terms}")
        return accept_licence or click.confirm("Do you accept them?", err=True)

    if name in CATALOG:
        folder = pull(CATALOG[name], accept if accept_licence or sys.stdin.isatty() else None)
    else:
        folder = resolve(name)
    if as_json:
        emit({"name": name, "path": str(folder)})
    else:
        click.echo(folder)
