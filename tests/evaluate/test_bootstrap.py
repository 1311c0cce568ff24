import numpy as np
import pytest

from daneel.evaluate.bootstrap import Estimate, difference, ratio


def test_the_value_is_a_ratio_of_sums_not_a_mean_of_ratios():
    assert ratio([10, 1], [10, 100]).value == pytest.approx(11 / 110)


def test_the_interval_holds_the_truth_as_often_as_it_says():
    random = np.random.default_rng(1)
    hits = 0
    for trial in range(200):
        sizes = random.integers(50, 500, 60)
        bits = sizes * 1.5 + random.normal(0, 0.3, 60) * sizes
        e = ratio(bits, sizes, seed=trial)
        hits += e.low <= 1.5 <= e.high
    # 95 % of 200 is 190; the percentile interval of 60 paragraphs is a little narrow.
    assert 180 <= hits <= 199


def test_the_interval_is_as_wide_as_theory_says():
    values = np.random.default_rng(2).normal(1.0, 0.5, 400)
    e = ratio(values, np.ones(400))
    assert e.high - e.low == pytest.approx(2 * 1.96 * values.std() / 20, rel=0.08)


def test_pairing_takes_out_what_both_share():
    random = np.random.default_rng(3)
    sizes = random.integers(50, 500, 80)
    hard = random.normal(1.5, 0.4, 80) * sizes
    easier = hard - 0.05 * sizes + random.normal(0, 0.01, 80) * sizes
    paired, unpaired = ratio(hard - easier, sizes), difference((hard, sizes), (easier, sizes))
    assert paired.value == pytest.approx(unpaired.value)
    assert paired.low > 0
    assert unpaired.low < 0


def test_two_sets_are_drawn_independently():
    values = np.random.default_rng(4).normal(1.0, 0.5, 300)
    alone, against = ratio(values, np.ones(300)), difference((values, np.ones(300)), (values, np.ones(300)))
    assert against.value == 0
    assert against.high - against.low == pytest.approx((alone.high - alone.low) * 2**0.5, rel=0.1)


def test_the_same_seed_gives_the_same_interval():
    tops, bottoms = np.random.default_rng(5).random((2, 40)) + 1
    assert ratio(tops, bottoms, 7) == ratio(tops, bottoms, 7)
    assert ratio(tops, bottoms, 7) != ratio(tops, bottoms, 8)


def test_one_paragraph_has_no_interval():
    assert ratio([3.0], [2.0]) == Estimate(1.5, None, None)
    assert difference(([3.0], [2.0]), ([1.0, 1.0], [1.0, 2.0])).low is None


def test_mapping_keeps_the_order():
    assert Estimate(1, 0, 2).mapped(lambda x: x + 1) == Estimate(2, 1, 3)
    assert Estimate(1, None, None).mapped(lambda x: x + 1) == Estimate(2, None, None)
