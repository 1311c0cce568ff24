"""How well a model goes from sources to targets: exact matches, chrF and BLEU, with intervals."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from sacrebleu.metrics import BLEU, CHRF

from daneel.corpus.records import Record
from daneel.evaluate.bootstrap import Estimate, estimate, ratio
from daneel.generate.beam import Beams
from daneel.lm.base import HAN_SIGN
from daneel.lm.local import LocalModel

RESAMPLES = 1000
GROUP = 64


@dataclass(frozen=True)
class PairScores:
    """Scores of some pairs; BLEU and chrF go from 0 to 100 and are sacrebleu's, with its signatures."""

    n: int
    exact: Estimate
    """Share of targets written exactly."""
    chrf: Estimate
    bleu: Estimate
    signatures: tuple[str, str]
    same: list[bool]
    """Which targets were written exactly."""
    written: list[str]
    """What the model made of each source."""


def evaluate_pairs(
    lm: LocalModel, records: Sequence[Record], beams: Beams, progress: Callable[[int], object] = lambda _: None
) -> PairScores:
    """Write the target of each source by beam search and compare. Chinese is cut into characters for BLEU."""
    sources = [record.source or "" for record in records]
    targets = [record.target or "" for record in records]
    written: list[str] = []
    for begin in range(0, len(sources), GROUP):
        written += [ways[0].text for ways in lm.search(sources[begin : begin + GROUP], beams, GROUP)]
        progress(len(written))
    return score_pairs(written, targets)


def score_pairs(written: list[str], targets: list[str]) -> PairScores:
    """Compare what was written with what was wanted."""
    chinese = sum(bool(HAN_SIGN.search(target)) for target in targets) * 2 > len(targets)
    bleu, chrf = BLEU(tokenize="zh" if chinese else "13a"), CHRF()
    found = [_estimated(metric, written, targets) for metric in (chrf, bleu)]
    same = [a.strip() == b.strip() for a, b in zip(written, targets, strict=True)]
    return PairScores(
        n=len(targets),
        exact=_share(same),
        chrf=found[0],
        bleu=found[1],
        signatures=(str(chrf.get_signature()), str(bleu.get_signature())),
        same=same,
        written=written,
    )


def pair_summary(scores: PairScores) -> dict[str, Any]:
    """For JSON."""
    measures = {"exact_match": scores.exact, "chrf": scores.chrf, "bleu": scores.bleu}
    return {
        "n": scores.n,
        **{name: {"value": e.value, "low": e.low, "high": e.high} for name, e in measures.items()},
        "signatures": list(scores.signatures),
    }


def _share(same: Sequence[bool]) -> Estimate:
    return ratio(same, [1] * len(same))


def _estimated(metric: Any, written: list[str], targets: list[str]) -> Estimate:
    """A score of sacrebleu, and an interval from pairs drawn again.

    Its own bootstrap fails on scores that numpy made, so the sums that it scores from are drawn here.
    """
    score = metric.corpus_score(written, [targets])
    counts = np.array(metric._extract_corpus_statistics(written, [targets]))
    random = np.random.default_rng(0)
    drawn = [counts[random.integers(0, len(counts), len(counts))].sum(0).tolist() for _ in range(RESAMPLES)]
    again = np.array([metric._compute_score_from_stats(sums).score for sums in drawn])
    return estimate(float(score.score), again, len(counts))
