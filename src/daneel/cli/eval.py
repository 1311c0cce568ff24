"""`daneel eval`: how well a model predicts a text."""

from pathlib import Path

import click
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from daneel.cli.common import console, emit, json_option


@click.command("eval", short_help="Cross-entropy, perplexity and bits per byte of a model on a text.")
@click.argument("model")
@click.option(
    "--on", "data", required=True, type=click.Path(exists=True, path_type=Path),
    help="A text file, a folder of texts, or a corpus folder (its held-out part is taken).",
)  # fmt: skip
@click.option("--limit-bytes", type=click.IntRange(min=1), help="Score the beginning only, whole paragraphs.")
@json_option
def command(model: str, data: Path, limit_bytes: int | None, as_json: bool) -> None:
    """Print cross-entropy, perplexity and bits per byte of MODEL on a text, with 95 % intervals.

    Bits per byte compare any two models; perplexity only models with the same tokenizer.

    \b
    daneel eval smollm2 --on samples/keeper
    daneel eval runs/keeper --on corpus --json
    """
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
