"""Personal data found in each document, and reported, masked, hashed, faked, or the document left out."""

import dataclasses
from collections import Counter
from dataclasses import dataclass
from typing import ClassVar, Literal

import phonenumbers

from daneel.corpus.document import digest
from daneel.corpus.privacy.find import DEFAULT, KINDS, find
from daneel.corpus.privacy.replace import replace, shown
from daneel.corpus.step import Batch, Note, Result
from daneel.errors import UsageError


@dataclass(frozen=True)
class Privacy:
    """How personal data is treated."""

    name: ClassVar[str] = "privacy"

    action: Literal["report", "mask", "hash", "fake", "drop"] = "mask"
    """report changes nothing; mask writes [EMAIL]; hash writes [EMAIL:9c1f0a…]; fake writes what belongs to nobody;
    drop leaves the document out."""
    kinds: tuple[str, ...] = DEFAULT
    """What is looked for: email, ip, iban, cn_id, card, cn_mobile, us_ssn, phone, messenger (QQ, WeChat), person (names
    after words that announce one)."""
    regions: tuple[str, ...] = ("US", "GB", "CN")
    """Countries whose telephone numbers are known without a country code, two letters each."""
    salt: str = dataclasses.field(default="", repr=False)
    """A secret that hashes and fakes depend on; who has it can try values until one fits."""

    def __post_init__(self) -> None:
        for setting, known in (("kinds", KINDS), ("regions", phonenumbers.SUPPORTED_REGIONS)):
            for each in getattr(self, setting):
                if each not in known:
                    raise UsageError(
                        f"privacy.{setting} has {each!r}; it takes a list of {', '.join(sorted(known))}"
                    )  # fmt: skip
        if self.action in ("hash", "fake") and not self.salt:
            raise UsageError(
                f"privacy.action = {self.action!r} needs privacy.salt, a secret of your own: without one, anybody can"
                " try all telephone numbers until one fits"
            )

    def apply(self, batch: Batch) -> Result:
        """The batch with personal data treated; a note for each kind a document has."""
        result = Result(list(batch))
        for place, document in enumerate(batch):
            spans = find(document.text, self.kinds, self.regions)
            times = Counter(span.kind for span in spans)
            for kind, count in sorted(times.items()):
                first = next(span for span in spans if span.kind == kind)
                example = shown(document.text[first.start : first.end])
                result.notes.append((place, Note(f"personal data: {kind}", example, count, self.action == "drop")))
            if not spans or self.action == "report":
                continue
            if self.action == "drop":
                result.documents[place] = None
                continue
            text = replace(document.text, spans, self.action, self.salt)
            result.documents[place] = dataclasses.replace(document, text=text, sha256=digest(text))
        return result
