"""What a corpus comes to in numbers: `statistics.json`, from which card and page are drawn."""

import re
import tomllib
from collections.abc import Callable, Iterable, Sequence
from importlib.resources import files
from typing import Any

import numpy as np

from daneel.corpus.associations import ATTRIBUTES, Counts
from daneel.corpus.document import HAN
from daneel.corpus.pipeline import Batch
from daneel.corpus.statistics import RUNS, Frequent, Statistics, bins

QUANTILES = (0, 10, 25, 50, 75, 90, 100)
_LISTED, _LOOKED_AT = 30, 2000
# A run counts for nothing of its own if a longer one has so much of its count: 多九 of 多九公.
_PART = 0.9
_CHINESE = re.compile(f"[{HAN}]+")
_HAN = re.compile(f"[{HAN}]")
_STOP: dict[str, str] = tomllib.loads(files("daneel.corpus").joinpath("stopwords.toml").read_text("utf-8"))
_STOP_ENGLISH = frozenset(_STOP["english"].split())
_STOP_CHARACTERS = frozenset(_STOP["chinese_characters"])
_STOP_CHINESE = frozenset(_STOP["chinese_words"].split())


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
            "words": _listed([total.runs[1]], _english),
            "phrases": _listed([total.runs[n] for n in RUNS[1:]], _english),
            "chinese": _listed([total.runs[n] for n in RUNS[1:]], _chinese),
            "missed": {str(n): frequent.missed for n, frequent in total.runs.items()},
        },
        "associations": {axis: _table(counts) for axis, counts in total.associations.items()},
    }


def _listed(runs: Iterable[Frequent], split: Callable[[str], list[str]]) -> list[list[Any]]:
    """The most frequent runs that tell something, each with its count; `split` gives the parts of one that does."""
    found = [(count, text, parts) for each in runs for count, text in each.top()[:_LOOKED_AT] if (parts := split(text))]
    covered: dict[tuple[str, ...], int] = {}
    for count, _, parts in found:
        for size in range(1, len(parts)):
            for start in range(len(parts) - size + 1):
                within = tuple(parts[start : start + size])
                covered[within] = max(count, covered.get(within, 0))
    own = [(count, text) for count, text, parts in found if covered.get(tuple(parts), 0) < _PART * count]
    return [[count, text] for count, text in sorted(own, key=lambda pair: (-pair[0], pair[1]))[:_LISTED]]


def _english(text: str) -> list[str]:
    """The words of a run that neither begins nor ends with a function word; else nothing."""
    words = re.findall(r"[^\W_]+", text)
    # A phrase should not reach over the end of a clause.
    whole = " ".join(words) == re.sub("['’-]", " ", text)
    ends = {words[0], words[-1]}
    return [] if _HAN.search(text) or not whole or ends & _STOP_ENGLISH or any(map(str.isdigit, ends)) else words


def _chinese(text: str) -> list[str]:
    """The characters of a run that is Chinese alone, without those of function words; else nothing."""
    common = _STOP_CHARACTERS & set(text) or text in _STOP_CHINESE
    return [] if common or not _CHINESE.fullmatch(text) else list(text)


def _table(counts: Counts) -> dict[str, Any]:
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
