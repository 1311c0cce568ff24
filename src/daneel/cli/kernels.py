"""`daneel kernels`: the parts in C++, compiled by this machine's own compiler."""

from typing import Any

import click

from daneel.cli.common import emit, json_option
from daneel.errors import DaneelError
from daneel.kernels import build as kernels


@click.group()
def command() -> None:
    """The parts in C++ that make daneel fast. They are built when first needed; nothing has to be done by hand.

    \b
    daneel kernels info
    daneel kernels build
    """


@command.command()
@json_option
def info(as_json: bool) -> None:
    """Which kernels are built, and by what compiler.

    \b
    daneel kernels info
    """
    compiler = kernels.compiler()
    facts: dict[str, Any] = {
        "compiler": compiler and " ".join(compiler),
        "kernels": [
            {"name": name, "built": kernels.built(name).exists(), "path": str(kernels.built(name))}
            for name in kernels.SOURCES
        ],
    }
    if as_json:
        emit(facts)
        return
    click.echo(f"compiler  {facts['compiler'] or 'none found: what is written below runs in other, slower ways'}")
    for kernel in facts["kernels"]:
        click.echo(f"{kernel['name']:9} {kernel['path'] if kernel['built'] else 'not built yet'}")


@command.command()
@json_option
def build(as_json: bool) -> None:
    """Build all kernels now, so that no later command waits for it.

    \b
    daneel kernels build
    """
    for name in kernels.SOURCES:
        failure = kernels.build(name)
        if failure:
            raise DaneelError(f"kernel {name} was not built: {failure}")
        if not as_json:
            click.echo(f"{name:9} {kernels.built(name)}")
    if as_json:
        emit({"kernels": [{"name": name, "path": str(kernels.built(name))} for name in kernels.SOURCES]})
