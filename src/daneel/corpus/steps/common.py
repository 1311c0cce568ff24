"""What several steps need: one text function over a batch, and examples short enough to print."""

from collections.abc import Callable
from dataclasses import replace

from daneel.corpus.step import Batch, Note, Result

_SHOWN = 100


def short(text: str) -> str:
    """A text on one line, of at most a hundred characters."""
    flat = " ".join(text[: 4 * _SHOWN].split())
    return flat if len(flat) <= _SHOWN else f"{flat[: _SHOWN - 1]}…"


def change(batch: Batch, function: Callable[[str, list[Note]], str]) -> Result:
    """Every text of a batch through a function that notes what it does."""
    result = Result([])
    for place, document in enumerate(batch):
        notes: list[Note] = []
        text = function(document.text, notes)
        result.documents.append(document if text == document.text else replace(document, text=text))
        result.notes += [(place, note) for note in notes]
    return result


def difference(before: str, after: str) -> str:
    """The first place where two texts part, from both."""
    pairs = enumerate(zip(before, after, strict=False))
    at = next((n for n, (old, new) in pairs if old != new), min(len(before), len(after)))
    show = slice(max(0, at - 10), at + 20)
    return f"{before[show]!r} → {after[show]!r}"
