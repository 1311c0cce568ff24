import copy

import pytest
from conlang.languages import TINY


@pytest.fixture
def tables() -> dict:
    """The tables of a grammar file, to be changed by a test."""
    return copy.deepcopy(TINY)
