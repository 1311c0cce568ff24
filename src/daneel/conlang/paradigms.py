"""All word forms of a language, each under a name that tells what a listener must tell apart."""

from collections.abc import Iterator

from daneel.conlang.grammar import PERSONS, TENSES, Grammar
from daneel.conlang.meaning import Person
from daneel.conlang.sentence import Speaker
from daneel.conlang.words import Feature, Token


def cases(grammar: Grammar) -> tuple[str, ...]:
    """The cases that nouns take, in the order of a table."""
    subject = ("ergative", "absolutive") if grammar.ergative else ("nominative", "accusative")
    others = [case for case in ("dative", "genitive", "locative") if getattr(grammar.case, case)]
    return (*subject, *others)


def agreements(grammar: Grammar) -> tuple[str, ...]:
    """The persons and numbers of subjects."""
    dual = [cell for cell in PERSONS if cell.endswith("DU") and grammar.number.dual is not None]
    of_pronouns = {Person(key).agreement for key in grammar.lexicon.pronouns}
    return tuple(cell for cell in PERSONS if cell in dual or cell in of_pronouns or cell in ("3SG", "3PL"))


def forms(grammar: Grammar) -> Iterator[tuple[str, str, Token]]:
    """(gloss of the root, meaning, word form): two forms of one meaning may look alike, two meanings may not."""
    speaker = Speaker(grammar)
    words, lexicon = speaker.words, grammar.lexicon
    every = [
        words.noun_features(number, definite, case)
        for number in grammar.numbers
        for definite in ((False, True) if grammar.noun.definite is not None else (False,))
        for case in cases(grammar)
    ]
    for gloss in lexicon.nouns:
        for features in every:
            for possessed in (False, True):
                yield gloss, _name(gloss, features), words.noun(gloss, features, possessed)
    for gloss in lexicon.pronouns:
        for case in cases(grammar):
            features = words.noun_features("singular", False, case)
            yield gloss, _name(gloss, features), words.noun(gloss, features)
    for gloss in lexicon.adjectives:
        for features in every:
            # What an adjective repeats is told by its noun.
            yield gloss, gloss, words.adjective(gloss, features)
    told = {Person(key).agreement for key in speaker.dropped}
    for gloss in lexicon.verbs:
        for tense in grammar.tense:
            for cell in agreements(grammar):
                for negated in (False, True) if grammar.verb.negation else (False,):
                    features = words.verb_features(tense, cell, negated)
                    kept = features if cell in told else features[:-1]
                    yield gloss, _name(gloss, kept), words.inflect(gloss, features, False)
    for gloss in (*lexicon.adverbs, *lexicon.adpositions):
        yield gloss, gloss, words.plain(gloss)
    yield from _particles(grammar, every)


def _particles(grammar: Grammar, nouns: list[tuple[Feature, ...]]) -> Iterator[tuple[str, str, Token]]:
    features = {feature for each in nouns for feature in each}
    features |= {Feature(tense, marker, TENSES[tense]) for tense, marker in grammar.tense.items()}
    features.add(Feature("negative", grammar.verb.negation, "NEG"))
    features.add(Feature("question", grammar.verb.question, "Q"))
    if relative := grammar.relative:
        same = relative.subject == relative.object
        features.add(Feature("relative", relative.subject, "REL" if same else "REL.SBJ"))
        features.add(Feature("relative", relative.object, "REL" if same else "REL.OBJ"))
    # A set of them has no order of its own.
    for each in sorted(features, key=lambda feature: (feature.value, feature.label)):
        if each.particle:
            yield "", each.label, each.particle


def _name(gloss: str, features: tuple[Feature, ...]) -> str:
    """The root and what its own form must tell: particles speak for themselves."""
    return ".".join([gloss, *(each.label for each in features if each.affix)])
