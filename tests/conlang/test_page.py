"""The page and the sketch say what the grammar says."""

import re
from dataclasses import replace
from html import unescape

import pytest
from conlang.languages import invented, oshari
from hypothesis import given, settings
from hypothesis import strategies as st

from daneel.conlang.ipa import chart, is_known
from daneel.conlang.page import abbreviations, language_page
from daneel.conlang.read import parse
from daneel.conlang.sketch import examples, sketch, summary, synthesis


def text(html: str) -> str:
    return unescape(re.sub(r"\s+", " ", re.sub("<[^>]+>", " ", html.split("</style>")[1])))


def test_the_page_of_the_sample():
    page = text(language_page(oshari()))
    for said in (
        "SOV, ergative, vowel harmony, dual, 141 roots", "Adjectives stand after their noun, possessors before it",
        "vowel harmony of backness", "vashar-la-yo-ra", "telver-le-yö-re", "lomashi-shu-mola", "ma-lomashi-to",
        "ʃ ⟨sh⟩", "plural pilim", "past nel", "/tyle/", "ERG ergative", "postpositions", "Greenberg's universal 4",
    ):  # fmt: skip
        assert said in page, said
    for gloss, root in oshari().lexicon.roots.items():
        assert root.form in page
        assert gloss in page


@settings(max_examples=8, deadline=None)
@given(st.integers(0, 60))
def test_every_language_has_a_page(seed):
    grammar = invented(seed)
    page = text(language_page(grammar))
    assert all(pair.english in page for pair in examples(grammar))
    assert "None" not in page


def test_a_name_is_text(tables):
    tables["name"] = "<script>alert(1)</script>"
    assert "<script>" not in language_page(parse(tables, "file"))


def test_ten_examples_show_much_and_stay_the_same():
    shown = examples(oshari())
    assert len(shown) == 10
    assert shown == examples(oshari())
    patterns = set().union(*(pair.meaning.patterns() for pair in shown))
    assert patterns >= {"negation", "question", "recipient", "place", "possessor", "past", "future", "dual", "plural"}
    assert any("relative" in each for each in patterns)
    legend = abbreviations(shown)
    labels = {part for pair in shown for part in re.findall("[A-Z]+", pair.sentence.gloss)}
    assert all(re.search(rf"(^|; ){label} ", legend) for label in labels)


def test_synthesis_rises_with_affixes(tables):
    much = synthesis(parse(tables, "file"))
    tables["case"] |= {"accusative": "ta", "dative": "ki", "genitive": "nu"}
    tables["tense"]["past"], tables["agreement"] = "ka", {}
    assert 1 < synthesis(parse(tables, "file")) < much
    assert "which is analytic" in sketch(parse(tables, "file"))[-1].text


def test_the_sketch_of_the_opposite(tables):
    told = " ".join(section.text for section in sketch(parse(tables, "file")))
    assert (
        "Greenberg's universal 4 (languages with SOV have postpositions far more often than chance) holds here." in told
    )
    assert "she ends the clause" in told
    tables["order"] |= {"clause": "VSO", "adposition": "after", "relative": "after"}
    tables["relative"]["object"] = "shu"
    told = " ".join(section.text for section in sketch(parse(tables, "file")))
    assert "Greenberg's universal 3 (languages with VSO have prepositions) fails here." in told
    assert "she (where the noun is its subject) or shu (its object) begins the clause" in told
    assert summary(replace(oshari(), harmony=None)) == "SOV, ergative, dual, 141 roots"


def test_charts_have_the_places_of_the_ipa():
    head, rows = chart({"p": "p", "b": "b", "sh": "ʃ", "k'": "kʼ", "m": "m"}, vowels=False)
    assert head == ["bilabial", "postalveolar", "velar"]
    assert rows == [("plosive", ["p b", "", "kʼ ⟨k'⟩"]), ("nasal", ["m", "", ""]), ("fricative", ["", "ʃ ⟨sh⟩", ""])]
    head, rows = chart({"a": "a", "i": "i", "ü": "y"}, vowels=True)
    assert (head, rows) == (["front", "central"], [("close", ["i y ⟨ü⟩", ""]), ("open", ["", "a"])])


@pytest.mark.parametrize(
    ("symbol", "vowel", "known"),
    [("ʔ", False, True), ("tʰ", False, True), ("ø", True, True), ("sh", False, False), ("", True, False)],
)
def test_symbols(symbol, vowel, known):
    assert is_known(symbol, vowel) is known
