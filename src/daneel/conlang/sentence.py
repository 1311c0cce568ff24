"""A meaning in the language: words in their order, with an interlinear gloss."""

from dataclasses import dataclass

from daneel.conlang.grammar import Grammar
from daneel.conlang.meaning import Clause, Person, Phrase, Place, Relative, Someone
from daneel.conlang.words import Feature, Token, Words


@dataclass(frozen=True)
class Sentence:
    """What is said."""

    tokens: tuple[Token, ...]

    @property
    def text(self) -> str:
        """As it is written."""
        return " ".join(token.text for token in self.tokens)

    @property
    def segmented(self) -> str:
        """With hyphens between segments."""
        return " ".join(token.segmented for token in self.tokens)

    @property
    def gloss(self) -> str:
        """The gloss, word by word and segment by segment."""
        return " ".join(token.gloss for token in self.tokens)


class Speaker:
    """Says meanings in a language."""

    def __init__(self, grammar: Grammar) -> None:
        self.grammar, self.words = grammar, Words(grammar)
        self.dropped = frozenset(key for key in grammar.lexicon.pronouns if self._told_by_verb(key))

    def _told_by_verb(self, key: str) -> bool:
        """Whether the ending of the verb alone tells this pronoun."""
        grammar, cell = self.grammar, Person(key).agreement
        marker = grammar.agreement.get(cell, "")
        others = [Person(each).agreement for each in grammar.lexicon.pronouns if each != key]
        endings = {grammar.agreement.get(each, "") for each in (*others, "3SG", "3PL", "3DU") if each != cell}
        return grammar.verb.drop_pronouns and "-" in marker and cell not in others and marker not in endings

    def say(self, clause: Clause) -> Sentence:
        """The sentence."""
        order, lexicon = self.grammar.order, self.grammar.lexicon
        verb = lexicon.verbs[clause.verb]
        subject = [] if isinstance(clause.subject, Person) and clause.subject.key in self.dropped else self._noun(
            clause.subject, "subject", bool(verb.object)
        )  # fmt: skip
        group = self._verb(clause.verb, clause.tense, clause.subject.agreement, clause.negated)
        if clause.adverb:
            group = _beside(group, [self.words.plain(clause.adverb)], order.adverb)
        done = self._noun(clause.object, "object") if clause.object else []
        if clause.complement:
            number = clause.subject.number if isinstance(clause.subject, Phrase) else _number(clause.subject)
            features = self.words.noun_features(number, False, self.grammar.case_of("subject"))
            done = [self.words.adjective(clause.complement, features)]
        if clause.recipient:
            done = _beside(done, self._noun(clause.recipient, "recipient"), order.recipient)
        out = self._ordered(subject, group, done)
        if clause.place:
            out = _edge(out, self._place(clause.place), order.place == "first")
        if clause.question:
            out = _edge(out, [Token((self.grammar.verb.question,), ("Q",))], order.question == "first")
        return Sentence(tuple(out))

    def _ordered(self, subject: list[Token], verb: list[Token], done: list[Token]) -> list[Token]:
        parts = {"S": subject, "V": verb, "O": done}
        return [token for letter in self.grammar.order.clause for token in parts[letter]]

    def _verb(self, gloss: str, tense: str, agreement: str, negated: bool = False) -> list[Token]:
        features = self.words.verb_features(tense, agreement, negated)
        return _around([self.words.inflect(gloss, features, False)], features, self.grammar.order.particles)

    def _noun(self, phrase: Someone, role: str, transitive: bool = False) -> list[Token]:
        """A noun phrase or pronoun in the case of its role."""
        words, order, case = self.words, self.grammar.order, self.grammar.case_of(role, transitive)
        if isinstance(phrase, Person):
            features = words.noun_features("singular", False, case)
            return _around([words.noun(phrase.key, features)], features, order.adposition)
        possessed = phrase.possessor is not None
        features = words.noun_features(phrase.number, phrase.definite and not possessed, case)
        out = [words.noun(phrase.noun, features, possessed)]
        if phrase.adjective:
            out = _beside(out, [words.adjective(phrase.adjective, features)], order.adjective)
        out = _around(out, features[:-1], order.adposition)
        if phrase.possessor:
            out = _beside(out, self._noun(phrase.possessor, "possessor"), order.genitive)
        if phrase.relative:
            out = _beside(out, self._relative(phrase.relative, phrase.agreement), order.relative)
        return _around(out, features[-1:], order.adposition)

    def _relative(self, clause: Relative, agreement: str) -> list[Token]:
        marking = self.grammar.relative
        assert marking
        transitive = bool(self.grammar.lexicon.verbs[clause.verb].object)
        subject, done = [], []
        if clause.gap == "subject":
            done = self._noun(clause.other, "object") if clause.other else []
        else:
            assert clause.other
            subject, agreement = self._noun(clause.other, "subject", transitive), clause.other.agreement
        out = self._ordered(subject, self._verb(clause.verb, clause.tense, agreement), done)
        word = marking.subject if clause.gap == "subject" else marking.object
        label = "REL" if marking.subject == marking.object else f"REL.{'SBJ' if clause.gap == 'subject' else 'OBJ'}"
        return _edge(out, [Token((word,), (label,))], self.grammar.order.relative == "after")

    def _place(self, place: Place) -> list[Token]:
        word = [self.words.plain(place.adposition)]
        return _beside(self._noun(place.phrase, "place"), word, self.grammar.order.adposition)


def _number(person: Person) -> str:
    return {"SG": "singular", "DU": "dual", "PL": "plural"}[person.agreement[1:]]


def _beside(head: list[Token], other: list[Token], side: str) -> list[Token]:
    return other + head if side == "before" else head + other


def _edge(clause: list[Token], other: list[Token], first: bool) -> list[Token]:
    return other + clause if first else clause + other


def _around(head: list[Token], features: tuple[Feature, ...], side: str) -> list[Token]:
    """The head with the particles of its features, those of inner features nearer."""
    for each in features:
        if each.particle:
            head = _beside(head, [each.particle], side)
    return head
