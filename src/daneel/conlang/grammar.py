"""What a grammar file says, as frozen dataclasses; each field is a setting of its table.

A *marker* is written as linguists write it: `-ka` is a suffix, `ka-` a prefix, `ka` a word of its own (a particle),
and an empty text marks nothing.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from functools import cached_property
from typing import Literal

Side = Literal["before", "after"]
Edge = Literal["first", "last"]
ClauseOrder = Literal["SOV", "SVO", "VSO", "VOS", "OVS", "OSV"]
NUMBERS = {"singular": "SG", "plural": "PL", "dual": "DU"}
TENSES = {"past": "PST", "present": "PRS", "future": "FUT"}
CASES = {
    "nominative": "NOM", "accusative": "ACC", "ergative": "ERG", "absolutive": "ABS", "dative": "DAT",
    "genitive": "GEN", "locative": "LOC",
}  # fmt: skip
PERSONS = tuple(f"{person}{number}" for number in ("SG", "DU", "PL") for person in "123")
KINDS = ("person", "thing", "place")


@dataclass(frozen=True)
class Sounds:
    """The letters, what each sounds like, and how they follow each other."""

    consonants: tuple[str, ...]
    """Letters or digraphs, the most frequent first."""
    vowels: tuple[str, ...]
    """The same of vowels."""
    syllables: Mapping[str, float]
    """Template to weight: C is a consonant, V a vowel, other capitals are classes; syllables make up roots."""
    ipa: Mapping[str, str] = field(default_factory=dict)
    """Letter to IPA symbol, where the two differ."""
    classes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """A capital to the letters it stands for in templates and bans."""
    lengths: tuple[float, ...] = (2, 5, 1)
    """Weights of roots of one syllable, two, three …, for roots that are generated."""
    bans: tuple[str, ...] = ()
    """Sequences that no word holds: letters and classes with spaces between, # for the edge of a word."""
    link_vowels: str = ""
    """Consonant put between an affix and a stem where two vowels would meet and a ban forbids it."""
    link_consonants: str = ""
    """Vowel put there where two consonants would meet and a ban forbids it."""


@dataclass(frozen=True)
class Harmony:
    """Vowels of a word come from one of two sets; a vowel of an affix changes to its partner in the set of the stem."""

    kind: Literal["backness", "height", "rounding", "tongue root"]
    """What the sets differ in."""
    one: tuple[str, ...]
    """The first set; affixes of stems with neutral vowels only take it."""
    other: tuple[str, ...]
    """The second, in the same order. Vowels in neither set are neutral."""


@dataclass(frozen=True)
class Mutation:
    """The first consonant of a stem changes in certain forms."""

    changes: Mapping[str, str]
    """Consonant to the consonant it becomes."""
    triggers: tuple[str, ...]
    """Forms in which it does: a case, number or tense, definite, possessed, negative."""


@dataclass(frozen=True)
class Order:
    """What stands before what."""

    clause: ClauseOrder
    """Subject, verb, object."""
    adjective: Side
    """Of the adjective to its noun."""
    genitive: Side
    """Of the possessor to what it has."""
    relative: Side
    """Of the relative clause to its noun."""
    adposition: Side
    """before makes prepositions, after postpositions; particles of noun phrases stand on the same side."""
    adverb: Side = "after"
    """Of the adverb to the verb."""
    place: Edge = "last"
    """Of the phrase of place in the sentence."""
    recipient: Side = "after"
    """Of the recipient to the object."""
    particles: Side = "before"
    """Of the particles of the verb to it."""
    question: Edge = "last"
    """Of the question particle in the sentence."""


@dataclass(frozen=True)
class Number:
    """Markers of number."""

    plural: str
    """Of more than one; or of more than two where there is a dual."""
    dual: str | None = None
    """Of two; without it the language has none."""


@dataclass(frozen=True)
class Case:
    """Markers of case: nominative and accusative, or ergative and absolutive; the others as wanted."""

    nominative: str = ""
    """Subject."""
    accusative: str = ""
    """Object."""
    ergative: str = ""
    """Subject of a verb with an object."""
    absolutive: str = ""
    """Object, and subject of a verb without one."""
    dative: str = ""
    """Recipient; without a marker nobody is given anything."""
    genitive: str = ""
    """Possessor; without a marker nobody owns anything."""
    locative: str = ""
    """Noun of an adposition."""


@dataclass(frozen=True)
class NounMarking:
    """What else nouns and their adjectives show."""

    definite: str | None = None
    """Marker of the definite; without it English says "the" everywhere."""
    adjective_agreement: tuple[Literal["number", "definite", "case"], ...] = ()
    """What an adjective repeats of its noun, as affixes."""


@dataclass(frozen=True)
class VerbMarking:
    """What else verbs show."""

    negation: str = ""
    """Marker of denial; without it nothing is denied."""
    question: str = ""
    """Particle of a question answered by yes or no; without it nothing is asked."""
    drop_pronouns: bool = False
    """Whether a subject pronoun is left out of a main clause where the verb's ending tells it."""


@dataclass(frozen=True)
class RelativeMarking:
    """The words that begin (or, before the noun, end) a relative clause."""

    subject: str
    """Where the noun is the clause's subject."""
    object: str
    """Where it is the clause's object; it may be the same word if order or case tells them apart."""


@dataclass(frozen=True)
class Noun:
    """A noun; the gloss is its English singular."""

    gloss: str
    form: str
    kind: str
    """person, thing or place."""
    plural: str
    """In English."""


@dataclass(frozen=True)
class Verb:
    """A verb; the gloss is its English infinitive, and `be` is the copula."""

    gloss: str
    form: str
    past: str
    """In English."""
    subject: str = "person"
    """Kind of its subject, or any."""
    object: str = ""
    """Kind of its object, or any; empty without object."""
    recipient: bool = False
    """Whether somebody is given the object."""

    @property
    def copula(self) -> bool:
        """Whether it joins a subject with an adjective."""
        return self.gloss == "be"


@dataclass(frozen=True)
class Word:
    """A word of another part of speech; the gloss is English, of a pronoun its person and number."""

    gloss: str
    form: str


@dataclass(frozen=True)
class Lexicon:
    """All roots by part of speech and gloss."""

    nouns: Mapping[str, Noun]
    verbs: Mapping[str, Verb]
    adjectives: Mapping[str, Word]
    adverbs: Mapping[str, Word]
    adpositions: Mapping[str, Word]
    pronouns: Mapping[str, Word]

    @cached_property
    def roots(self) -> dict[str, Noun | Verb | Word]:
        """Gloss to root, all parts of speech."""
        return {gloss: root for part in fields(self) for gloss, root in getattr(self, part.name).items()}


@dataclass(frozen=True)
class Grammar:
    """A language."""

    name: str
    seed: int
    """Chooses the roots that the file does not spell."""
    sounds: Sounds
    order: Order
    number: Number
    tense: Mapping[str, str]
    """Marker of each tense that the language has."""
    lexicon: Lexicon
    case: Case = Case()
    noun: NounMarking = NounMarking()
    verb: VerbMarking = VerbMarking()
    agreement: Mapping[str, str] = field(default_factory=dict)
    """Marker on the verb for each person and number of the subject."""
    relative: RelativeMarking | None = None
    harmony: Harmony | None = None
    mutation: Mutation | None = None
    irregular: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """Gloss to number, case or tense to the stem that says both at once."""

    @property
    def numbers(self) -> tuple[str, ...]:
        """The numbers that nouns distinguish."""
        return ("singular", "plural") if self.number.dual is None else ("singular", "dual", "plural")

    @property
    def ergative(self) -> bool:
        """Whether subjects of verbs with and without objects differ."""
        return bool(self.case.ergative or self.case.absolutive)

    def case_of(self, role: str, transitive: bool = False) -> str:
        """The case of a subject, object, recipient, possessor or place."""
        others = {"recipient": "dative", "possessor": "genitive", "place": "locative"}
        if role in others:
            return others[role]
        if self.ergative:
            return "ergative" if role == "subject" and transitive else "absolutive"
        return "nominative" if role == "subject" else "accusative"
