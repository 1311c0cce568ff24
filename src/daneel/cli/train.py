"""`daneel train`: fine-tune a model on your text, or train one from scratch."""

from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import click

from daneel.cli.common import config_options, console, emit, json_option
from daneel.config import TrainConfig, duration, override, read_toml
from daneel.corpus.read import is_corpus
from daneel.errors import UsageError


@click.command("train")
@click.argument("data", nargs=-1, type=click.Path())
@click.option("--base", default="smollm2", show_default=True, help="Model to start from, or scratch.")
@click.option("--size", default="3m", show_default=True,
              help="Size of a model from scratch: 3m, 10m, 30m or 100m, for pairs also 2m.")  # fmt: skip
@click.option("--shape", type=click.Choice(["auto", "llama", "marian", "t5"]), default="auto", show_default=True,
              help="Shape of a model from scratch; auto is llama, for pairs marian.")  # fmt: skip
@click.option("--teacher", help="A model of the same vocabulary whose probabilities are learned.")
@click.option("-o", "--out", type=click.Path(), help="Run folder; default: runs/ and the name of the data.")
@click.option("--resume", is_flag=True, help="Go on with the run at -o, where it was killed.")
@click.option("--recipe", type=click.Path(), help="A TOML file of settings, the names as below.")
@click.option("--set", "changes", multiple=True, metavar="K=V", help="Any setting below, as --set keep=1.")
@click.option("--heldout", default=0.1, show_default=True, help="Share of the text kept aside to measure with.")
@click.option("--stranger", type=click.Path(), help="Text of the same kind by another author, for the proof.")
@click.option(
    "--eval-bytes",
    type=click.IntRange(min=1),
    default=40_000,
    show_default=True,
    help="Of each held-out text, how much is measured.",
)
@click.option("--prompt", help="What the samples in the report continue.")
@click.option("--merge", is_flag=True, help="Write a whole model, not an adapter.")
@click.option("--tensorboard", is_flag=True, help="Also write event files for TensorBoard, in daneel/ of the run.")
@click.option("--preview", is_flag=True, help="Print which tokens carry loss, and stop.")
@click.option("--dry-run", is_flag=True, help="Time a few steps, print time, memory and disk, and stop.")
@config_options(TrainConfig)
@json_option
def command(
    data: tuple[str, ...], base: str, size: str, shape: str, teacher: str | None, out: str | None, resume: bool,
    recipe: str | None,
    changes: tuple[str, ...], heldout: float, stranger: str | None, eval_bytes: int, prompt: str | None,
    merge: bool, tensorboard: bool, preview: bool, dry_run: bool, as_json: bool, **settings: Any,
) -> None:  # fmt: skip
    """Learn DATA: files or folders of text, a corpus, or a JSONL file of conversations, pairs, preferences or labels.

    \b
    daneel train stories/ --stranger other-stories/ --budget 20m -o runs/mine
    daneel train chats.jsonl --base smollm2 --epochs 2
    daneel train pairs.jsonl --base scratch --size 2m --batch 32 --budget 5m
    daneel train chats.jsonl=3 others.jsonl=1 --steps 500
    daneel train --resume -o runs/mine
    """
    if resume:
        if not out:
            raise UsageError("--resume needs the run folder: daneel train --resume -o runs/NAME")
        if more := _given() - {"out", "resume", "as_json"}:
            names = ", ".join(sorted(more)).replace("_", "-")
            raise UsageError(f"--resume goes on with the settings that the run began with: leave out {names}")
        _finish(out, None, dry_run=False, as_json=as_json)
        return
    if not data:
        raise UsageError("name the text to learn: daneel train FOLDER")
    data, weights = _weighted(data)
    for path in data:
        if not Path(path).exists():
            raise UsageError(f"{path} does not exist")
    if stranger and not Path(stranger).exists():
        raise UsageError(f"{stranger} does not exist")
    if "heldout" in _given() and is_corpus(Path(data[0])):
        raise UsageError(f"{data[0]} is a corpus and has its own held-out part: leave out --heldout")
    if preview:
        _preview(data, base)
        return
    from daneel.road import Journey

    config = override(TrainConfig(), read_toml(Path(recipe)) if recipe else {})
    config = override(config, {k: v for k, v in settings.items() if v is not None})
    config = override(config, dict(_pair(change) for change in changes))
    out = out or str(Path("runs") / Path(data[0]).resolve().stem)
    journey = Journey(
        data, out, base, size, shape, stranger, heldout, eval_bytes, prompt, merge, tensorboard, weights=weights,
        teacher=teacher, config=config,
    )  # fmt: skip
    _finish(out, journey, dry_run, as_json)


def _given() -> set[str]:
    """What stands on the command line."""
    context = click.get_current_context()
    source = click.core.ParameterSource.COMMANDLINE
    return {name for name in context.params if context.get_parameter_source(name) is source}


def _weighted(data: tuple[str, ...]) -> tuple[tuple[str, ...], tuple[float, ...]]:
    """Paths, and where any has one (`path=3`) the weight of each."""
    paths, weights = list(data), [1.0] * len(data)
    for n, each in enumerate(data):
        path, found, weight = each.rpartition("=")
        if found and not Path(each).exists():
            try:
                paths[n], weights[n] = path, float(weight)
            except ValueError:
                continue
            if not 0 < weights[n] < float("inf"):
                raise UsageError(f"{each}: a weight must be above 0")
    return tuple(paths), () if tuple(paths) == data else tuple(weights)


def _pair(change: str) -> tuple[str, str]:
    name, found, value = change.partition("=")
    if not found:
        raise UsageError(f"--set {change} lacks a value; write --set {name}=VALUE")
    return name, value


def _finish(out: str, journey: Any, dry_run: bool, as_json: bool) -> None:
    from daneel.cli.progress import Live, planned
    from daneel.road import arrive, go_on, set_out

    if journey is None:
        stage, _ = go_on(out, console.print)
    elif dry_run:
        stage = _dry(journey)
        plan = stage.plan
        if as_json:
            emit(asdict(plan))
            return
        console.print(
            f"{plan.steps} steps, {duration(plan.seconds)} at {plan.tokens_per_second:.0f} tokens/s, "
            f"{duration(plan.exam_seconds)} to measure before and after, "
            f"{plan.memory_bytes / 1e9:.1f} GB of memory, {plan.disk_bytes / 1e9:.2f} GB of disk"
        )
        return
    else:
        stage = set_out(journey, console.print)
        console.print(planned(stage.plan))
    try:
        with Live(console) as live:
            facts = arrive(stage, live.watch, console.print)
    except KeyboardInterrupt:
        if stage.trainer.progress.step:
            console.print(f"stopped at step {stage.trainer.progress.step}; go on with: daneel train --resume -o {out}")
        raise
    if as_json:
        emit(facts)
        return
    live.summary(facts, out)


def _dry(journey: Any) -> Any:
    import tempfile

    from daneel.road import set_out

    # Beside the run to be, so that it is that disk which is looked at.
    place = next(parent for parent in Path(journey.out).resolve().parents if parent.is_dir())
    with tempfile.TemporaryDirectory(prefix=".daneel-dry-run-", dir=place) as folder:
        return set_out(replace(journey, out=str(Path(folder) / "run")), console.print)


def _preview(data: tuple[str, ...], base: str) -> None:
    """The first records, learned tokens in green and the others dim."""
    from itertools import groupby, islice

    from rich.text import Text

    from daneel.corpus.records import is_records, read_records
    from daneel.formats.hf import read_architecture
    from daneel.store import resolve
    from daneel.tokenizer.chat import preview
    from daneel.tokenizer.load import Tokenizer
    from daneel.train.prepare import documents

    path = Path(data[0])
    if is_corpus(path) and (path / "train.jsonl").exists():
        path /= "train.jsonl"
    if not is_records(path):
        gaps = base != "scratch" and read_architecture(resolve(base)).encoder_layers
        console.print("raw text: tokens hide in gaps and carry loss" if gaps else "raw text: every token carries loss")
        return
    if base == "scratch":
        raise UsageError("--preview shows tokens of a vocabulary that exists already: give --base smollm2")
    folder = resolve(base)
    tokenizer, start = Tokenizer.load(folder), read_architecture(folder).start
    for record in islice(read_records(path), 3):
        (document,) = documents(record.kind, tokenizer, [record], start, [record.label or ""])
        parts = {record.where: document}
        if document.rejected is not None:
            parts = {f"{record.where}, chosen": document, f"{record.where}, rejected": document.rejected}
        for where, part in parts.items():
            ids = list(part.ids)
            loss = part.loss or [part.label is None and place > 0 for place in range(len(ids))]
            read = [] if part.source is None else list(part.source)
            shown = Text()
            runs = groupby(preview(tokenizer, read + ids, [False] * len(read) + loss), lambda pair: pair[1])
            for learned, pieces in runs:
                text = "".join(piece for piece, _ in pieces)
                # Where there is no colour, brackets.
                shown.append(
                    f"⟦{text}⟧" if learned and not console.is_terminal else text, "bold green" if learned else "dim"
                )
            console.print(shown)
            told = f"{where}: {sum(loss)} of {len(read) + len(ids)} tokens carry loss"
            console.print(told if record.label is None else f"{where}: its label is {record.label}", style="dim")
