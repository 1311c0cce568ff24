"""The second act of `daneel demo`: a translator for an invented language, trained from nothing before your eyes."""

import shutil
from itertools import islice
from pathlib import Path
from typing import Any

from daneel.cli.common import console
from daneel.config import TrainConfig

SENTENCES = 20_000
TESTED = 200
"""Sentences of each test, in each direction."""
SHOWN = 3


def translate(grammar_file: Path, place: Path, budget: float) -> dict[str, Any]:
    """Make sentence pairs, train for `budget` seconds in both directions at once, and test; gives what was measured."""
    from daneel.cli.progress import Live, planned
    from daneel.conlang.pairs import compose, write
    from daneel.conlang.read import load
    from daneel.corpus.records import read_records
    from daneel.evaluate.pairs import evaluate_pairs, pair_summary
    from daneel.generate.beam import Beams
    from daneel.lm.local import LocalModel
    from daneel.road import Journey, arrive, set_out

    grammar = load(grammar_file)
    shutil.rmtree(place / "pairs", ignore_errors=True)
    manifest = write(grammar, compose(grammar, SENTENCES), place / "pairs", 0)
    ways = sorted(path.parent for path in (place / "pairs").glob("*/train.jsonl"))
    console.print(
        f"{grammar.name}: {manifest['counts']['train']:,} sentences with their English, made from its grammar:"
    )
    for record in islice(read_records(ways[0] / "train.jsonl"), SHOWN):
        console.print(f"  {record.source}  →  {record.target}")
    # One model for both directions: which is wanted is plain from the source.
    config = TrainConfig(
        optimiser="muon", lr=3e-3, schedule="wsd", label_smoothing=0.1, batch=24, length=48, evals=4, patience=0,
        budget=f"{budget:.0f}s", compile="off",
    )  # fmt: skip
    run = place / "translator"
    journey = Journey(
        tuple(str(way / "train.jsonl") for way in ways),
        str(run),
        "scratch",
        "2m",
        heldout=0.01,
        demo=True,
        config=config,
    )
    stage = set_out(journey, console.print)
    console.print(planned(stage.plan))
    with Live(console) as live:
        arrive(stage, live.watch, console.print)
    lm = LocalModel(run, "translator", "float32")
    found: dict[str, Any] = {}
    for test in ("heldout", "roots", "patterns"):
        for way in ways:
            records = list(islice(read_records(way / f"{test}.jsonl"), TESTED))
            scores = evaluate_pairs(lm, records, Beams(1))
            found.setdefault(test, {})[way.name] = pair_summary(scores)
            if test == "heldout":
                for record, written in islice(zip(records, scores.written, strict=True), SHOWN):
                    console.print(f"  {record.source}  →  {written}")
    names = {
        "heldout": "sentences never seen",
        "roots": "words seen only plainly",
        "patterns": "patterns seen only apart",
    }
    for test, label in names.items():
        shares = ", ".join(f"{way} {facts['exact_match']['value']:.1%}" for way, facts in found[test].items())
        console.print(f"{label}: exactly right {shares}")
    return found
