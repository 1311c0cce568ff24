"""The options of every verb that generates, made from the fields of Sampling."""

from collections.abc import Callable, Sequence
from dataclasses import MISSING, fields
from typing import Any

import click

from daneel.config import descriptions
from daneel.errors import UsageError
from daneel.generate.sampling import Sampling, flag

Command = Callable[..., Any]

dtype_option = click.option(
    "--dtype", type=click.Choice(["auto", "float32", "bfloat16"]), default="auto", show_default=True,
    help="Number type; auto is bfloat16 where the processor has it.",
)  # fmt: skip


def sampling_options(command: Command) -> Command:
    """Add an option for every field of Sampling; `read_sampling` takes their values."""
    docs = descriptions(Sampling)
    for item in reversed(fields(Sampling)):
        default = None if item.default is MISSING else item.default
        shown: dict[str, Any] = {"type": type(default), "show_default": f"{default}"}
        if item.name == "logit_bias":
            shown = {"multiple": True, "metavar": "ID=VALUE"}
        elif item.name == "order":
            shown = {"metavar": "STEP,…", "show_default": ",".join(Sampling.order)}
        elif item.name == "dry_sequence_breakers":
            shown = {"multiple": True, "metavar": "TEXT"}
        elif default is None:
            shown = {"type": int if item.name == "seed" else float}
        option = click.option(flag(item.name), item.name, default=None, help=docs[item.name], **shown)
        command = option(command)
    return command


def read_sampling(values: dict[str, Any]) -> Sampling:
    """The settings as given on the command line; what is not given keeps its default."""
    given = {name: value for name, value in values.items() if value is not None and value != ()}
    if "order" in given:
        given["order"] = tuple(given["order"].replace(" ", "").split(","))
    if "logit_bias" in given:
        given["logit_bias"] = _biases(given["logit_bias"])
    return Sampling(**given)


def _biases(pairs: Sequence[str]) -> dict[int, float]:
    out = {}
    for pair in pairs:
        token, _, value = pair.partition("=")
        try:
            out[int(token)] = float(value)
        except ValueError:
            raise UsageError(f"--logit-bias takes ID=VALUE, such as 11=-2.5, not {pair!r}") from None
    return out
