"""Sentences in the language and in English."""

import random

import pytest
from conlang.languages import invented, oshari, small
from hypothesis import given, settings
from hypothesis import strategies as st

from daneel.conlang import english
from daneel.conlang.meaning import Clause, Person, Phrase, Place, Relative
from daneel.conlang.pairs import Composer
from daneel.conlang.paradigms import agreements
from daneel.conlang.read import parse
from daneel.conlang.sample import Sampler
from daneel.conlang.sentence import Speaker

CAPTAIN, SHIP, CHILD = Phrase("captain"), Phrase("ship"), Phrase("child", "plural")
SEES = Clause("see", CAPTAIN, "present", SHIP)
BEHOLD = Relative("see", "object", "past", Phrase("child"))
MEANINGS = [
    (SEES, "kaptan la bal-ta la tala", "captain DEF ship-ACC DEF see", "The captain sees the ship."),
    (Clause("sleep", Person("1SG"), "past", negated=True), "na pa shul-ka-n", "1SG NEG sleep-PST-1SG",
     "I did not sleep."),
    (Clause("see", CHILD, "present", Phrase("hour", definite=False), adverb="today"),
     "pita-li la tiku-ta shan tala-l", "child-PL DEF hour-ACC today see-3PL", "The children see an hour today."),
    (Clause("give", Person("3SG"), "past", Phrase("ship", "plural", False, "old"), Person("1SG"), question=True),
     "ti bal-li-ta tup na-ki kat-ka e", "3SG ship-PL-ACC old 1SG-DAT give-PST Q", "Did it give old ships to me?"),
    (Clause("be", Phrase("ship", possessor=Phrase("captain", adjective="old")), "present", complement="empty"),
     "kaptan-nu tup la bal nebe a", "captain-GEN old DEF ship empty be", "The old captain's ship is empty."),
    (Clause("be", Person("1SG"), "past", complement="old", question=True, negated=True), "na tup pa a-ka-n e",
     "1SG old NEG be-PST-1SG Q", "Was I not old?"),
    (Clause("sleep", Phrase("engineer", definite=False, relative=BEHOLD), "present",
            place=Place("near", Phrase("moon"))),
     "pita la tala-ka she inik shul luna la lupa", "child DEF see-PST REL engineer sleep moon DEF near",
     "An engineer that the child saw sleeps near the moon."),
    (Clause("sleep", Phrase("child", "plural", relative=Relative("see", "subject", "present", Person("1SG"))), "past"),
     "na-ta tala-l she pita-li la shul-ka-l", "1SG-ACC see-3PL REL child-PL DEF sleep-PST-3PL",
     "The children that see me slept."),
]  # fmt: skip


@pytest.mark.parametrize(("meaning", "segments", "gloss", "said"), MEANINGS, ids=[m[3] for m in MEANINGS])
def test_a_meaning_in_both_languages(tables, meaning, segments, gloss, said):
    pair = Composer(parse(tables, "file")).pair(meaning)
    assert (pair.sentence.segmented, pair.sentence.gloss, pair.english) == (segments, gloss, said)
    assert pair.sentence.text == segments.replace("-", "")


@pytest.mark.parametrize("order", ["SOV", "SVO", "VSO", "VOS", "OVS", "OSV"])
def test_all_orders(tables, order):
    tables["order"]["clause"] = order
    words = {"S": "kaptan la", "V": "tala", "O": "balta la"}
    assert Speaker(parse(tables, "file")).say(SEES).text == " ".join(words[each] for each in order)


def test_the_other_side_of_everything(tables):
    tables["order"] |= {
        "adjective": "before", "genitive": "after", "relative": "after", "adposition": "before", "adverb": "after",
        "place": "first", "recipient": "before", "particles": "after", "question": "first",
    }  # fmt: skip
    composer = Composer(parse(tables, "file"))
    said = [composer.pair(meaning).sentence.text for meaning, *_ in MEANINGS]
    assert said == [
        "la kaptan la balta tala", "na shulkan pa", "la pitali tikuta talal shan", "e ti naki tup ballita katka",
        "bal la tup kaptannu nebe a", "e na tup akan pa", "lupa la luna inik she la pita talaka shul",
        "la pitali she nata talal shulkal",
    ]  # fmt: skip


def test_a_dropped_pronoun_is_told_by_the_verb(tables):
    tables["verb"]["drop_pronouns"] = True
    composer = Composer(parse(tables, "file"))
    said = [composer.pair(Clause("sleep", Person(key), "past")).sentence.text for key in ("1SG", "3SG")]
    assert said == ["shulkan", "ti shulka"]
    # In a relative clause nothing is left out.
    meaning = Clause("sleep", Phrase("child", relative=Relative("see", "object", "past", Person("1SG"))), "past")
    assert composer.pair(meaning).sentence.text == "na talakan she pita la shulka"


def test_ergative_and_dual(tables):
    tables["case"] = {"ergative": "-ta", "dative": "-ki", "genitive": "-nu"}
    tables["number"]["dual"] = "-bi"
    composer = Composer(parse(tables, "file"))
    two = Phrase("child", "dual", definite=False)
    assert composer.pair(Clause("see", two, "present", two)).sentence.text == "pitabita pitabi tala"
    assert composer.pair(Clause("sleep", two, "past")).english == "Two children slept."
    assert composer.pair(Clause("sleep", Phrase("child", "dual"), "present")).english == "The two children sleep."


def test_adjectives_repeat_what_the_grammar_says(tables):
    tables["noun"]["adjective_agreement"] = ["number", "case"]
    meaning = Clause("see", CAPTAIN, "present", Phrase("ship", "plural", True, "old"))
    assert Speaker(parse(tables, "file")).say(meaning).segmented == "kaptan la bal-li-ta tup-li-ta la tala"


@pytest.mark.parametrize(
    ("key", "subject", "done", "has"),
    [("1SG", "I am", "me", "my"), ("2SG", "You are", "you", "your"), ("3SG.F", "She is", "her", "her"),
     ("1DU", "We two are", "us two", ""), ("2PL", "You all are", "you all", ""), ("3PL", "They are", "them", "their")],
)  # fmt: skip
def test_pronouns_in_english(key, subject, done, has):
    assert english.PRONOUNS[key][1:] == (done, has)
    translator = english.Translator(oshari().lexicon, True)
    assert translator.say(Clause("be", Person(key), "present", complement="old")) == f"{subject} old."


@pytest.mark.parametrize(
    ("word", "plural", "past"),
    [("ship", "ships", "shiped"), ("city", "cities", "citied"), ("boy", "boys", "boyed"), ("box", "boxes", "boxed"),
     ("watch", "watches", "watched"), ("bridge", "bridges", "bridged"), ("toss", "tosses", "tossed")],
)  # fmt: skip
def test_regular_english(word, plural, past):
    assert (english.plural(word), english.past(word)) == (plural, past)


@pytest.mark.parametrize(
    ("word", "article"),
    [("ship", "a"), ("alien", "an"), ("hour", "an"), ("honest", "an"), ("house", "a"), ("universe", "a"),
     ("useful", "a"), ("umbrella", "an"), ("urgent", "an"), ("one-eyed", "a"), ("ocean", "an"), ("unarmed", "an")],
)  # fmt: skip
def test_articles(word, article):
    assert english.article(word) == article


@settings(max_examples=12, deadline=None)
@given(st.integers(0, 60))
def test_every_word_of_every_sentence_is_glossed(seed):
    grammar = invented(seed)
    speaker, sampler = Speaker(grammar), Sampler(grammar, random.Random(seed))
    for _ in range(60):
        meaning = sampler.clause()
        sentence = speaker.say(meaning)
        segments, glosses = sentence.segmented.split(" "), sentence.gloss.split(" ")
        assert len(segments) == len(glosses) == len(sentence.text.split(" "))
        assert [word.count("-") for word in segments] == [gloss.count("-") for gloss in glosses]
        left_out = {meaning.subject.key} & speaker.dropped if isinstance(meaning.subject, Person) else set()
        assert meaning.roots() - left_out <= {part for gloss in glosses for part in gloss.split("-")}


@settings(max_examples=12, deadline=None)
@given(st.integers(0, 60))
def test_words_stand_where_the_order_says(seed):
    grammar = invented(seed)
    speaker, sampler = Speaker(grammar), Sampler(grammar, random.Random(seed), plain=True)
    for _ in range(30):
        meaning = sampler.clause()
        if meaning.object is None:
            continue
        glosses = [token.gloss.split("-") for token in speaker.say(meaning).tokens]
        roots = {"S": meaning.subject.noun, "V": meaning.verb, "O": meaning.object.noun}
        place = {letter: next(i for i, parts in enumerate(glosses) if root in parts) for letter, root in roots.items()}
        assert "".join(sorted(place, key=place.__getitem__)) == grammar.order.clause


def translate_both_ways(seed: int, draw: int, count: int) -> None:
    """Fail where a sentence of either language has two translations, among meanings that differ by little."""
    grammar = small(invented(seed))
    composer, sampler = Composer(grammar), Sampler(grammar, random.Random(draw))
    english_of: dict[str, str] = {}
    language_of: dict[str, str] = {}
    for _ in range(count):
        pair = composer.pair(sampler.clause())
        assert english_of.setdefault(pair.sentence.text, pair.english) == pair.english, pair.sentence.gloss
        assert language_of.setdefault(pair.english, pair.sentence.text) == pair.sentence.text


@settings(max_examples=8, deadline=None)
@given(st.integers(0, 60), st.integers(0, 2**32))
def test_one_meaning_one_sentence(seed, draw):
    translate_both_ways(seed, draw, 1000)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(61, 91))
def test_one_meaning_one_sentence_in_many_languages(seed):
    translate_both_ways(seed, seed, 8000)


@pytest.mark.slow
def test_one_meaning_one_sentence_in_the_sample():
    composer, sampler = Composer(oshari()), Sampler(oshari(), random.Random(1))
    pairs = [composer.pair(sampler.clause()) for _ in range(20_000)]
    both = {(pair.english, pair.sentence.text) for pair in pairs}
    assert len(both) == len({a for a, _ in both}) == len({b for _, b in both})
    assert len(both) > 17_000


def test_agreements_are_those_of_the_pronouns():
    assert agreements(oshari()) == ("1SG", "2SG", "3SG", "1DU", "2DU", "3DU", "1PL", "2PL", "3PL")
