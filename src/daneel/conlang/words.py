"""Inflection: a root and its features -> a word in segments, each with its gloss."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from daneel.conlang.grammar import CASES, NUMBERS, TENSES, Grammar
from daneel.conlang.sounds import Phonology


@dataclass(frozen=True)
class Token:
    """A word as it is written; segments and their glosses answer each other."""

    segments: tuple[str, ...]
    glosses: tuple[str, ...]

    @property
    def text(self) -> str:
        """The word."""
        return "".join(self.segments)

    @property
    def segmented(self) -> str:
        """The word with hyphens between its segments."""
        return "-".join(self.segments)

    @property
    def gloss(self) -> str:
        """The gloss in the manner of the Leipzig rules."""
        return "-".join(self.glosses)


@dataclass(frozen=True)
class Feature:
    """A value that a word is inflected for, and how it is marked."""

    value: str
    marker: str
    label: str

    @property
    def affix(self) -> bool:
        """Whether it is marked on the word itself."""
        return "-" in self.marker

    @property
    def particle(self) -> Token | None:
        """The word that marks it, if a word does."""
        return Token((self.marker,), (self.label,)) if self.marker and not self.affix else None


class Words:
    """Every form of every root of a language. A form is made once."""

    def __init__(self, grammar: Grammar) -> None:
        self.grammar = grammar
        self.phonology = Phonology(grammar.sounds, grammar.harmony, grammar.mutation)
        self._roots = grammar.lexicon.roots
        self.inflect = lru_cache(maxsize=None)(self._inflect)

    def noun_features(self, number: str, definite: bool, case: str) -> tuple[Feature, ...]:
        """Number, definiteness and case, from the stem outwards; a possessed noun passes definite=False."""
        grammar, out = self.grammar, []
        if number != "singular":
            marker = grammar.number.plural if number == "plural" else grammar.number.dual
            out.append(Feature(number, marker or "", NUMBERS[number]))
        if definite and grammar.noun.definite is not None:
            out.append(Feature("definite", grammar.noun.definite, "DEF"))
        out.append(Feature(case, getattr(grammar.case, case), CASES[case]))
        return tuple(out)

    def verb_features(self, tense: str, agreement: str, negated: bool) -> tuple[Feature, ...]:
        """Negation, tense and agreement, from the stem outwards."""
        grammar = self.grammar
        out = [Feature("negative", grammar.verb.negation, "NEG")] if negated else []
        out.append(Feature(tense, grammar.tense[tense], TENSES[tense]))
        out.append(Feature(agreement, grammar.agreement.get(agreement, ""), agreement))
        return tuple(out)

    def ipa(self, text: str) -> str:
        """How a word sounds."""
        symbols = self.grammar.sounds.ipa
        return "".join(symbols.get(letter, letter) for letter in self.phonology.split(text))

    def adjective(self, gloss: str, features: Sequence[Feature]) -> Token:
        """An adjective with what it repeats of its noun's features."""
        kept = self.grammar.noun.adjective_agreement
        kinds = {"definite": "definite", **dict.fromkeys(NUMBERS, "number"), **dict.fromkeys(CASES, "case")}
        return self.inflect(gloss, tuple(each for each in features if each.affix and kinds[each.value] in kept), False)

    def plain(self, gloss: str) -> Token:
        """A word that does not change."""
        return self.inflect(gloss, (), False)

    def noun(self, gloss: str, features: tuple[Feature, ...], possessed: bool = False) -> Token:
        """A noun with its affixes."""
        return self.inflect(gloss, features, possessed)

    def _inflect(self, gloss: str, features: tuple[Feature, ...], possessed: bool) -> Token:
        sounds, stem = self.phonology, self._roots[gloss].form
        # A hyphen would part segments, so a gloss of two words takes a dot.
        label = gloss.replace("-", ".")
        fused = next((each for each in features if each.value in self.grammar.irregular.get(gloss, {})), None)
        if fused:
            stem, label = self.grammar.irregular[gloss][fused.value], f"{label}.{fused.label}"
        letters = sounds.split(stem)
        if mutation := self.grammar.mutation:
            values = {each.value for each in features} | ({"possessed"} if possessed else set())
            part = self.grammar.lexicon
            if values & set(mutation.triggers) and (gloss in part.nouns or gloss in part.verbs):
                letters = sounds.mutated(letters)
        word, segments, glosses = letters, [letters], [label]
        for each in features:
            if each is fused or not each.affix:
                continue
            affix = sounds.harmonised(sounds.split(each.marker.strip("-")), letters)
            if each.marker.startswith("-"):
                affix = (*sounds.harmonised(sounds.link(word, affix), letters), *affix)
                word = (*word, *affix)
                segments.append(affix)
                glosses.append(each.label)
            else:
                affix = (*affix, *sounds.harmonised(sounds.link(affix, word), letters))
                word = (*affix, *word)
                segments.insert(0, affix)
                glosses.insert(0, each.label)
        return Token(tuple("".join(each) for each in segments), tuple(glosses))
