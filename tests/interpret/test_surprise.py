import math

import numpy as np
import pytest
from fake_lm import Rewriting, UnigramModel
from hypothesis import given
from hypothesis import strategies as st

from daneel.interpret.surprise import surprise
from daneel.lm.base import Scored


def test_bits_are_minus_log2_of_each_probability():
    lm = UnigramModel("aab")
    shown = surprise(lm, "ab", context="x", label="before")
    assert shown.pieces == ["a", "b"]
    assert shown.bits == pytest.approx([-lm.logprob(c) / math.log(2) for c in "ab"], rel=1e-5)
    assert shown.label == "before"
    assert lm.asked == [("x", "ab")]
    assert surprise(lm, "ab").label == lm.name


@given(st.text(st.sampled_from("aé公😀 \n"), min_size=1, max_size=30), st.integers(1, 5))
def test_pieces_join_to_the_text_and_lose_no_bits(text, size):
    raw = text.encode()
    tokens = [raw[i : i + size] for i in range(0, len(raw), size)]
    shown = surprise(Rewriting(lambda *_: tokens), text)
    assert "".join(shown.pieces) == text
    assert all(shown.pieces)
    assert sum(shown.bits) == pytest.approx(len(tokens))


def test_halves_of_a_character_are_joined():
    raw = "公a".encode()
    shown = surprise(Rewriting(lambda *_: [raw[:1], raw[1:3], raw[3:]]), "公a")
    assert shown.pieces == ["公", "a"]
    assert shown.bits == pytest.approx([2, 1])


def test_bytes_that_are_no_text_do_not_swallow_what_follows():
    shown = surprise(Rewriting(lambda *_: [b"\xff", b"a", b"\xe5"]), "?")
    assert shown.pieces == ["\ufffd", "a", "\ufffd"]
    assert shown.bits == pytest.approx([1, 1, 1])


def test_no_probability_is_lost_to_rounding():
    class Sure(UnigramModel):
        def score(self, context, continuation):
            return Scored([b"a"], np.array([-1e-7], np.float32))

    assert surprise(Sure(), "a").bits[0] == pytest.approx(1e-7 / math.log(2))
