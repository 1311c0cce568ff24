import re

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from daneel.corpus.document import HAN, words
from daneel.corpus.words import Words

_WORD = re.compile(rf"[{HAN}]|[^\W_{HAN}]+")
_TEXT = st.text(st.sampled_from("abAB09_' \n.中文学ßÉé𠀀あア한🙂\u0301"), max_size=40) | st.text(max_size=40)


@given(st.lists(_TEXT, max_size=5))
def test_the_words_of_each_text_are_those_of_the_pattern(texts: list[str]) -> None:
    found = Words(texts)
    for t, text in enumerate(texts):
        shown = [found.word(n) for n in range(found.bounds[t], found.bounds[t + 1])]
        assert shown == _WORD.findall(text)
        assert found.counts[t] == words(text)


@given(st.lists(_TEXT, max_size=5))
def test_equal_hashes_mean_equal_words(texts: list[str]) -> None:
    found = Words(texts)
    seen: dict[int, str] = {}
    for n, value in enumerate(found.hashes.tolist()):
        word = found.word(n).replace("İ", "i").lower().replace("ς", "σ")
        assert seen.setdefault(value, word) == word
    assert len(seen) == len({word for word in seen.values()})


@given(st.lists(_TEXT, max_size=4), st.integers(1, 5))
def test_runs_of_words_stay_within_a_text(texts: list[str], n: int) -> None:
    found = Words(texts)
    hashes, begins = found.grams(n)
    seen: dict[int, tuple[int, ...]] = {}
    for t in range(len(texts)):
        own = found.hashes[found.bounds[t] : found.bounds[t + 1]].tolist()
        runs = [tuple(own[i : i + n]) for i in range(len(own) - n + 1)]
        assert begins[t + 1] - begins[t] == len(runs)
        for value, run in zip(hashes[begins[t] : begins[t + 1]].tolist(), runs, strict=True):
            assert seen.setdefault(value, run) == run


def test_case_does_not_count_and_order_does() -> None:
    found = Words(["Robot ROBOT robot", "tobor", "ab ba", "机器人"])
    assert len(set(found.hashes[:3].tolist())) == 1
    assert len(set(found.hashes.tolist())) == 1 + 1 + 2 + 3
    assert found.han.tolist() == [False] * 6 + [True] * 3
    assert found.passage(6, 8) == "机器人"
    runs, _ = found.grams(2)
    assert len(np.unique(runs)) == 1 + 1 + 2
