"""The symbols of the International Phonetic Alphabet and their places in its charts (IPA, revised to 2020)."""

from collections.abc import Iterable, Mapping

PLACES = (
    "bilabial", "labiodental", "dental", "alveolar", "postalveolar", "retroflex", "palatal", "velar", "uvular",
    "pharyngeal", "glottal",
)  # fmt: skip
# Manner -> a cell for each place: voiceless before voiced.
_CONSONANTS = {
    "plosive": "p b| | |t d| |ʈ ɖ|c ɟ|k g ɡ|q ɢ| |ʔ",
    "nasal": "m|ɱ| |n| |ɳ|ɲ|ŋ|ɴ| | ",
    "trill": "ʙ| | |r| | | | |ʀ| | ",
    "tap": " |ⱱ| |ɾ| |ɽ| | | | | ",
    "affricate": "pɸ|pf| |ts dz|tʃ dʒ|ʈʂ ɖʐ|tɕ dʑ|kx| | | ",
    "lateral affricate": " | | |tɬ dɮ| | | | | | | ",
    "fricative": "ɸ β|f v|θ ð|s z|ʃ ʒ|ʂ ʐ|ç ʝ ɕ ʑ|x ɣ|χ ʁ|ħ ʕ|h ɦ",
    "lateral fricative": " | | |ɬ ɮ| | | | | | | ",
    "approximant": "w ʍ|ʋ| |ɹ| |ɻ|j|ɰ| | | ",
    "lateral approximant": " | | |l| |ɭ|ʎ|ʟ| | | ",
}
BACKNESS = ("front", "central", "back")
# Height -> a cell for each backness: unrounded before rounded.
_VOWELS = {
    "close": "i y|ɨ ʉ|ɯ u",
    "near-close": "ɪ ʏ| |ʊ",
    "close-mid": "e ø|ɘ ɵ|ɤ o",
    "mid": " |ə| ",
    "open-mid": "ɛ œ|ɜ ɞ|ʌ ɔ",
    "near-open": "æ|ɐ| ",
    "open": "ɶ|a|ɑ ɒ",
}
# Signs after a symbol that leave it in its cell: aspirated, labialised, palatalised, ejective, long, nasal …
_SIGNS = "ʰʷʲˠˤʼːˑ\u0303\u0325\u032a"
Chart = list[tuple[str, list[str]]]


def _places(table: Mapping[str, str]) -> dict[str, tuple[str, int]]:
    return {
        symbol: (row, column)
        for row, cells in table.items()
        for column, cell in enumerate(cells.split("|"))
        for symbol in cell.split()
    }


_CONSONANT_PLACES, _VOWEL_PLACES = _places(_CONSONANTS), _places(_VOWELS)


def _place(symbol: str, vowel: bool) -> tuple[str, int] | None:
    return (_VOWEL_PLACES if vowel else _CONSONANT_PLACES).get(symbol.rstrip(_SIGNS))


def is_known(symbol: str, vowel: bool) -> bool:
    """Whether the symbol has a place in the chart."""
    return _place(symbol, vowel) is not None


def chart(letters: Mapping[str, str], vowels: bool) -> tuple[list[str], Chart]:
    """Heads and rows of a chart of letters with their IPA symbols; empty rows and columns are left out."""
    table, columns = (_VOWELS, BACKNESS) if vowels else (_CONSONANTS, PLACES)
    cells: dict[tuple[str, int], list[str]] = {}
    order = list(_VOWEL_PLACES if vowels else _CONSONANT_PLACES)
    for letter, symbol in sorted(letters.items(), key=lambda each: order.index(each[1].rstrip(_SIGNS))):
        place = _place(symbol, vowels)
        assert place
        cells.setdefault(place, []).append(symbol if letter == symbol else f"{symbol} ⟨{letter}⟩")
    used = sorted({column for _, column in cells})
    rows = [
        (row, [" ".join(cells.get((row, column), ())) for column in used])
        for row in table
        if any((row, column) in cells for column in used)
    ]
    return [columns[column] for column in used], rows


def features(letters: Iterable[str]) -> set[str]:
    """Rows and columns of the consonant chart that the symbols fill."""
    found = [place for each in letters if (place := _place(each, False))]
    return {row for row, _ in found} | {PLACES[column] for _, column in found}
