"""Inflection: affixes, links, harmony, mutation, irregular stems; and the laws of sound in every word form."""

import random

import pytest
from conlang.languages import invented, oshari
from hypothesis import given, settings
from hypothesis import strategies as st

from daneel.conlang.grammar import Harmony, Mutation, Sounds
from daneel.conlang.paradigms import forms
from daneel.conlang.read import parse
from daneel.conlang.sounds import Phonology, SpellingError
from daneel.conlang.words import Words

SOUNDS = Sounds(("p", "t", "s", "h", "sh", "y"), ("a", "e", "i", "o"), {"CV": 1, "CVC": 1, "V": 1},
                bans=("V V", "C C C", "y i", "# sh", "t #"), link_vowels="y", link_consonants="a")  # fmt: skip
SEEDS = st.integers(0, 60)


def test_digraphs_are_one_letter():
    assert Phonology(SOUNDS).split("shasi") == ("sh", "a", "s", "i")
    with pytest.raises(SpellingError, match="'x'"):
        Phonology(SOUNDS).split("axa")


@pytest.mark.parametrize(
    ("word", "ban"),
    [
        ("pae", "V V"),
        ("payi", "y i"),
        ("sha", "# sh"),
        ("pat", "t #"),
        ("pastpa", "C C C"),
        ("pasha", None),
        ("ta", None),
    ],
)
def test_bans(word, ban):
    sounds = Phonology(SOUNDS)
    assert sounds.broken(sounds.split(word)) == ban


def test_part_of_a_word_has_no_edges():
    sounds = Phonology(SOUNDS)
    assert sounds.broken(("sh", "a", "t"), whole=False) is None


@pytest.mark.parametrize(
    ("left", "right", "link"),
    [("pa", "o", "y"), ("pas", "o", ""), ("past", "pa", "a"), ("pas", "pa", ""), ("", "o", "")],
)
def test_links_stand_only_where_a_ban_asks_for_them(left, right, link):
    sounds = Phonology(SOUNDS)
    assert "".join(sounds.link(sounds.split(left), sounds.split(right))) == link


def test_harmony_follows_the_last_vowel_that_is_not_neutral():
    sounds = Phonology(SOUNDS, Harmony("height", ("a",), ("e",)))
    harmonised = {stem: "".join(sounds.harmonised(("t", "a", "s", "e", "o"), sounds.split(stem)))
                  for stem in ("pata", "pe", "pepi", "pi")}  # fmt: skip
    assert harmonised == {"pata": "tasao", "pe": "teseo", "pepi": "teseo", "pi": "tasao"}


def test_mutation_changes_the_first_consonant_alone():
    sounds = Phonology(SOUNDS, mutation=Mutation({"p": "sh", "s": "h"}, ("past",)))
    assert ["".join(sounds.mutated(sounds.split(stem))) for stem in ("papa", "sap", "tapa", "apa")] == [
        "shapa", "hap", "tapa", "apa",
    ]  # fmt: skip


@settings(max_examples=30, deadline=None)
@given(SEEDS, st.integers(0, 2**32))
def test_drawn_roots_are_roots(seed, draw):
    grammar = invented(seed)
    sounds = Phonology(grammar.sounds, grammar.harmony)
    sounds.check_root(sounds.root(random.Random(draw)))


def test_zipf_the_first_letters_of_an_inventory_are_frequent():
    sounds, rng = Phonology(SOUNDS), random.Random(1)
    text = [letter for _ in range(2000) for letter in sounds.split(sounds.root(rng))]
    assert text.count("p") > text.count("s") > text.count("y")
    assert text.count("a") > text.count("o")


def test_segments_and_their_glosses(tables):
    tables["irregular"] = {"child": {"plural": "pitlip"}, "see": {"past": "tutu"}}
    words = Words(parse(tables, "file"))

    def noun(gloss: str, number: str = "singular", case: str = "nominative", definite: bool = False) -> tuple[str, str]:
        token = words.noun(gloss, words.noun_features(number, definite, case))
        return token.segmented, token.gloss

    assert noun("ship") == ("bal", "ship")
    assert noun("ship", "plural", "accusative") == ("bal-li-ta", "ship-PL-ACC")
    # The article is a word of its own.
    assert noun("ship", "plural", "accusative", True) == ("bal-li-ta", "ship-PL-ACC")
    assert noun("child", "plural", "genitive") == ("pitlip-nu", "child.PL-GEN")
    assert noun("child", case="dative") == ("pita-ki", "child-DAT")

    def verb(gloss: str, tense: str, cell: str, negated: bool = False) -> tuple[str, str]:
        token = words.inflect(gloss, words.verb_features(tense, cell, negated), False)
        return token.segmented, token.gloss

    assert verb("see", "present", "1SG") == ("tala-n", "see-1SG")
    assert verb("see", "past", "3PL") == ("tutu-l", "see.PST-3PL")
    assert verb("sleep", "past", "3SG", True) == ("shul-ka", "sleep-PST")


def test_prefixes_stand_outwards_in_the_same_order(tables):
    tables |= {"number": {"plural": "li-"}, "case": {"accusative": "ta-", "dative": "ki-", "genitive": "nu-"}}
    tables["noun"] = {"definite": "u-"}
    words = Words(parse(tables, "file"))
    token = words.noun("engineer", words.noun_features("plural", True, "accusative"))
    assert (token.segmented, token.gloss) == ("tan-u-lin-inik", "ACC-DEF-PL-engineer")


@settings(max_examples=15, deadline=None)
@given(SEEDS)
def test_every_word_form_keeps_the_laws_of_sound(seed):
    grammar = invented(seed)
    sounds, seen = Phonology(grammar.sounds, grammar.harmony), {}
    for gloss, meaning, token in forms(grammar):
        letters = sounds.split(token.text)
        assert sounds.broken(letters) is None, token
        # Vowel harmony: one set a word.
        assert len(set(sounds.sets(letters))) <= 1 or not gloss, token
        assert len(token.segments) == len(token.glosses)
        assert all(token.segments)
        # No homophones.
        assert seen.setdefault(token.text, meaning) == meaning


def test_harmony_and_mutation_are_among_the_seeds():
    grammars = [invented(seed) for seed in range(61)]
    assert sum(grammar.harmony is not None for grammar in grammars) >= 5
    assert sum(grammar.mutation is not None for grammar in grammars) >= 3


@pytest.mark.parametrize("seed", [s for s in range(61) if invented(s).mutation][:4])
def test_mutation_where_it_is_triggered_and_nowhere_else(seed):
    grammar = invented(seed)
    words, mutation = Words(grammar), grammar.mutation
    for gloss, noun in grammar.lexicon.nouns.items():
        for case in ("genitive", "nominative" if not grammar.ergative else "absolutive"):
            for possessed in (False, True):
                token = words.noun(gloss, words.noun_features("singular", False, case), possessed)
                stem = next(s for s, g in zip(token.segments, token.glosses, strict=True) if g == gloss)
                first, *rest = words.phonology.split(noun.form)
                triggered = case in mutation.triggers or (possessed and "possessed" in mutation.triggers)
                assert stem == "".join([mutation.changes.get(first, first) if triggered else first, *rest])


def test_a_gloss_of_two_words_has_a_dot():
    words = Words(oshari())
    token = words.noun("go-between", words.noun_features("dual", True, "dative"))
    assert (token.segmented, token.gloss) == ("sanha-ro-yo-ka", "go.between-DU-DEF-DAT")
