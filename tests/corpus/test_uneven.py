from typing import Any

import pytest

from daneel.corpus.associations import Counts
from daneel.corpus.uneven import rate, shown, uneven


def axis(named: list[int], near: list[int]) -> dict[str, Any]:
    counts = Counts(("a", "b"), named, [[number] for number in near])
    odds = [counts.log_odds(group, 0) for group in range(2)]
    return {
        "named": named,
        "near": counts.near,
        "log_odds": [[value] for value, _ in odds],
        "standard_error": [[error] for _, error in odds],
    }


@pytest.mark.parametrize(
    ("named", "near", "clear"),
    [
        ([1000, 1000], [60, 20], True),
        ([1000, 1000], [22, 20], False),
        # Nothing near a group that is named a hundred times is no news where one would be expected.
        ([100, 10_000], [0, 100], False),
        ([20, 1000], [12, 30], False),
        ([1000, 1000], [0, 40], True),
    ],
)
def test_bold_needs_a_difference_and_enough_of_it(named, near, clear):
    assert uneven(axis(named, near), 0, 0) is clear


def test_groups_that_are_hardly_named_are_left_out():
    assert shown({"named": [20, 19, 500]}) == [0, 2]
    assert shown({"named": [19, 500, 0]}) == []
    assert rate(axis([400, 10], [6, 0]), 0, 0) == 15.0
