"""Meanings: trees that are said in the language and in English, and the patterns that a tree shows."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Person:
    """A pronoun: 1SG, 3SG.F, 2PL …"""

    key: str

    @property
    def agreement(self) -> str:
        """Person and number, as a verb shows them."""
        return self.key.partition(".")[0]


@dataclass(frozen=True)
class Phrase:
    """A noun with what belongs to it."""

    noun: str
    number: str = "singular"
    definite: bool = True
    adjective: str | None = None
    possessor: "Phrase | Person | None" = None
    relative: "Relative | None" = None

    @property
    def agreement(self) -> str:
        """Person and number, as a verb shows them."""
        return {"singular": "3SG", "dual": "3DU", "plural": "3PL"}[self.number]


Someone = Phrase | Person


@dataclass(frozen=True)
class Relative:
    """A clause about a noun, which has the role `gap` in it; `other` has the other role, if the verb has two."""

    verb: str
    gap: Literal["subject", "object"]
    tense: str
    other: Someone | None = None


@dataclass(frozen=True)
class Place:
    """Where it happens."""

    adposition: str
    phrase: Phrase


@dataclass(frozen=True)
class Clause:
    """A sentence."""

    verb: str
    subject: Someone
    tense: str
    object: Someone | None = None
    recipient: Someone | None = None
    complement: str | None = None
    """The adjective after the copula."""
    place: Place | None = None
    adverb: str | None = None
    negated: bool = False
    question: bool = False

    def phrases(self) -> Iterator[Someone]:
        """All noun phrases and pronouns, those within others too."""
        places = [self.place.phrase] if self.place else []
        todo: list[Someone | None] = [self.subject, self.object, self.recipient, *places]
        while todo:
            each = todo.pop(0)
            if each is None:
                continue
            yield each
            if isinstance(each, Phrase):
                todo += [each.possessor, each.relative.other if each.relative else None]

    def roots(self) -> set[str]:
        """The glosses in it."""
        out = {self.verb, self.complement, self.adverb, self.place.adposition if self.place else None}
        for each in self.phrases():
            if isinstance(each, Person):
                out.add(each.key)
            else:
                out |= {each.noun, each.adjective, each.relative.verb if each.relative else None}
        return {root for root in out if root is not None}

    def patterns(self) -> set[str]:
        """The constructions in it that go beyond a plain statement in the present about one thing."""
        out = {self.tense, *({"pronoun"} if isinstance(self.subject, Person) else ())}
        flags = {
            "negation": self.negated, "question": self.question, "recipient": self.recipient,
            "predicate adjective": self.complement, "place": self.place, "adverb": self.adverb,
        }  # fmt: skip
        out |= {name for name, value in flags.items() if value}
        for each in self.phrases():
            if isinstance(each, Person):
                out.add("pronoun")
                continue
            out.add(each.number)
            if each.adjective:
                out.add("adjective")
            if each.possessor:
                out.add("possessor")
            if each.relative:
                out |= {f"{each.relative.gap} relative", each.relative.tense}
        return out - {"singular", "present"}
