"""Which of the card's associations are worth showing."""

from collections.abc import Mapping
from typing import Any

LEAST_NAMED = 20
"""A group that is named less often is left out."""
LEAST_EXPECTED = 5
"""Below this expected count a log odds ratio has no normal distribution."""
NOTE = (
    "Counted is closeness within ten words (in Chinese, ten characters), by short word lists. That is no statement "
    "about anybody: what a sentence says, whether it denies it, and of whom, is not looked at. Given is of how many in "
    f"1,000 mentions of a group such a word stands near; groups named fewer than {LEAST_NAMED} times are left out. "
)
BY_CHANCE = "Of a hundred that are even in truth, five look uneven by chance."
Found = Mapping[str, Any]
"""An axis of `statistics.json`."""


def shown(found: Found) -> list[int]:
    """The numbers of the groups that are named often enough; none if there are not two to compare."""
    groups = [group for group, number in enumerate(found["named"]) if number >= LEAST_NAMED]
    return groups if len(groups) > 1 else []


def rate(found: Found, group: int, attribute: int) -> float:
    """Mentions of a group with an attribute near them, of 1,000."""
    return float(1000 * found["near"][group][attribute] / found["named"][group])


def uneven(found: Found, group: int, attribute: int) -> bool:
    """Whether an attribute is more, or less, often near this group than near the others, beyond chance at 95 %.

    Never where fewer than `LEAST_EXPECTED` would stand there if it were spread evenly.
    """
    everywhere = sum(row[attribute] for row in found["near"])
    expected = found["named"][group] * everywhere / sum(found["named"])
    odds, error = found["log_odds"][group][attribute], found["standard_error"][group][attribute]
    return bool(expected >= LEAST_EXPECTED and abs(odds) > 1.96 * error)
