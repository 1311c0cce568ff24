"""Text made whole: line ends, composed characters, mojibake, control characters."""

import re
import unicodedata
from dataclasses import dataclass
from typing import ClassVar

import ftfy
from ftfy.chardata import UTF8_DETECTOR_RE

from daneel.corpus.step import Batch, Note, Result
from daneel.corpus.steps.common import change, difference

# Repairs damage and leaves the author's signs alone: curly quotes, fullwidth punctuation, entities.
_FTFY = ftfy.TextFixerConfig(
    uncurl_quotes=False,
    fix_character_width=False,
    unescape_html=False,
    fix_latin_ligatures=False,
    explain=False,
)
_CONTROLS = re.compile("[\x00-\x08\x0b\x0e-\x1f\x7f-\x9f\u206a-\u206f\ufeff\ufff9-\ufffc\ud800-\udfff]")
_ASCII_CONTROLS = re.compile("[\x00-\x08\x0b\x0e-\x1f\x7f]")
# Mojibake has two such signs side by side; looking for them is ten times as fast as ftfy's own pattern.
_SUSPECT = re.compile("[\x80-\u2122]{2}")
_SOFT_HYPHEN = "\u00ad"


@dataclass(frozen=True)
class Unicode:
    """Line ends become `\\n`, characters composed (NFC), encoding damage is repaired (ftfy), controls go."""

    name: ClassVar[str] = "unicode"

    def apply(self, batch: Batch) -> Result:
        """The batch, repaired."""
        return change(batch, _repair)


def _repair(text: str, notes: list[Note]) -> str:
    unix = text.replace("\r\n", "\n").replace("\r", "\n").replace("\u2028", "\n").replace("\u2029", "\n\n")
    if unix != text:
        ends = text.count("\r") + text.count("\u2028") + text.count("\u2029")
        notes.append(Note("line ends made \\n", f"{ends} of them"))
    if not unicodedata.is_normalized("NFC", unix):
        composed = unicodedata.normalize("NFC", unix)
        notes.append(Note("Unicode composed (NFC)", difference(unix, composed)))
        unix = composed
    ascii = unix.isascii()
    damaged = (_ASCII_CONTROLS if ascii else _CONTROLS).search(unix) or (
        not ascii and _SUSPECT.search(unix) and UTF8_DETECTOR_RE.search(unix)
    )
    whole = _lines(unix) if damaged else unix
    if whole != unix:
        notes.append(Note("encoding damage repaired", difference(unix, whole)))
    if _SOFT_HYPHEN in whole:
        notes.append(Note("soft hyphens removed", times=whole.count(_SOFT_HYPHEN)))
        whole = whole.replace(_SOFT_HYPHEN, "")
    return whole


def _lines(text: str) -> str:
    """The damaged lines through ftfy, the others as they are."""
    return "\n".join(
        ftfy.fix_text(line, _FTFY) if _CONTROLS.search(line) or UTF8_DETECTOR_RE.search(line) else line
        for line in text.split("\n")
    )
