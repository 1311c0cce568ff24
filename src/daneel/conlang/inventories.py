"""Sounds of a new language, from sets that languages have: after Maddieson in WALS, chapters 1 to 19."""

import random

from daneel.conlang.grammar import Harmony, Sounds

# What nearly all languages have, roughly the most frequent first; then sets with the share of languages that have them.
_CORE = ("n", "t", "k", "m", "s", "r", "l", "p")
_MORE = (
    (("y",), 0.85), (("w",), 0.75), (("h",), 0.6), (("d", "b", "g"), 0.6), (("ch",), 0.4), (("ng",), 0.4),
    (("f",), 0.4), (("sh",), 0.35), (("ny",), 0.3), (("z", "v"), 0.25), (("kh",), 0.2), (("ts",), 0.15), (("q",), 0.12),
    (("p'", "t'", "k'"), 0.1), (("th",), 0.07), (("tl",), 0.05),
)  # fmt: skip
_IPA = {
    "y": "j", "ch": "tʃ", "ng": "ŋ", "sh": "ʃ", "ny": "ɲ", "kh": "x", "th": "θ", "tl": "tɬ", "p'": "pʼ", "t'": "tʼ",
    "k'": "kʼ", "ë": "ə", "è": "ɛ", "ò": "ɔ", "ä": "æ", "ö": "ø", "ü": "y", "ï": "ɨ",
}  # fmt: skip
_FRONT = Harmony("backness", ("a", "o", "u"), ("ä", "ö", "ü"))
_OPEN = Harmony("tongue root", ("e", "o"), ("è", "ò"))
# Vowels, the most frequent first, with their harmony and the share of languages.
_VOWELS: tuple[tuple[tuple[str, ...], Harmony | None, float], ...] = (
    (("a", "i", "u"), None, 13),
    (("a", "i", "e", "o", "u"), None, 42),
    (("a", "i", "e", "u", "o", "ë"), None, 10),
    (("a", "i", "u", "e", "o", "ï"), None, 7),
    (("a", "i", "e", "o", "u", "è", "ò"), None, 8),
    (("a", "i", "ä", "o", "u", "ü", "ö", "e"), _FRONT, 12),
    (("a", "e", "è", "i", "o", "ò", "u"), _OPEN, 8),
)
_LIQUIDS = ("r", "l", "w", "y")
_OBSTRUENTS = ("t", "k", "s", "p", "d", "b", "g", "f")
# Lenition: what a consonant softens to, the first that the language has.
_SOFTER = {"p": "bf", "t": "dz", "k": "gh", "b": "vw", "m": "wv", "s": "zh"}


def draw_sounds(rng: random.Random) -> tuple[Sounds, Harmony | None, dict[str, str]]:
    """An inventory with its syllables, its vowel harmony, and what its consonants could mutate to."""
    consonants = list(_CORE)
    if rng.random() < 0.15:
        consonants.remove(rng.choice(["r", "l"]))
    for letters, share in _MORE:
        if rng.random() < share:
            consonants += letters
    # Languages agree on what is frequent, but not quite.
    rank = {letter: place + rng.gauss(0, 2.5) for place, letter in enumerate(consonants)}
    consonants.sort(key=rank.__getitem__)
    vowels, harmony, _ = rng.choices(_VOWELS, [share for *_, share in _VOWELS])[0]
    syllables, lengths, classes = _shapes(rng, consonants)
    bans = ["V V", "C C C", *(ban for ban in ("y i", "w u") if ban[0] in consonants and rng.random() < 0.6)]
    if "h" in consonants and "CVC" in syllables:
        bans += ["h #", "h C"]
    if "ng" in consonants and rng.random() < 0.5:
        bans.append("# ng")
    # What parts two vowels must go before any vowel.
    banned = {ban[0] for ban in bans}
    glide = next(letter for letter in ("y", "w", "h", "n") if letter in consonants and letter not in banned)
    sounds = Sounds(
        consonants=tuple(consonants), vowels=vowels, syllables=syllables, classes=classes, lengths=lengths,
        ipa={letter: _IPA[letter] for letter in (*consonants, *vowels) if letter in _IPA}, bans=tuple(bans),
        link_vowels=glide, link_consonants="i",
    )  # fmt: skip
    softer = {
        hard: next(letter for letter in soft if letter in consonants)
        for hard, soft in _SOFTER.items()
        if hard in consonants and set(soft) & set(consonants)
    }
    return sounds, harmony, softer


def _shapes(
    rng: random.Random, consonants: list[str]
) -> tuple[dict[str, float], tuple[float, ...], dict[str, tuple[str, ...]]]:
    """Syllables with weights, lengths of roots, and the classes that the syllables name."""
    kind = rng.choices(["simple", "moderate", "complex"], [15, 55, 30])[0]
    if kind == "simple":
        return {"CV": 9, "V": 1}, (0, 5, 4), {}
    if kind == "moderate":
        return {"CV": 6, "CVC": 3, "V": 1}, (1, 6, 1), {}
    classes = {
        "L": tuple(letter for letter in consonants if letter in _LIQUIDS),
        "T": tuple(letter for letter in consonants if letter in _OBSTRUENTS),
    }
    return {"CV": 5, "CVC": 3, "TLV": 1.5, "TLVC": 0.5, "V": 0.5}, (2, 6, 0.5), classes
