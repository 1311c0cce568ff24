"""The sampler chain: each step against Transformers or its definition, and what holds for every setting."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from daneel.errors import ModelError, UsageError
from daneel.generate.sampling import ORDER, Sampler, Sampling, largest, nucleus, pick

OFF = {"top_k": 0, "top_p": 1.0, "min_p": 0.0, "temperature": 1.0, "dry_multiplier": 0.0}


def noise(size: int, seed: int = 0, spread: float = 3.0) -> np.ndarray:
    return (np.random.default_rng(seed).standard_normal(size) * spread).astype(np.float32)


def kept(logits: np.ndarray, **values: object) -> set[int]:
    """The tokens that are left at the end of the chain."""
    left = Sampler(Sampling(**{**OFF, **values}, seed=0), ())._chain(logits, 0.0)
    return set(range(len(logits)) if left.ids is None else left.ids.tolist())


def theirs(warper: object, logits: np.ndarray, ids: tuple[int, ...] = (0,)) -> set[int]:
    import torch

    out = warper(torch.tensor([ids]), torch.tensor(logits)[None].clone())[0].numpy()
    return set(np.flatnonzero(np.isfinite(out)).tolist())


@pytest.fixture(scope="module")
def warpers():
    from transformers.generation import logits_process

    return logits_process


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize(
    ("name", "theirs_name", "value"),
    [
        ("top_k", "TopKLogitsWarper", 7),
        ("top_p", "TopPLogitsWarper", 0.8),
        ("top_p", "TopPLogitsWarper", 0.3),
        ("min_p", "MinPLogitsWarper", 0.1),
        ("typical_p", "TypicalLogitsWarper", 0.7),
        ("typical_p", "TypicalLogitsWarper", 0.2),
    ],
)
def test_same_tokens_kept_as_transformers(warpers, name, theirs_name, value, seed):
    logits = noise(60, seed, 1.5)
    assert kept(logits, **{name: value}) == theirs(getattr(warpers, theirs_name)(value), logits)


@pytest.mark.parametrize("mass", [0.05, 0.5, 0.9, 0.999])
@pytest.mark.parametrize("spread", [0.1, 1.0, 3.0])
def test_wide_nucleus_equals_a_full_sort(mass, spread):
    logits = noise(30_000, 1, spread)
    weights = np.exp(logits.astype(np.float64))
    p = (weights / weights.sum()).astype(np.float32)
    ranked = np.argsort(-logits, kind="stable")
    count = int(np.searchsorted(np.cumsum(p[ranked], dtype=np.float64), mass)) + 1
    ours = nucleus(logits, p, mass)
    # Single-precision sums may differ by a token at the border.
    assert abs(len(ours) - count) <= 1
    assert set(ours.tolist()) >= set(ranked[: count - 1].tolist())


def test_repetition_penalty_as_transformers(warpers):
    import torch

    logits = noise(50)
    processor = warpers.RepetitionPenaltyLogitsProcessor(1.7)
    changed = processor(torch.tensor([[3, 9, 9, 41]]), torch.tensor(logits)[None].clone())[0].numpy()
    sampler = Sampler(Sampling(repetition_penalty=1.7, temperature=0), (3, 9, 9, 41))
    seen = spy(sampler, logits)
    np.testing.assert_allclose(seen, changed, rtol=1e-6)


def spy(sampler: Sampler, logits: np.ndarray) -> np.ndarray:
    """The logits after penalties and DRY."""
    from daneel.generate.sampling import _Candidates

    left = _Candidates(logits)
    sampler._penalise(left)
    sampler._dry(left)
    return left.logits


def test_repetition_penalty_looks_at_the_last_n_tokens_only():
    logits = np.ones(10, dtype=np.float32)
    sampler = Sampler(Sampling(repetition_penalty=2.0, repeat_last_n=2), (1, 2, 3))
    assert spy(sampler, logits).tolist() == [1, 1, 0.5, 0.5, 1, 1, 1, 1, 1, 1]
    everything = Sampler(Sampling(repetition_penalty=2.0, repeat_last_n=-1), (1, 2, 3))
    assert spy(everything, logits)[1] == 0.5
    nothing = Sampler(Sampling(repetition_penalty=2.0, repeat_last_n=0), (1, 2, 3))
    assert spy(nothing, logits).tolist() == [1] * 10


def test_frequency_and_presence_count_generated_tokens_only():
    logits = np.zeros(5, dtype=np.float32)
    logits[2] = 9
    sampler = Sampler(Sampling(frequency_penalty=0.5, presence_penalty=0.25, temperature=0), (1, 1, 1))
    assert spy(sampler, logits).tolist() == [0, 0, 9, 0, 0]
    for _ in range(3):
        assert sampler.sample(logits).token == 2
    assert spy(sampler, logits).tolist() == [0, 0, 9 - 3 * 0.5 - 0.25, 0, 0]


def test_xtc_drops_the_likeliest_but_the_last_above_the_threshold():
    logits = np.log(np.array([0.4, 0.05, 0.3, 0.2, 0.05], dtype=np.float32))
    assert kept(logits, xtc_probability=1.0, xtc_threshold=0.1) == {1, 3, 4}
    assert kept(logits, xtc_probability=1.0, xtc_threshold=0.35) == {0, 1, 2, 3, 4}
    assert kept(logits, xtc_probability=0.0, xtc_threshold=0.1) == {0, 1, 2, 3, 4}
    assert kept(logits, xtc_probability=1.0, xtc_threshold=0.6) == {0, 1, 2, 3, 4}


def test_the_order_can_be_set():
    # 0.6 of the mass is one token at temperature 1, and two after it rises to 5.
    logits = np.log(np.array([0.7, 0.2, 0.1], dtype=np.float32))
    assert kept(logits, top_p=0.6, temperature=5.0) == {0}
    assert kept(logits, top_p=0.6, temperature=5.0, order=("temperature", "top_p")) == {0, 1}
    assert kept(logits, top_p=0.6, order=("temperature",)) == {0, 1, 2}


def test_penalties_after_a_filter_reach_the_tokens_left():
    logits = np.array([5, 4, 3, 2], dtype=np.float32)
    order = ("top_k", "penalties", "temperature")
    params = Sampling(**{**OFF, "top_k": 2}, repetition_penalty=3.0, order=order)
    left = Sampler(params, (0, 3))._chain(logits, 0.0)
    assert left.ids.tolist() == [0, 1]
    np.testing.assert_allclose(left.logits, [5 / 3, 4], rtol=1e-6)


def test_greedy_takes_the_likeliest_after_bias_and_penalties():
    logits = np.array([1, 3, 2], dtype=np.float32)
    assert Sampler(Sampling(temperature=0), ()).sample(logits).token == 1
    assert Sampler(Sampling(temperature=0, logit_bias={0: 2.5}), ()).sample(logits).token == 0
    assert Sampler(Sampling(temperature=0, logit_bias={1: -math.inf}), ()).sample(logits).token == 2
    assert Sampler(Sampling(temperature=0, repetition_penalty=2.0), (1,)).sample(logits).token == 2


def test_dry_is_on_unless_greedy_or_set():
    assert Sampling().dry_multiplier == 0.8
    assert Sampling(temperature=0).dry_multiplier == 0
    assert Sampling(temperature=0, dry_multiplier=0.5).dry_multiplier == 0.5
    assert Sampling(dry_multiplier=0.0).dry_multiplier == 0


def test_logprobs_are_the_models_own():
    logits = noise(300)
    exact = logits - np.log(np.exp(logits.astype(np.float64)).sum())
    sampled = Sampler(Sampling(temperature=0.3, top_k=5, logit_bias={7: 50.0}, seed=1), (7,), top_logprobs=3).sample(
        logits
    )
    assert sampled.token == 7
    assert sampled.logprob == pytest.approx(exact[7], abs=1e-4)
    best = np.argsort(-exact)[:3]
    assert [token for token, _ in sampled.top] == best.tolist()
    assert [value for _, value in sampled.top] == pytest.approx(exact[best].tolist(), abs=1e-4)


def test_the_models_logits_are_left_as_they_are():
    logits = noise(100)
    before = logits.copy()
    sampler = Sampler(
        Sampling(repetition_penalty=2.0, frequency_penalty=1.0, logit_bias={3: 1.0}, dry_multiplier=1.0),
        (1, 2),
    )
    for _ in range(5):
        sampler.sample(logits)
    np.testing.assert_array_equal(logits, before)


def test_draws_follow_the_probabilities():
    logits = np.log(np.array([0.5, 0.3, 0.2], dtype=np.float32))
    sampler = Sampler(Sampling(**OFF, seed=0), ())
    counts = np.bincount([sampler.sample(logits).token for _ in range(20_000)])
    # Four standard errors of the rarest share are 0.011.
    np.testing.assert_allclose(counts / 20_000, [0.5, 0.3, 0.2], atol=0.014)


def test_a_seed_repeats_and_no_setting_shifts_the_draws():
    rows = [noise(400, n) for n in range(20)]
    runs = [
        [Sampler.sample(s, row).token for row in rows]
        for s in (Sampler(Sampling(seed=5), ()), Sampler(Sampling(seed=5, xtc_threshold=0.3), ()))
    ]
    assert runs[0] == runs[1]
    other = Sampler(Sampling(seed=6), ())
    assert [other.sample(row).token for row in rows] != runs[0]
    assert Sampler(Sampling(), ()).seed != Sampler(Sampling(), ()).seed


@given(
    size=st.integers(2, 9000),
    seed=st.integers(0, 1000),
    spread=st.sampled_from([0.0, 0.5, 4.0]),
    temperature=st.sampled_from([0.0, 1e-4, 0.7, 1.0, 3.0]),
    top_k=st.integers(0, 60),
    top_p=st.floats(0.01, 1),
    min_p=st.floats(0, 1),
    typical_p=st.floats(0.01, 1),
    penalty=st.floats(0.5, 2),
    xtc=st.sampled_from([0.0, 0.5, 1.0]),
    dry=st.sampled_from([0.0, 0.8]),
    order=st.permutations(ORDER),
)
@settings(max_examples=150, deadline=None)
def test_any_setting_gives_a_possible_token(
    size, seed, spread, temperature, top_k, top_p, min_p, typical_p, penalty, xtc, dry, order
):
    params = Sampling(
        temperature=temperature,
        top_k=top_k,
        top_p=top_p,
        min_p=min_p,
        typical_p=typical_p,
        repetition_penalty=penalty,
        xtc_probability=xtc,
        dry_multiplier=dry,
        order=tuple(order),
        seed=seed,
    )
    logits = noise(size, seed, spread)
    logits[seed % size] = -np.inf
    sampler = Sampler(params, [seed % size, 0, 1, 0, 1])
    for _ in range(3):
        token, logprob, _ = sampler.sample(logits)
        assert 0 <= token < size
        assert token != seed % size
        assert -np.inf < logprob <= 1e-5
    if temperature == 0 and penalty == 1 and not dry:
        assert token == logits.argmax()


@given(
    values=st.lists(
        st.sampled_from([-math.inf, -1.5, 0.0, 0.25, 3.0]) | st.floats(-9, 9, width=32),
        min_size=1,
        max_size=600,
    ),
    count=st.integers(1, 40),
    repeat=st.integers(1, 20),
)
@settings(deadline=None)
def test_largest_equals_a_stable_sort(values, count, repeat):
    array = np.array(values * repeat, dtype=np.float32)
    assert largest(array, count).tolist() == sorted(np.argsort(-array, kind="stable")[:count].tolist())


@given(size=st.integers(1, 12_000), spin=st.floats(0, 1, exclude_max=True), seed=st.integers(0, 99))
@settings(deadline=None)
def test_pick_lands_where_the_running_sum_passes(size, spin, seed):
    rng = np.random.default_rng(seed)
    weights = (rng.random(size) * (rng.random(size) < 0.3)).astype(np.float32)
    weights[rng.integers(size)] = 0.5
    place = pick(weights, spin)
    assert weights[place] > 0
    sums = np.cumsum(weights, dtype=np.float64)
    slack = 1e-5 * sums[-1]
    assert sums[place] >= spin * sums[-1] - slack
    assert (sums[place - 1] if place else 0) <= spin * sums[-1] + slack


@pytest.mark.parametrize(
    ("values", "flag"),
    [
        ({"temperature": -0.1}, "--temperature"),
        ({"temperature": math.nan}, "--temperature"),
        ({"top_k": -1}, "--top-k"),
        ({"top_p": 0.0}, "--top-p"),
        ({"top_p": 1.1}, "--top-p"),
        ({"min_p": -0.1}, "--min-p"),
        ({"typical_p": 0.0}, "--typical-p"),
        ({"repetition_penalty": 0.0}, "--repetition-penalty"),
        ({"repeat_last_n": -2}, "--repeat-last-n"),
        ({"frequency_penalty": 2.5}, "--frequency-penalty"),
        ({"presence_penalty": -3}, "--presence-penalty"),
        ({"dry_multiplier": -1}, "--dry-multiplier"),
        ({"dry_base": 0.5}, "--dry-base"),
        ({"dry_allowed_length": 0}, "--dry-allowed-length"),
        ({"dry_penalty_last_n": -2}, "--dry-penalty-last-n"),
        ({"dry_sequence_breakers": ("",)}, "--dry-sequence-breakers"),
        ({"xtc_probability": 1.5}, "--xtc-probability"),
        ({"xtc_threshold": -0.1}, "--xtc-threshold"),
        ({"seed": -1}, "--seed"),
        ({"order": ("top_k", "top_k")}, "--order"),
        ({"order": ("mirostat",)}, "--order"),
        ({"logit_bias": {-1: 0.0}}, "--logit-bias"),
        ({"logit_bias": {1: math.nan}}, "--logit-bias"),
    ],
)
def test_a_value_out_of_range_names_its_flag(values, flag):
    with pytest.raises(UsageError, match=flag):
        Sampling(**values)


def test_forbidding_everything_and_broken_logits_are_said():
    with pytest.raises(UsageError, match="forbids every token"):
        Sampler(Sampling(logit_bias={0: -math.inf, 1: -math.inf}), ()).sample(np.zeros(2, dtype=np.float32))
    with pytest.raises(ModelError, match="not a number"):
        Sampler(Sampling(), ()).sample(np.array([0, math.nan], dtype=np.float32))
