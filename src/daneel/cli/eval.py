"""`daneel eval`: how well a model predicts a text, or goes from sources to targets."""

from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from daneel.cli.common import console, emit, json_option


@click.command("eval", short_help="Cross-entropy, perplexity and bits per byte of a model on a text.")
@click.argument("model")
@click.option(
    "--on", "data", required=True, type=click.Path(exists=True, path_type=Path),
    help="A text file, a folder of texts, a corpus folder (its held-out part is taken), or a JSONL file of pairs.",
)  # fmt: skip
@click.option("--limit-bytes", type=click.IntRange(min=1), help="Score the beginning only, whole paragraphs.")
@click.option("--limit", type=click.IntRange(min=1), help="Of pairs, the first so many.")
@click.option("--beams", type=click.IntRange(min=1), default=4, show_default=True, help="Of pairs, 1 is greedy.")
@json_option
def command(model: str, data: Path, limit_bytes: int | None, limit: int | None, beams: int, as_json: bool) -> None:
    """Print cross-entropy, perplexity and bits per byte of MODEL on a text, with 95 % intervals.

    Bits per byte compare any two models; perplexity only models with the same tokenizer. Of pairs: the share of targets
    written exactly, chrF and BLEU.

    \b
    daneel eval smollm2 --on samples/keeper
    daneel eval runs/keeper --on corpus --json
    daneel eval runs/translator --on pairs/heldout.jsonl
    """
    from daneel.corpus.records import is_records, read_records

    # Texts with labels are texts here.
    if is_records(_heldout(data)) and next(read_records(_heldout(data))).kind != "labels":
        _pairs(model, _heldout(data), limit, beams, as_json)
        return
    from daneel.evaluate.likelihood import evaluate, first_bytes
    from daneel.evaluate.run_report import likelihood_summary
    from daneel.evaluate.texts import read_texts
    from daneel.lm.load import load

    documents, dropped = read_texts(data)
    for each in dropped:
        console.print(f"left out {each.source}: {each.reason}")
    whole = sum(len(document.text.encode()) for document in documents)
    if limit_bytes is not None and limit_bytes < whole:
        documents = first_bytes(documents, limit_bytes)
        taken = sum(len(document.text.encode()) for document in documents)
        console.print(f"{data}: only the first {taken:,} of {whole:,} bytes are scored")
        whole = taken
    lm = load(model)
    lm.warn_if_unfit("".join(document.text[:2000] for document in documents[:10]))
    with Progress(console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("scoring", total=whole)
        scores = evaluate(lm, documents, progress=lambda done: bar.advance(task, done))
    if as_json:
        emit({"model": model, "data": str(data), **likelihood_summary(scores)})
        return
    table = Table("measure", "value", "95 % interval", box=None)
    for name in ("bits_per_byte", "perplexity", "cross_entropy"):
        e = getattr(scores, name)
        interval = "–" if e.low is None else f"{e.low:.4g} to {e.high:.4g}"
        table.add_row(name.replace("_", " "), f"{e.value:.4g}", interval)
    console.print(
        f"{model} on {data}: {scores.n_tokens:,} tokens, {scores.n_bytes:,} bytes, "
        f"{len(scores.paragraphs):,} paragraphs",
        soft_wrap=True,
    )
    Console(highlight=False).print(table)


def _heldout(data: Path) -> Path:
    """Of a corpus of records, its held-out part."""
    return data / "heldout.jsonl" if (data / "heldout.jsonl").is_file() else data


def _pairs(model: str, data: Path, limit: int | None, beams: int, as_json: bool) -> None:
    from itertools import islice

    from daneel.corpus.records import read_records
    from daneel.errors import UsageError
    from daneel.evaluate.pairs import evaluate_pairs, pair_summary
    from daneel.generate.beam import Beams
    from daneel.lm.local import LocalModel
    from daneel.store import resolve

    records = list(islice(read_records(data), limit))
    if not all(record.source for record in records):
        raise UsageError(f"{data} holds conversations: eval reads texts, and pairs of source and target")
    lm = LocalModel(resolve(model), model, "float32")
    if not lm.pairs:
        raise UsageError(f"{model} continues texts: only an encoder-decoder goes from the sources of {data} to targets")
    with Progress(console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("writing", total=len(records))
        scores = evaluate_pairs(lm, records, Beams(beams), progress=lambda done: bar.update(task, completed=done))
    facts: dict[str, Any] = {"model": model, "data": str(data), "beams": beams, **pair_summary(scores)}
    if as_json:
        emit(facts)
        return
    table = Table("measure", "value", "95 % interval", box=None)
    for name, e in (
        ("exact match", scores.exact.mapped(lambda share: 100 * share)),
        ("chrF", scores.chrf),
        ("BLEU", scores.bleu),
    ):
        table.add_row(name, f"{e.value:.1f}", "–" if e.low is None else f"{e.low:.1f} to {e.high:.1f}")
    console.print(
        f"{model} on {data}: {scores.n:,} pairs, {beams} beams; {'; '.join(scores.signatures)}", soft_wrap=True
    )
    Console(highlight=False).print(table)
