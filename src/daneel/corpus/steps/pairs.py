"""Sentence pairs that are no translation of each other: by length, by language, by being the same."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Annotated, ClassVar

from daneel.corpus.document import HAN, digest
from daneel.corpus.fields import join, part
from daneel.corpus.identify import UNKNOWN, Guess, identify
from daneel.corpus.settings import Count, Range, Settings, Share
from daneel.corpus.step import Batch, Note, Result
from daneel.corpus.steps.common import short
from daneel.corpus.steps.language import is_code

_HAN = re.compile(f"[{HAN}]")
# Letters of English that one Chinese character stands for: the median of 21,116 pairs of Tatoeba is 3.1.
_LETTERS = 3
_SLACK = 5


@dataclass(frozen=True)
class Pairs(Settings):
    """Drops pairs whose sides cannot be translations of each other."""

    name: ClassVar[str] = "pairs"
    languages: tuple[str, ...] = ()
    """Of source and target, such as en, zh: pairs of the other direction are turned round; without them the two sides
    must only differ."""
    ratio: Annotated[float, Range(1, 1_000_000)] = 3.0
    """Longest side by shortest, a Chinese character counting as three letters: of 21,116 pairs of Tatoeba, one in two
    thousand is above."""
    longest: Count = 2000
    """Characters of a side."""
    sure: Share = 0.8
    """Confidence from which a guess at a side's language can drop a pair; of a few words nobody is sure."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if len(self.languages) not in (0, 2) or not all(map(is_code, self.languages)):
            raise self.wrong("languages", "it must be two codes (ISO 639-1), of source and target, such as en, zh")

    def apply(self, batch: Batch) -> Result:
        """The batch without false pairs, all in one direction."""
        sides = [part(document.text) for document in batch]
        guesses = identify([text for pair in sides for text in pair[:2]])
        result = Result(list(batch))
        for place, (document, pair) in enumerate(zip(batch, sides, strict=True)):
            found = guesses[2 * place : 2 * place + 2]
            if self._turned(found):
                pair, found = pair[::-1], found[::-1]
                text = join(pair)
                document = replace(document, text=text, sha256=digest(text))
                result.notes.append((place, Note("turned round", short(" ⇥ ".join(pair)))))
            # A few words may look like another language; who says which it is, knows.
            result.documents[place] = replace(document, language="-".join(self.languages) or document.language)
            for what in self._faults(pair, found):
                result.documents[place] = None
                result.notes.append((place, Note(what, short(" ⇥ ".join(pair)), dropped=True)))
                break
        return result

    def _faults(self, pair: list[str], guesses: list[Guess]) -> Iterator[str]:
        if not all(pair):
            yield "a side is empty"
            return
        if pair[0].casefold() == pair[1].casefold():
            yield "both sides are the same"
        if max(map(len, pair)) > self.longest:
            yield f"a side of more than {self.longest} characters"
        sizes = [len(text) + (_LETTERS - 1) * len(_HAN.findall(text)) for text in pair]
        # A few letters more or less say nothing of a short sentence.
        if max(sizes) > self.ratio * (min(sizes) + _SLACK):
            yield f"one side is more than {self.ratio:g} times as long as the other"
        sure = self._sure(guesses)
        if self.languages:
            for side, wanted, found in zip(("source", "target"), self.languages, sure, strict=True):
                if found not in ("", wanted):
                    yield f"the {side} is not {wanted}"
        elif sure[0] and sure[0] == sure[1]:
            yield f"both sides are {sure[0]}"

    def _sure(self, guesses: list[Guess]) -> list[str]:
        guessed = [guess.language if guess.confidence >= self.sure else "" for guess in guesses]
        return ["" if language == UNKNOWN else language for language in guessed]

    def _turned(self, guesses: list[Guess]) -> bool:
        """Whether a pair is surely of the other direction."""
        sure, other = self._sure(guesses), self.languages[::-1]
        return bool(other and any(sure)) and all(
            found in ("", wanted) for found, wanted in zip(sure, other, strict=True)
        )
