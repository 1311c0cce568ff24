"""A plausible new language by seed: what goes together in the languages of the world goes together here.

The weights are rounded from the World Atlas of Language Structures (wals.info): order of subject, object and verb
(chapter 81) and what correlates with it (85, 86, 87, 90, 95), affixes (26), syllables (12), case (49), agreement (100),
articles (37), polar questions (92); the universals are Greenberg's (1963).
"""

import random
from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from importlib.resources import files
from typing import TypeVar

from daneel.conlang import read
from daneel.conlang.grammar import (
    Case,
    ClauseOrder,
    Grammar,
    Lexicon,
    Mutation,
    NounMarking,
    Number,
    Order,
    RelativeMarking,
    Side,
    VerbMarking,
    Word,
)
from daneel.conlang.inventories import draw_sounds
from daneel.conlang.sounds import Phonology
from daneel.errors import DataError

_ORDERS: dict[ClauseOrder, float] = {"SOV": 45, "SVO": 38, "VSO": 10, "VOS": 4, "OVS": 2, "OSV": 1}
# The order of object and verb -> the chance that what is named stands before: the noun, the verb, the sentence.
_BEFORE = {
    "OV": {"adjective": 0.5, "genitive": 0.9, "relative": 0.45, "adposition": 0.05, "adverb": 0.9},
    "VO": {"adjective": 0.3, "genitive": 0.25, "relative": 0.02, "adposition": 0.93, "adverb": 0.15},
}
T = TypeVar("T")
_ATTEMPTS = 40
_TAKEN = 200  # draws for one marker


def invent(seed: int, name: str = "") -> Grammar:
    """The language of a seed; without a name it gets one of its own words."""
    for attempt in range(_ATTEMPTS):
        rng = random.Random(f"{seed} language {attempt}")  # noqa: S311
        try:
            return _Inventor(rng, seed).grammar(name)
        except DataError:
            # Sounds too few for a language without homophones: draw others.
            continue
    raise DataError(f"no language was found for seed {seed}: give another")


@cache
def concepts() -> Lexicon:
    """What every language has words for, without forms; pronouns come later."""
    import tomllib

    return read.lexicon(tomllib.loads(files("daneel.conlang").joinpath("concepts.toml").read_text("utf-8")))


class _Inventor:
    def __init__(self, rng: random.Random, seed: int) -> None:
        self.rng, self.seed = rng, seed
        self.sounds, self.harmony, self.mutable = draw_sounds(rng)
        self.phonology = Phonology(self.sounds, self.harmony)
        self._taken: set[tuple[str, ...]] = set()

    def may(self, chance: float) -> bool:
        return self.rng.random() < chance

    def pick(self, weights: Mapping[T, float]) -> T:
        return self.rng.choices(list(weights), list(weights.values()))[0]

    def grammar(self, name: str) -> Grammar:
        order = self._order()
        final = order.clause.index("V") > order.clause.index("O")
        # Suffixes are liked everywhere, and most where the verb comes last.
        suffixing = self.may(0.92 if final else 0.7)
        dual = self.may(0.15)
        number = Number(self._affix(suffixing), self._affix(suffixing) if dual else None)
        middle = order.clause[1] == "V"
        case = self._case(suffixing, self.may(0.35 if middle else 0.8))
        told = any((case.accusative, case.ergative, case.absolutive, case.nominative))
        word = self._particle()
        relative = RelativeMarking(word, word if middle or told else self._particle())
        pronouns = self._pronouns(dual)
        agreement = self._agreement(suffixing if self.may(0.8) else not suffixing, dual) if self.may(0.65) else {}
        repeats = suffixing and self.may(0.25)
        tense = self._tense(suffixing)
        lexicon = replace(concepts(), pronouns={key: Word(key, "") for key in pronouns})
        if self.may(0.35):
            # No copula, and so no predicate adjectives.
            lexicon = replace(lexicon, verbs={gloss: verb for gloss, verb in lexicon.verbs.items() if gloss != "be"})
        grammar = Grammar(
            name=name or "new", seed=self.seed, sounds=self.sounds, order=order, number=number, tense=tense,
            lexicon=lexicon, case=case,
            noun=NounMarking(
                (self._affix(suffixing) if self.may(0.5) else self._particle()) if self.may(0.45) else None,
                ("number", "case") if repeats else (),
            ),
            verb=VerbMarking(
                self._particle() if self.may(0.6) else self._affix(suffixing), self._particle(),
                bool(agreement) and self.may(0.6),
            ),
            agreement=agreement, relative=relative, harmony=self.harmony, mutation=self._mutation(case),
        )  # fmt: skip
        grammar = read.spelled(grammar)
        return grammar if name else replace(grammar, name=self._name())

    def _name(self) -> str:
        """A word of its own, not too short."""
        return max((self.phonology.root(self.rng) for _ in range(3)), key=len).capitalize()

    def _order(self) -> Order:
        clause = self.pick(_ORDERS)
        before = _BEFORE["OV" if clause.index("O") < clause.index("V") else "VO"]
        side: dict[str, Side] = {name: "before" if self.may(chance) else "after" for name, chance in before.items()}
        late = side["adposition"] == "after"
        return Order(
            clause=clause, **side,
            place="first" if self.may(0.5 if late else 0.1) else "last",
            recipient="before" if self.may(0.5 if late else 0.2) else "after",
            particles="after" if self.may(0.6 if late else 0.1) else "before",
            question="last" if self.may(0.85 if late else 0.5) else "first",
        )  # fmt: skip

    def _case(self, suffixing: bool, marked: bool) -> Case:
        """Core cases if marked; dative, genitive and perhaps locative always, as affixes or as particles."""
        core: dict[str, str] = {}
        affixed = marked or self.may(0.4)
        if marked:
            core = {self.pick({"accusative": 80, "ergative": 20}): self._affix(suffixing)}

        def marker() -> str:
            return self._affix(suffixing) if affixed else self._particle()

        locative = self._affix(suffixing) if affixed and self.may(0.3) else ""
        return Case(**core, dative=marker(), genitive=marker(), locative=locative)

    def _tense(self, suffixing: bool) -> dict[str, str]:
        tenses = self.pick({("past", "present", "future"): 60, ("past", "present"): 25, ("present", "future"): 15})
        free = self.may(0.25)
        return {
            tense: "" if tense == "present" else self._particle() if free else self._affix(suffixing)
            for tense in tenses
        }  # fmt: skip

    def _pronouns(self, dual: bool) -> list[str]:
        third = self.pick({("3SG",): 60, ("3SG.M", "3SG.F", "3SG"): 20, ("3SG.F", "3SG"): 20})
        return ["1SG", "2SG", *third, *(["1DU", "2DU", "3DU"] if dual else []), "1PL", "2PL", "3PL"]

    def _agreement(self, suffixing: bool, dual: bool) -> dict[str, str]:
        """All persons and numbers; the third singular is often bare."""
        cells = [f"{person}{number}" for number in ("SG", *(["DU"] if dual else []), "PL") for person in "123"]
        bare = self.may(0.5)
        return {cell: "" if bare and cell == "3SG" else self._affix(suffixing) for cell in cells}

    def _mutation(self, case: Case) -> Mutation | None:
        if self.harmony or not self.mutable or not self.may(0.2):
            return None
        triggers = [each for each in ("genitive", "dative", "accusative", "ergative") if getattr(case, each)]
        chosen = self.rng.sample(triggers, 1) + ["possessed"] * self.may(0.5) + ["past"] * self.may(0.3)
        return Mutation(self.mutable, tuple(chosen))

    def _affix(self, suffix: bool) -> str:
        closed = any(map(_closed, self.sounds.syllables))
        shapes = {"CV": 6, "V": 3, **({"VC": 4, "CVC": 1} if closed and suffix else {})}
        for _ in range(_TAKEN):
            letters = self._letters(self.pick(shapes))
            if letters not in self._taken and self._joins(letters, suffix):
                self._taken.add(letters)
                text = "".join(letters)
                return f"-{text}" if suffix else f"{text}-"
        raise DataError("[sounds] makes too few affixes")

    def _particle(self) -> str:
        for _ in range(_TAKEN):
            letters = self._letters(self.pick({"CV": 5, "CVC": 1 if any(map(_closed, self.sounds.syllables)) else 0}))
            if letters not in self._taken and not self.phonology.broken(letters):
                self._taken.add(letters)
                return "".join(letters)
        raise DataError("[sounds] makes too few particles")

    def _letters(self, shape: str) -> tuple[str, ...]:
        classes = {"C": self.sounds.consonants, "V": self.sounds.vowels}
        letters = tuple(self.rng.choice(classes[part]) for part in shape)
        # Affixes are written with the first set of vowels.
        return self.phonology.harmonised(letters, ())

    def _joins(self, affix: tuple[str, ...], suffix: bool) -> bool:
        """Whether the affix fits every stem, whichever letter that begins or ends with."""
        sounds = self.phonology
        for vowel in self.sounds.vowels:
            for stem in ((vowel,), *((vowel, letter) for letter in self.sounds.consonants)):
                stem = stem if suffix else stem[::-1]
                left, right = (stem, affix) if suffix else (affix, stem)
                if not sounds.broken(stem) and sounds.broken((*left, *sounds.link(left, right), *right)):
                    return False
        return True


def _closed(template: str) -> bool:
    """Whether the syllable ends in a consonant."""
    return template.endswith("C")
