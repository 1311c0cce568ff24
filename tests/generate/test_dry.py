"""DRY against a direct reading of its definition and the cases of llama.cpp's own tests."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from daneel.generate.dry import dry_penalties, make_breakers
from daneel.generate.sampling import Sampler, Sampling


def plain(history, breakers, multiplier, base, allowed):
    """Every earlier place, every length, as the definition says."""
    start = max((i + 1 for i, token in enumerate(history) if token in breakers), default=0)
    limit = len(history) - start
    out = {}
    for end in range(len(history) - 1):
        length = 0
        while length < limit and length <= end and history[end - length] == history[-1 - length]:
            length += 1
        token = history[end + 1]
        if length >= allowed and token not in breakers:
            out[token] = max(out.get(token, 0), multiplier * base ** (length - allowed))
    return out


@given(
    st.lists(st.integers(0, 4), min_size=1, max_size=60), st.sets(st.integers(0, 4), max_size=2),
    st.integers(1, 4), st.sampled_from([1.0, 1.75, 2.0]),
)  # fmt: skip
def test_equals_the_definition(history, breakers, allowed, base):
    found = dry_penalties(history, {token: [()] for token in breakers}, 0.8, base, allowed)
    assert found == pytest.approx(plain(history, breakers, 0.8, base, allowed))


# From llama.cpp's tests/test-sampling.cpp: equal logits, and the probabilities after the penalty.
@pytest.mark.parametrize(
    ("history", "multiplier", "base", "allowed", "breakers", "expected"),
    [
        ([0, 1], 1.0, 1.1, 2, {}, [0.25] * 4),
        ([0, 1, 2, 0, 1], 1.0, 1.1, 2, {}, [0.296923, 0.296923, 0.109232, 0.296923]),
        ([0, 1, 3, 4, 0, 1], 1.0, 1.1, 2, {3: [()]}, [0.2] * 5),
        ([0, 1, 2, 0, 1], 2.0, 1.1, 2, {}, [0.241818, 0.241818, 0.032727, 0.241818, 0.241818]),
        ([0, 1, 2, 3, 4, 0, 1], 1.0, 1.1, 4, {}, [0.2] * 5),
    ],
)
def test_as_llama_cpp(history, multiplier, base, allowed, breakers, expected):
    logits = np.zeros(len(expected), dtype=np.float32)
    for token, cost in dry_penalties(history, breakers, multiplier, base, allowed).items():
        logits[token] -= cost
    p = np.exp(logits) / np.exp(logits).sum()
    np.testing.assert_allclose(p, expected, atol=1e-6)


def test_a_long_repetition_does_not_overflow():
    costs = dry_penalties([1] * 3000, {}, 1.0, 1.75, 2)
    assert 0 < costs[1] < np.finfo(np.float32).max


def test_breakers_are_found_wherever_tokens_hold_or_begin_them():
    tokens = [b"\n", b" \n\n", b"x", b"foo", b"fo", b"x f", b"o", b"oo"]
    breakers = make_breakers(["\n", "foo"], tokens, lambda text: [tokens.index(text.encode())])
    assert breakers[0] == [()]
    assert breakers[1] == [()]
    assert breakers[3] == [()]
    assert breakers[4] == [(6,)]
    assert breakers[5] == [(7,)]
    assert 2 not in breakers


def test_a_breaker_of_several_tokens_ends_the_match():
    # 4 6 spells the breaker: only what follows it can be part of a repetition.
    history = [1, 2, 3, 9, 4, 6, 1, 2]
    assert dry_penalties(history, {}, 1.0, 2.0, 2) == {3: 1.0}
    assert dry_penalties([1, 2, 3, 9, 1, 4, 6, 2], {4: [(6,)]}, 1.0, 2.0, 2) == {}
    assert dry_penalties([9, 4, 6, 1, 2, 3, 4, 6, 1, 2], {4: [(6,)]}, 1.0, 2.0, 2) == {3: 1.0}


def test_dry_stops_a_loop():
    logits = np.zeros(6, dtype=np.float32)
    logits[1] = 5
    free = Sampler(Sampling(temperature=0), ())
    assert [free.sample(logits).token for _ in range(12)] == [1] * 12
    sampler = Sampler(Sampling(temperature=0, dry_multiplier=1.0), ())
    assert set(sampler.sample(logits).token for _ in range(12)) > {1}
