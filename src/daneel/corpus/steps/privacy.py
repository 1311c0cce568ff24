"""Personal data found in each document, and reported, masked, hashed, faked, or the document left out."""

import dataclasses
import functools
from collections import Counter
from dataclasses import dataclass
from typing import ClassVar, Literal

import phonenumbers

from daneel.corpus.document import digest
from daneel.corpus.privacy.find import DEFAULT, KINDS, REGIONS, find
from daneel.corpus.privacy.replace import replace, shown
from daneel.corpus.settings import Settings
from daneel.corpus.step import Batch, Note, Result


@dataclass(frozen=True)
class Privacy(Settings):
    """How personal data is treated."""

    name: ClassVar[str] = "privacy"

    action: Literal["report", "mask", "hash", "fake", "drop"] = "mask"
    """report changes nothing; mask writes [EMAIL]; hash writes [EMAIL:9c1f0a…]; fake writes what belongs to nobody;
    drop leaves the document out."""
    kinds: tuple[str, ...] = DEFAULT
    """What is looked for: email, ip, iban, cn_id, card, cn_mobile, us_ssn, phone, messenger (QQ, WeChat), person (names
    after words that announce one)."""
    regions: tuple[str, ...] = REGIONS
    """Countries whose telephone numbers are known without a country code, two letters each."""
    salt: str = dataclasses.field(default="", repr=False)
    """A secret that hashes and fakes depend on: who has it can try values until one fits, so it is not published."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if wrong := [kind for kind in self.kinds if kind not in KINDS]:
            raise self.wrong("kinds", f"{', '.join(wrong)} is none of {', '.join(KINDS)}")
        if wrong := [region for region in self.regions if region not in phonenumbers.SUPPORTED_REGIONS]:
            raise self.wrong("regions", f"{', '.join(wrong)} is no country's letters, such as US, GB, CN")
        if self.action in ("hash", "fake") and not self.salt:
            raise self.wrong(
                "action",
                "it needs privacy.salt, a secret of your own: without one, anybody can try all telephone numbers until"
                " one fits",
            )

    def apply(self, batch: Batch) -> Result:
        """The batch with personal data treated, in titles and authors too; a note for each kind a document has."""
        result = Result(list(batch))
        for place, document in enumerate(batch):
            texts = {"text": document.text, "title": document.title, "author": document.author}
            spans = {key: find(text, self._kinds(key), self.regions) for key, text in texts.items() if text}
            found = [(span.kind, texts[key][span.start : span.end]) for key, own in spans.items() for span in own]
            times = Counter(kind for kind, _ in found)
            for number, kind in enumerate(kind for kind in KINDS if kind in times):
                example = shown(next(value for of, value in found if of == kind))
                # One note is the reason for leaving a document out.
                dropped = self.action == "drop" and number == 0
                result.notes.append((place, Note(f"personal data: {kind}", example, times[kind], dropped)))
            if not found or self.action == "report":
                continue
            if self.action == "drop":
                result.documents[place] = None
                continue
            new = {key: replace(texts[key], own, self.action, self.salt) for key, own in spans.items()}
            result.documents[place] = dataclasses.replace(document, **new, sha256=digest(new["text"]))
        return result

    def hidden(self, source: str) -> str:
        """The name of a source without the personal data in the names of its folders and files.

        Where documents with personal data are dropped, their names are still listed: they are masked.
        """
        return source if self.action == "report" else _hidden(self, source)

    def _kinds(self, of: str) -> tuple[str, ...]:
        """What is looked for in a text; in its title and author no names, which are there to be known."""
        return self.kinds if of == "text" else tuple(kind for kind in self.kinds if kind != "person")


@functools.lru_cache(1024)
def _hidden(step: Privacy, source: str) -> str:
    path, sign, number = source.partition("#")
    return "/".join(_name(step, name) for name in path.split("/")) + sign + number


def _name(step: Privacy, name: str) -> str:
    # The ending is none of an address, unless there is an address only with it.
    stem, dot, ending = name.rpartition(".")
    for text, rest in ((stem, dot + ending), (name, "")):
        if spans := find(text, step._kinds("source"), step.regions):
            action: Literal["hash", "fake", "mask"] = step.action if step.action in ("hash", "fake") else "mask"
            return replace(text, spans, action, step.salt) + rest
    return name
