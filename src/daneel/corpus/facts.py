"""What a corpus comes to in numbers: `statistics.json`, from which card and page are drawn."""

import re
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from daneel.corpus.associations import ATTRIBUTES
from daneel.corpus.document import HAN
from daneel.corpus.pipeline import Batch
from daneel.corpus.statistics import RUNS, Frequent, Statistics, bins

QUANTILES = (0, 10, 25, 50, 75, 90, 100)
_LISTED = 30
_CHINESE = re.compile(f"[{HAN}]+")
_HAN = re.compile(f"[{HAN}]")
# Words that are frequent everywhere, and so tell nothing of this corpus.
_STOP = frozenset(
    "a about after again all am an and any are as at be been before but by can could did do does down for from had has "  # noqa: SIM905
    "have he her here him his how i if in into is it its made may me more most must my no nor not now of on one only or "
    "our out over own s said shall she should so some such t than that the their them then there these they this those "
    "to too up upon very was we were what when where which who will with would you your".split()
)
_STOP_ZH = frozenset("的了是在不和有我他她你这那就也都而及与着或一个上下来去说道之其以于为者又便却")


def facts(batches: Sequence[Batch]) -> dict[str, Any]:
    """The counts of all batches together, as plain values."""
    total = Statistics()
    for batch in batches:
        if batch.statistics:
            total.add(batch.statistics)
    sizes = np.array([size for batch in batches for size in batch.sizes])
    return {
        "format": "daneel-corpus-statistics",
        "lengths": {
            "words": {str(q): int(np.percentile(sizes, q, method="lower")) for q in QUANTILES},
            "bins": bins(sizes),
        },
        "paragraphs": {"bins": total.paragraphs},
        "characters": total.characters,
        "scripts": dict(sorted(total.scripts.items(), key=lambda pair: -pair[1])),
        "frequent": {
            "words": _listed([total.runs[1]], _told),
            "phrases": _listed([total.runs[n] for n in RUNS[1:]], _told),
            "chinese": _listed([total.runs[n] for n in RUNS[1:]], _told_in_chinese),
            "missed": {str(n): frequent.missed for n, frequent in total.runs.items()},
        },
        "associations": {axis: _table(counts) for axis, counts in total.associations.items()},
    }


def _listed(runs: Iterable[Frequent], told: Any) -> list[list[Any]]:
    """The most frequent runs that tell something, each with its count."""
    found = [(count, text) for frequent in runs for count, text in frequent.top() if told(text)]
    return [[count, text] for count, text in sorted(found, key=lambda pair: (-pair[0], pair[1]))[:_LISTED]]


def _told(text: str) -> bool:
    words = re.findall(r"[^\W_]+", text)
    # A phrase should not reach over the end of a clause.
    whole = " ".join(words) == re.sub("['’-]", " ", text)
    return not _HAN.search(text) and whole and not all(word in _STOP or word.isdigit() for word in words)


def _told_in_chinese(text: str) -> bool:
    return bool(_CHINESE.fullmatch(text)) and not _STOP_ZH & set(text)


def _table(counts: Any) -> dict[str, Any]:
    """The groups of an axis with their attributes, and how unevenly these are spread."""
    odds = [[counts.log_odds(g, a) for a in range(len(ATTRIBUTES))] for g in range(len(counts.groups))]
    return {
        "groups": list(counts.groups),
        "attributes": list(ATTRIBUTES),
        "named": counts.named,
        "near": counts.near,
        "log_odds": [[round(value, 4) for value, _ in row] for row in odds],
        "standard_error": [[round(error, 4) for _, error in row] for row in odds],
    }
