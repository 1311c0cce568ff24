"""Letters into words: splitting, bans, syllables, harmony, mutation, links, and new roots by seed."""

import random
import re
from collections.abc import Sequence

from daneel.conlang.grammar import Harmony, Mutation, Sounds

Letters = tuple[str, ...]
_EDGE = "#"
_FIRST = 0xE000  # the private use area: one character a letter, so that patterns need no separators


class SpellingError(ValueError):
    """A text that the sounds of the language cannot make; the message goes on after the text itself."""


class Phonology:
    """The sounds of one language, ready for use."""

    def __init__(self, sounds: Sounds, harmony: Harmony | None = None, mutation: Mutation | None = None) -> None:
        self.sounds, self.harmony, self.mutation = sounds, harmony, mutation
        letters = [*sounds.consonants, *sounds.vowels]
        self._codes = {letter: chr(_FIRST + i) for i, letter in enumerate(letters)}
        self._letter = re.compile("|".join(re.escape(each) for each in sorted(letters, key=len, reverse=True)))
        self.vowels = frozenset(sounds.vowels)
        self._classes = {"C": sounds.consonants, "V": sounds.vowels, **sounds.classes}
        self._bans = [(ban, re.compile("".join(self._symbol(part) for part in ban.split()))) for ban in sounds.bans]
        templates = "|".join("".join(self._symbol(part) for part in template) for template in sounds.syllables)
        self._root = re.compile(f"(?:{templates})+")
        pairs = list(zip(harmony.one, harmony.other, strict=True)) if harmony else []
        self._partners = {one: (one, other) for one, other in pairs} | {other: (one, other) for one, other in pairs}
        self._sets = dict.fromkeys(harmony.one, 0) | dict.fromkeys(harmony.other, 1) if harmony else {}

    def _symbol(self, part: str) -> str:
        if part == _EDGE:
            return _EDGE
        members = self._classes.get(part, (part,))
        return f"[{''.join(self._codes[letter] for letter in members)}]"

    def split(self, text: str) -> Letters:
        """The letters of a text. Raises SpellingError."""
        out, at = [], 0
        while at < len(text):
            found = self._letter.match(text, at)
            if not found:
                raise SpellingError(f"holds {text[at]!r}, which is none of its sounds")
            out.append(found[0])
            at = found.end()
        return tuple(out)

    def _code(self, letters: Sequence[str]) -> str:
        return "".join(self._codes[letter] for letter in letters)

    def broken(self, letters: Sequence[str], whole: bool = True) -> str | None:
        """The first ban that a word breaks; a part of a word has no edges."""
        code = f"{_EDGE}{self._code(letters)}{_EDGE}" if whole else self._code(letters)
        return next((ban for ban, pattern in self._bans if pattern.search(code)), None)

    def sets(self, letters: Sequence[str]) -> list[int]:
        """The harmony set, 0 or 1, of each vowel that is not neutral."""
        return [self._sets[letter] for letter in letters if letter in self._sets]

    def check_root(self, text: str) -> None:
        """Raise SpellingError for a text that is no root of this language."""
        letters = self.split(text)
        if not self._root.fullmatch(self._code(letters)):
            raise SpellingError(f"is not made of its syllables, {', '.join(self.sounds.syllables)}")
        if ban := self.broken(letters):
            raise SpellingError(f"breaks the ban {ban!r}")
        if len(set(self.sets(letters))) > 1:
            raise SpellingError("mixes the two sets of vowel harmony")

    def mutated(self, stem: Letters) -> Letters:
        """The stem with its first consonant changed."""
        changes = self.mutation.changes if self.mutation else {}
        return (changes.get(stem[0], stem[0]), *stem[1:]) if stem else stem

    def harmonised(self, affix: Letters, stem: Letters) -> Letters:
        """The affix with the vowels of the stem's set, that of its last vowel that is not neutral."""
        chosen = (self.sets(stem) or [0])[-1]
        return tuple(self._partners[letter][chosen] if letter in self._partners else letter for letter in affix)

    def link(self, left: Letters, right: Letters) -> Letters:
        """What must stand between two parts of a word."""
        if not left or not right or not self.broken((*left[-2:], *right[:2]), whole=False):
            return ()
        met = {left[-1] in self.vowels, right[0] in self.vowels}
        if met == {True} and self.sounds.link_vowels:
            return (self.sounds.link_vowels,)
        if met == {False} and self.sounds.link_consonants:
            return (self.sounds.link_consonants,)
        return ()

    def root(self, rng: random.Random) -> str:
        """A new root; the frequency of a letter falls with its place in the inventory, so syllables are Zipfian."""
        lengths, templates = self.sounds.lengths, self.sounds.syllables
        while True:
            count = rng.choices(range(1, len(lengths) + 1), lengths)[0]
            shape = "".join(rng.choices(list(templates), list(templates.values()), k=count))
            letters = tuple(self._draw(rng, self._classes.get(part, (part,))) for part in shape)
            # Harmony: every vowel goes to the set of the first.
            chosen = self.sets(letters)[:1] or [0]
            letters = tuple(self._partners[each][chosen[0]] if each in self._partners else each for each in letters)
            text = "".join(letters)
            try:
                self.check_root(text)
            except SpellingError:
                continue
            return text

    @staticmethod
    def _draw(rng: random.Random, letters: Sequence[str]) -> str:
        return rng.choices(letters, [1 / (rank + 2) for rank in range(len(letters))])[0]
