"""Meanings drawn at random, by seed: what the verbs allow, in the constructions that the grammar has."""

import random
from collections.abc import Sequence
from dataclasses import replace
from typing import TypeVar

from daneel.conlang import english
from daneel.conlang.grammar import KINDS, Grammar, Verb
from daneel.conlang.meaning import Clause, Person, Phrase, Place, Relative, Someone
from daneel.errors import DataError

T = TypeVar("T")
# How often a construction is used where it is possible.
_VERB_GROUPS = {"copula": 0.08, "one": 0.22, "two": 0.55, "three": 0.15}
_TENSE = {"present": 0.4, "past": 0.35, "future": 0.25}
_NUMBER = {"singular": 0.68, "plural": 0.22, "dual": 0.1}
_PRONOUN, _INDEFINITE, _ADJECTIVE, _POSSESSOR, _RELATIVE = 0.25, 0.4, 0.25, 0.15, 0.14
_NEGATED, _QUESTION, _PLACE, _ADVERB = 0.15, 0.12, 0.22, 0.14
_PATIENCE = 2000


class Sampler:
    """Draws meanings; with `plain` only statements in the present about one thing each.

    Raises DataError for a grammar without a verb that its nouns can serve.
    """

    def __init__(self, grammar: Grammar, rng: random.Random, plain: bool = False) -> None:
        self.grammar, self.rng, self.plain = grammar, rng, plain
        lexicon = grammar.lexicon
        self._nouns = {kind: [n.gloss for n in lexicon.nouns.values() if n.kind == kind] for kind in KINDS}
        self._pronouns = list(lexicon.pronouns)
        self._owners = [key for key in self._pronouns if english.PRONOUNS[key][2]]
        self._owned = bool(grammar.case.genitive and self._nouns["person"])
        able = [verb for verb in lexicon.verbs.values() if self._usable(verb)]
        if not able:
            raise DataError(f"{grammar.name} can say nothing: give a verb, and nouns of the kinds that it takes")
        groups: dict[str, list[Verb]] = {name: [] for name in _VERB_GROUPS}
        for verb in able:
            groups[_group(verb)].append(verb)
        # Plain statements have neither pronouns nor adjectives.
        left_out = {"copula", "three"} if plain else set()
        self._groups = {name: verbs for name, verbs in groups.items() if verbs and name not in left_out}
        self._embedded = [verb for verb in able if not verb.copula and not verb.recipient]

    def _usable(self, verb: Verb) -> bool:
        """Whether there are nouns for its roles, and the grammar can mark them."""
        if (verb.copula and not self.grammar.lexicon.adjectives) or (verb.recipient and not self.grammar.case.dative):
            return False
        roles = [verb.subject, *([verb.object] if verb.object else []), *(["person"] if verb.recipient else [])]
        return all(self._kinds(role) for role in roles)

    def _kinds(self, role: str) -> list[str]:
        return [kind for kind in (KINDS if role == "any" else (role,)) if self._nouns[kind]]

    def clause(self) -> Clause:
        """A meaning."""
        rng, self._used, self._relatives = self.rng, set[str](), 0
        name = rng.choices(list(self._groups), [_VERB_GROUPS[each] for each in self._groups])[0]
        verb = rng.choice(self._groups[name])
        return Clause(
            verb=verb.gloss,
            subject=self._someone("any" if verb.copula else verb.subject),
            tense=self._tense(),
            object=self._someone(verb.object) if verb.object else None,
            recipient=self._someone("person") if verb.recipient else None,
            complement=rng.choice(list(self.grammar.lexicon.adjectives)) if verb.copula else None,
            place=self._place(),
            adverb=self._pick(_ADVERB, list(self.grammar.lexicon.adverbs)),
            negated=self._may(_NEGATED) and bool(self.grammar.verb.negation),
            question=self._may(_QUESTION) and bool(self.grammar.verb.question),
        )

    def with_root(self, root: str) -> Clause | None:
        """A plain meaning with this root, a noun, verb or adjective; none if no verb takes it."""
        for _ in range(_PATIENCE if self._groups else 0):
            meaning = self.clause()
            if root in self.grammar.lexicon.adjectives and isinstance(meaning.subject, Phrase):
                return replace(meaning, subject=replace(meaning.subject, adjective=root))
            if root in meaning.roots():
                return meaning
        return None

    def _may(self, chance: float) -> bool:
        return not self.plain and self.rng.random() < chance

    def _pick(self, chance: float, options: Sequence[T]) -> T | None:
        return self.rng.choice(options) if self._may(chance) and options else None

    def _tense(self) -> str:
        known = list(self.grammar.tense)
        if self.plain:
            return plain_tense(self.grammar)
        return self.rng.choices(known, [_TENSE[each] for each in known])[0]

    def _someone(self, role: str) -> Someone:
        if role in ("person", "any") and (key := self._pick(_PRONOUN, self._pronouns)):
            return Person(key)
        return self._phrase(role)

    def _phrase(self, role: str, owned: bool = True, embedded: bool = False) -> Phrase:
        rng, grammar = self.rng, self.grammar
        options = self._nouns[rng.choice(self._kinds(role))]
        # The same noun twice would be odd, if it can be helped.
        noun = rng.choice([each for each in options if each not in self._used] or options)
        self._used.add(noun)
        numbers = list(grammar.numbers)
        number = "singular" if self.plain else rng.choices(numbers, [_NUMBER[each] for each in numbers])[0]
        adjective = self._pick(_ADJECTIVE, list(grammar.lexicon.adjectives))
        possessor: Someone | None = None
        if owned and not embedded and self._owned and self._may(_POSSESSOR):
            owner = rng.choice(self._owners) if self._owners and rng.random() < 0.5 else None
            possessor = Person(owner) if owner else self._phrase("person", False)
        relative = None
        if owned and not embedded and grammar.relative and not self._relatives and self._may(_RELATIVE):
            relative = self._relative(grammar.lexicon.nouns[noun].kind)
        definite = bool(possessor) or grammar.noun.definite is None or rng.random() >= _INDEFINITE
        return Phrase(noun, number, definite, adjective, possessor, relative)

    def _relative(self, kind: str) -> Relative | None:
        as_subject = [("subject", verb) for verb in self._embedded if verb.subject in (kind, "any")]
        as_object = [("object", verb) for verb in self._embedded if verb.object in (kind, "any")]
        # Each role half of the time, though fewer verbs may take a thing as subject.
        both = [options for options in (as_subject, as_object) if options]
        if not both:
            return None
        gap, verb = self.rng.choice(self.rng.choice(both))
        self._relatives += 1
        other: Someone | None = None
        if gap == "object" or verb.object:
            role = verb.subject if gap == "object" else verb.object
            asked = role in ("person", "any")
            key = self._pick(_PRONOUN, self._pronouns) if asked else None
            other = Person(key) if key else self._phrase(role, embedded=True)
        return Relative(verb.gloss, "object" if gap == "object" else "subject", self._tense(), other)

    def _place(self) -> Place | None:
        adposition = self._pick(_PLACE, list(self.grammar.lexicon.adpositions))
        return Place(adposition, self._phrase("place")) if adposition and self._nouns["place"] else None


def plain_tense(grammar: Grammar) -> str:
    """The tense of plain statements."""
    return "present" if "present" in grammar.tense else next(iter(grammar.tense))


def _group(verb: Verb) -> str:
    return "copula" if verb.copula else "three" if verb.recipient else "two" if verb.object else "one"
