"""What several verbs share: options, the console, JSON output."""

import json
from typing import Any

import click
from rich.console import Console

# Messages and progress go to stderr, so that stdout is the result alone.
console = Console(stderr=True, highlight=False)

model_option = click.option(
    "-m", "--model", default="smollm2", show_default=True,
    help="A name of `daneel models`, a hub id, a folder, a run or a GGUF file.",
)  # fmt: skip
json_option = click.option("--json", "as_json", is_flag=True, help="One JSON object on stdout, all else on stderr.")


def emit(value: dict[str, Any]) -> None:
    """Print one JSON object on stdout."""
    click.echo(json.dumps(value, ensure_ascii=False))
