"""Languages that the tests share."""

from dataclasses import replace
from functools import cache
from pathlib import Path

from daneel.conlang.grammar import Grammar, Lexicon
from daneel.conlang.invent import invent
from daneel.conlang.read import load

ROOT = Path(__file__).parents[2]

# A language small enough to write its sentences out by hand.
TINY = {
    "name": "Tiny",
    "sounds": {
        "consonants": ["p", "t", "k", "b", "n", "l", "sh"], "vowels": ["a", "i", "u", "e"], "ipa": {"sh": "ʃ"},
        "syllables": {"CV": 2, "CVC": 1, "V": 1}, "bans": ["V V"], "link_vowels": "n",
    },
    "order": {
        "clause": "SOV", "adjective": "after", "genitive": "before", "relative": "before", "adposition": "after",
        "adverb": "before",
    },
    "number": {"plural": "-li"},
    "case": {"accusative": "-ta", "dative": "-ki", "genitive": "-nu"},
    "noun": {"definite": "la"},
    "tense": {"past": "-ka", "present": ""},
    "verb": {"negation": "pa", "question": "e"},
    "agreement": {"1SG": "-n", "3PL": "-l"},
    "relative": {"subject": "she", "object": "she"},
    "pronouns": {"1SG": "na", "3SG": "ti"},
    "nouns": {
        "person": {"child": {"form": "pita", "plural": "children"}, "captain": "kaptan", "engineer": "inik"},
        "thing": {"ship": "bal", "hour": "tiku"},
        "place": {"moon": "luna"},
    },
    "verbs": {
        "be": "a", "sleep": {"form": "shul", "past": "slept"}, "see": {"form": "tala", "past": "saw", "object": "any"},
        "give": {"form": "kat", "past": "gave", "object": "thing", "recipient": True},
    },
    "adjectives": {"old": "tup", "empty": "nebe"}, "adverbs": {"today": "shan"}, "adpositions": {"near": "lupa"},
}  # fmt: skip


@cache
def invented(seed: int) -> Grammar:
    """Seeds are tried by several tests."""
    return invent(seed)


@cache
def oshari() -> Grammar:
    return load(ROOT / "samples" / "languages" / "oshari.toml")


def small(grammar: Grammar) -> Grammar:
    """The grammar with so few words that many meanings in a sample are near each other."""
    lexicon = grammar.lexicon

    def some(part: dict, *glosses: str) -> dict:
        return {gloss: part[gloss] for gloss in glosses if gloss in part}

    return replace(
        grammar,
        irregular={},
        lexicon=Lexicon(
            some(lexicon.nouns, "robot", "child", "letter", "moon"), some(lexicon.verbs, "be", "sleep", "love", "give"),
            some(lexicon.adjectives, "old"), some(lexicon.adverbs, "today"), some(lexicon.adpositions, "in"),
            {key: word for key, word in lexicon.pronouns.items() if key[0] != "2"},
        ),
    )  # fmt: skip
