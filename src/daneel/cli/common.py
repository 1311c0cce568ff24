"""What several verbs share: options, the console, JSON output."""

import json
import sys
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import Any, TypeVar

import click
from rich.console import Console

from daneel.config import descriptions
from daneel.errors import UsageError

F = TypeVar("F", bound=Callable[..., Any])

# Messages and progress go to stderr, so that stdout is the result alone.
# Without markup: file names and a model's text may hold brackets.
console = Console(stderr=True, highlight=False, markup=False, soft_wrap=True)

model_option = click.option(
    "-m", "--model", default="smollm2", show_default=True,
    help="A name of `daneel models`, a hub id, a folder, a run or a GGUF file.",
)  # fmt: skip
json_option = click.option("--json", "as_json", is_flag=True, help="One JSON object on stdout, all else on stderr.")


def readable(text: str, what: str) -> str:
    """A text from the command line. Raises UsageError where it holds bytes that are no UTF-8."""
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise UsageError(f"{what} is not UTF-8 (character {error.start + 1}): give it as UTF-8") from None
    return text


def piped(path: Path | None = None) -> str:
    """What a file holds or, without one, what comes through the pipe, to the byte. Raises UsageError."""
    data = path.read_bytes() if path else sys.stdin.buffer.read()
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        raise UsageError(f"{path or 'stdin'} is not UTF-8 (byte {error.start + 1}): convert it to UTF-8") from None


def emit(value: dict[str, Any]) -> None:
    """Print one JSON object on stdout."""
    click.echo(json.dumps(value, ensure_ascii=False))


def config_options(config: type[Any]) -> Callable[[F], F]:
    """An option for each field of a config class, its docstring as help; unset options are None."""
    defaults = config()

    def decorate(function: F) -> F:
        docs = descriptions(config)
        for field in reversed(fields(config)):
            default = getattr(defaults, field.name)
            shown = "" if default is None else f"  [default: {default}]"
            option = click.option(f"--{field.name.replace('_', '-')}", field.name, help=docs[field.name] + shown)
            function = option(function)
        return function

    return decorate
