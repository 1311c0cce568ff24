"""The card of a corpus follows the model that learned from it, into its run."""

import shutil
from pathlib import Path

from daneel.corpus.build import read_manifest
from daneel.corpus.card import essentials
from daneel.corpus.read import is_corpus

_FILES = ("card.md", "report.html", "manifest.json", "statistics.json")
_BUILT, _COPIED = Path("daneel") / "corpus", Path("daneel") / "corpus-card"


def carry(corpus: Path, run: Path) -> None:
    """Copy the card of a corpus that lies elsewhere into a run; one built in the run has its card there."""
    if corpus.resolve() == (run / _BUILT).resolve():
        return
    (run / _COPIED).mkdir(parents=True, exist_ok=True)
    for name in _FILES:
        if (corpus / name).is_file():
            shutil.copyfile(corpus / name, run / _COPIED / name)


def carried(run: Path) -> list[str]:
    """What the run's own card says of its corpus, a line of Markdown each; nothing where it has none."""
    for place in (_BUILT, _COPIED):
        if is_corpus(run / place):
            lines = essentials(read_manifest(run / place))
            card = (place / "card.md").as_posix()
            return [*lines, f"more: [the card of the corpus]({card})"] if (run / card).is_file() else lines
    return []
