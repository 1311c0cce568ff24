"""`daneel models`: list the models at hand."""

import click
from rich.console import Console
from rich.table import Table

from daneel.cli.common import emit, json_option
from daneel.store.catalog import CATALOG, VOCABULARIES, Entry, Vocabulary
from daneel.store.installed import installed
from daneel.store.progress import megabytes


@click.command()
@json_option
def command(as_json: bool) -> None:
    """List the models and tokenizers on this machine, and those that `daneel pull` knows by a short name.

    A hub id, a folder or a .gguf file can be named wherever a model is.

    \b
    daneel models
    """
    here = installed()
    names = {model.name for model in here}
    known: list[Entry | Vocabulary] = [*CATALOG.values(), *VOCABULARIES.values()]
    absent = [entry for entry in known if entry.name not in names]
    if as_json:
        rows = [{"name": m.name, "about": m.about, "bytes": m.size, "path": str(m.path)} for m in here]
        rows += [{"name": e.name, "about": e.about, "bytes": e.folder_size, "path": None} for e in absent]
        emit({"models": rows})
        return
    table = Table("model", "on disk", "what", box=None, pad_edge=False)
    for model in here:
        table.add_row(model.name, megabytes(model.size), model.about)
    for entry in absent:
        table.add_row(entry.name, "-", f"{entry.about}; {entry.licence.name}; daneel pull {entry.name}")
    Console().print(table)
