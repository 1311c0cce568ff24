"""The language of each document, and of its paragraphs where only some languages are wanted."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Annotated, ClassVar

from daneel.corpus.document import Document, digest
from daneel.corpus.identify import UNKNOWN, Guess, identify
from daneel.corpus.settings import Range, Settings, Share
from daneel.corpus.step import Batch, Note, Result

_LEAST = 40
"""Letters below which a stated language is believed and a paragraph is left alone: of paragraphs of 50 to 100
characters of novels 0.05 % are taken for another language, of shorter ones 0.7 %."""
_THREE = {
    "ara": "ar", "chi": "zh", "cmn": "zh", "deu": "de", "dut": "nl", "eng": "en", "fra": "fr", "fre": "fr", "ger": "de",
    "ita": "it", "jpn": "ja", "kor": "ko", "lzh": "zh", "nld": "nl", "por": "pt", "rus": "ru", "spa": "es", "zho": "zh",
}  # fmt: skip
_CODE = re.compile("[a-z]{2,3}")
_BREAK = re.compile(r"\n[^\S\n]*\n\s*|\n")


@dataclass(frozen=True)
class Language(Settings):
    """Says which language each document is in, and keeps those that are wanted."""

    name: ClassVar[str] = "language"

    keep: tuple[str, ...] = ()
    """Languages that are wanted, as `["en", "zh"]`; `und` keeps what could not be told; empty: all."""
    paragraphs: bool = False
    """Also removes paragraphs in a language that is not wanted: not in `keep`, or where that is empty, not the
    document's. Those of fewer than 40 letters (20 Chinese characters) stay."""
    threshold: Share = 0.5
    """Confidence below which a language counts as undetermined (CCNet, arXiv:1911.00359, takes 0.5; FineWeb 0.65)."""
    overrule: Annotated[float, Range(0, 1.1)] = 0.9
    """Confidence from which the text is believed rather than the source that states another language; 1.1: never."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if not all(map(is_code, self.keep)):
            raise self.wrong("keep", "it must be a list of codes (ISO 639-1), such as en, zh, und")

    def apply(self, batch: Batch) -> Result:
        """The batch with languages, without what is in an unwanted one."""
        result = Result([])
        for n, (document, guess) in enumerate(zip(batch, identify([each.text for each in batch]), strict=True)):
            tag, note = self._settle(document, guess)
            if note:
                result.notes.append((n, note))
            out: Document | None = document if document.language == tag else replace(document, language=tag)
            if self.keep and tag not in self.keep:
                out = None
                shown = f"{guess.confidence:.2f}: {_beginning(document.text)}"
                result.notes.append((n, Note(f"language: {tag} is not wanted", shown, dropped=True)))
            result.documents.append(out)
        if self.paragraphs:
            for n, out in enumerate(result.documents):
                if out:
                    result.documents[n], notes = self._trim(out)
                    result.notes += [(n, note) for note in notes]
        return result

    def _settle(self, document: Document, guess: Guess) -> tuple[str, Note | None]:
        """The document's language: what the source states unless the text clearly contradicts."""
        found = guess.language if guess.confidence >= self.threshold else UNKNOWN
        stated = _short(document.language)
        if stated == UNKNOWN:
            return found, None
        if found in (stated, UNKNOWN) or guess.confidence < self.overrule or not _long(document.text):
            return stated, None
        return found, Note(f"language: the source says {stated}, the text is {found}", _beginning(document.text))

    def _trim(self, document: Document) -> tuple[Document | None, list[Note]]:
        """The document without paragraphs in an unwanted language."""
        if not self.keep and document.language == UNKNOWN:
            return document, []
        wanted = set(self.keep or (document.language,)) | {UNKNOWN}
        pieces = list(_paragraphs(document.text))
        guesses = identify([text for text, _ in pieces])
        kept: list[str] = []
        removed: dict[str, list[str]] = {}
        for (text, gap), guess in zip(pieces, guesses, strict=True):
            if guess.language in wanted or guess.confidence < self.threshold or not _long(text):
                kept += [text, gap]
            else:
                removed.setdefault(guess.language, []).append(text)
        if not removed:
            return document, []
        notes = [
            Note(f"language: paragraphs in {tag} removed", _beginning(texts[0]), times=len(texts))
            for tag, texts in removed.items()
        ]
        text = "".join(kept).strip("\n")
        if not text:
            return None, [*notes, Note("language: nothing is left", _beginning(document.text), dropped=True)]
        return replace(document, text=text, sha256=digest(text)), notes


def is_code(text: str) -> bool:
    """Whether a text can be the code of a language as documents have it: `en`, not `eng`, `en-US` or `English`."""
    return bool(_CODE.fullmatch(text)) and text not in _THREE


def _short(stated: str) -> str:
    """ISO 639-1 of a language tag as sources write it: `en-US`, `zh_Hant`, `eng`; `und` for none."""
    primary = re.split("[-_]", stated.strip().lower())[0]
    return _THREE.get(primary, primary) or UNKNOWN


def _paragraphs(text: str) -> Iterator[tuple[str, str]]:
    """Each line or block, and the line ends after it; joined they are the text."""
    start = 0
    for match in _BREAK.finditer(text):
        yield text[start : match.start()], match[0]
        start = match.end()
    yield text[start:], ""


def _long(text: str) -> bool:
    """Whether there is enough of it to tell; a Chinese character says as much as two letters."""
    letters = 0
    for sign in text[: 20 * _LEAST]:
        letters += (2 if sign >= "\u3040" else 1) if sign.isalpha() else 0
        if letters >= _LEAST:
            return True
    return False


def _beginning(text: str) -> str:
    return " ".join(text[:200].split())[:80]
