"""`daneel rm`: remove a model from this machine."""

import click

from daneel.cli.common import emit, json_option
from daneel.store.installed import remove
from daneel.store.progress import megabytes


@click.command()
@click.argument("name")
@json_option
def command(name: str, as_json: bool) -> None:
    """Remove the model NAME, as `daneel models` lists it. Your own folders and files are never touched.

    \b
    daneel rm smollm2
    """
    gone = remove(name)
    if as_json:
        emit({"name": gone.name, "path": str(gone.path), "bytes": gone.size})
    else:
        click.echo(f"removed {gone.name}: {megabytes(gone.size)} free again")
