"""Grammar files: what is read is what was written, and whatever is wrong is one line with its place."""

import copy
import random
import tomllib

import pytest
from conlang.languages import ROOT, TINY, invented, oshari
from hypothesis import given, settings
from hypothesis import strategies as st

from daneel.conlang.pairs import Composer
from daneel.conlang.read import load, parse
from daneel.conlang.sample import Sampler
from daneel.conlang.write import render
from daneel.errors import DataError, UsageError


@settings(max_examples=12, deadline=None)
@given(st.integers(0, 60))
def test_a_grammar_reads_back_from_its_file(seed):
    grammar = invented(seed)
    assert parse(tomllib.loads(render(grammar)), "file") == grammar


def test_the_sample_reads_back_and_says_what_it_says():
    grammar = oshari()
    assert parse(tomllib.loads(render(grammar)), "file") == grammar
    assert (grammar.name, grammar.order.clause, grammar.ergative, len(grammar.numbers)) == ("Oshari", "SOV", True, 3)
    assert len(grammar.lexicon.roots) == 141
    assert grammar.lexicon.nouns["thief"].plural == "thieves"
    assert grammar.lexicon.nouns["city"].plural == "cities"
    assert grammar.lexicon.verbs["carry"].past == "carried"


def test_a_name_with_anything_in_it_reads_back(tables):
    tables["name"] = 'A "quoted"\n\\name\x7f 语言'
    grammar = parse(tables, "file")
    assert parse(tomllib.loads(render(grammar)), "file") == grammar


def test_letters_may_be_of_any_script(tables):
    tables["sounds"] = {"consonants": ["卡", "м"], "vowels": ["а"], "ipa": {"卡": "k", "м": "m", "а": "a"},
                        "syllables": {"CV": 1}, "lengths": [0, 0, 1, 2]}  # fmt: skip
    for key in ("case", "noun", "verb", "agreement", "relative", "adjectives", "adverbs", "adpositions"):
        del tables[key]
    tables |= {"number": {"plural": "-卡а"}, "tense": {"past": "-ма", "present": ""}, "pronouns": {"1SG": "ма"}}
    tables["nouns"] = {"person": {"child": {"plural": "children"}, "robot": {}}}
    tables["verbs"] = {"see": {"past": "saw", "object": "any"}, "sleep": {"past": "slept"}}
    grammar = parse(tables, "file")
    assert set("".join(root.form for root in grammar.lexicon.roots.values())) <= set("卡ма")
    assert parse(tomllib.loads(render(grammar)), "file") == grammar


def test_roots_without_a_form_follow_from_the_seed(tables):
    tables["nouns"]["thing"] |= {"star": {}, "lamp": {}, "map": {}}
    one, again = parse(tables, "file"), parse(tables, "file")
    tables["seed"] = 1
    other = parse(tables, "file")
    assert one == again
    assert one.lexicon.nouns["ship"] == other.lexicon.nouns["ship"]
    assert [one.lexicon.nouns[k].form for k in ("star", "lamp")] != [
        other.lexicon.nouns[k].form for k in ("star", "lamp")
    ]


@pytest.mark.parametrize(
    ("place", "value", "message"),
    [
        ("soundz", {}, "the file has an unknown key 'soundz' (did you mean sounds?); known: name, seed, sounds, order"),
        ("sounds.vowel", ["a"], "[sounds] has an unknown key 'vowel' (did you mean vowels?); known: consonants"),
        ("order.clause", "SOVV", "[order] clause is 'SOVV'; it must be one of SOV, SVO, VSO, VOS, OVS, OSV"),
        ("order.adjective", 3, "[order] adjective is 3; it must be one of before, after"),
        ("tense.aorist", "-a", "[tense] has an unknown key 'aorist'; known: past, present, future"),
        ("tense.past", "", "[tense] two tenses have the same marker"),
        ("agreement.4SG", "-a", "[agreement] has an unknown key '4SG'"),
        ("case.vocative", "-a", "[case] has an unknown key 'vocative' (did you mean locative?)"),
        ("case.ergative", "-pe", "[case] has both nominative/accusative and ergative/absolutive"),
        ("case.dative", "k-i", "[case] dative is 'k-i': write -x for a suffix, x- for a prefix or x"),
        ("case.dative", "-ko", "[case] dative: 'ko' holds 'o', which is none of its sounds"),
        ("agreement.1SG", "n", "[agreement] 1SG is 'n': write -x for a suffix, x- for a prefix"),
        ("number.plural", "", "[number] plural and dual must differ from the unmarked singular"),
        ("number.plural", "-ta", "means both"),
        ("sounds.consonants", "ptk", "[sounds] consonants is 'ptk'; it must be a list"),
        ("sounds.consonants", [], "[sounds] consonants is empty"),
        ("sounds.consonants", ["p", "p", "t", "k", "b", "n", "l", "sh"], "[sounds] 'p' is listed twice"),
        ("sounds.ipa", {}, "[sounds] 'sh' is no IPA consonant: say how it sounds, ipa = { \"sh\" = \"…\" }"),
        ("sounds.syllables", {"CW": 1}, "[sounds] syllables: 'CW' must be made of C, V"),
        ("sounds.syllables", {"CV": float("nan")}, "[sounds] syllables and lengths need weights"),
        ("sounds.syllables", {"CV": float("inf")}, "[sounds] syllables and lengths need weights"),
        ("sounds.syllables", {"CV": "often"}, "[sounds] syllables.CV is 'often'; it must be a number"),
        ("sounds.bans", ["o a"], "[sounds] bans: 'o' in 'o a' is neither a letter, a class nor #"),
        ("sounds.bans", ["# b"], "the root 'bal' (ship) breaks the ban '# b'"),
        ("sounds.link_vowels", "a", "[sounds] link_vowels is 'a'; it must be a consonant"),
        ("sounds.lengths", [0], "[sounds] syllables and lengths need weights"),
        ("harmony", {"kind": "backness", "one": ["a"], "other": ["i", "e"]}, "[harmony] one and other must be lists"),
        ("harmony", {"kind": "backness", "one": ["a"], "other": ["i"]}, "mixes the two sets of vowel harmony"),
        ("harmony", {"kind": "size", "one": ["a"], "other": ["i"]}, "[harmony] kind is 'size'; it must be one of"),
        ("mutation", {"changes": {"p": "b"}, "triggers": ["vocative"]}, "[mutation] triggers: 'vocative' is not known"),
        ("mutation", {"changes": {"p": "v"}, "triggers": ["past"]}, "[mutation] 'v' is none of the consonants"),
        ("irregular", {"child": {"future": "pit"}}, "[irregular.child] has an unknown key 'future'; known: plural"),
        ("irregular", {"dog": {"plural": "pit"}}, "[irregular] 'dog' is no root"),
        ("irregular", {"child": {"plural": "bal"}}, "'bal' means both"),
        ("nouns.animal", {"dog": "pup"}, "[nouns] has an unknown key 'animal'; known: person, thing, place"),
        ("nouns.thing.star", "zap", "the root 'zap' (star) holds 'z', which is none of its sounds"),
        ("nouns.thing.star", "tpa", "the root 'tpa' (star) is not made of its syllables, CV, CVC, V"),
        ("nouns.thing.star", "luna", "'luna' means both star and moon"),
        ("nouns.thing.moon", "pe", "[nouns.place] 'moon' is in [nouns.thing] too: choose one"),
        ("nouns.thing.star", 3, "nouns.thing.star is 3; it must be the form in quotes or a table"),
        ("nouns.thing.star", {"forms": "pe"}, "[nouns.thing.star] has an unknown key 'forms' (did you mean form?)"),
        ("nouns.thing.Star", "pe", "[nouns] 'Star' is no gloss: write one English word in small letters"),
        ("nouns.thing.sheep", {"form": "pe", "plural": "sheep"}, "'sheep' is 'sheep' in English, as is 'sheep'"),
        ("adjectives.two", "pe", "[adjectives] 'two' is an English word of grammar: choose another gloss"),
        ("adverbs.ships", "pe", "[adverbs] 'ships' is 'ships' in English, as is 'ship': choose another gloss"),
        ("verbs.put", {"form": "pe", "past": "put"}, "[verbs] 'put' is 'put' in English, as is 'put'"),
        ("verbs.hit", {"form": "pe", "object": "alien"}, "[verbs.hit] object is 'alien'; it must be"),
        ("verbs.hit", {"form": "pe", "recipient": 1}, "verbs.hit.recipient is 1; it must be true or false"),
        ("verbs.hit", {"form": "pe", "recipient": True}, "[verbs.hit] has a recipient but no object"),
        ("pronouns.5SG", "pe", "[pronouns] has an unknown key '5SG'; known: 1SG, 2SG"),
        ("relative.subject", "", "[relative] needs a word for subject and object"),
        ("name", 7, "name is 7; it must be a text in quotes"),
        ("seed", True, "seed is True; it must be a whole number"),
        ("verbs", 5, "verbs is 5; it must be a table"),
        ("verbs", {}, "[verbs] is empty"),
        ("nouns", {"person": {}}, "[nouns] is empty"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_one_line_with_its_place(tables, place, value, message):
    *path, key = place.split(".")
    table = tables
    for each in path:
        table = table[each]
    table[key] = value
    with pytest.raises(DataError) as caught:
        parse(tables, "mine.toml")
    assert str(caught.value).startswith("mine.toml: ")
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("key", ["name", "sounds", "order", "number", "tense", "nouns", "verbs"])
def test_what_is_missing_is_named(tables, key):
    del tables[key]
    with pytest.raises(DataError, match=rf"^mine.toml: \[?{key}\]? is missing$"):
        parse(tables, "mine.toml")


def test_a_missing_setting_is_named_and_a_wrong_one_before_what_is_missing(tables):
    del tables["order"]["clause"]
    with pytest.raises(DataError, match=r"^mine.toml: \[order\] clause is missing$"):
        parse(tables, "mine.toml")
    with pytest.raises(DataError, match=r"\[sounds\] has an unknown key 'consonant'"):
        parse({"name": "x", "sounds": {"consonant": ["p"]}}, "mine.toml")


def test_relative_clauses_that_nobody_could_tell_apart_are_refused(tables):
    del tables["case"]["accusative"]
    with pytest.raises(DataError, match="with the order SOV and no case"):
        parse(tables, "file")
    tables["relative"]["object"] = "sha"
    parse(tables, "file")
    tables["relative"]["object"] = "she"
    tables["order"]["clause"] = "SVO"
    parse(tables, "file")


def test_too_few_sounds_for_all_roots_is_said(tables):
    tables["sounds"]["syllables"], tables["sounds"]["lengths"] = {"V": 1, "CV": 0, "CVC": 0}, [1]
    tables["nouns"]["thing"] |= {f"star-{'x' * i}a": {} for i in range(30)}
    with pytest.raises(DataError, match=r"file: \[sounds\] makes too few words"):
        parse(tables, "file")


def test_a_file_that_is_none(tmp_path):
    with pytest.raises(UsageError, match="does not exist"):
        load(tmp_path / "none.toml")
    (tmp_path / "bad.toml").write_text("name = ")
    with pytest.raises(UsageError, match="not valid TOML"):
        load(tmp_path / "bad.toml")
    assert load(ROOT / "samples" / "languages" / "oshari.toml") == oshari()


VALUES = st.one_of(
    st.none(), st.booleans(), st.integers(-2, 3), st.floats(), st.text("aptk-# CVxé\n", max_size=4),
    st.lists(st.text("aptC#- ", max_size=3), max_size=3),
    st.dictionaries(st.text("aptC", max_size=3), st.one_of(st.text("apt-", max_size=3), st.integers(0, 2)), max_size=2),
)  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_any_value_anywhere_is_read_or_refused_in_one_line(data):
    tables = copy.deepcopy(TINY)
    for _ in range(data.draw(st.integers(1, 2))):
        table = tables
        while True:
            key = data.draw(st.sampled_from(sorted(table)))
            if not isinstance(table[key], dict) or not table[key] or data.draw(st.integers(0, 4)) == 0:
                break
            table = table[key]
        table[key] = data.draw(VALUES)
    refused = ""
    try:
        grammar = parse(tables, "mine.toml")
        assert parse(tomllib.loads(render(grammar)), "file") == grammar
        Composer(grammar).pair(Sampler(grammar, random.Random(0)).clause())
    except DataError as error:
        refused = str(error)
    assert not refused or refused.startswith("mine.toml: ") or "can say nothing" in refused
    assert "\n" not in refused
