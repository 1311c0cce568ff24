import math
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from daneel.corpus.associations import _LISTS, ATTRIBUTES, AXES, WINDOW, Counts, associations
from daneel.corpus.document import HAN
from daneel.corpus.statistics import RUNS
from daneel.corpus.words import Words

WORD = re.compile(rf"[{HAN}]|[^\W_{HAN}]+")
some = [
    "she",
    "He",
    "the",
    "old",
    "man",
    "lady",
    "young",
    "strong",
    "good",
    "她",
    "他",
    "姑",
    "娘",
    "勇",
    "气",
    "大",
    "和",
    "尚",
    ".",
]
texts = st.lists(st.lists(st.sampled_from(some), max_size=40).map(" ".join), max_size=4)


def counted(texts: list[str]) -> dict[str, Counts]:
    words = Words(texts)
    return associations(words, {n: words.grams(n) for n in RUNS})


def plainly(texts: list[str]) -> dict[str, Counts]:
    """The same, word by word."""
    split = [[word.lower() for word in WORD.findall(text)] for text in texts]

    def at(words: list[str], terms: list[str]) -> list[int]:
        runs = [WORD.findall(term) for term in terms]
        return [k for k in range(len(words)) if any(words[k : k + len(run)] == run for run in runs)]

    out = {}
    for axis in AXES:
        groups = _LISTS[axis]["groups"]
        named, near = [], []
        for terms in groups.values():
            places = [at(words, terms) for words in split]
            named.append(sum(map(len, places)))
            row = []
            for attribute in _LISTS["attributes"].values():
                found = [at(words, attribute) for words in split]
                row.append(
                    sum(
                        any(abs(a - b) <= WINDOW for b in theirs)
                        for own, theirs in zip(places, found, strict=True)
                        for a in own
                    )
                )
            near.append(row)
        out[axis] = Counts(tuple(groups), named, near)
    return out


@settings(deadline=None)
@given(texts)
def test_counts_are_those_of_plain_python(texts):
    assert counted(texts) == plainly(texts)


@pytest.mark.parametrize(("gap", "near"), [(WINDOW - 1, 1), (WINDOW, 0)])
@pytest.mark.parametrize(("who", "what", "other"), [("she", "strong", " the"), ("她", "勇气", "灯")])
def test_the_window_ends_where_it_says(who, what, other, gap, near):
    # A term stands where it begins: of two characters, the second is one of the gap.
    before = gap - len(WORD.findall(what)) + 1
    found = counted([f"{who} {other * gap} {what}", f"{what} {other * before} {who}"])["gender"]
    strength = ATTRIBUTES.index("strength")
    assert found.near[0][strength] == 2 * near
    assert found.near[1] == [0] * len(ATTRIBUTES)


def test_a_window_never_reaches_over_the_end_of_a_text():
    assert counted(["she", "strong"])["gender"].near[0] == [0] * len(ATTRIBUTES)


def test_terms_of_several_words_and_what_only_looks_like_a_term():
    found = counted(["The old man and an old house. 他仿佛看见了和尚。", "a black moor, and the theory"])
    assert found["age"].named == [0, 1]
    assert found["religion"].named == [0, 0, 0, 1]
    assert found["origin"].named == [0, 0, 0, 0]
    assert found["gender"].named == [0, 2]


def test_a_word_stands_in_one_list_of_its_axis():
    for axis in [*(_LISTS[axis]["groups"] for axis in AXES), _LISTS["attributes"]]:
        every = [term for terms in axis.values() for term in terms]
        assert len(every) == len(set(every))
        assert all(term == term.lower() for term in every)


def test_log_odds_and_their_error():
    counts = Counts(("a", "b"), [100, 200], [[10], [5]])
    odds, error = counts.log_odds(0, 0)
    assert odds == pytest.approx(math.log(10.5 * 195.5 / (90.5 * 5.5)))
    assert error == pytest.approx(math.sqrt(1 / 10.5 + 1 / 90.5 + 1 / 5.5 + 1 / 195.5))
    assert counts.log_odds(1, 0) == pytest.approx((-odds, error))
    assert Counts(("a", "b"), [0, 0], [[0], [0]]).log_odds(0, 0)[0] == 0
