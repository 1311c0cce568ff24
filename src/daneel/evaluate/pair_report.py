"""What a run on pairs learned, on one page: scores, held-out sources with what was written and wanted, the losses."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from daneel.corpus.records import Record
from daneel.evaluate.bootstrap import Estimate
from daneel.evaluate.pairs import PairScores
from daneel.evaluate.run_report import read_log, training_curves
from daneel.report import Figure, Page
from daneel.run import atomic_write

SHOWN = 20


def write_pair_report(run: Path, scores: PairScores, records: Sequence[Record], settings: Mapping[str, str]) -> None:
    """Write `report.html` into a run directory; the first pairs are shown, unpicked."""
    page = Page(f"{run.name}: what was learned", "Held-out sources, and the targets that the model wrote for them.")
    page.figures(
        [
            _figure("exact", scores.exact.mapped(lambda share: 100 * share), " %"),
            _figure("chrF", scores.chrf),
            _figure("BLEU", scores.bleu),
        ]
    )
    page.note(f"{scores.n:,} pairs that were not trained on, by beam search. {'; '.join(scores.signatures)}")
    page.heading("Sources and targets")
    rows = [
        ["" if same else "≠", record.source or "", written, record.target or ""]
        for record, written, same in zip(records[:SHOWN], scores.written, scores.same, strict=False)
    ]
    page.table(["", "source", "written", "wanted"], rows, "The first held-out pairs.", texts=True)
    training_curves(page, read_log(run / "daneel" / "log.jsonl"))
    page.heading("Settings")
    page.pairs(settings)
    atomic_write(run / "report.html", page.html())


def _figure(label: str, e: Estimate, unit: str = "") -> Figure:
    spread = "" if e.low is None or e.high is None else f"{e.low:.1f} to {e.high:.1f}"
    return Figure(f"{e.value:.1f}{unit}", label, spread)
