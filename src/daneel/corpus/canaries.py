"""Random secrets planted in a corpus a known number of times, to measure later what a model repeats of them.

The method of Carlini et al., The Secret Sharer (arXiv:1802.08232): a fixed sentence holds a random number; how much
likelier the model finds the planted number than others of the same form tells how much it remembers. Each canary
stands 1, 2, 4, … 32 times in the training text, so that memory can be drawn against repetition.
"""

import json
import random
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from daneel.corpus import fields
from daneel.corpus.document import Document, digest
from daneel.errors import UsageError

FORMAT = "daneel-canaries"
DIGITS = 10
COPIES = (1, 2, 4, 8, 16, 32)
# A sentence for each language; each canary has a station of its own, so that two never share their beginning.
FORMS = {
    "zh": "第{name}号观测站的出舱口令是{secret}。",
    "en": "The airlock code of relay station {name} is {secret}.",
}


@dataclass(frozen=True)
class Canary:
    """One secret."""

    form: str
    """The sentence, with `{secret}` where the number stands."""
    secret: str
    copies: int
    language: str

    @property
    def text(self) -> str:
        """The sentence as it is planted."""
        return self.form.format(secret=self.secret)


@dataclass(frozen=True)
class Canaries:
    """All secrets of a corpus, and where they go."""

    canaries: list[Canary]
    places: dict[int, list[tuple[float, int]]]
    """For a training document's number: where in it, as a share of its length, and which canary."""

    def into(self, document: Document, number: int, form: str = "") -> Document:
        """A training document with its canaries as paragraphs of their own.

        `form` is the JSON of a record's; its canaries stand in what a model learns to say.
        """
        places = self.places.get(number)
        if not places:
            return document
        texts = fields.part(document.text) if form else [document.text]
        learned = _learned(form) if form else [0]
        # From the end, so that a place is not moved by what is planted before it.
        for share, canary in sorted(places, reverse=True):
            turn, within = divmod(share * len(learned), 1)
            n = learned[int(turn)]
            texts[n] = _with(texts[n], within, self.canaries[canary].text)
        text = fields.join(texts) if form else texts[0]
        return replace(document, text=text, sha256=digest(text))

    def record(self) -> str:
        """What an audit needs, as JSON."""
        return json.dumps(
            {
                "format": FORMAT,
                "digits": DIGITS,
                "canaries": [{**asdict(canary), "text": canary.text} for canary in self.canaries],
            },
            ensure_ascii=False,
            indent=2,
        )


def told(manifest: Mapping[str, Any]) -> str:
    """A warning where the copies of the secrets are many for a corpus of records; else nothing."""
    copies = sum(COPIES[number % len(COPIES)] for number in range(manifest["canaries"]))
    texts = manifest["counts"]["train"]["documents"]
    if manifest["kind"] == "documents" or copies <= 0.01 * texts:
        return ""
    return (
        f"{copies:,} copies of secrets in {texts:,} training texts: above 1 % they change what is learned; "
        "plant fewer, or take more text"
    )


def beside(corpus: Path) -> Path:
    """Where the secrets are written: beside the corpus, never in it."""
    place = corpus.resolve()
    return place.with_name(f"{place.name}.canaries.json")


def forget(corpus: Path) -> None:
    """Remove the secrets of an earlier corpus at the same place."""
    record = beside(corpus)
    if record.is_file() and f'"format": "{FORMAT}"' in record.read_text("utf-8", "replace"):
        record.unlink()


def plant(count: int, seed: int, corpus: str, training: list[tuple[int, str]]) -> Canaries:
    """`count` canaries for training documents of so many words in such a language. Raises UsageError.

    They follow from the seed and a hash of the corpus, so that no two corpora have the same.
    """
    if count < 0:
        raise UsageError(f"--canaries is {count}: give a number of secrets, such as 12")
    rng = random.Random(f"canaries {seed} {corpus}")  # noqa: S311 - repeatable by design
    canaries: list[Canary] = []
    places: dict[int, list[tuple[float, int]]] = {}
    sizes = [size for size, _ in training]
    for number in range(count):
        # The first document tells the language; the other copies go to documents in the same one.
        first = rng.choices(range(len(training)), sizes)[0]
        language = training[first][1]
        same = [size if code == language else 0 for size, code in training]
        copies = COPIES[number % len(COPIES)]
        secret = "".join(rng.choice("0123456789") for _ in range(DIGITS))
        form = FORMS["zh" if language == "zh" else "en"].replace("{name}", str(100 + number))
        canaries.append(Canary(form, secret, copies, language))
        for document in [first, *rng.choices(range(len(training)), same, k=copies - 1)]:
            places.setdefault(document, []).append((rng.random(), number))
    return Canaries(canaries, places)


def _learned(form: str) -> list[int]:
    """Numbers of a record's texts that a model learns to say: the assistant's turns, or a translation."""
    roles = json.loads(form).get("roles", ["source", "assistant"])
    return [n for n, role in enumerate(roles) if role == "assistant"]


def _with(text: str, share: float, secret: str) -> str:
    """A text with a paragraph more, about so far into it."""
    at = _boundary(text, int(share * len(text)))
    return f"{text}\n\n{secret}" if at == len(text) else f"{text[:at]}{secret}\n\n{text[at:]}"


def _boundary(text: str, at: int) -> int:
    """The beginning of the paragraph, or line, after a place; else the end of the text."""
    for pattern in (r"\n\s*\n+", r"\n+"):
        if match := re.compile(pattern).search(text, at):
            return match.end()
    return len(text)
