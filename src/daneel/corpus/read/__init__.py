"""Files, folders, archives and data sets as decoded text, or a reason why not.

`plan` lists units of work in an order of names, `load` reads one of them in any process, `read` does both here.
"""

import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from daneel.corpus.read.archives import ABOUT
from daneel.corpus.read.encoding import decode
from daneel.corpus.read.item import DEFAULTS, SUFFIXES, Dropped, Item, Makes, Raw, ReadSettings
from daneel.corpus.read.load import load
from daneel.corpus.read.walk import is_corpus, plan

__all__ = [
    "ABOUT", "SUFFIXES", "Dropped", "Item", "Makes", "Raw", "ReadSettings", "decode", "is_corpus", "load", "plan",
    "read",
]  # fmt: skip


def read(
    paths: Sequence[str | Path],
    settings: ReadSettings = DEFAULTS,
    makes: Makes = "documents",
    order: tuple[str, ...] = (),
) -> Iterator[Raw | Dropped]:
    """Every text below the paths, in the order of names; what cannot be used comes with its reason."""
    with tempfile.TemporaryDirectory() as scratch:
        for item in plan(paths, settings, Path(scratch), makes, order):
            if isinstance(item, Dropped):
                yield item
            else:
                yield from load(item)
