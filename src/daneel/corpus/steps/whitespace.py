"""White space that means nothing: at line ends, around the text, runs of blank lines, page breaks."""

import re
from dataclasses import dataclass
from typing import Annotated, ClassVar

from daneel.corpus.settings import Range, Settings
from daneel.corpus.step import Batch, Note, Result
from daneel.corpus.steps.common import change


@dataclass(frozen=True)
class Whitespace(Settings):
    """Removes spaces at line ends and blank lines at both ends; indentation stays, as it may mean verse or code."""

    name: ClassVar[str] = "whitespace"
    blank_lines: Annotated[int, Range(0, 1_000)] = 2
    """Blank lines in a row that stay."""

    def apply(self, batch: Batch) -> Result:
        """The batch, tidied."""
        return change(batch, self._tidy)

    def _tidy(self, text: str, notes: list[Note]) -> str:
        tidy = "\n".join([line.rstrip() for line in text.replace("\f", "\n").split("\n")])
        most = "\n" * (self.blank_lines + 1)
        if f"{most}\n" in tidy:
            tidy = re.sub(rf"{most}\n+", most, tidy)
        tidy = tidy.strip("\n")
        if tidy != text.strip("\n"):
            saved = f"{len(text) - len(tidy)} characters"
            notes.append(Note("spaces at line ends and runs of blank lines removed", saved))
        return tidy
