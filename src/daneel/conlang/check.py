"""What makes a grammar unusable: sounds it lacks, two meanings with one form, word forms that break its own bans."""

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass

from daneel.conlang.grammar import CASES, KINDS, TENSES, Grammar, Mutation, Sounds
from daneel.conlang.ipa import is_known
from daneel.conlang.paradigms import forms
from daneel.conlang.sounds import Phonology, SpellingError
from daneel.errors import DataError


@dataclass(frozen=True)
class Fault:
    """What is wrong with some roots."""

    message: str
    glosses: tuple[str, ...]


def check_rules(grammar: Grammar) -> None:
    """Raise DataError, naming the place, for anything wrong but in roots."""
    _sounds(grammar.sounds)
    _harmony(grammar)
    _markers(grammar, Phonology(grammar.sounds, grammar.harmony, grammar.mutation))
    _structure(grammar)
    _irregular(grammar)
    if grammar.mutation:
        _mutation(grammar.mutation, grammar)


def faults(grammar: Grammar) -> Iterator[Fault]:
    """What is wrong with the roots of a grammar whose rules are right: first of each alone, then of their forms."""
    sounds = Phonology(grammar.sounds, grammar.harmony, grammar.mutation)
    alone = list(_roots(grammar, sounds))
    yield from alone or _forms(grammar, sounds)


def _sounds(sounds: Sounds) -> None:
    letters = [*sounds.consonants, *sounds.vowels]
    for name in ("consonants", "vowels", "syllables"):
        if not getattr(sounds, name):
            raise DataError(f"[sounds] {name} is empty")
    for letter in letters:
        if not letter or not re.fullmatch(r"[^\s#A-Z0-9.-]+", letter):
            raise DataError(f"[sounds] {letter!r} is no letter: no spaces, digits, capitals, '#', '.' or '-'")
        if letters.count(letter) > 1:
            raise DataError(f"[sounds] {letter!r} is listed twice")
        symbol, vowel = sounds.ipa.get(letter, letter), letter in sounds.vowels
        if not is_known(symbol, vowel):
            what = "vowel" if vowel else "consonant"
            raise DataError(f'[sounds] {letter!r} is no IPA {what}: say how it sounds, ipa = {{ "{letter}" = "…" }}')
    for letter in (*sounds.ipa, *(each for members in sounds.classes.values() for each in members)):
        _known_letter("[sounds]", letter, letters)
    for name in ("link_vowels", "link_consonants"):
        if link := getattr(sounds, name):
            _known_letter(f"[sounds] {name}", link, letters)
            if (link in sounds.vowels) != (name == "link_consonants"):
                what = "consonant" if name == "link_vowels" else "vowel"
                raise DataError(f"[sounds] {name} is {link!r}; it must be a {what}")
    for name, members in sounds.classes.items():
        if not re.fullmatch("[A-Z]", name) or name in "CV" or not members:
            raise DataError(f"[sounds] classes.{name}: a class is called by one capital, not C or V, and has letters")
    known = {"C", "V", *sounds.classes}
    for template, weight in sounds.syllables.items():
        if not template or set(template) - known or weight < 0:
            raise DataError(f"[sounds] syllables: {template!r} must be made of {', '.join(sorted(known))}, weight ≥ 0")
    if min(sounds.lengths, default=-1) < 0 or not all(
        0 < sum(weights) < math.inf for weights in (sounds.syllables.values(), sounds.lengths)
    ):
        raise DataError("[sounds] syllables and lengths need weights of which one is above 0")
    for ban in sounds.bans:
        for part in ban.split() or [""]:
            if part not in known | {"#", *letters}:
                raise DataError(f"[sounds] bans: {part!r} in {ban!r} is neither a letter, a class nor #")


def _known_letter(where: str, letter: str, letters: list[str]) -> None:
    if letter not in letters:
        raise DataError(f"{where}: {letter!r} is none of the consonants and vowels")


def _harmony(grammar: Grammar) -> None:
    if not (harmony := grammar.harmony):
        return
    for vowel in (*harmony.one, *harmony.other):
        if vowel not in grammar.sounds.vowels:
            raise DataError(f"[harmony] {vowel!r} is none of the vowels")
    if not harmony.one or len(harmony.one) != len(harmony.other):
        raise DataError("[harmony] one and other must be lists of the same length, partners in the same place")
    if len({*harmony.one, *harmony.other}) < 2 * len(harmony.one):
        raise DataError("[harmony] a vowel has more than one place")


def _mutation(mutation: Mutation, grammar: Grammar) -> None:
    for letter in (*mutation.changes, *mutation.changes.values()):
        if letter not in grammar.sounds.consonants:
            raise DataError(f"[mutation] {letter!r} is none of the consonants")
    known = [*grammar.numbers[1:], *CASES, "definite", "possessed", *TENSES, "negative"]
    for trigger in mutation.triggers:
        if trigger not in known:
            raise DataError(f"[mutation] triggers: {trigger!r} is not known; known: {', '.join(known)}")


def _affixes(grammar: Grammar) -> Iterator[tuple[str, str, bool]]:
    """(place, marker, whether it may be a particle)"""
    yield "[number] plural", grammar.number.plural, True
    if grammar.number.dual is not None:
        yield "[number] dual", grammar.number.dual, True
    if grammar.noun.definite is not None:
        yield "[noun] definite", grammar.noun.definite, True
    yield from ((f"[case] {case}", getattr(grammar.case, case), True) for case in CASES)
    yield from ((f"[tense] {tense}", marker, True) for tense, marker in grammar.tense.items())
    yield from ((f"[agreement] {cell}", marker, False) for cell, marker in grammar.agreement.items())
    yield "[verb] negation", grammar.verb.negation, True


def _markers(grammar: Grammar, sounds: Phonology) -> None:
    if not grammar.tense:
        raise DataError("[tense] is empty: give past, present or future")
    for place, marker, free in _affixes(grammar):
        inner = marker.strip("-")
        if marker.count("-") > 1 or (marker and not inner) or "-" in inner or (marker and not free and inner == marker):
            raise DataError(f"{place} is {marker!r}: write -x for a suffix, x- for a prefix" + (" or x" * free))
        _spelled(place, inner, sounds)
    words = {"[verb] question": grammar.verb.question}
    if relative := grammar.relative:
        words |= {"[relative] subject": relative.subject, "[relative] object": relative.object}
        if not relative.subject or not relative.object:
            raise DataError("[relative] needs a word for subject and object")
    for place, word in words.items():
        _spelled(place, word, sounds)


def _spelled(place: str, text: str, sounds: Phonology) -> None:
    try:
        sounds.split(text)
    except SpellingError as error:
        raise DataError(f"{place}: {text!r} {error}") from None


def _structure(grammar: Grammar) -> None:
    case = grammar.case
    if grammar.ergative and (case.nominative or case.accusative):
        raise DataError("[case] has both nominative/accusative and ergative/absolutive: choose one pair")
    if grammar.number.plural == "" or grammar.number.dual == "":
        raise DataError("[number] plural and dual must differ from the unmarked singular")
    if grammar.noun.definite == "":
        raise DataError('[noun] definite is "": leave it out where nothing marks it')
    if len(set(grammar.tense.values())) < len(grammar.tense):
        raise DataError("[tense] two tenses have the same marker")
    for name, roots in (("nouns", grammar.lexicon.nouns), ("verbs", grammar.lexicon.verbs)):
        if not roots:
            raise DataError(f"[{name}] is empty")
    for verb in grammar.lexicon.verbs.values():
        for name, kind, known in (("subject", verb.subject, KINDS), ("object", verb.object, ("", *KINDS))):
            if kind not in (*known, "any"):
                raise DataError(f"[verbs.{verb.gloss}] {name} is {kind!r}; it must be {', '.join(KINDS)} or any")
        if verb.recipient and not verb.object:
            raise DataError(f"[verbs.{verb.gloss}] has a recipient but no object")
    told = getattr(case, grammar.case_of("subject", True)) != getattr(case, grammar.case_of("object"))
    relative = grammar.relative
    if relative and relative.subject == relative.object and grammar.order.clause[1] != "V" and not told:
        raise DataError(
            f"[relative] with the order {grammar.order.clause} and no case, 'the one that sees X' and 'the one that "
            "X sees' would be the same: give subject and object different words, or mark a case"
        )


def _irregular(grammar: Grammar) -> None:
    lexicon = grammar.lexicon
    for gloss, stems in grammar.irregular.items():
        if gloss not in lexicon.roots:
            raise DataError(f"[irregular] {gloss!r} is no root")
        if gloss in lexicon.verbs:
            known = [*grammar.tense]
        else:
            known = [*CASES] if gloss in lexicon.pronouns else [*grammar.numbers[1:], *CASES]
        for key in stems:
            if key not in known:
                raise DataError(f"[irregular.{gloss}] has an unknown key {key!r}; known: {', '.join(known)}")


def _roots(grammar: Grammar, sounds: Phonology) -> Iterator[Fault]:
    for gloss, root in grammar.lexicon.roots.items():
        for which, form in {"": root.form, **grammar.irregular.get(gloss, {})}.items():
            try:
                sounds.check_root(form)
            except SpellingError as error:
                where = f"{gloss}.{which}" if which else gloss
                yield Fault(f"the root {form!r} ({where}) {error}", (gloss,))


def _forms(grammar: Grammar, sounds: Phonology) -> Iterator[Fault]:
    """Word forms that break a ban or have two meanings."""
    seen: dict[str, tuple[str, str]] = {}
    for gloss, meaning, token in forms(grammar):
        if ban := sounds.broken(sounds.split(token.text)):
            told = f"{token.segmented!r} ({meaning}) breaks the ban {ban!r}: change an affix, or add a link"
            yield Fault(told, (gloss,))
        other, first = seen.setdefault(token.text, (gloss, meaning))
        if first != meaning:
            yield Fault(f"{token.text!r} means both {first} and {meaning}: change one", (other, gloss))
