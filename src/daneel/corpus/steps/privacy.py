"""Personal data found in each document, and reported, masked, hashed, faked, or the document left out."""

import dataclasses
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
        if not set(self.kinds) <= set(KINDS):
            raise self.wrong("kinds", f"it must be a list of some of {', '.join(KINDS)}")
        if not set(self.regions) <= phonenumbers.SUPPORTED_REGIONS:
            raise self.wrong("regions", "it must be a list of countries' letters, such as US, GB, CN")
        if self.action in ("hash", "fake") and not self.salt:
            raise self.wrong(
                "action",
                "it needs privacy.salt, a secret of your own: without one, anybody can try all telephone numbers until"
                " one fits",
            )

    def apply(self, batch: Batch) -> Result:
        """The batch with personal data treated; a note for each kind a document has."""
        result = Result(list(batch))
        for place, document in enumerate(batch):
            spans = find(document.text, self.kinds, self.regions)
            times = Counter(span.kind for span in spans)
            for number, kind in enumerate(kind for kind in KINDS if kind in times):
                first = next(span for span in spans if span.kind == kind)
                example = shown(document.text[first.start : first.end])
                # One note is the reason for leaving a document out.
                dropped = self.action == "drop" and number == 0
                result.notes.append((place, Note(f"personal data: {kind}", example, times[kind], dropped)))
            if not spans or self.action == "report":
                continue
            if self.action == "drop":
                result.documents[place] = None
                continue
            text = replace(document.text, spans, self.action, self.salt)
            result.documents[place] = dataclasses.replace(document, text=text, sha256=digest(text))
        return result
